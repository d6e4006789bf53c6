"""Finding the box."""

from hub.actions.box import locate
from hub.store.box import state
from hub.store.database import Store


def test_locating_ends_by_itself(store: Store) -> None:
    locate.start(store, 60)
    with store.read() as db:
        now_ms = store.now_ms(db)
        assert state.left_s(db, state.LOCATING_UNTIL, now_ms) in {59, 60}
        assert state.left_s(db, state.LOCATING_UNTIL, now_ms + 61_000) == 0
