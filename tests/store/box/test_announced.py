"""The name under which the network knows the hub."""

from hub.store.box import announced
from hub.store.box.announced import OTHERS, Announced, Other
from hub.store.database import Store


def test_a_new_hub_has_announced_nothing(store: Store) -> None:
    with store.read() as db:
        assert announced.find(db) is None


def test_the_name_and_the_others_are_kept_up_to_a_bound(store: Store) -> None:
    others = tuple(Other(str(number), "hub", "http://10.0.0.9:4001") for number in range(OTHERS + 5))
    with store.write() as tx:
        announced.keep(tx, Announced("hikma-hub", "hikma-hub-2.local", others))
    with store.read() as db:
        assert announced.find(db) == Announced("hikma-hub", "hikma-hub-2.local", others[:OTHERS])
