"""Every table is copied: whatever a transaction inserts, changes or deletes is noted, and nothing where no copy is."""

import contextlib
import tracemalloc
from pathlib import Path

import pytest

from hub.core.copy.entry import Key, Value, decode
from hub.store.copy import capture, change_log, rows
from hub.store.copy.capture import NOT_COPIED, Capture, CopiedTable
from hub.store.database import Store, Transaction
from tests.hubs import new_store

VALUES: dict[str, Value] = {"INTEGER": 1_000_000, "TEXT": "text", "BLOB": b"bytes", "REAL": 1.5, "": "any"}


@pytest.fixture
def kept(store: Store) -> Store:
    """Return a database of which a copy is kept."""
    with store.write() as tx:
        tx.db.execute("INSERT INTO hub (key, value) VALUES ('copy', '{}')")
    return store


def all_tables(store: Store) -> dict[str, CopiedTable]:
    with store.read() as db:
        return dict(capture.tables(db))


def noted(store: Store) -> dict[str, list[Key]]:
    with store.read() as db:
        found = change_log.since(db, change_log.last(db) - 1)
    assert found is not None
    return dict(found[0])


def add(tx: Transaction, table: CopiedTable) -> Key:
    """Insert a row of any values."""
    described = tx.db.execute("SELECT name, type FROM pragma_table_info(?)", [table.name]).fetchall()
    row: dict[str, Value] = {name: VALUES[kind] for name, kind in described}
    if "cut" in row:
        row |= {"data": "{}", "cut": None}
    columns = ", ".join(f"[{name}]" for name in row)
    tx.db.execute(f"INSERT INTO [{table.name}] ({columns}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
    return tuple(row[name] for name in table.key)


def fail(store: Store, statement: str) -> None:
    """Let a transaction fail after it did something."""
    with contextlib.suppress(RuntimeError), store.write() as tx:
        tx.db.execute(statement)
        raise RuntimeError


def where(table: CopiedTable) -> str:
    return " AND ".join(f"[{name}] = ?" for name in table.key)


def test_whatever_happens_to_a_row_of_any_table_is_noted(kept: Store) -> None:
    for name, table in all_tables(kept).items():
        with kept.write() as tx:
            key = add(tx, table)
        assert key in noted(kept)[name]
        other = table.columns[-1]
        with kept.write() as tx:
            tx.db.execute(f"UPDATE [{name}] SET [{other}] = [{other}] WHERE {where(table)}", key)
        assert key in noted(kept)[name]
        with kept.write() as tx:
            tx.db.execute(f"DELETE FROM [{name}] WHERE {where(table)}", key)
        assert key in noted(kept)[name]


_SELECT = "INTO [{table}] ({columns}) SELECT {columns} FROM [{table}] WHERE {where}"
_UPDATE = "[{table}] SET [{other}] = [{other}] WHERE {where}"
AGAIN = {
    "upsert": f"INSERT {_SELECT} ON CONFLICT DO UPDATE SET [{{other}}] = excluded.[{{other}}]",
    "replace": f"INSERT OR REPLACE {_SELECT}",
    "ignore": f"INSERT OR IGNORE {_SELECT}",
    "update": f"UPDATE {_UPDATE}",
    "update or abort": f"UPDATE OR ABORT {_UPDATE}",
    "update or fail": f"UPDATE OR FAIL {_UPDATE}",
    "delete and insert": "DELETE FROM [{table}] WHERE {where}",
}
"""Statements by which a row changes that was changed before; each with a policy of its own for conflicts."""


@pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN)
def test_a_row_may_change_again_in_one_transaction_by_any_statement(kept: Store, again: str) -> None:
    for name, table in all_tables(kept).items():
        columns = ", ".join(f"[{column}]" for column in table.columns)
        with kept.write() as tx:
            key = add(tx, table)
            sql = again.format(table=name, columns=columns, other=table.columns[-1], where=where(table))
            tx.db.execute(sql, key)
            if again.startswith("DELETE"):
                add(tx, table)
        assert key in noted(kept)[name]


def test_every_table_is_copied_or_derived_from_one_that_is(store: Store) -> None:
    with store.read() as db:
        listed = db.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main'").fetchall()
    found = {name for name, kind in listed if kind == "table" and not name.startswith("sqlite_")}
    with store.read() as db:
        derived = capture.derived(db)
    assert found == all_tables(store).keys() | NOT_COPIED | (derived & found)
    assert derived >= {"patient_counts", "patient_words", "patient_numbers"}
    assert {name.partition("_words")[0].partition("_numbers")[0] for name, kind in listed if kind != "table"} == {
        "patient"
    }


