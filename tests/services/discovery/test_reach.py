"""Where phones find the hub."""

from hub.actions.box import announced
from hub.actions.box.announced import Announced
from hub.actions.box.listening import Listening
from hub.actions.phones import access
from hub.core.phone.reach import Moved
from hub.services.discovery.reach import Reach
from hub.store.database import Store
from hub.store.phones import reached

SERVER = Listening("10.0.0.9", 4001)


def test_the_code_carries_the_address_or_the_announced_name(store: Store) -> None:
    announced.keep(store, Announced("hikma-hub", "hikma-hub-2.local"))
    assert Reach(store, SERVER, wanted="hikma-hub", by_name=False).host() == "10.0.0.9"
    assert Reach(store, SERVER, wanted="hikma-hub", by_name=True).host() == "hikma-hub-2.local"


def test_before_it_announced_itself_the_hub_goes_by_the_name_it_wants(store: Store) -> None:
    assert Reach(store, SERVER, wanted="north", by_name=True).host() == "north.local"


def test_phones_are_missed_at_an_old_address_and_not_at_the_name(store: Store) -> None:
    with store.write() as tx:
        for host in ("10.0.0.5", "10.0.0.9", "north.local"):
            reached.note(tx, access.pair(tx, f"at {host}", None, most=10).num, host)
    assert Reach(store, SERVER, wanted="north", by_name=False).moved() == [Moved("10.0.0.5", 1)]
