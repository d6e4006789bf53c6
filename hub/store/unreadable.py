"""Reads the rows of a damaged database, all of them or those that can be read.

Rows come in the order of their keys. Where one lies on a page that cannot be read, or its text is none, a table with
numbers is read on from the next number that leads to a row, and another table from its other end.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress

Row = tuple[object, ...]
_SOME = 1000
"""How many rows are read at once."""
_FAR = 1 << 42
"""No two numbers of a table lie so far apart; some are times in ms."""


def every(damaged: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[list[Row]]:
    """Yield every row of a table, some at a time; raises sqlite3.Error where one cannot be read."""
    found = damaged.execute(f"SELECT {', '.join(columns)} FROM [{table}] NOT INDEXED")
    while some := found.fetchmany(_SOME):
        yield some


def readable(damaged: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[list[Row]]:
    """Yield the rows of a table that can be read, some at a time."""
    [is_keyed] = damaged.execute("SELECT wr FROM pragma_table_list WHERE name = ?", [table]).fetchone()
    yield from (_from_both_ends if is_keyed else _over_gaps)(damaged, table, columns)


def _over_gaps(damaged: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[list[Row]]:
    # Not "rowid > ?": SQLite would look for the number before, which may lie on a page that cannot be read.
    read = f"SELECT rowid, {', '.join(columns)} FROM [{table}] NOT INDEXED WHERE rowid >= ? ORDER BY rowid LIMIT ?"
    begin: int | None = 0
    some = _SOME
    while begin is not None:
        try:
            found = damaged.execute(read, (begin, some)).fetchall()
        except sqlite3.DatabaseError:
            begin, some = (begin, some // 2) if some > 1 else (_beyond(damaged, read, begin), _SOME)
            continue
        yield [row for _, *row in found]
        begin = found[-1][0] + 1 if found else None


def _beyond(damaged: sqlite3.Connection, read: str, begin: int) -> int | None:
    """Return the next number from which on a row can be read; None where there is none."""
    step = 1
    while not _leads_on(damaged, read, begin + step):
        step *= 2
        if step > _FAR:
            return None
    bad, good = begin + step // 2, begin + step
    while good - bad > 1:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if _leads_on(damaged, read, middle) else (middle, good)
    return good


def _leads_on(damaged: sqlite3.Connection, read: str, begin: int) -> bool:
    with suppress(sqlite3.DatabaseError):
        damaged.execute(read, (begin, 1)).fetchall()
        return True
    return False


def _from_both_ends(damaged: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[list[Row]]:
    keys = damaged.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", [table]).fetchall()
    last: Row | None = None
    for order in ("ASC", "DESC"):
        by = ", ".join(f"[{name}] {order}" for (name,) in keys)
        found = damaged.execute(f"SELECT {', '.join(columns)} FROM [{table}] NOT INDEXED ORDER BY {by}")
        try:
            for row in found:
                if order == "DESC" and row == last:
                    return
                yield [row]
                last = last if order == "DESC" else row
        except sqlite3.DatabaseError:
            continue
        return
