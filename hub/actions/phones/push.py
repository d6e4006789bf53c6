"""Takes a phone's push in: one transaction that keeps every record it can, and quarantines the others.

A push applies whole or not at all (P1, P2). A record that cannot be taken in is quarantined and the others go on
(P7). Parents come before their children (core.records.tables declares them so), so that a child of a deleted patient
or visit is a tombstone from the start (P4). A new visit of which a part is not allowed is held with all its parts, or
it would tell half of what happened (S5); whether it is, shows when its last part came, and then it is taken back.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from hub.actions.records import refused
from hub.actions.records.changes import Changes, Receipt
from hub.actions.records.visits import visit_of
from hub.core.errors import BadRecord, NotAllowed, ParentHeld
from hub.core.fleet.totals import Total
from hub.core.reasons import Code, Reason
from hub.core.records import access, codec, ids
from hub.core.records.access import Rights
from hub.core.records.codec import Pushed, Record
from hub.core.records.table import PushRule, Table
from hub.core.records.tables import NEXT_NAMES, PHONE_TABLES, TABLES
from hub.core.status.facts import FREE_BYTES_FULL
from hub.store import quarantine
from hub.store.box import counters
from hub.store.database import Store, Transaction
from hub.store.people import users
from hub.store.phones import callers, twins
from hub.store.phones import ledger as ledgers
from hub.store.quarantine import Action, Refused
from hub.store.records.record_rows import CHUNK, HUB


class TableChanges(msgspec.Struct, frozen=True):
    """What a push holds for one table; records stay JSON until it is their turn."""

    created: Sequence[msgspec.Raw] = ()
    updated: Sequence[msgspec.Raw] = ()
    deleted: Sequence[msgspec.Raw] = ()


PushedChanges = Mapping[str, TableChanges | None]
"""What a phone changed, by the name of the table."""


class Source(msgspec.Struct, frozen=True):
    """Who pushed."""

    device: int
    rights: Rights
    is_answered_for: bool = False
    """An administrator takes it in, whatever its author may do, with what waits for it."""
    entered_on: int = HUB
    """The phone from which a second try came in the first place."""
    waited_for: str | None = None
    """What a second try waited for in quarantine, as table/id."""
    cursor: float = 0
    """The answer after which it was pushed; 0 where nothing is known of that."""
    holder: int | None = None
    """The number of the ledger that has what is pushed; None for the device's own (store.phones.twins)."""

    @property
    def phone(self) -> int:
        """Return the phone whose users may have entered it; HUB where that does not matter."""
        return HUB if self.is_answered_for else self.entered_on or self.device


def push(store: Store, changes: PushedChanges, source: Source) -> Receipt:
    """Take in a push; when this returns, it is on disk (P1).

    Raises Unavailable, with nothing stored, when the quarantine or the storage is full. A device's pushes and pulls
    must not overlap.
    """
    store.need_room(FREE_BYTES_FULL)
    with store.write() as tx:
        holder = twins.pusher(tx, source.device, source.cursor)
        receipt = take(tx, changes, msgspec.structs.replace(source, holder=holder))
        if later := NEXT_NAMES & changes.keys():
            ledgers.note_takes(tx, holder, later)
        counters.add(tx, entered=receipt.entered)
        callers.seen(tx, source.device, carried=Total.PUSHES)
        twins.seen(tx, holder)
        return receipt


def take(tx: Transaction, changes: PushedChanges, source: Source) -> Receipt:
    """Take in a push as a part of a transaction; raises Unavailable when the quarantine is full."""
    return _take_whole_visits(tx, changes, source) if changes.get("visits") else _Intake(tx, source).take(changes)


def _take_whole_visits(tx: Transaction, changes: PushedChanges, source: Source) -> Receipt:
    held: dict[str, _Refused] = {}
    while True:  # ends: a visit that is held is not split again
        with tx.attempt() as undo:
            intake = _Intake(tx, source, held)
            receipt = intake.take(changes)
            split = intake.split_visits()
            if not split:
                return receipt
            undo()
        held.update(split)


def retry(tx: Transaction, entry: Mapping[str, object], source: Source) -> bool:
    """Take a quarantined record in again, with what waits for it; returns whether it worked.

    The entry stays if it did not.
    """
    raw = msgspec.Raw(str(entry["raw"]).encode())
    action = Action(str(entry["action"]))
    part = TableChanges(deleted=[raw]) if action is Action.DELETE else TableChanges(updated=[raw])
    quarantine.remove(tx, int(str(entry["num"])))
    return take(tx, {str(entry["table_name"]): part}, source).quarantined == 0


_Refused = Mapping[tuple[str, str], Reason]
"""Why records, by table and id, were not accepted."""
_NOTHING: Mapping[str, _Refused] = MappingProxyType({})
_VISIT = "visits/"


def _place(name: str) -> int:
    return list(TABLES).index(name) if name in TABLES else len(TABLES)


