"""The support file: it helps, it is bounded, and nothing of anybody is in it (S6)."""

import base64
import html
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.actions.box import identity
from hub.actions.phones import access
from hub.app import support
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.cloud.link import Last, Link
from hub.core.records.tables import TABLES
from hub.settings import HubSettings, Settings
from hub.store.copy import capture
from hub.store.database import Store
from hub.store.people import audit
from tests.hubs import InProcessHub, changes, row

MARK = "Amina-Zahra-961"
NUMBER = 70_123_456_789
"""A telephone number, say."""
_SHADOWS = ("_data", "_idx", "_content", "_docsize", "_config")

LOG = [
    f"timestamp=2026-11-20T10:00:00.123456Z level=info event=rpc procedure=sync_pull device=3 ms=4 phone={NUMBER}",
    f'timestamp=2026-11-20T10:00:01.123456Z level={MARK} event={MARK} reason="{MARK} said" {MARK}=1 procedure={MARK}',
    f'level=error event=request.failed path=/rpc/{MARK} error=KeyError where="ledger.py:88 > sync.py:12" host={MARK}',
    f'level=warning event=relay outcome={MARK} detail="{MARK}" up={NUMBER} error="OSError: {MARK}"',
    f"{MARK} entered something",
    f'  File "/opt/{MARK}/hub/store/phones/ledger.py", line 88, in pull',
    f"sqlite3.OperationalError: {MARK}",
    f"KeyError: '{MARK}'",
    f"{MARK}: 1",
]
SYSTEMD = "hikma-hub.service: Main process exited, code=killed, status=9/KILL"
KERNEL = "hwmon hwmon1: Undervoltage detected!"


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a journal on this machine that says LOG."""
    entries: list[dict[str, Any]] = [
        {"_SYSTEMD_UNIT": "hikma-hub.service", "_PID": "77", "MESSAGE": line} for line in LOG
    ]
    entries += [{"_PID": "1", "MESSAGE": SYSTEMD}, {"_TRANSPORT": "kernel", "MESSAGE": KERNEL}, {"MESSAGE": [1, 2]}]
    printed = tmp_path / "journal.json"
    printed.write_text(
        "".join(json.dumps({"__REALTIME_TIMESTAMP": "1800000000000000", **one}) + "\n" for one in entries)
    )
    program = tmp_path / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat {printed}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return a hub with a phone, a patient and a record in quarantine."""
    hub = InProcessHub(tmp_path / "data")
    client = hub.client()
    client.push(changes("patients", created=[row("patients", "p", given_name=MARK, surname=MARK), {"id": 7}]))
    client.pull()
    yield hub.store
    hub.close()


def parts(store: Store, settings: Settings | None = None) -> dict[str, str]:
    """Make the file and read it."""
    content = support.build(store.path.parent, settings or Settings(), store)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name).decode() for name in file.namelist()}


def holds_number(table: str, column: str) -> bool:
    """Return whether a number there comes from a record; the others are the hub's own times and counts."""
    return table in TABLES and column not in {"num", "device", "origin"}


def plant(store: Store) -> set[str]:
    """Put a row into every table, with a mark in every column that can hold one; returns the tables."""
    with store.write() as tx:
        db = tx.db
        names = {name for name in db.table_names() if not name.startswith(("sqlite_", "_sqlite"))}
        tables = {name for name in names if not name.endswith(_SHADOWS)} - capture.derived(db)
        for number, table in enumerate(sorted(tables)):
            columns = db.execute(f"SELECT name, type FROM pragma_table_xinfo('{table}') WHERE hidden = 0").fetchall()
            values: dict[str, object] = {
                name: f"{MARK}-{number}-{name}" if kind != "INTEGER" else NUMBER if holds_number(table, name) else 9000
                for name, kind in columns
            }
            values |= {key: value for key, value in USABLE.get(table, {}).items() if key in values}
            if "cut" in values and "data" in values:  # a record: its data must be one, as the triggers read it
                values |= {"cut": None, "data": json.dumps({"id": MARK, "given_name": MARK}), "history": None}
            marks = ", ".join("?" * len(values))
            keys = ", ".join(f"[{key}]" for key in values)
            db.execute(f"INSERT INTO [{table}] ({keys}) VALUES ({marks})", [*values.values()])
        for event in ("setting.changed", "administrator.added", "hub.renamed"):
            audit.note(tx, event, detail=MARK)
        audit.note(tx, "setting.changed", detail=f"pairing.minutes: {MARK} -> 5")
        audit.note(tx, "setting.changed", detail="pairing.minutes: 10 -> 25")
    return tables


_LINK = Link(f"https://{MARK}", MARK, MARK, (MARK,), MARK)
_LAST = Last(outcome=MARK, sentence=MARK, report={"detail": MARK, "pulled": {"created": 3, "what": MARK}})
USABLE: dict[str, dict[str, object]] = {
    "devices": {"state": "paired", "num": 4242, "first_seen": 1, "last_seen": 1, "last_sync": 1},
    "ledger": {
        "device": 1,
        "table_name": MARK,
        **dict.fromkeys(("held", "owed", "hidden", "unsure", "failed", "blanked"), b""),
    },
    "cloud": {"key": MARK, "value": MARK},
    "hub": {"key": "name", "value": MARK},
}
"""What the hub has to be able to read of its own."""


