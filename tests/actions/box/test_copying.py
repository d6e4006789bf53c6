"""Whether a copy of the hub has become the hub."""

from hub.actions.box import copying
from hub.actions.people import audit
from hub.store.database import Store


def test_that_another_box_took_its_place_is_known_for_ever_and_noted_once(store: Store) -> None:
    assert not copying.is_replaced(store)
    for _ in range(2):
        copying.retire(store)
    assert copying.is_replaced(store)
    assert store.is_replaced
    assert [entry["event"] for entry in audit.newest(store, limit=5).entries] == ["hub.replaced"]
