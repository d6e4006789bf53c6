"""The audit log: who signed in, paired, exported or changed what, and when (S6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from hub.store.box import counters
from hub.store.database import Store
from hub.store.people import audit as rows
from hub.store.people import users
from hub.store.people.audit import by
from hub.store.phones import devices

__all__ = ["AuditPage", "by", "newest", "note", "noted"]


class AuditPage(msgspec.Struct, frozen=True):
    """Some entries, newest first, and what their numbers and ids stand for.

    entries: rows of the log, each with ``wall_ms``, what the wall clock said then; None if that was never noted.
    """

    entries: list[dict[str, Any]]
    phones: dict[int, str]
    users: dict[str, str]
    now_ms: int
    older: int | None
    """Number to ask with for older ones; None when there are none."""


def newest(store: Store, *, limit: int, before: int | None = None) -> AuditPage:
    """Return the newest entries, or those before number ``before``."""
    with store.read() as db:
        found = list(rows.entries(db, limit=limit + 1, before=before))
        entries = [{**entry, "wall_ms": counters.wall_ms(db, entry["at"])} for entry in found[:limit]]
        return AuditPage(
            entries,
            phones={device.num: device.name for device in devices.every(db)},
            users={user.id: user.name for user in users.every(db)},
            now_ms=store.now_ms(db),
            older=entries[-1]["num"] if len(found) > limit else None,
        )


@contextmanager
def noted(store: Store, event: str, details: list[str]) -> Iterator[None]:
    """Write an entry for each detail if the block succeeds, none if it fails; for what is changed in a file."""
    with store.write() as tx:
        for detail in details:
            rows.note(tx, event, detail=detail)
        yield


def note(store: Store, event: str, *, detail: str | None = None) -> None:
    """Write an entry about something that changes nothing in the database, such as a restart of the box."""
    with store.write() as tx:
        rows.note(tx, event, detail=detail)
