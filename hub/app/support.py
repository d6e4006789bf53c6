"""Makes the support file: what helps a technician from afar, and nothing of patients or people in it (S6).

It is a zip of JSON and text. Nothing is copied from the database but numbers and words that the hub itself chose from
a list; what is free text there (names, reasons, details, records) is left out or replaced by a word of such a list.
"""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import distributions
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from hub import __version__
from hub import settings as book
from hub.actions.phones import pull
from hub.app import journal, status
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.reasons import Reason, from_json, to_json
from hub.core.records.tables import TABLES
from hub.core.status import state
from hub.core.status.state import Facts
from hub.services.machine import card, measures
from hub.settings import Settings
from hub.store import quarantine
from hub.store.box import counters, database_stats
from hub.store.cloud import connection, outbox
from hub.store.cloud.connection import ACTIVE
from hub.store.database import Store
from hub.store.people import audit
from hub.store.phones import devices
from hub.web.pages.audit import EVENTS
from hub.words import status as said
from hub.words import words

PART_BYTES_MAX = 256 * 1024
"""Of each part, before it is compressed; what is longer is cut off at its end."""
_AUDIT_ENTRIES = 1000
_PHONES = 500
_CHANGE = re.compile(r"([a-z_]+)\.([a-z_]+): (\S*) -> (\S*)\Z")
_ACTORS = frozenset({"administrator", "user", "setup", "address"})

CONTENTS = """\
This file helps a technician to see from afar how a Hikma Hub is.

versions.json    the hub, Python, Linux and the libraries
settings.json    every setting but the hub's name
status.json      the state, the facts that it was named from, and what was measured on the box
database.json    how many rows each table has, the version of its schema, whether the file is whole
phones.json      for each phone: its number, its state, when it synced, how many records it lacks
relay.json       how the last try at the cloud ended, what waits and why, what was entered and sent in nine days
quarantine.json  how many records are kept apart, by table and reason
audit.json       the last 1,000 entries of the log on the page, by kind and time: no names
log.txt          the last lines of the hub, of systemd about it and of the kernel; words that are not the hub's are "-"

It holds no records, no names of patients, people, phones or clinics, no addresses of the network, no passwords, keys,
tokens or hashes. Times of the database are hub time in milliseconds, ages are in seconds.
"""


def build(data: Path, settings: Settings, store: Store | None, damage: tuple[str, ...] = ()) -> bytes:
    """Return the file. ``store`` is None where the database cannot be opened; ``damage`` says why."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in _parts(data, settings, store, damage):
            file.writestr(name, _text(content)[:PART_BYTES_MAX])
    return out.getvalue()


def _parts(
    data: Path, settings: Settings, store: Store | None, damage: tuple[str, ...]
) -> Iterator[tuple[str, object]]:
    yield "about.txt", CONTENTS
    yield "versions.json", {"hub": __version__, "libraries": _libraries()}
    yield "settings.json", {field: _setting(settings, field) for field in book.names() if field != "hub.name"}
    now = status.gathering(store).gather() if store else Facts(damage=damage, writable=False)
    yield "status.json", _status(data, now)
    if store:
        yield "database.json", database_stats.take(store)
        with store.read() as db:
            now_ms = store.now_ms(db)
            yield "phones.json", list(_phones(db, now_ms))
            yield "relay.json", _relay(db, now_ms)
            yield "quarantine.json", _counted(_quarantined(db))
            yield "audit.json", [_entry(entry) for entry in audit.entries(db, limit=_AUDIT_ENTRIES)]
    yield "log.txt", "\n".join(journal.lines()) or "There is no journal here, or the hub may not read it.\n"


def _text(content: object) -> bytes:
    if isinstance(content, str):
        return content.encode()
    return msgspec.json.format(msgspec.json.encode(content), indent=1)


def _libraries() -> dict[str, str]:
    return dict(sorted((one.metadata["Name"], one.version) for one in distributions()))


def _setting(settings: Settings, field: str) -> object:
    section, _, key = field.partition(".")
    return getattr(getattr(settings, section), key)


def _status(data: Path, now: Facts) -> dict[str, Any]:
    return {
        "state": state.state(now).name.lower(),
        "sentence": said.sentence(words("en"), now),
        "facts": now,
        "machine": measures.measure(data),
        "card_errors": card.errors(),
    }


def _phones(db: Any, now_ms: int) -> Iterator[dict[str, Any]]:  # noqa: ANN401  the store's connection, only handed on
    for device in islice(devices.every(db), _PHONES):
        yield {
            "num": device.num,
            "state": device.state,
            "first_seen_s": (now_ms - device.first_seen) // 1000,
            "last_seen_s": (now_ms - device.last_seen) // 1000,
            "last_sync_s": (now_ms - device.last_sync) // 1000 if device.last_sync else None,
            "lacks": pull.behind(db, device.num),
        }


def _relay(db: Any, now_ms: int) -> dict[str, Any]:  # noqa: ANN401  as above
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
        "reasons": _counted((cause.table, cause.reason, cause.records) for cause in outbox.causes(db)),
        "history": [msgspec.structs.astuple(bucket) for bucket in counters.since(db, now_ms - counters.KEPT_MS)],
        "history_columns": counters.Bucket.__struct_fields__,
    }


def _numbers(told: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the numbers of a report, and those inside it."""
    nested = {key: _numbers(value) if isinstance(value, dict) else value for key, value in told.items()}
    return {key: value for key, value in nested.items() if isinstance(value, int | float | dict)}


def _quarantined(db: Any) -> Iterator[tuple[str, Reason, int]]:  # noqa: ANN401  as above
    for entry in quarantine.entries(db):
        yield entry["table_name"], entry["reason"], 1


def _counted(rows: Iterable[tuple[str, Reason, int]]) -> list[dict[str, Any]]:
    """Count records by table and reason, without what is free text in the reason."""
    counted: Counter[tuple[str, str]] = Counter()
    for table, reason, count in rows:
        counted[table if table in TABLES else "another", to_json(reason.public())] += count
    return [
        {"table": table, "reason": str(from_json(why, "")), **msgspec.json.decode(why), "records": count}
        for (table, why), count in counted.most_common(200)
    ]


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    actor = (entry["actor"] or "").partition(":")[0]
    return {
        "num": entry["num"],
        "at": entry["at"],
        "event": entry["event"] if entry["event"] in EVENTS else "another",
        "device": entry["device"],
        "by": actor if actor in _ACTORS else "",
        **_changed(entry["detail"] or ""),
    }


def _changed(detail: str) -> dict[str, str]:
    """Return which setting was changed, where the entry says just that."""
    found = _CHANGE.match(detail)
    if found is None or f"{found[1]}.{found[2]}" not in book.names():
        return {}
    values = [text for text in found.group(3, 4) if text.isdecimal() or text in _words(found[1], found[2])]
    return {"setting": f"{found[1]}.{found[2]}", "values": " -> ".join(values)}


def _words(section: str, key: str) -> tuple[str, ...]:
    return book.choices(section, key) or ("true", "false")
