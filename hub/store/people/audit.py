"""The audit log: who signed in, paired, was blocked, exported or changed a setting (S6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlite_utils import Database

from hub.store.database import Transaction

ENTRIES = 50_000
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
    """Write one entry; ``detail`` must hold no patient data. The oldest go when there are too many."""
    num = tx.db.execute(
        "INSERT INTO audit (at, event, device, user_id, detail, actor) VALUES (?, ?, ?, ?, ?, ?)",
        [tx.now_ms, event, device, user_id, detail, _actor.get()],
    ).lastrowid
    if num and num % _PRUNE_EVERY == 0:
        tx.db.execute("DELETE FROM audit WHERE num <= ?", [num - ENTRIES])


def entries(db: Database, *, limit: int = 100, before: int | None = None) -> Iterator[dict[str, Any]]:
    """Return the newest entries, or those before number ``before``."""
    yield from db.query(
        "SELECT * FROM audit WHERE num < coalesce(?, num + 1) ORDER BY num DESC LIMIT ?", [before, limit]
    )
