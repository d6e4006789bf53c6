"""Commands that only look answer while another process writes, and a folder has one hub."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions.box import facts, identity
from hub.store import database
from hub.store.database import Store
from tests.cli.conftest import Run
from tests.hubs import ServedHub, prepare

READING = (
    ("status",),
    ("status", "--json"),
    ("doctor", "--json"),
    ("cloud", "status"),
    ("cloud", "clinics"),
    ("cloud", "users"),
    ("device", "list"),
    ("user", "list"),
    ("clinic", "list"),
    ("pairing", "show"),
    ("quarantine", "list"),
    ("settings",),
)


@pytest.fixture
def taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of a hub whose database another process writes to all the while; nobody waits long for it."""
    data = tmp_path / "data"
    prepare(data)
    store = Store(data)
    identity.load(store)  # a new hub draws it
    store.close()
    monkeypatch.setattr(database, "_BUSY_MS", 50)
    holder = sqlite3.connect(data / "hub.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    yield data
    holder.close()


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_command_that_reads_waits_for_nobody_who_writes(taken: Path, run: Run, command: tuple[str, ...]) -> None:
    done = run(*command, "--data", str(taken))
    assert "locked" not in done.out + done.err
    assert "cannot" not in done.err, done.err


def test_who_writes_just_now_shows_that_the_database_can_be_written(taken: Path) -> None:
    store = Store(taken)
    assert store.is_taken()
    assert facts.can_write_beside(store)
    store.close()


def test_a_second_hub_on_one_folder_is_refused(served: ServedHub) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli", "serve", "--data", served.data, "--host", "127.0.0.1", "--port", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "a hub runs on" in done.stderr
    assert "Traceback" not in done.stderr
