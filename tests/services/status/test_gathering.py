"""Gathering the facts often, and what is expensive seldom."""

from collections.abc import Callable

import pytest

from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.core.status.facts import Facts
from hub.core.status.state import HubState, state
from hub.services.status.gathering import Gathering
from hub.store.box import counters
from hub.store.database import Store, View
from hub.store.records import record_rows
from tests.hubs import changes, row
from tests.store.pushes import push

Clock = Callable[[float], None]


@pytest.fixture
def pass_s(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a function that lets so many seconds pass for the gathering."""
    now_s = [1000.0]
    monkeypatch.setattr("hub.services.status.gathering.time.monotonic", lambda: now_s[0])

    def let_pass(seconds: float) -> None:
        now_s[0] += seconds

    return let_pass


def of(store: Store, *, power_weak: bool | None = None, temperature_c: float | None = None) -> Gathering:
    return Gathering(store, power_weak=lambda: power_weak, temperature_c=lambda: temperature_c)


def refuse_writes(store: Store) -> None:
    with store.write() as tx:
        tx.db.execute("CREATE TRIGGER full BEFORE UPDATE ON hub BEGIN SELECT RAISE(ABORT, 'disk full'); END")


def test_what_the_machine_measures_is_among_the_facts(store: Store) -> None:
    hot = of(store, power_weak=True, temperature_c=84.0).gather()
    assert (hot.power_weak, hot.temperature_c, state(hot)) == (True, 84.0, HubState.POWER_WEAK)
    mute = of(store).gather()
    assert (mute.power_weak, mute.temperature_c) == (False, None)


def test_a_write_is_tried_once_a_minute_and_after_a_failure_each_time(store: Store, pass_s: Clock) -> None:
    some = of(store)
    assert some.gather().writable
    refuse_writes(store)
    pass_s(59)
    assert some.gather().writable
    pass_s(1)
    assert not some.gather().writable
    pass_s(2)
    assert not some.gather().writable


def test_all_numbers_are_of_one_moment(store: Store) -> None:
    some = of(store)
    assert some.gather().records == 0
    rows = [row("patients", "a"), row("patients", "b")]
    push(store, changes("patients", created=rows))
    push(store, changes("patients", deleted=["b"]))
    now = some.gather()
    assert (now.records, now.patients, now.visits, now.waiting) == (1, 1, 0, 2)


def test_records_are_counted_again_only_after_something_was_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    count = record_rows.count

    def counting(db: View, table: Table) -> int:
        counted.append(table.name)
        return count(db, table)

    monkeypatch.setattr(record_rows, "count", counting)
    some = of(store)
    some.gather()
    assert set(counted) == set(TABLES)
    counted.clear()
    some.gather()
    assert not counted


def test_how_much_waits_is_kept_for_the_charts_when_it_changed_and_otherwise_every_ten_minutes(
    store: Store, pass_s: Clock
) -> None:
    def kept() -> list[int]:
        with store.read() as db:
            return [bucket.waiting for bucket in counters.since(db, 0)]

    some = of(store)
    some.keep(Facts(waiting=3))
    assert kept() == [3]
    pass_s(29)
    some.keep(Facts(waiting=5))
    assert kept() == [3]
    pass_s(1)
    some.keep(Facts(waiting=5))
    assert kept() == [5]


def test_a_database_that_cannot_be_read_is_named_and_does_not_end_the_gathering(store: Store) -> None:
    with store.write() as tx:
        tx.db.execute("DROP TABLE outbox")
    assert state(of(store).gather()) is HubState.DAMAGED