class _Intake:
    """One push on its way in: reads the JSON, hands on what it can, and quarantines the rest."""

    def __init__(self, tx: Transaction, source: Source, held: Mapping[str, _Refused] = _NOTHING) -> None:
        """Begin; held: the visits that are held whole, and why parts of them are not allowed."""
        self._tx = tx
        self._source = source
        self._held = held
        self._why = {record: why for refused in held.values() for record, why in refused.items()}
        self._split: dict[str, dict[tuple[str, str], Reason]] = {}
        holder = source.device if source.holder is None else source.holder
        self._changes = Changes(tx, holder, source.rights, phone=source.phone, cursor=source.cursor)
        self.receipt = self._changes.receipt

    def take(self, changes: PushedChanges) -> Receipt:
        """Take everything in, and what waited for it."""
        for name in sorted(changes, key=_place):
            part = changes[name]
            table = PHONE_TABLES.get(name)
            if part is None:
                continue
            if table is None:
                self.refuse_all(name, part, Code.UNKNOWN_TABLE.of(table=name[: codec.ID_CHARS]))
            elif table.push is PushRule.REFERENCE:
                self.reference(table, part)
            else:
                self.table(table, part)
        self._changes.settle()  # what was handed out is counted when all of it is there
        if not self._split:
            self.release()
        return self.receipt

    def split_visits(self) -> Mapping[str, _Refused]:
        """Return the visits that are new on the hub and of which a part is not allowed, and why."""
        new = [each for each in self._changes.added if each.startswith(_VISIT)]
        waiting = [visit for visit in new if quarantine.waiting_for(self._tx.db, [visit])]
        return {visit: self._split.get(visit, {}) for visit in (each.removeprefix(_VISIT) for each in waiting)}

    def table(self, table: Table, part: TableChanges) -> None:
        for chunk in _chunks([*part.created, *part.updated]):
            self._keep(table, chunk)
        for raw in part.deleted:
            try:
                self._changes.delete(table, _record_to_delete(table, raw))
            except BadRecord as error:
                self._refuse(table.name, Action.DELETE, raw, error.reason)

    def reference(self, table: Table, part: TableChanges) -> None:
        """Pass over what a forced upload repeats; keep what a phone tried to change where people can see it."""
        for raw in (*part.created, *part.updated):
            try:
                if not codec.read(table, raw, self._tx.zone).synced:
                    access.check_table(table)
                self.receipt.unchanged += 1
            except BadRecord as error:
                self._refuse(table.name, Action.KEEP, raw, error.reason)
        for raw in part.deleted:
            self._refuse(table.name, Action.DELETE, raw, Code.REFERENCE_DELETED.of(table=table.name))

    def refuse_all(self, name: str, part: TableChanges, reason: Reason) -> None:
        for raw in (*part.created, *part.updated):
            self._refuse(name, Action.KEEP, raw, reason)
        for raw in part.deleted:
            self._refuse(name, Action.DELETE, raw, reason)

    def release(self) -> None:
        """Try again what was held because what it belongs to was not accepted, and is here now."""
        for num in quarantine.waiting_for(self._tx.db, self._changes.added) if self._changes.added else ():
            entry = quarantine.entry(self._tx.db, num)
            rights = self._rights_of(str(entry["user_id"])) if entry else None
            if entry and rights:
                again = Source(HUB, rights, self._source.is_answered_for, entry["device"], entry["parent"])
                retry(self._tx, entry, again)

    def _rights_of(self, user_id: str) -> Rights | None:
        """Return the rights of who entered a record, or those by which its parent was taken in."""
        if self._source.is_answered_for:
            return msgspec.structs.replace(self._source.rights, user_id=user_id)
        user = users.find(self._tx.db, user_id)
        return callers.rights(self._tx.db, user.id, user.role) if user else None

    def _keep(self, table: Table, chunk: Sequence[msgspec.Raw]) -> None:
        raws: list[msgspec.Raw] = []
        read: list[Pushed] = []
        for raw in chunk:
            try:
                pushed = codec.read(table, raw, self._tx.zone)
                if table.name == "visits" and pushed.record.id in self._held:
                    raise NotAllowed(Code.PART_NOT_ALLOWED.of(table=table.name))
                read.append(pushed)
                raws.append(raw)
            except BadRecord as error:
                self._refuse(table.name, Action.KEEP, raw, error.reason)
        for place, refusal in self._changes.keep(table, read).items():
            record = read[place].record
            parent = refusal.parent if isinstance(refusal, ParentHeld) else None
            if isinstance(refusal, NotAllowed):
                parent = self._split_by(record, refusal.reason) or self._source.waited_for
            reason = self._why.get((table.name, record.id), refusal.reason)
            self._refuse(table.name, Action.KEEP, raws[place], reason, parent)

    def _split_by(self, record: Record, reason: Reason) -> str | None:
        """Note that a part of a visit is not allowed; returns the visit if it came just now."""
        visit = visit_of(self._tx.db, record)
        if f"{_VISIT}{visit}" not in self._changes.added:
            return None
        self._split.setdefault(str(visit), {})[record.table, record.id] = reason
        return f"{_VISIT}{visit}"

    def _refuse(
        self, table_name: str, action: Action, raw: msgspec.Raw, reason: Reason, parent: str | None = None
    ) -> None:
        record_id = _id_of(raw)
        entry = Refused(
            table_name=table_name[: codec.ID_CHARS],
            record_id=record_id,
            action=action,
            reason=reason,
            raw=bytes(raw).decode("utf-8", "replace"),
            device=self._source.entered_on or self._source.device,
            user_id=self._source.rights.user_id,
            parent=parent,
        )
        refused.keep(self._tx, entry)
        self.receipt.quarantined += 1
        table = TABLES.get(table_name)
        if table and record_id:
            self._changes.force(table, record_id)


def _chunks(raws: Sequence[msgspec.Raw]) -> Iterator[Sequence[msgspec.Raw]]:
    for start in range(0, len(raws), CHUNK):
        yield raws[start : start + CHUNK]


def _record_to_delete(table: Table, raw: msgspec.Raw) -> Record:
    """Read what a phone deletes: a whole record or its id."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRecord(Code.NOT_JSON.of(table=table.name)) from None
    return codec.build(table, value if isinstance(value, dict) else {"id": value})


def _id_of(raw: msgspec.Raw) -> str | None:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = value.get("id") if isinstance(value, dict) else value
    return ids.canonical(found)[: codec.ID_CHARS] if isinstance(found, str) else None
