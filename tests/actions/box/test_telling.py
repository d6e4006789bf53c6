"""How far the fleet server is told of this hub."""

from hub.actions.box import samples, telling
from hub.actions.box.telling import Told
from hub.core.fleet.health import Health
from hub.store.database import Store


def test_what_the_server_was_told_is_not_told_again_but_to_another_one(store: Store) -> None:
    for _ in range(2):
        samples.keep(store, Health(state="safe", worst="safe", level="safe"))
    telling.keep(store, Told(num=1))
    told = telling.standing(store).told
    before, lacking = telling.untold(store, told)
    assert (before and before.num, [each.num for each in lacking]) == (1, [2])
    telling.forget(store)
    assert telling.standing(store).told == Told()
