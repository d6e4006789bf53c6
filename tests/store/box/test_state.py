"""One value a key."""

from typing import Any

import pytest

from hub.store.box import state
from hub.store.box.state import Announced, Key, Listening, Other
from hub.store.database import Store

VALUES = [
    (state.NAME, "عيادة الأمل", "text"),
    (state.PRIVATE_KEY, bytes(range(32)), "blob"),
    (state.PAIRING_UNTIL, 1_800_000_000_000, "integer"),
    (state.LISTENING, Listening("0.0.0.0", 4001), "text"),  # noqa: S104  an example
    (state.ANNOUNCED, Announced("a", "a.local", (Other("id", "name", "http://10.0.0.9"),)), "text"),
]


@pytest.mark.parametrize(("key", "value", "kept_as"), VALUES)
def test_a_value_is_found_as_it_was_put_and_kept_in_its_own_type(
    store: Store,
    key: Key[Any],
    value: Any,  # noqa: ANN401  of any type
    kept_as: str,
) -> None:
    with store.write() as tx:
        assert state.get(tx.db, key) is None
        state.put(tx, key, value)
        state.put(tx, key, value)
    with store.read() as db:
        assert state.get(db, key) == value
        assert db.execute("SELECT typeof(value) FROM hub WHERE key = ?", [key.name]).fetchall() == [(kept_as,)]


def test_a_value_that_is_forgotten_is_not_there(store: Store) -> None:
    with store.write() as tx:
        state.put(tx, state.NAME, "North")
        state.forget(tx, state.NAME)
        state.forget(tx, state.NAME)
        assert state.get(tx.db, state.NAME) is None


@pytest.mark.parametrize(("until", "left"), [(None, 0), (999, 0), (1_000, 0), (1_001, 1), (2_000, 1), (2_001, 2)])
def test_the_time_that_is_left_is_rounded_up_and_never_below_nothing(
    store: Store, until: int | None, left: int
) -> None:
    with store.write() as tx:
        if until is not None:
            state.put(tx, state.LOCATING_UNTIL, until)
        assert state.left_s(tx.db, state.LOCATING_UNTIL, 1_000) == left
