"""The name under which the network knows the hub."""

from hub.actions.box import announced, facts
from hub.actions.box.announced import OTHERS, Announced, Other
from hub.store.database import Store
from hub.store.people import audit
from hub.words import status as said
from hub.words import words


def test_a_new_hub_has_announced_nothing(store: Store) -> None:
    assert announced.find(store) is None


def test_the_name_and_the_others_are_kept_up_to_a_bound(store: Store) -> None:
    others = tuple(Other(str(number), "hub", "http://10.0.0.9:4001") for number in range(OTHERS + 5))
    announced.keep(store, Announced("hikma-hub", "hikma-hub-2.local", others))
    assert announced.find(store) == Announced("hikma-hub", "hikma-hub-2.local", others[:OTHERS])


def names_noted(store: Store) -> list[object]:
    with store.read() as db:
        return [entry["detail"] for entry in audit.entries(db) if entry["event"] == "hub.host_name"]


def test_who_else_goes_by_the_name_is_told_and_noted_once(store: Store) -> None:
    for _ in range(2):
        announced.keep(store, Announced("hikma-hub", "hikma-hub-2.local", rivals=("10.0.0.9",)))
    with store.read() as db:
        assert [entry["detail"] for entry in audit.entries(db) if entry["event"] == "hub.rival"] == ["10.0.0.9"]
    now = facts.gather(store)
    assert now.rivals == ("10.0.0.9",)
    assert ("Another device uses this hub's name", "10.0.0.9") in said.summary(words("en"), now)


def test_a_name_that_the_hub_had_to_take_on_the_network_is_noted_once(store: Store) -> None:
    announced.keep(store, Announced("hikma-hub", "hikma-hub.local"))
    assert names_noted(store) == []
    for _ in range(2):
        announced.keep(store, Announced("hikma-hub", "hikma-hub-2.local"))
    assert names_noted(store) == ["hikma-hub-2.local"]
    announced.keep(store, Announced("north", "north.local"))
    assert names_noted(store) == ["hikma-hub-2.local"]