def test_a_row_whose_key_changes_is_noted_under_both(kept: Store) -> None:
    with kept.write() as tx:
        tx.db.execute("INSERT INTO reached (device, host) VALUES (1, 'a')")
    with kept.write() as tx:
        tx.db.execute("UPDATE reached SET device = 2")
    assert sorted(noted(kept)["reached"]) == [(1,), (2,)]


def test_a_transaction_that_fails_is_not_noted(kept: Store) -> None:
    with kept.read() as db:
        before = change_log.last(db)
    fail(kept, "INSERT INTO reached (device, host) VALUES (1, 'a')")
    with kept.write() as tx:
        tx.db.execute("INSERT INTO reached (device, host) VALUES (2, 'b')")
    assert noted(kept)["reached"] == [(2,)]
    with kept.read() as db:
        assert change_log.last(db) == before + 1


def test_a_transaction_that_fails_as_it_begins_to_be_noted_leaves_nothing_half(store: Store) -> None:
    with store.write() as tx:
        tx.db.execute("INSERT INTO hub (key, value) VALUES ('copy', '{}')")
    fail(store, "DELETE FROM reached")
    with store.write() as tx:
        tx.db.execute("INSERT INTO reached (device, host) VALUES (2, 'b')")
    assert noted(store)["reached"] == [(2,)]
    with store.write() as tx:
        tx.db.execute("DELETE FROM hub WHERE key = 'copy'")
    fail(store, "DELETE FROM reached")
    with store.write() as tx:
        tx.db.execute("DELETE FROM reached")


def test_without_a_copy_nothing_is_noted(store: Store) -> None:
    with store.write() as tx:
        tx.db.execute("INSERT INTO reached (device, host) VALUES (1, 'a')")
    with store.write() as tx:
        assert tx.db.execute("SELECT count(*) FROM sqlite_temp_master").fetchone()[0] == 0
    with store.read() as db:
        assert change_log.last(db) == 0


def test_rows_come_back_as_they_were_however_often(kept: Store, tmp_path: Path) -> None:
    tables = all_tables(kept)
    with kept.write() as tx:
        keys = {name: [add(tx, table)] for name, table in tables.items()}
    other = new_store(tmp_path / "other")
    with kept.read() as db:
        parts = [decode(part) for part in rows.parts(db, tables, keys)]
    for _ in range(2):
        with other.write() as tx:
            for part in parts:
                rows.put(tx.db, tables, part)
    for name, table in tables.items():
        with kept.read() as db, other.read() as copied:
            row = f"SELECT * FROM [{name}] WHERE {where(table)}"
            assert copied.execute(row, keys[name][0]).fetchall() == db.execute(row, keys[name][0]).fetchall()
    other.close()


def test_rows_are_looked_up_by_their_keys_and_no_table_is_read_through(kept: Store) -> None:
    for table in all_tables(kept).values():
        with kept.read() as db:
            plan = db.execute(f"EXPLAIN QUERY PLAN {rows._select(table, 3)}", [1] * 3 * len(table.key)).fetchall()
        assert "SEARCH row" in str(plan), table.name
        assert "SCAN row" not in str(plan), table.name


def test_large_rows_are_never_in_memory_together(kept: Store) -> None:
    large = 1_000_000
    with kept.write() as tx:
        tx.db.execute(
            "WITH RECURSIVE n(num) AS (SELECT 1 UNION ALL SELECT num + 1 FROM n LIMIT 40)"
            " INSERT INTO audit (num, at, event, detail) SELECT num, 0, 'x', printf('%.*c', ?, 'x') FROM n",
            [large],
        )
    with kept.read() as db:
        keys: dict[str, list[Key]] = {"audit": [(num,) for num in range(1, 41)]}
        tables = all_tables(kept)
        tracemalloc.start()
        count = sum(len(table.rows) for part in rows.parts(db, tables, keys) for table in decode(part).rows.values())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == len(keys["audit"])
    assert most < 10 * large


def test_what_an_older_program_writes_is_found_missing(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with kept.write() as tx:
        assert tx.now_ms
    with kept.read() as db:
        assert not change_log.is_behind(db)
    kept._capture.follow(is_on=False)
    with monkeypatch.context() as older:
        older.setattr(Capture, "follow", lambda _capture, *, is_on: is_on)  # it notes nothing
        with kept.write() as tx:
            assert tx.now_ms
    with kept.read() as db:
        assert change_log.is_behind(db)


def test_the_log_has_a_bound_past_which_everything_is_unknown(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_log, "LINES_MAX", 3)
    for _ in range(5):
        with kept.write() as tx:
            assert tx.now_ms
    with kept.write() as tx:
        assert change_log.is_long(tx.db)
        change_log.forget(tx.db)
    with kept.read() as db:
        assert change_log.since(db, change_log.last(db) - 2) is None
        assert change_log.since(db, change_log.last(db)) == []
