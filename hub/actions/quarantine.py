"""Records that were not accepted: which there are and why, trying them again, taking them away as a file (P7)."""

import json
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

import msgspec

from hub.actions.cloud import queue
from hub.actions.phones import push
from hub.actions.phones.push import Source
from hub.core import reasons
from hub.core.errors import HubError, OperatorError
from hub.core.reasons import Reason
from hub.core.records.access import Permission, Rights
from hub.core.records.codec import Record
from hub.core.records.tables import TABLES
from hub.store import quarantine as rows
from hub.store.database import Store, Transaction
from hub.store.people import audit, users
from hub.store.phones import callers, devices
from hub.store.quarantine import Action
from hub.store.records import owners, record_rows
from hub.store.records.record_rows import HUB


class RefusedRecord(msgspec.Struct, frozen=True):
    """A record that was not accepted, without its content."""

    num: int
    table_name: str
    record_id: str | None
    action: str
    """A word of hub.store.quarantine.Action."""
    reason: Reason
    fingerprint: int
    """The same when it is refused again."""
    device: int
    user_id: str
    at: int
    """Hub time in ms."""
    size: int
    """Of the record, in characters."""
    note: str | None
    """Of who set it aside; None while it waits for a person."""
    age_s: float
    user: str
    """Name of who entered it; "" where nobody of this hub did."""
    phone: str
    """Name of the phone that sent it; "" for the hub."""


NOTE_CHARS_MAX = 500


class Retried(Enum):
    """What became of an entry that was tried again."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NO_USER = "no user"
    """Whoever sent it is no longer on this hub, so that nobody's permissions could be checked."""
    FAILED = "failed"
    """The hub could not store anything now; the entry is as it was."""
    GONE = "gone"
    """There is no such entry, or no longer."""


def entries(store: Store) -> list[RefusedRecord]:
    """List all entries, oldest first."""
    with store.read() as db:
        now_ms = store.now_ms(db)
        people = {user.id: user.name for user in users.every(db)}
        phones = {device.num: device.name for device in devices.every(db)}
        return [
            RefusedRecord(
                **row,
                age_s=(now_ms - row["at"]) / 1000,
                user=people.get(row["user_id"], ""),
                phone=phones.get(row["device"], ""),
            )
            for row in rows.entries(db)
        ]


def patients(store: Store, user_id: str, nums: Iterable[int]) -> dict[int, str]:
    """Return whom these entries are about, by name, where the user may see that patient."""
    table = TABLES["patients"]
    with store.read() as db:
        viewer = users.find(db, user_id)
        if viewer is None:
            return {}
        rights = callers.rights(db, viewer.id, viewer.role)
        about = rows.patients(db, nums)
        seen = {num for num, owner in owners.of(db, table, about.values()) if rights.may(Permission.VIEW, owner)}
        found = record_rows.by_num(db, table, seen)
        return {num: _full_name(found[patient]) for num, patient in about.items() if patient in seen}


def _full_name(patient: Record) -> str:
    return " ".join(filter(None, (patient.text("given_name"), patient.text("surname"))))


def show(store: Store, num: int) -> dict[str, Any] | None:
    """Return one entry as JSON holds it, record included; None where there is none."""
    with store.read() as db:
        row = rows.entry(db, num)
    return plain(row) if row else None


def retry(store: Store, num: int) -> Retried:
    """Try an entry again, after its cause was fixed. If it is refused again, it stays as a new entry."""
    try:
        with store.write() as tx:
            return _retry(tx, num)
    except HubError:
        return Retried.FAILED


def retry_all(store: Store, nums: Iterable[int] | None = None) -> dict[int, Retried]:
    """Try these entries, or all that nobody set aside, each by itself, whatever becomes of the others.

    One that was taken in with what it belongs to is accepted.
    """
    there = {entry.num: entry.note for entry in entries(store)}
    wanted = sorted(num for num, note in there.items() if note is None) if nums is None else nums
    tried = {num: retry(store, num) for num in wanted}
    return {num: Retried.ACCEPTED if how is Retried.GONE and num in there else how for num, how in tried.items()}


