"""What an adversary would send: pieces of JSON that no honest phone writes, and the strategies that mix them in."""

import re
import sqlite3
from contextlib import closing
from typing import Any

import msgspec
from hypothesis import strategies as st

from hub.core.records.tables import TABLES
from hub.services.rpc.procedures.registry import every
from hub.store.database import Store
from tests.hubs import row

DEPTH = 100_000
ALLOWED = frozenset({200, 400, 401, 403, 404, 409, 413, 429})
"""Every answer to a phone but 503, which would hide a failing statement behind "not now"."""

LITERALS = (
    b"1e400",
    b"-1e400",
    b"-0",
    b"-0.0",
    b"1" + b"0" * 400,
    b"1" + b"0" * 5000,
    b"9223372036854775808",
    b"-9223372036854775809",
    b"18446744073709551616",
    b"5e-324",
    b"NaN",
    b'"\\u0000"',
    b'"a\\u0000b"',
    b'"\\ud83d"',
    b'"\\ude00 half an emoji and more text"',
    b'"\xff\xfe"',
    b'"' + b"9" * 5000 + b'"',
    b'"1e999"',
    b'"nan"',
    b'"0001-01-01T00:00:00+23:59"',
    b"[" * 900 + b"]" * 900,
    b"[" * 990 + b"]" * 990,
    b"[" * 2000 + b"]" * 2000,
    b'{"id":1,"id":2}',
)
"""JSON texts that Python's own writer would not write."""

SQL = (
    "'; DROP TABLE patients; --",
    '" OR 1=1 --',
    "patients] WHERE 1=1; DELETE FROM [devices",
    "%",
    "a\0b",
    "\x1b[31m",
    "\r\nevent=fake",
    "🏥" * 60,
    "__class__",
    "__struct_fields__",
    "id",
)

_MARK = re.compile(rb'"@@(\d+)@@"')


def literal(text: bytes) -> str:
    """Return a value that ``write`` replaces by this JSON text."""
    return f"@@{LITERALS.index(text)}@@"


def write(value: object) -> bytes:
    """Write JSON, with the literals in it as they are."""
    return _MARK.sub(lambda match: LITERALS[int(match[1])], msgspec.json.encode(value))


words = st.sampled_from(SQL) | st.text(st.characters(codec="utf-8"), max_size=12)
literals = st.sampled_from([literal(text) for text in LITERALS])
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words
    | literals
)
json_values: st.SearchStrategy[Any] = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)

_TABLES = sorted(TABLES)
ids = st.sampled_from(["a", "b", "c", "d"]) | words


@st.composite
def records(draw: st.DrawFn, table: str | None = None) -> Any:  # noqa: ANN401  any JSON
    """Return something like a record: a true row with columns spoilt, or anything."""
    if draw(st.integers(0, 9)) == 0:
        return draw(json_values)
    name = table or draw(st.sampled_from(_TABLES))
    columns = sorted(TABLES[name].names)
    spoilt = draw(
        st.dictionaries(st.sampled_from([*columns, "_status", "unheard_of"]) | words, json_values, max_size=4)
    )
    changed = draw(st.lists(st.sampled_from(columns) | words, max_size=4))
    status = draw(st.sampled_from(["created", "updated", "synced"]))
    record: dict[str, Any] = {**row(name, draw(ids), changed=",".join(changed), status=status), **spoilt}
    for column in draw(st.lists(st.sampled_from(columns), max_size=3)):
        record.pop(column, None)
    return record


@st.composite
def change_sets(draw: st.DrawFn) -> dict[str, Any]:
    """Return the ``changes`` of a push that has the right outer shape, of whatever records."""
    changes: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(_TABLES), max_size=3, unique=True)):
        lists = {key: draw(st.lists(records(name), max_size=3)) for key in ("created", "updated")}
        changes[name] = {**lists, "deleted": draw(st.lists(ids | records(name), max_size=2))}
    for name in draw(st.lists(words, max_size=1)):
        changes[name] = {"created": draw(st.lists(records(), max_size=2))}
    return changes


def names() -> list[tuple[str, str]]:
    """Return every procedure as kind and name."""
    return [(procedure.kind.value, procedure.name) for procedure in every()]


_OWN = ("hub", "attempts", "audit", "spent_keys", "ledger_heads", "refusals", "sqlite_stat1")
"""What a refused message may touch: the clock, the counters of S4, the log of S6, keys that are used up (S3), and which
phones were refused."""


def contents(store: Store) -> dict[str, list[Any]]:
    """Return all that is stored, but for what refusing itself has to write."""
    with closing(sqlite3.connect(f"file:{store.path}?mode=ro", uri=True)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: db.execute(f"SELECT * FROM [{name}]").fetchall() for name in tables if name not in _OWN}
