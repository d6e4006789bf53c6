"""Which rows each transaction changed, until the copy has them; numbered without a gap.

The last line always stays, so that no number is given twice.
"""

from sqlite_utils import Database

from hub.core.copy.entry import Changed, Key, Noted, decode_changed, encode_changed

_KEPT = 256
"""Lines that the copy has already are kept for a stick that lost its last ones."""
LINES_MAX = 20_000
BYTES_MAX = 4_000_000
"""Past either it is a whole backup that brings a copy up to date: it costs less, and the log has a bound."""


def note(db: Database, changed: dict[str, list[Key]]) -> Noted:
    """Write a transaction's line, as its last act."""
    return Noted(_add(db, encode_changed(changed)), changed)


def note_unknown(db: Database) -> int:
    """Write a line that says: rows were changed, and nobody knows which; returns its number."""
    return _add(db, None)


def last(db: Database) -> int:
    """Return the number of the last transaction; 0 where there was none."""
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM copy_log").fetchone()[0])


def since(db: Database, seq: int) -> list[Changed] | None:
    """Return what the transactions after ``seq`` changed; None where that is not known."""
    rows = db.execute("SELECT seq, changed FROM copy_log WHERE seq > ? ORDER BY seq", [seq]).fetchall()
    is_known = len(rows) == last(db) - seq and all(changed is not None for _, changed in rows)
    return [decode_changed(changed) for _, changed in rows] if is_known else None


def trim(db: Database, copied: int) -> None:
    """Forget what the copy has."""
    db.execute(
        "DELETE FROM copy_log WHERE seq <= ? AND seq < (SELECT max(seq) FROM copy_log)", [max(0, copied - _KEPT)]
    )


def is_long(db: Database) -> bool:
    """Whether a whole backup costs less than what waits."""
    lines, size = db.execute("SELECT count(*), coalesce(sum(length(changed)), 0) FROM copy_log").fetchone()
    return bool(lines > LINES_MAX or size > BYTES_MAX)


def forget(db: Database) -> None:
    """Leave one line, which says that everything may have changed."""
    seq = note_unknown(db)
    db.execute("DELETE FROM copy_log WHERE seq < ?", [seq])


def is_behind(db: Database) -> bool:
    """Whether somebody wrote without a line: an older program, which knows of no copy."""
    row = db.execute("SELECT at FROM copy_log ORDER BY seq DESC LIMIT 1").fetchone()
    return row is None or int(row[0]) != _time(db)


def _add(db: Database, changed: bytes | None) -> int:
    seq = last(db) + 1
    db.execute("INSERT INTO copy_log (seq, at, changed) VALUES (?, ?, ?)", [seq, _time(db), changed])
    return seq


def _time(db: Database) -> int:
    return int(db.execute("SELECT value FROM hub WHERE key = 'time'").fetchone()[0])
