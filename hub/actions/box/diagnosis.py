"""What a technician far away must know of the database, in one view: numbers, and words from our own lists."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from hub.actions.phones import pull
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.cloud.link import ACTIVE
from hub.core.reasons import Reason
from hub.store import quarantine
from hub.store.box import counters, database_stats, state
from hub.store.cloud import connection, outbox
from hub.store.database import Store, View
from hub.store.people import audit
from hub.store.phones import devices

_PHONES = 500
_AUDIT_ENTRIES = 1000

Counted = tuple[str, Reason, int]
"""A table, a reason, and how many of its records it concerns."""


class Diagnosis(msgspec.Struct, frozen=True):
    """phones and relay can leave the hub as they are; reasons and audit entries still hold free text."""

    phones: list[dict[str, Any]]
    relay: dict[str, Any]
    on_hold: list[Counted]
    quarantined: list[Counted]
    audit: list[dict[str, Any]]


def gather(store: Store) -> Diagnosis:
    """Read it."""
    with store.read() as db:
        now_ms = store.now_ms(db)
        return Diagnosis(
            phones=list(_phones(db, now_ms)),
            relay=_relay(db, now_ms),
            on_hold=[(cause.table, cause.reason, cause.records) for cause in outbox.causes(db)],
            quarantined=[(entry["table_name"], entry["reason"], 1) for entry in quarantine.entries(db)],
            audit=list(audit.entries(db, limit=_AUDIT_ENTRIES)),
        )


def short_id(store: Store) -> str | None:
    """Return the beginning of the hub's id, by which label and pages name it; None for a hub that has none yet."""
    with store.read() as db:
        found = state.get(db, state.HUB_ID)
    return found[:8] if found else None


def database(store: Store) -> dict[str, Any]:
    """Count every table and check the file, which takes as long as reading all of it."""
    return database_stats.take(store)


def _phones(db: View, now_ms: int) -> Iterator[dict[str, Any]]:
    for device in islice(devices.every(db), _PHONES):
        yield {
            "num": device.num,
            "state": device.state,
            "first_seen_s": (now_ms - device.first_seen) // 1000,
            "last_seen_s": (now_ms - device.last_seen) // 1000,
            "last_sync_s": (now_ms - device.last_sync) // 1000 if device.last_sync else None,
            "lacks": pull.behind(db, device.num),
        }


def _relay(db: View, now_ms: int) -> dict[str, Any]:
    link, last, progress = connection.link(db), connection.last(db), connection.progress(db)
    outcome = next((known for known in Outcome if known.word == last.outcome), None)
    return {
        "connected": link is not None,
        "active": link is not None and link.status == ACTIVE,
        "clinics": len(link.clinics) if link else 0,
        "outcome": outcome.word if outcome else None,
        "sentence": outcome.sentence if outcome else None,
        "failures": last.failures,
        "next_s": last.next_s,
        "tried_s": (now_ms - last.tried_ms) // 1000 if last.tried_ms else None,
        "succeeded_s": (now_ms - last.succeeded_ms) // 1000 if last.succeeded_ms else None,
        "report": _numbers(last.report),
        "progress": _numbers(msgspec.to_builtins(progress)),
        "records": outbox.counts(db, progress.pulls),
        "history": [msgspec.structs.astuple(bucket) for bucket in counters.since(db, now_ms - counters.KEPT_MS)],
        "history_columns": counters.Bucket.__struct_fields__,
    }


def _numbers(report: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the numbers of a report, and those inside it."""
    nested = {key: _numbers(value) if isinstance(value, dict) else value for key, value in report.items()}
    return {key: value for key, value in nested.items() if isinstance(value, int | float | dict)}
