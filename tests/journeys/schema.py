"""Checks an answer to a pull against the phone's own schema, column by column (P6)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SCHEMA: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "phone_schema_v9.json").read_text("utf-8")
)["tables"]
_NEVER_SENT = frozenset({"users", "event_logs", "peers"})
_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "boolean": (bool,)}


def faults(answer: dict[str, Any]) -> list[str]:
    """Name everything in an answer that a phone could not take; nothing is well."""
    return [*_timestamp_faults(answer.get("timestamp")), *_change_faults(answer["changes"])]


def _timestamp_faults(timestamp: object) -> Iterator[str]:
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float):
        yield f"timestamp is {timestamp!r}"


def _change_faults(changes: dict[str, Any]) -> Iterator[str]:
    for table, lists in changes.items():
        if table not in _SCHEMA or table in _NEVER_SENT:
            yield f"{table} is not for phones"
            continue
        for name in ("created", "updated"):
            ids = [record["id"] for record in lists[name]]
            if len(set(ids)) != len(ids):
                yield f"{table}.{name} holds an id twice"
            for record in lists[name]:
                yield from _record_faults(table, record, may_lack_nulls=name == "created")
        for gone in lists["deleted"]:
            if gone.keys() != {"id"} or not isinstance(gone["id"], str):
                yield f"{table}.deleted holds {gone!r}"


def _record_faults(table: str, record: dict[str, Any], *, may_lack_nulls: bool) -> Iterator[str]:
    """A record that the phone lacks may leave out what it fills in by itself: null in optional columns."""
    columns = _SCHEMA[table]
    nulls = {column for column, kind in columns.items() if kind.endswith("?")} if may_lack_nulls else set()
    wrong = record.keys() ^ {"id", *columns}
    if wrong - nulls:
        yield f"{table}: columns {sorted(wrong - nulls)} are missing or unknown"
    for column, kind in columns.items():
        value = record.get(column)
        if value is None and kind.endswith("?"):
            continue
        wanted = _TYPES[kind.rstrip("?")]
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            yield f"{table}.{column} is {type(value).__name__}"
