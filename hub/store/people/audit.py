"""The audit log: who signed in, paired, was blocked, exported or changed a setting (S6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlite_utils import Database

from hub.core.people import audit_room
from hub.store.database import Transaction

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
    if event in audit_room.NOISE and audit_room.is_flood(event, _newest(tx), tx.now_ms):
        _count(tx, event)
        return
    num = tx.db.execute(
        "INSERT INTO audit (at, event, device, user_id, detail, actor) VALUES (?, ?, ?, ?, ?, ?)",
        [tx.now_ms, event, device, user_id, detail, _actor.get()],
    ).lastrowid
    if num and audit_room.is_to_be_pruned(num):
        _prune(tx)


def _newest(tx: Transaction) -> list[tuple[str, int]]:
    return tx.db.execute("SELECT event, at FROM audit ORDER BY num DESC LIMIT ?", [audit_room.ALIKE]).fetchall()


def _count(tx: Transaction, event: str) -> None:
    """Count one more in the newest entry, whose detail becomes ``+1``, ``+2`` and so on."""
    tx.db.execute(
        "UPDATE audit SET detail = '+' || (CAST(ltrim(coalesce(detail, ''), '+') AS INTEGER) + 1)"
        " WHERE num = (SELECT max(num) FROM audit) AND event = ?",
        [event],
    )


def _prune(tx: Transaction) -> None:
    noise = sorted(audit_room.NOISE)
    marks = ", ".join("?" * len(noise))
    for which, most in (("IN", audit_room.NOISE_ENTRIES), ("NOT IN", audit_room.ENTRIES)):
        kind = f"event {which} ({marks})"
        tx.db.execute(
            f"DELETE FROM audit WHERE {kind} AND num <="
            f" (SELECT num FROM audit WHERE {kind} ORDER BY num DESC LIMIT 1 OFFSET ?)",
            [*noise, *noise, most],
        )


def entries(db: Database, *, limit: int = 100, before: int | None = None) -> Iterator[dict[str, Any]]:
    """Return the newest entries, or those before number ``before``."""
    yield from db.query(
        "SELECT * FROM audit WHERE num < coalesce(?, num + 1) ORDER BY num DESC LIMIT ?", [before, limit]
    )
