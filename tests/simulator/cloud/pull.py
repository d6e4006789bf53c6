"""Answers a pull: which rows a caller gets, as created, updated or deleted (CLOUD.md 2)."""

import datetime as dt
import math
import re
import time
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tests.simulator.cloud import tables
from tests.simulator.cloud.callers import Caller
from tests.simulator.cloud.columns import Kind, Table
from tests.simulator.cloud.instants import EPOCH
from tests.simulator.cloud.pushed import CLINIC_DEPARTMENTS
from tests.simulator.cloud.store import CloudStore, wire_rows
from tests.simulator.cloud.values import Refused

_LAST_MS = 8.64e15  # ECMA-262 section 21.4.1.1
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_LIVE = "is_deleted = false AND deleted_at IS NULL"
# Tables that MAX_HISTORY_DAYS_SYNC does not shorten (CLOUD.md 2.4).
_WHOLE_HISTORY = (
    tables.CLINICS,
    tables.EVENT_FORMS,
    tables.DRUG_CATALOGUE,
    CLINIC_DEPARTMENTS,
    tables.CLINIC_INVENTORY,
    tables.USER_CLINIC_PERMISSIONS,
    tables.APP_CONFIG,
)
_SIMPLE = (tables.USER_CLINIC_PERMISSIONS, tables.APP_CONFIG)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a pull is selected by."""

    zone: ZoneInfo
    last: dt.datetime
    clinics: tuple[str, ...]
    oldest: dt.datetime | None


def last_pulled(text: str) -> float:
    """Read ``lastPulledAt`` as JavaScript's Number and Date do; Refused for what they cannot."""
    text = text.strip()
    if not text:
        return 0
    if not _NUMBER.fullmatch(text):
        raise Refused("lastPulledAt is not a number")
    ms = float(text)
    if abs(ms) > _LAST_MS:
        raise Refused("lastPulledAt is no date")
    return math.trunc(ms)


def pull(store: CloudStore, caller: Caller, last_ms: float, zone: ZoneInfo, history_days: int | None = None) -> bytes:
    """Return the body of a pull; its timestamp is the clock before the queries (CLOUD.md 2.1)."""
    timestamp = time.time_ns() // 1_000_000 + store.ahead // dt.timedelta(milliseconds=1)
    oldest = None if history_days is None else _moment(timestamp) - dt.timedelta(days=history_days)
    rules = Rules(zone, _moment(last_ms), caller.clinics or (), oldest)
    changes = {
        table.wire_name: _changes(store, table, rules)
        for table in tables.PULL_ORDER
        if caller.hub_tables or not table.hub_only
    }
    return msgspec.json.encode({"success": True, "changes": changes, "timestamp": timestamp})


def _moment(ms: float) -> dt.datetime:
    try:
        return EPOCH + dt.timedelta(milliseconds=ms)
    except OverflowError:
        return dt.datetime(1 if ms < 0 else 9999, 1, 1, tzinfo=dt.UTC)


def _changes(store: CloudStore, table: Table, rules: Rules) -> dict[str, list[Any]]:
    last = rules.last
    if rules.oldest is not None and table not in _WHOLE_HISTORY:
        last = max(last, rules.oldest)
    scope, clinics = _scope(store, table, rules.clinics)
    if table in _SIMPLE:
        created = f"created_at >= ?{scope}"
        updated = f"updated_at > ? AND created_at < ?{scope}"
    else:
        created = f"server_created_at >= ? AND {_LIVE}{scope}"
        updated = f"last_modified > ? AND server_created_at < ? AND {_LIVE}{scope}"
    return {
        "created": wire_rows(store, table, rules.zone, created, (last, *clinics)),
        "updated": wire_rows(store, table, rules.zone, updated, (last, last, *clinics)),
        "deleted": [] if table in _SIMPLE or rules.last == EPOCH else _deleted(store, table, last, scope, clinics),
    }


def _deleted(store: CloudStore, table: Table, last: dt.datetime, scope: str, clinics: tuple[str, ...]) -> list[str]:
    sql = f'SELECT "id" FROM "{table.name}" WHERE deleted_at > ? AND is_deleted = true{scope}'
    return [row[0] for row in store.read(sql, (last, *clinics))]


def _scope(store: CloudStore, table: Table, clinics: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return what is added to a WHERE clause; a hub without clinics is not filtered at all (CLOUD.md 2.2)."""
    if not clinics or not table.scope:
        return "", ()
    marks = ", ".join("?" * len(clinics))
    column = table.column(table.scope)
    if column.kind is not Kind.JSON:
        return f' AND "{column.name}" IN ({marks})', clinics
    overlaps = f"EXISTS (SELECT 1 FROM {store.items(column.name)} WHERE value IN ({marks}))"
    if table is tables.EVENT_FORMS:
        overlaps = f"(\"{column.name}\" IS NULL OR CAST(\"{column.name}\" AS TEXT) IN ('[]', 'null') OR {overlaps})"
    return f" AND {overlaps}", clinics
