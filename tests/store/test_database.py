"""The one SQLite file: durability (P1), hub time (P5), schema, damage."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from itertools import groupby
from pathlib import Path

import pytest

from hub.core.errors import StoreError, Unavailable
from hub.store.database import FILE_NAME, Store, Transaction, hub_time
from tests.hubs import InProcessHub, changes, row

NORMAL, FULL = 1, 2
YEAR_MS = 365 * 86_400_000

STAMP_ONCE = """
import sys
from pathlib import Path
from hub.store.database import Store
store = Store(Path(sys.argv[1]))
with store.write() as tx:
    print(tx.now_ms)
store.close()
"""


def stamp(store: Store) -> int:
    with store.write() as tx:
        return tx.now_ms


def synchronous(tx: Transaction) -> int:
    return int(tx.db.execute("PRAGMA synchronous").fetchone()[0])


def schema(store: Store) -> list[tuple[object, ...]]:
    with store.read() as db:
        return [
            *db.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall(),
            *db.execute("SELECT * FROM _sqlite_migrations ORDER BY 1").fetchall(),
        ]


def end_boot(store: Store, hub_time_ms: int) -> None:
    """Leave the database as a boot would whose hub time had come this far."""
    with store.write() as tx:
        tx.db.execute("UPDATE hub SET value = json_set(value, '$.boot', 'an earlier one') WHERE key = 'clock'")
        tx.db.execute("UPDATE hub SET value = ? WHERE key = 'time'", [hub_time_ms])
    store.close()


# Durability


def test_p1_a_durable_write_waits_for_the_disk(store: Store) -> None:
    with store.write() as tx:
        assert synchronous(tx) == FULL


def test_what_may_be_forgotten_does_not_wait_for_the_disk(store: Store) -> None:
    with store.write(durable=False) as tx:
        assert synchronous(tx) == NORMAL


def test_p1_a_write_is_durable_also_after_one_that_was_not(store: Store) -> None:
    with store.write(durable=False) as tx:
        assert tx.now_ms
    with store.write() as tx:
        assert synchronous(tx) == FULL


def test_p1_a_push_is_one_durable_transaction_that_is_over_before_the_answer(hub: InProcessHub) -> None:
    client = hub.client()
    statements: list[str] = []
    conn = hub.store._writer.conn
    conn.set_trace_callback(statements.append)
    assert client.push(changes("patients", created=[row("patients", "p")])).status == 200
    conn.set_trace_callback(None)
    starts = ("PRAGMA synchronous", "BEGIN", "COMMIT", "ROLLBACK", "INSERT INTO [patients]")
    outline = [text.split("(")[0].strip() for text in statements if text.startswith(starts)]
    # A statement that fires triggers is told once more for each.
    assert [text for text, _ in groupby(outline)] == [
        *("PRAGMA synchronous = FULL", "BEGIN IMMEDIATE", "INSERT INTO [patients]", "COMMIT")
    ]


def test_the_log_is_written_ahead(store: Store) -> None:
    with store.read() as db:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_write_that_fails_leaves_nothing_and_lets_the_next_one_in(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        assert tx.db.execute("INSERT INTO hub (key, value) VALUES ('half', 1)").rowcount // 0
    with store.write() as tx:
        assert tx.db.execute("SELECT count(*) FROM hub WHERE key = 'half'").fetchone()[0] == 0


def test_a_database_error_is_a_hub_that_is_unavailable(store: Store) -> None:
    with pytest.raises(Unavailable), store.write() as tx:
        tx.db.execute("INSERT INTO nowhere VALUES (1)")
    with pytest.raises(Unavailable), store.read() as db:
        db.execute("SELECT * FROM nowhere")


def test_a_damaged_database_is_told_in_words_with_what_to_do(store: Store) -> None:
    told = "the database is damaged; see 'hikma-hub doctor'"
    with pytest.raises(Unavailable, match=told), store.read():
        raise sqlite3.DatabaseError("database disk image is malformed")


def test_a_reader_sees_one_unchanging_view(store: Store) -> None:
    with store.read() as db:
        before = hub_time(db)
        stamp(store)
        assert hub_time(db) == before


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(Unavailable), store.read() as db:
        db.execute("DELETE FROM hub")


def test_writers_of_many_threads_take_turns(store: Store) -> None:
    stamps: list[int] = []
    threads = [threading.Thread(target=lambda: stamps.extend(stamp(store) for _ in range(10))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(stamps)) == 80


# Hub time


def test_p5_every_transaction_has_a_later_hub_time(store: Store) -> None:
    stamps = [stamp(store) for _ in range(200)]
    assert stamps == sorted(set(stamps))


def test_hub_time_stands_still_within_a_transaction(store: Store) -> None:
    with store.write() as tx:
        assert tx.now_ms == tx.now_ms


def test_the_time_of_a_failed_transaction_may_be_given_again_but_never_an_earlier_one(store: Store) -> None:
    before = stamp(store)
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        assert tx.now_ms // 0
    assert stamp(store) > before


def test_reading_the_time_keeps_nothing(store: Store) -> None:
    with store.read() as db:
        before = hub_time(db)
        assert store.now_ms(db) > before
        assert hub_time(db) == before


def test_p5_hub_time_goes_on_after_a_restart(tmp_path: Path) -> None:
    stamps = []
    for _ in range(5):
        store = Store(tmp_path)
        stamps += [stamp(store), stamp(store)]
        store.close()
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize("years", [-40, -1, 1, 60])
def test_p5_after_a_boot_hub_time_goes_on_where_it_stood_whatever_the_wall_clock_says(
    tmp_path: Path, years: int
) -> None:
    first = Store(tmp_path)
    stood = stamp(first) - years * YEAR_MS  # the wall clock is now so many years ahead of it
    end_boot(first, stood)
    second = Store(tmp_path)
    later = stamp(second)
    second.close()
    assert stood < later < stood + 60_000


def test_p5_two_processes_share_one_rising_time(store: Store) -> None:
    stamps = [stamp(store)]
    for _ in range(2):
        command = [sys.executable, "-c", STAMP_ONCE, str(store.path.parent)]
        stamps.append(int(subprocess.run(command, capture_output=True, check=True).stdout))
        stamps.append(stamp(store))
    assert stamps == sorted(set(stamps))


def test_two_stores_on_one_file_share_one_rising_time(tmp_path: Path) -> None:
    one, other = Store(tmp_path), Store(tmp_path)
    stamps = [stamp(store) for _ in range(20) for store in (one, other)]
    one.close()
    other.close()
    assert stamps == sorted(set(stamps))


# Opening


def test_opening_again_changes_no_schema(tmp_path: Path) -> None:
    schemas = []
    for _ in range(2):
        store = Store(tmp_path)
        schemas.append(schema(store))
        store.close()
    assert schemas[0] == schemas[1]


def test_only_the_hub_can_read_its_database(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "data")
    store.close()
    assert (store.path.stat().st_mode & 0o777, store.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_database_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StoreError, match=FILE_NAME):
        Store(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        Store(tmp_path / "file" / "data")


@pytest.mark.parametrize("full", [True, False])
def test_a_sound_database_has_no_findings(store: Store, full: bool) -> None:  # noqa: FBT001
    assert store.check(full=full) == []


@pytest.mark.parametrize("full", [True, False])
def test_a_damaged_page_is_found(tmp_path: Path, full: bool) -> None:  # noqa: FBT001
    store = Store(tmp_path)
    with store.read() as db:
        page = int(db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'patients'").fetchone()[0])
        size = int(db.execute("PRAGMA page_size").fetchone()[0])
    store.close()
    with store.path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    again = Store(tmp_path)
    findings = again.check(full=full)
    again.close()
    assert findings


def test_the_size_counts_the_log(store: Store) -> None:
    assert store.size_bytes() >= store.path.stat().st_size > 0


def test_an_earlier_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    conn = sqlite3.connect(tmp_path / FILE_NAME)
    conn.close()
    store = Store(tmp_path)
    assert stamp(store)
    store.close()


def test_a_durable_commit_is_told_when_it_is_done_and_nothing_else_is(store: Store) -> None:
    told: list[int] = []

    def hear() -> None:
        with store.read() as db:  # the transaction is over: it can be seen, and another one may begin
            told.append(hub_time(db))

    store.after_commit.append(hear)
    at_ms = stamp(store)
    with store.write(durable=False) as tx:
        assert tx.now_ms > at_ms
    with pytest.raises(LookupError), store.write():
        raise LookupError
    assert told == [at_ms]


# The log beside the database


def log_bytes(store: Store) -> int:
    return store.path.with_name(f"{FILE_NAME}-wal").stat().st_size


def fill(store: Store, megabytes: int) -> None:
    with store.write() as tx:
        tx.db.execute("CREATE TABLE IF NOT EXISTS filler (data BLOB)")
        tx.db.conn.executemany("INSERT INTO filler VALUES (zeroblob(1000000))", [()] * megabytes)


def test_a_long_log_is_brought_into_the_database_beside_the_answer(store: Store) -> None:
    fill(store, 12)
    with store._checkpointing, closing(sqlite3.connect(store.path)) as conn:
        _, pages, brought = conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert pages == brought
    assert store.path.stat().st_size > 12_000_000


def test_the_log_shrinks_again_after_a_reader_that_took_long(store: Store) -> None:
    with store.read() as db:
        db.execute("SELECT count(*) FROM hub").fetchone()
        fill(store, 20)
        fill(store, 20)
        assert log_bytes(store) > 40_000_000
    for _ in range(3):
        stamp(store)
        with store._checkpointing:
            pass
    assert log_bytes(store) <= 9_000_000


def test_whether_somebody_else_is_writing_is_told_at_once(store: Store) -> None:
    assert store.is_taken() is False
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.is_taken() is True
    assert store.is_taken() is False