def accept(store: Store, num: int) -> Retried:
    """Take an entry in, with what waits for it, whatever its author may do: an administrator answers for it.

    A record that the hub cannot hold is refused again.
    """
    try:
        with store.write() as tx:
            return _accept(tx, num)
    except HubError:
        return Retried.FAILED


def set_aside(store: Store, num: int, note: str) -> bool:
    """Set an entry aside: it stays stored and exported, and calls for nobody any more. Whether it is there.

    Raises OperatorError for a note that is none.
    """
    return _noted(store, num, _fit(note), "quarantine.set_aside")


def set_all_aside(store: Store, nums: Iterable[int], note: str) -> int:
    """Set these entries aside at once, as ``set_aside`` does with one; returns how many were there."""
    fit = _fit(note)
    with store.write() as tx:
        done = sum(rows.set_aside(tx, num, fit) for num in nums)
        if done:
            audit.note(tx, "quarantine.all_set_aside", detail=str(done))
        return done


def take_back(store: Store, num: int) -> bool:
    """Let an entry that was set aside call for a person again; whether it is there."""
    return _noted(store, num, None, "quarantine.taken_back")


def export(store: Store, write: Callable[[str], object]) -> int:
    """Write all entries with their records as lines of JSON, and note in the activity log that they left the hub."""
    with store.read() as db:
        count = 0
        for entry in rows.entries(db):
            row = rows.entry(db, entry["num"])
            if row:
                write(json.dumps(plain(row), ensure_ascii=False) + "\n")
                count += 1
    with store.write() as tx:
        audit.note(tx, "quarantine.exported", detail=f"{count} entries")
    return count


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return an entry as JSON holds it: the reason as a sentence, as a code, and its parameters."""
    reason: Reason = row["reason"]
    return {**row, "reason": str(reason), **reasons.plain(reason)}


def _fit(note: str) -> str:
    fit = " ".join(note.split())
    if not 0 < len(fit) <= NOTE_CHARS_MAX or not fit.isprintable():
        raise OperatorError(f"a note has 1 to {NOTE_CHARS_MAX} characters")
    return fit


def _noted(store: Store, num: int, note: str | None, event: str) -> bool:
    with store.write() as tx:
        entry = rows.entry(tx.db, num)
        if entry is None:
            return False
        rows.set_aside(tx, num, note)
        audit.note(tx, event, user_id=entry["user_id"], detail=_which(entry))
        return True


def _which(entry: dict[str, Any]) -> str:
    """Name the record of an entry by its table and id, as far as it has one."""
    return " ".join(filter(None, (entry["table_name"], entry["record_id"])))


def _accept(tx: Transaction, num: int) -> Retried:
    entry = _root(tx, num)
    if entry is None:
        return Retried.GONE
    if entry["action"] in {Action.RELAY, Action.PULL}:
        return _retry(tx, num)
    authority = Rights(entry["user_id"], unrestricted=True, clinics={}, known=frozenset())
    source = Source(HUB, authority, is_answered_for=True, entered_on=entry["device"])
    if not push.retry(tx, entry, source):
        return Retried.REFUSED
    audit.note(tx, "quarantine.accepted", user_id=entry["user_id"], detail=_which(entry))
    return Retried.ACCEPTED


def _retry(tx: Transaction, num: int) -> Retried:
    entry = _root(tx, num)
    if entry is None:
        return Retried.GONE
    if entry["action"] in {Action.RELAY, Action.PULL}:
        return Retried.ACCEPTED if queue.retry(tx, entry) else Retried.REFUSED
    user = users.find(tx.db, entry["user_id"])
    if user is None:
        return Retried.NO_USER
    source = Source(HUB, callers.rights(tx.db, user.id, user.role), entered_on=entry["device"])
    return Retried.ACCEPTED if push.retry(tx, entry, source) else Retried.REFUSED


def _root(tx: Transaction, num: int) -> dict[str, Any] | None:
    """Return an entry, or what it waits for: that comes in first, and what waits for it follows."""
    entry = rows.entry(tx.db, num)
    for _ in TABLES:
        found = rows.holding(tx.db, entry["parent"]) if entry and entry["parent"] else None
        if found is None:
            return entry
        entry = rows.entry(tx.db, found)
    return entry
