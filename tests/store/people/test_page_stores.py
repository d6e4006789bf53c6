"""What the pages remember: counts over time, the audit log, who is signed in."""

from collections.abc import Callable

import pytest

from hub.core.clock import NEWEST_MS, OLDEST_MS
from hub.core.people.page_session import MOST
from hub.store.box import counters
from hub.store.box.counters import BUCKET_MS, KEPT_MS
from hub.store.database import Store
from hub.store.people import audit, page_sessions
from hub.store.people.page_sessions import Account, AccountKind

HOUR_MS = 3_600_000


class Wall:
    """A wall clock that tests set."""

    def __init__(self, set_: Callable[[int], None]) -> None:
        self.set = set_


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    """Return a wall clock that stands at a right time."""

    def set_(now_ms: int) -> None:
        monkeypatch.setattr("hub.store.box.counters.time.time_ns", lambda: now_ms * 1_000_000)

    set_(OLDEST_MS + HOUR_MS)
    return Wall(set_)


def shift(store: Store, ms: int) -> None:
    """Let hub time pass."""
    with store.write() as tx:
        tx.db.execute("UPDATE counters SET at = at - ?", [ms])


def totals(store: Store) -> list[tuple[int, int, int]]:
    with store.read() as db:
        return [(bucket.entered, bucket.relayed, bucket.waiting) for bucket in counters.since(db, 0)]


def test_counts_add_up_within_ten_minutes_and_start_anew_after(store: Store, wall: Wall) -> None:
    for number in (1, 2):
        with store.write() as tx:
            counters.add(tx, entered=number, relayed=1)
    with store.write() as tx:
        counters.sample(tx, waiting=9)
    shift(store, BUCKET_MS)
    wall.set(OLDEST_MS + HOUR_MS + BUCKET_MS)
    with store.write() as tx:
        counters.add(tx, entered=5)
    assert totals(store) == [(3, 2, 9), (5, 0, 9)]


def test_nothing_counted_writes_nothing(store: Store) -> None:
    with store.write() as tx:
        counters.add(tx)
    assert totals(store) == []


def test_counts_are_kept_for_a_week_of_charts_and_no_longer(store: Store, wall: Wall) -> None:
    with store.write() as tx:
        counters.add(tx, entered=1)
    shift(store, KEPT_MS + BUCKET_MS)
    wall.set(OLDEST_MS + HOUR_MS + KEPT_MS)
    with store.write() as tx:
        counters.add(tx, entered=2)
    assert totals(store) == [(2, 0, 0)]


def test_a_wall_clock_that_is_set_begins_a_new_count(store: Store, wall: Wall) -> None:
    with store.write() as tx:
        counters.add(tx, entered=1)
        at = tx.now_ms
    wall.set(OLDEST_MS + 50 * HOUR_MS)
    with store.write() as tx:
        counters.add(tx, entered=2)
        later = tx.now_ms
    assert totals(store) == [(1, 0, 0), (2, 0, 0)]
    with store.read() as db:
        assert counters.wall_ms(db, at) == OLDEST_MS + HOUR_MS
        assert counters.wall_ms(db, later + 1000) == OLDEST_MS + 50 * HOUR_MS + 1000


@pytest.mark.parametrize("wrong", [0, OLDEST_MS - 1, NEWEST_MS])
def test_a_wall_clock_that_cannot_be_right_is_not_believed(store: Store, wall: Wall, wrong: int) -> None:
    wall.set(wrong)
    with store.write() as tx:
        counters.add(tx, entered=1)
    with store.read() as db:
        assert counters.wall_ms(db, 0) is None


def test_what_came_before_the_clock_was_right_is_dated_back_from_then(store: Store, wall: Wall) -> None:
    wall.set(0)
    with store.write() as tx:
        counters.add(tx, entered=1)
        at = tx.now_ms
    shift(store, HOUR_MS)
    wall.set(OLDEST_MS + 9 * HOUR_MS)
    with store.write() as tx:
        counters.add(tx, entered=1)
    with store.read() as db:
        found = counters.wall_ms(db, at - HOUR_MS)
    assert found is not None
    assert abs(found - (OLDEST_MS + 8 * HOUR_MS)) < 1000


def test_the_audit_log_names_who_acts(store: Store) -> None:
    with store.write() as tx, audit.by("administrator:amal"):
        audit.note(tx, "one")
    with store.write() as tx:
        audit.note(tx, "two")
    with store.read() as db:
        assert [(row["event"], row["actor"]) for row in audit.entries(db)] == [
            ("two", None),
            ("one", "administrator:amal"),
        ]


def test_s8_so_many_are_signed_in_at_most_and_who_was_away_for_longest_goes(store: Store) -> None:
    tokens = []
    for _ in range(MOST + 1):
        with store.write(durable=False) as tx:
            tokens.append(page_sessions.begin(tx, Account(AccountKind.ADMINISTRATOR, "amal")))
            page_sessions.touch(tx, tokens[0])
    with store.read() as db:
        assert [page_sessions.find(db, token) is not None for token in tokens] == [True, False, *[True] * (MOST - 1)]
