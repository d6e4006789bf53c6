"""Where the hub listens."""

from hub.actions.box import listening
from hub.actions.box.listening import Listening
from hub.store.database import Store


def test_where_the_hub_listens_is_known_to_others(store: Store) -> None:
    assert listening.find(store) is None
    listening.keep(store, Listening("0.0.0.0", 4001))  # noqa: S104
    assert listening.find(store) == Listening("0.0.0.0", 4001)  # noqa: S104
