"""Tests that the outbox is kept as it was given, and that its queries mean the states of core."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from hub.core.cloud.outbox import Entry, OutboxState
from hub.core.cloud.tables import PUSH_ORDER
from hub.core.reasons import Code
from hub.core.records.tables import TABLES
from hub.store.cloud import outbox
from hub.store.database import Store
from tests.hubs import changes, row
from tests.store import pushes

PATIENTS = TABLES["patients"]
PULLS = 3

ENTRIES = st.builds(
    Entry,
    revision=st.integers(1, 3),
    columns=st.none() | st.frozensets(st.sampled_from("abc")),
    sent=st.none() | st.integers(1, 3),
    sent_pull=st.none() | st.integers(0, 3),
    held=st.none(),
    tries=st.integers(0, 3),
    reason=st.none() | st.sampled_from([Code.REFUSED.of(table="patients"), Code.WAITS_FOR.of(parent="visits")]),
    known=st.none() | st.dictionaries(st.sampled_from("ab"), st.lists(st.integers(0, 9), max_size=2).map(tuple)),
) | st.builds(lambda revision: Entry(revision, held=revision), st.integers(1, 3))
ALL = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)


def fill(store: Store, entries: list[Entry]) -> None:
    """Let these be the entries of the patients 1, 2, 3 ..."""
    with store.write() as tx:
        tx.db.execute("DELETE FROM outbox")
        outbox.put(tx, PATIENTS, dict(enumerate(entries, 1)))


def patients(store: Store, count: int) -> None:
    pushes.push(store, changes("patients", created=[row("patients", f"p{num}") for num in range(1, count + 1)]))


@ALL
@given(entries=st.lists(ENTRIES, max_size=5))
def test_an_entry_is_read_as_it_was_kept(store: Store, entries: list[Entry]) -> None:
    fill(store, entries)
    with store.read() as db:
        assert outbox.entries(db, PATIENTS, range(1, 9)) == dict(enumerate(entries, 1))


@ALL
@given(entries=st.lists(ENTRIES, max_size=5))
def test_the_counts_are_those_of_the_states(store: Store, entries: list[Entry]) -> None:
    fill(store, entries)
    states = [entry.state(PULLS) for entry in entries]
    with store.read() as db:
        counts = outbox.counts(db, PULLS)
        assert counts["waiting"] == states.count(OutboxState.WAITING) == outbox.waiting(db) == sum(outbox.ages(db, [2]))
        assert counts["held"] == states.count(OutboxState.ON_HOLD)
        assert counts["missed"] == states.count(OutboxState.MISSED)
        assert counts["sent"] == states.count(OutboxState.SENT)
        assert sum(counts.values()) == len(entries)
        assert (outbox.waiting_since(db) is None) == (OutboxState.WAITING not in states)


@ALL
@given(entries=st.lists(ENTRIES, min_size=1, max_size=5))
def test_each_query_finds_the_records_of_its_state(store: Store, entries: list[Entry]) -> None:
    if not pushes.live(store, "patients"):
        patients(store, 5)
    fill(store, entries)
    by_num = dict(enumerate(entries, 1))

    def nums(state: OutboxState) -> set[int]:
        return {num for num, entry in by_num.items() if entry.state(PULLS) is state}

    with store.read() as db:
        given_out = outbox.waiting_records(
            db, PATIENTS, after=0, until=9, deleted=False, only_new=False, most=9, most_bytes=10**6
        )
        assert {record.num for record in given_out} == nums(OutboxState.WAITING)
        assert all(record.entry == by_num[record.num] for record in given_out)
        assert {num for _, num, _ in outbox.on_hold(db)} == nums(OutboxState.ON_HOLD)
        assert {record.num for record in outbox.missed(db, PULLS)} == nums(OutboxState.MISSED)
        overdue = {num for num, entry in by_num.items() if entry.overdue(PULLS, deleted=False) != entry}
        assert {num for num, _, _ in outbox.late(db, PATIENTS, PULLS)} == overdue | nums(OutboxState.MISSED)


def test_an_entry_that_is_none_leaves_and_the_others_keep_when_they_came(store: Store) -> None:
    fill(store, [Entry(5), Entry(6)])
    with store.write() as tx:
        outbox.put(tx, PATIENTS, {1: None, 2: Entry(9)})
        assert outbox.entries(tx.db, PATIENTS, [1, 2]) == {2: Entry(9)}
        assert outbox.waiting_since(tx.db) == 6


def test_what_the_cloud_takes_from_nobody_has_no_entry(store: Store) -> None:
    with store.write() as tx:
        for table in TABLES.values():
            outbox.put(tx, table, {1: Entry(1)})
        kept = {name for (name,) in tx.db.execute("SELECT table_name FROM outbox")}
    assert kept == {table.name for table in PUSH_ORDER if not table.is_next}


def test_the_same_reason_is_counted_once_for_all_records_of_a_table(store: Store) -> None:
    reason = Code.WAITS_FOR.of(parent="patients")
    fill(store, [Entry(1, reason=reason), Entry(2, reason=reason), Entry(3, sent=3, reason=reason)])
    with store.read() as db:
        assert list(outbox.causes(db)) == [outbox.Cause("patients", reason, on_hold=False, records=2)]


def test_what_is_asked_every_two_seconds_reads_no_more_of_a_long_outbox_than_of_a_short_one(store: Store) -> None:
    def asked(db: Database) -> None:
        outbox.counts(db, PULLS)
        outbox.waiting_since(db)

    fill(store, [Entry(1)])
    short = steps(store, asked)
    fill(store, [Entry(1), Entry(1, sent=1, sent_pull=0), Entry(1, held=1)] * 3000)
    assert steps(store, asked) <= short + 2
    fill(store, [Entry(1, sent=1, sent_pull=0, tries=1)] * 9000)
    assert steps(store, asked) <= short + 2


def test_what_is_asked_in_every_pull_reads_no_more_where_much_waits(store: Store) -> None:
    def asked(db: Database) -> None:
        outbox.has_unshown(db, PULLS)
        for found in (outbox.unshown(db, PULLS), outbox.missed(db, PULLS), outbox.late(db, PATIENTS, PULLS)):
            assert list(found) == []

    fill(store, [Entry(1)])
    short = steps(store, asked)
    fill(store, [Entry(1), Entry(1, held=1)] * 3000)
    assert steps(store, asked) <= short + 2


def test_what_a_cycle_asks_reads_no_more_where_months_wait_for_the_cloud_or_its_proof(store: Store) -> None:
    def asked(db: Database) -> None:
        outbox.waiting_tables(db)
        outbox.with_visit_now(db)
        outbox.any_late(db, PULLS)

    fill(store, [Entry(1)])
    short = steps(store, asked)
    fill(store, [Entry(1)] * 9000)
    assert steps(store, asked) <= short + 2
    fill(store, [Entry(1, sent=1, sent_pull=0)] * 9000)
    assert steps(store, asked) <= short + 2


def steps(store: Store, asked: Callable[[Database], None]) -> int:
    """Count the steps of SQLite's machine, in hundreds."""
    seen = [0]
    with store.read() as db:
        db.conn.set_progress_handler(lambda: seen.__setitem__(0, seen[0] + 1), 100)
        asked(db)
        db.conn.set_progress_handler(None, 0)
    return seen[0]
