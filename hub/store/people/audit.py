"""The audit log: who signed in, paired, was blocked, exported or changed a setting (S6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlite_utils import Database

from hub.store.database import Transaction

ENTRIES = 50_000
_NOISE = ("device.paired", "login.refused", "page.refused", "setup.refused")
"""What anybody on the Wi-Fi can make the hub note."""
_NOISE_ENTRIES = 5_000
_MERGED_MS = 60_000
_ALIKE = 20
"""Entries of one kind in a minute before those that follow are counted in the last one."""
_PRUNE_EVERY = 256
_actor: ContextVar[str | None] = ContextVar("actor", default=None)


@contextmanager
def by(actor: str) -> Iterator[None]:
    """Name who does what is noted in this block, such as ``administrator:Amal``."""
    before = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(before)


def note(
    tx: Transaction, event: str, *, device: int | None = None, user_id: str | None = None, detail: str | None = None
) -> None:
    """Write one entry; ``detail`` must hold no patient data. The oldest go when there are too many.

    Of what anybody can cause many of a kind in a minute become one, and old ones give way to new ones of their kind
    alone: a flood takes no sign-in, export or blocking out of the log.
    """
    if event in _NOISE and _is_flood(tx, event):
        _count(tx, event)
        return
    num = tx.db.execute(
        "INSERT INTO audit (at, event, device, user_id, detail, actor) VALUES (?, ?, ?, ?, ?, ?)",
        [tx.now_ms, event, device, user_id, detail, _actor.get()],
    ).lastrowid
    if num and num % _PRUNE_EVERY == 0:
        _prune(tx)


def _is_flood(tx: Transaction, event: str) -> bool:
    newest = tx.db.execute("SELECT event, at FROM audit ORDER BY num DESC LIMIT ?", [_ALIKE]).fetchall()
    return len(newest) == _ALIKE and all(row[0] == event for row in newest) and tx.now_ms - newest[-1][1] < _MERGED_MS


def _count(tx: Transaction, event: str) -> None:
    """Count one more in the newest entry, whose detail becomes ``+1``, ``+2`` and so on."""
    tx.db.execute(
        "UPDATE audit SET detail = '+' || (CAST(ltrim(coalesce(detail, ''), '+') AS INTEGER) + 1)"
        " WHERE num = (SELECT max(num) FROM audit) AND event = ?",
        [event],
    )


def _prune(tx: Transaction) -> None:
    noise = ", ".join("?" * len(_NOISE))
    for which, most in ((f"event IN ({noise})", _NOISE_ENTRIES), (f"event NOT IN ({noise})", ENTRIES)):
        tx.db.execute(
            f"DELETE FROM audit WHERE {which} AND num <="
            f" (SELECT num FROM audit WHERE {which} ORDER BY num DESC LIMIT 1 OFFSET ?)",
            [*_NOISE, *_NOISE, most],
        )


def entries(db: Database, *, limit: int = 100, before: int | None = None) -> Iterator[dict[str, Any]]:
    """Return the newest entries, or those before number ``before``."""
    yield from db.query(
        "SELECT * FROM audit WHERE num < coalesce(?, num + 1) ORDER BY num DESC LIMIT ?", [before, limit]
    )
