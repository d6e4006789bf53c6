"""Makes the support file: what helps a technician from afar, and nothing of patients or people in it (S6).

It is a zip of JSON and text. Nothing is copied from the database but numbers and words that the hub itself chose from
a list; what is free text there (names, reasons, details, records) is left out or replaced by a word of such a list.
"""

import html
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import msgspec

from hub import __version__
from hub import settings as book
from hub.actions.box import diagnosis
from hub.actions.box.diagnosis import Counted
from hub.app import journal, status
from hub.core.errors import HubError
from hub.core.reasons import from_json, to_json
from hub.core.records.tables import TABLES
from hub.core.status import state
from hub.core.status.facts import Facts
from hub.services.machine import card, measures
from hub.settings import Settings
from hub.store.database import Store
from hub.web.pages.audit import EVENTS
from hub.words import status as said
from hub.words import words

_Make = Callable[[], object]
PART_BYTES_MAX = 256 * 1024
"""Of each part, before it is compressed; what is longer is cut off at its end."""
_CHANGE = re.compile(r"([a-z_]+)\.([a-z_]+): (\S*) -> (\S*)\Z")
_ACTORS = frozenset({"administrator", "user", "setup", "address"})

CONTENTS = """\
This file helps a technician to see from afar how a Hikma Hub is.

index.html       all of it as one page for a browser
versions.json    the hub and the beginning of its id, Python, Linux and the libraries
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
    parts = {name: _read(make) for name, make in _parts(data, settings, store, damage).items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in {"index.html": _index(parts), **parts}.items():
            file.writestr(name, content)
    return out.getvalue()


def _parts(data: Path, settings: Settings, store: Store | None, damage: tuple[str, ...]) -> dict[str, _Make]:
    always: dict[str, _Make] = {
        "about.txt": lambda: CONTENTS,
        "versions.json": lambda: {"hub": __version__, "hub_id": _short_id(store), "libraries": _libraries()},
        "settings.json": lambda: {name: _setting(settings, name) for name in book.names() if name != "hub.name"},
        "status.json": lambda: _status(data, _facts(store, damage)),
    }
    return {**always, **(_of_database(store) if store else {}), "log.txt": _journal}


def _of_database(store: Store) -> dict[str, _Make]:
    found = cache(lambda: diagnosis.gather(store))
    return {
        "database.json": lambda: diagnosis.database(store),
        "phones.json": lambda: found().phones,
        "relay.json": lambda: {**found().relay, "reasons": _counted(found().on_hold)},
        "quarantine.json": lambda: _counted(found().quarantined),
        "audit.json": lambda: [_entry(entry) for entry in found().audit],
    }


def _read(make: _Make) -> bytes:
    """Return a part; what cannot be read of a damaged database must not cost the others."""
    try:
        return _text(make())[:PART_BYTES_MAX]
    except (HubError, OSError) as error:
        return _text({"unreadable": type(error).__name__})


def _index(parts: Mapping[str, bytes]) -> bytes:
    """Return all parts as a page, for whoever has a browser and no other program."""
    shown = "".join(
        f"<details{' open' if name == 'status.json' else ''}><summary>{name}</summary>"
        f"<pre>{html.escape(content.decode('utf-8', 'replace'))}</pre></details>"
        for name, content in parts.items()
    )
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Hikma Hub</title>{shown}</html>\n'.encode()


def _facts(store: Store | None, damage: tuple[str, ...]) -> Facts:
    return status.gathering(store).gather() if store else Facts(damage=damage, writable=False)


def _short_id(store: Store | None) -> str | None:
    return diagnosis.short_id(store) if store else None


def _journal() -> str:
    return "\n".join(journal.lines()) or "There is no journal here, or the hub may not read it.\n"


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


def _counted(rows: Iterable[Counted]) -> list[dict[str, Any]]:
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