def connect(store: Store) -> None:
    with store.write() as tx:
        for key, value in (("link", _LINK), ("last", _LAST)):
            text = msgspec.json.encode(value).decode()
            tx.db.execute("INSERT OR REPLACE INTO cloud (key, value) VALUES (?, ?)", [key, text])
        tx.db.execute("INSERT OR REPLACE INTO cloud (key, value) VALUES ('api_key', ?)", [f"hh_{MARK}"])


@pytest.mark.usefixtures("journal")
def test_s6_nothing_that_is_in_any_column_or_in_the_logs_is_in_the_file(store: Store) -> None:
    who = identity.load(store)
    planted = plant(store)
    connect(store)
    found = parts(store, Settings(hub=HubSettings(name=MARK)))
    assert planted <= set(json.loads(found["database.json"])["rows"])
    assert MARK.encode() in store.path.read_bytes() + store.path.with_name("hub.db-wal").read_bytes()
    everything = "\n".join(found.values())
    assert "amina" not in everything.lower()
    assert str(NUMBER)[:8] not in everything
    private = who.keys.private_bytes()
    for secret in (private.hex(), base64.b64encode(private).decode(), base64.urlsafe_b64encode(private).decode()[:40]):
        assert secret not in everything
    with store.read() as db:
        hashes = [row[0] for row in db.execute("SELECT hash FROM tokens") if isinstance(row[0], bytes)]
    assert hashes
    assert not any(value.hex() in everything for value in hashes)


@pytest.mark.usefixtures("journal")
def test_it_holds_what_helps(store: Store) -> None:
    plant(store)
    texts = parts(store)
    found: dict[str, Any] = {name: json.loads(text) for name, text in texts.items() if name.endswith(".json")}
    assert set(texts) == {line.split()[0] for line in support.CONTENTS.splitlines() if ".json" in line[:16]} | {
        "about.txt",
        "log.txt",
        "index.html",
    }
    assert found["status.json"]["state"] == "quarantine"
    assert found["database.json"]["rows"]["patients"] == 2
    assert found["database.json"]["damage"] == []
    assert found["settings.json"]["pairing.minutes"] == 10
    assert found["versions.json"]["hub_id"] == identity.load(store).id[:8]
    assert found["phones.json"][0]["state"] == "paired"
    assert {
        "table": "patients",
        "code": "invalid_id",
        "params": {"table": "patients", "limit": 255},
        "records": 1,
        "reason": "The record has no valid ID of 1 to 255 characters (patients).",
    } in found["quarantine.json"]
    said = [(entry["event"], entry.get("values")) for entry in found["audit.json"]]
    assert ("setting.changed", "10 -> 25") in said
    assert ("device.paired", None) in said
    log = texts["log.txt"]
    assert "event=rpc procedure=sync_pull device=3 ms=4 phone=-" in log
    assert "path=- error=KeyError where=ledger.py:88 > sync.py:12 host=-" in log
    assert "  ledger.py:88" in log
    assert SYSTEMD in log
    assert KERNEL in log


def test_how_the_relay_ended_is_told_by_its_own_words(store: Store) -> None:
    connect(store)
    with store.write() as tx:
        last = msgspec.structs.replace(_LAST, outcome=Outcome.NO_LINE.word)
        tx.db.execute("UPDATE cloud SET value = ? WHERE key = 'last'", [msgspec.json.encode(last).decode()])
    relay = json.loads(parts(store)["relay.json"])
    assert (relay["outcome"], relay["report"]) == ("no_line", {"pulled": {"created": 3}})


def test_it_is_bounded_whatever_the_hub_holds(store: Store) -> None:
    with store.write() as tx:
        for number in range(3000):
            audit.note(tx, "login", device=number)
        for number in range(1000):
            access.pair(tx, f"client-{number}x", None, most=5000)
    found = parts(store)
    shown = found.pop("index.html")
    assert all(len(text.encode()) <= support.PART_BYTES_MAX for text in found.values())
    assert len(html.unescape(shown)) <= sum(map(len, found.values())) + 200 * len(found)
    assert len(json.loads(found["audit.json"])) == 1000
    assert len(json.loads(found["phones.json"])) == 500


def test_a_hub_whose_database_cannot_be_opened_still_makes_one(tmp_path: Path) -> None:
    content = support.build(tmp_path, Settings(), None, ("file is not a database",))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        status: dict[str, Any] = json.loads(file.read("status.json"))
    assert status["state"] == "damaged"
    assert status["facts"]["damage"] == ["file is not a database"]


def test_what_cannot_be_read_of_a_damaged_database_does_not_cost_the_rest(store: Store) -> None:
    with store.write() as tx:
        tx.db.execute("ALTER TABLE devices RENAME TO lost")
    found = parts(store)
    assert "unreadable" in found["phones.json"]
    assert json.loads(found["database.json"])["rows"]


def test_all_of_it_can_be_read_in_a_browser(store: Store) -> None:
    found = parts(store)
    shown = html.unescape(found["index.html"])
    assert all(text in shown for name, text in found.items() if name != "index.html")
