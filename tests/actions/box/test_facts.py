"""The facts that the state of the hub is named from."""

import pytest

from hub.actions.box import facts, serving
from hub.actions.cloud import cycles
from hub.actions.phones import access
from hub.core.clock import Heard
from hub.core.cloud.link import Last, Link
from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.core.status.facts import Facts, Trouble
from hub.store.cloud import connection
from hub.store.database import Store
from hub.store.phones import devices
from hub.store.records import record_rows
from tests.hubs import changes, row
from tests.store.pushes import push

HOUR_MS = 3_600_000
LINK = Link(url="https://cloud.example", device="d", name="Hub", clinics=("c",))


def phone(store: Store, name: str, *, synced_ms_ago: int | None) -> None:
    with store.write() as tx:
        num = access.pair(tx, name, None, most=100).num
        at = None if synced_ms_ago is None else tx.now_ms - synced_ms_ago
        tx.db.execute("UPDATE devices SET last_sync = ? WHERE num = ?", [at, num])


def test_a_hub_that_was_just_made_has_nothing_and_lacks_nothing(store: Store) -> None:
    now = facts.gather(store)
    assert now == Facts(free_bytes=now.free_bytes)
    assert now.free_bytes > 0


def test_phones_count_that_are_paired_that_synced_within_a_day_and_that_sync_now(store: Store) -> None:
    phone(store, "never", synced_ms_ago=None)
    phone(store, "yesterday", synced_ms_ago=25 * HOUR_MS)
    phone(store, "today", synced_ms_ago=23 * HOUR_MS)
    phone(store, "a minute ago", synced_ms_ago=60_000)
    phone(store, "now", synced_ms_ago=1_000)
    phone(store, "blocked", synced_ms_ago=1_000)
    with store.write() as tx:
        devices.revoke(tx, "blocked")
    now = facts.gather(store)
    assert (now.devices, now.devices_today, now.syncing) == (5, 3, 1)


def test_live_records_count_and_those_that_wait(store: Store) -> None:
    push(store, changes("patients", created=[row("patients", "a"), row("patients", "b"), {"id": 7}]))
    push(store, changes("patients", deleted=["a"]))
    now = facts.gather(store)
    assert (now.records, now.waiting, now.quarantined, now.writable, now.damage) == (1, 2, 1, True, ())
    assert facts.counts(store)["patients"] == 1


def test_a_hub_that_cannot_write_says_so_and_still_reads(store: Store) -> None:
    push(store, changes("patients", created=[row("patients", "a")]))
    with store.write() as tx:
        tx.db.execute("CREATE TRIGGER full BEFORE UPDATE ON hub BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    assert not facts.can_write(store)
    now = facts.gather(store)
    assert (now.writable, now.records, now.damage) == (False, 1, ())


def test_a_hub_that_does_not_serve_phones_says_so_until_it_goes_on(store: Store) -> None:
    serving.stop(store)
    assert facts.gather(store).stopped
    serving.go_on(store)
    assert not facts.gather(store).stopped


def test_whether_it_can_write_is_not_tried_again_where_it_is_known(store: Store) -> None:
    assert not facts.gather(store, writable=False).writable
    assert facts.gather(store).writable


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_counting_reads_indexes_and_no_row(store: Store, table: Table) -> None:
    asked: list[str] = []
    with store.read() as db:
        db.conn.set_trace_callback(asked.append)
        record_rows.count(db, table)
        db.conn.set_trace_callback(None)
        plan = [step[3] for step in db.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()]
    assert all("COVERING INDEX" in step for step in plan if step.startswith(("SCAN", "SEARCH"))), plan


def test_how_far_the_relay_is_comes_from_its_last_cycle(store: Store) -> None:
    push(store, changes("patients", created=[row("patients", "a")]))
    with store.write() as tx:
        connection.connect(tx, LINK, "key")
        now_ms = tx.now_ms
    last = Last(tried_ms=now_ms, succeeded_ms=now_ms - 90_000, outcome="no_line", running_since_ms=now_ms)
    cycles.save_last_cycle(store, last)
    now = facts.gather(store)
    assert (now.cloud, now.waiting, now.trouble, now.relaying) == (True, 1, Trouble.LINE, True)
    assert now.relayed_ago_s in {90, 91, 92}
    assert now.waiting_s in {0, 1, 2}


def test_a_clock_is_judged_by_hub_time_and_by_what_the_cloud_said(store: Store) -> None:
    with store.read() as db:
        now_ms = store.now_ms(db)
    assert not facts.gather(store, wall_ms=now_ms).clock_wrong
    assert facts.gather(store, wall_ms=now_ms - 2 * HOUR_MS).clock_wrong
    with store.write() as tx:
        connection.connect(tx, LINK, "key")
    cycles.save_last_cycle(store, Last(heard=Heard(cloud_ms=now_ms + 5 * HOUR_MS, wall_ms=now_ms, hub_ms=now_ms)))
    assert facts.gather(store, wall_ms=now_ms).clock_wrong
    assert not facts.gather(store, wall_ms=now_ms + 5 * HOUR_MS).clock_wrong


def test_a_database_that_cannot_be_read_is_damage(store: Store) -> None:
    with store.write() as tx:
        tx.db.execute("DROP TABLE outbox")
    now = facts.gather(store)
    assert (now.devices, len(now.damage)) == (0, 1)
