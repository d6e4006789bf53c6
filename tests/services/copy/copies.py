"""A hub in this process with a copy beside it, and the comparison of a rebuilt hub with it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.actions.box import copying as actions
from hub.actions.records import search_index
from hub.app import backup, copying
from hub.core.copy.standing import CopyStanding
from hub.services.copy import stick as sticks
from hub.services.copy.writer import CopyWriter
from hub.store.copy import capture
from hub.store.database import Store

SECRET = "four words are enough"
OF_THE_BOOT = {"clock", "time", "copy", "copy_state", "epoch", "pairing_until"}
"""What a restored hub has of its own, under ``hub``."""


@contextmanager
def copied(
    store: Store, stick: Path, *, wait_s: float = 20.0, until_is: CopyStanding = CopyStanding.SAFE
) -> Iterator[CopyWriter]:
    """Keep a copy on ``stick`` while the block lasts; it has all of it at the beginning."""
    stick.mkdir(exist_ok=True)
    if actions.config(store) is None:
        copying.start(store, stick, SECRET, hub_name="Test Hub")
    writer = copying.writer(store, store.path.parent / "hub.toml", hub_name="Test Hub")
    writer._wait_s = wait_s
    writer.start()
    try:
        until(lambda: standing(store) is until_is)
        yield writer
    finally:
        writer.close()


def standing(store: Store) -> CopyStanding | None:
    found = actions.condition(store)
    return found.standing if found else None


def until(is_true: Callable[[], bool], *, within_s: float = 30.0) -> None:
    """Wait for something; fails when it does not happen."""
    end_s = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def rebuilt(stick: Path, data: Path) -> Store:
    """Make a hub of what is on the stick."""
    backup.restore_copy(sticks.copies(stick)[-1], data, SECRET)
    return Store(data)


def contents(store: Store) -> dict[str, list[Any]]:
    """Return every row of every table, but what a restored hub has of its own; patients are indexed before."""
    search_index.index_all(store)
    with store.read() as db:
        found = {name: db.execute(f"SELECT * FROM [{name}]").fetchall() for name in capture.tables(db)}
        found["patient_counts"] = db.execute("SELECT * FROM patient_counts WHERE live > 0").fetchall()
        found["patient_words"] = db.execute("SELECT rowid, name FROM patient_words ORDER BY rowid").fetchall()
    found["hub"] = [row for row in found["hub"] if row[0] not in OF_THE_BOOT]
    found["audit"] = [row for row in found["audit"] if row[2] != "backup.restored"]
    del found["page_sessions"]
    found["tokens"] = [row[:3] for row in found["tokens"]]  # they last as long as before, by another hub time
    found["ledger_heads"] = [(*row[:3], row[4:]) for row in found["ledger_heads"]]  # settled is any, once
    return {name: sorted(map(repr, rows)) for name, rows in found.items()}
