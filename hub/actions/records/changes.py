"""Takes records in within one transaction: carries out what is decided about each, with all that follows from it.

Whatever brings a record - a phone's push, a user of the hub, a second try from quarantine - it comes this way, so that
deletions take their children along, the outbox fills, and the phones' ledgers hear of it.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property, partial

import msgspec

from hub.actions.cloud import queue
from hub.actions.records import afterwards, counting, deleting, judging
from hub.core.cloud import forms as cloud_forms
from hub.core.errors import BadRecord, NotAllowed
from hub.core.reasons import Code
from hub.core.records import access, authors, push_decision
from hub.core.records.access import Rights
from hub.core.records.authors import Judged, SignIn, Span
from hub.core.records.codec import Pushed, Record
from hub.core.records.counters import COUNTERS, RECORDS
from hub.core.records.merge import HUB, History, Knowledge, Version
from hub.core.records.push_decision import (
    Add,
    Aside,
    Delete,
    Force,
    Merge,
    Nothing,
    Parent,
    Parents,
    Pusher,
    Refuse,
    Tombstone,
)
from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.store import quarantine
from hub.store.cloud import outbox
from hub.store.database import Transaction
from hub.store.people import audit
from hub.store.phones import callers, ledger, twins
from hub.store.phones.known_versions import KnownVersions
from hub.store.records import record_rows
from hub.store.records.record_rows import Kept


class Receipt(msgspec.Struct):
    """What became of a push, in records."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    quarantined: int = 0

    @property
    def entered(self) -> int:
        """Return how many records are different now."""
        return self.created + self.updated + self.deleted


class Changes:
    """The records that one device, or one user of the hub, brings in one transaction."""

    def __init__(self, tx: Transaction, device: int, rights: Rights, *, phone: int = HUB, cursor: float = 0) -> None:
        """Begin with nothing; device: HUB for what is entered on the hub itself.

        phone: the one on which it was entered, whose users may have entered it before ``rights``'s signed in.
        cursor: the answer after which a phone pushed it; 0 where nothing is known of that.
        """
        self._phone = phone
        self._cursor = cursor
        self.receipt = Receipt()
        self._figures: list[tuple[Table, Pushed, Knowledge | None]] = []
        """What was pushed to tables with counters, and what its phone knew of it; None of what is new."""
        self._handed_out_again: dict[str, int] = {}
        """Dispensing records that were pushed and are here already: id -> the device that brought it first."""
        self.added: list[str] = []
        """What is new on the hub, each as table/id."""
        self._others: set[str] = set()
        """Ids of what is new and may not be entered by who is signed in."""
        self._tx = tx
        self._pusher = Pusher(device, rights, tx.now_ms)
        self._known_parents: dict[str, dict[str, Parent]] = {name: {} for name in push_decision.NAMED}
        self._held_parents: set[tuple[str, str]] = set()
        self._parents = Parents(self._known_parents, self._held_parents)

    def settle(self) -> None:
        """Take what the figures that were pushed say beside the records, all of which are there now."""
        figures, self._figures = self._figures, []
        device, again = self._pusher.device, self._handed_out_again
        is_shared = (
            device != HUB and bool(figures) and counting.shares_id(self._tx, self._phone, device, self._cursor, again)
        )
        for table, pushed, known in figures:
            counting.take_pushed(self._tx, table, pushed, device=device, known=known, is_shared=is_shared)

    def keep(self, table: Table, pushed: Sequence[Pushed]) -> dict[int, BadRecord]:
        """Add the records that are new, merge the others; returns why which of them, by place, are refused.

        Of one that is there twice the second is merged.
        """
        ids = [each.record.id for each in pushed]
        stored = record_rows.find(self._tx.db, table, ids)
        self._foresee(table, [each.record for each in pushed])
        refused: dict[int, BadRecord] = {}
        new: dict[str, Add] = {}
        again: list[int] = []
        for place, (record_id, each) in enumerate(zip(ids, pushed, strict=True)):
            if record_id in stored or record_id in new:
                again.append(place)
                continue
            match self._decide_new(table, each):
                case Add() as added:
                    new[record_id] = added
                    if table.name in COUNTERS:
                        self._figures.append((table, each, None))
                case Refuse(error):
                    refused[place] = error
        self._add(table, list(new.values()))
        for place in again:
            record_id = ids[place]
            # A row that is about to change is taken out: a second push of it must read it anew.
            row = stored.pop(record_id, None) or self._find(table, record_id)
            refusal = self._again(table, row, pushed[place]) if row else None
            if refusal:
                refused[place] = refusal
        return refused

    def _decide_new(self, table: Table, pushed: Pushed) -> Add | Refuse:
        """Decide by the rights of who entered it; several people may use one phone (core.records.authors)."""
        me = self._pusher.rights.user_id
        sign_ins = self._sign_ins
        counts, others = authors.of_new(table, pushed.record, me, sign_ins, self._made) if sign_ins else (True, [])
        own = push_decision.decide_new(table, pushed, self._pusher, self._parents) if counts else None
        if isinstance(own, Add) or (own and not isinstance(own.error, NotAllowed)):
            return own
        pushers = self._pushers(self._parents.patients(table, pushed.record), others)
        decision = judging.first_allowed(own, (push_decision.decide_new(table, pushed, *who) for who in pushers))
        if isinstance(decision, Add):
            self._others.add(pushed.record.id)
        return decision

    def _pushers(self, patients: Collection[str], others: Iterable[Judged]) -> Iterator[tuple[Pusher, Parents]]:
        return judging.pushers(self._tx, self._pusher, self._parents, others, patients, self._made.since_ms)

    @cached_property
    def _sign_ins(self) -> list[SignIn]:
        if self._phone == HUB or self._pusher.rights.unrestricted:
            return []  # whoever may do anything answers for whatever they bring
        return callers.sign_ins(self._tx.db, self._phone)

    @cached_property
    def _made(self) -> Span:
        return Span(twins.made_since(self._tx.db, self._phone), self._tx.now_ms)

    def enter(self, table: Table, pushed: Pushed) -> None:
        """Take in one record; raises BadRecord (NotAllowed) where it is refused, or would be deleted at once."""
        row = self._find(table, pushed.record.id)
        if row is not None:
            error = self._again(table, row, pushed)
            if error:
                raise error
            self.settle()
            return
        self._foresee(table, [pushed.record])
        match push_decision.decide_new(table, pushed, self._pusher, self._parents):
            case Add(is_deleted=True):
                raise BadRecord(Code.PARENT_DELETED.of(table=table.name))
            case Add() as added:
                self._add(table, [added])
            case Refuse(error=refusal):
                raise refusal

    def delete(self, table: Table, record: Record) -> None:
        """Delete a record, with what goes with it; raises NotAllowed."""
        row = self._find(table, record.id)
        stored = self._stored(table, row) if row else None
        version = stored.along if isinstance(stored, Tombstone) else stored
        self._foresee(table, [version.record if version else record])
        match push_decision.decide_deletion(table, stored, record, self._pusher, self._parents):
            case Add() as added:
                self._add(table, [added])
            case Refuse(error):
                raise error
            case Delete() | Nothing() as decision:
                if row:  # as there is: neither is decided about a record that the hub never had
                    self._carry_out(table, row, record.id, decision)

    def force(self, table: Table, record_id: str) -> None:
        """Let the phone have the hub's version of a record: it takes its refused edit for accepted."""
        row = self._find(table, record_id)
        if row:
            self._force(table, row.num)

    def _again(self, table: Table, row: Kept, pushed: Pushed) -> BadRecord | None:
        stored = self._stored(table, row)
        version = stored.along if isinstance(stored, Tombstone) else stored
        if table.name == RECORDS:
            is_new_there = not pushed.synced and not pushed.changed
            self._handed_out_again[pushed.record.id] = row.origin if is_new_there else self._pusher.device
        if version:
            self._foresee(table, [version.record, pushed.record])
        elif pushed.changed and not push_decision.says_deleted(table, pushed.record):
            afterwards.show_edit(self._tx, table, pushed.record)
        known = self._knew(table, row)
        decision = push_decision.decide_again(table, stored, pushed, self._pusher, self._parents, known=known)
        if isinstance(decision, Refuse) and isinstance(decision.error, NotAllowed) and self._sign_ins:
            me = self._pusher.rights.user_id
            others = authors.of_edit(pushed.record, me, self._sign_ins, self._made)
            # A deletion wins over all that was entered since: of a patient who moved it is the new clinic's to allow.
            is_deletion = push_decision.says_deleted(table, pushed.record)
            patients = set() if is_deletion or not version else self._parents.patients(table, version.record)
            decide = partial(push_decision.decide_again, table, stored, pushed, known=known)
            decision = judging.first_allowed(decision, (decide(*who) for who in self._pushers(patients, others)))
            self._force(table, row.num)  # who is signed in may not be shown it
        if isinstance(decision, Refuse):
            return decision.error
        if table.name in COUNTERS:
            self._figures.append((table, pushed, known))
        self._carry_out(table, row, pushed.record.id, decision)
        return None

    def _carry_out(
        self, table: Table, row: Kept, record_id: str, decision: Merge | Delete | Aside | Force | Nothing
    ) -> None:
        match decision:
            case Merge():
                self._merge(table, row, decision)
            case Aside(edit):
                afterwards.keep_edit(self._tx, table, row, edit)
                self._force(table, row.num)
                self.receipt.unchanged += 1
            case Delete():
                self.receipt.deleted += deleting.by_name(
                    self._tx, table, row.num, record_id, device=self._pusher.device
                )
                self._audit(table, record_id, table.names)
                self._forget_parents(table, [record_id])
            case Force(history):
                self._remember(table, row, history)
                self._force(table, row.num)
            case Nothing(history):
                self._remember(table, row, history)

    def _remember(self, table: Table, row: Kept, history: History | None) -> None:
        if history:
            record_rows.remember(self._tx, table, row.num, history)
        self.receipt.unchanged += 1

    def _force(self, table: Table, num: int) -> None:
        if self._pusher.device != HUB:
            ledger.force(self._tx, self._pusher.device, table, num)

    def _add(self, table: Table, added: Sequence[Add]) -> None:
        if not added:
            return
        nums = record_rows.add(self._tx, table, added, device=self._pusher.device)
        outbox.add_new(self._tx, table, nums)
        for num, each in zip(nums, added, strict=True) if self._others else ():
            if each.record.id in self._others:
                self._force(table, num)
        for each in added if access.is_audited(table, table.names) else ():
            self._audit(table, each.record.id, table.names)
        self._forget_parents(table, (each.record.id for each in added))
        self.added.extend([f"{table.name}/{each.record.id}" for each in added])
        deleted = [each.record.id for each in added if each.is_deleted]
        self.receipt.deleted += len(deleted)
        self.receipt.created += len(added) - len(deleted)
        if table.name == RECORDS:
            for each in added:
                if not each.is_deleted:
                    counting.hand_out(self._tx, each.record, device=self._pusher.device)
        orphans = [each.record for each in added if each.is_orphan]
        if orphans:
            afterwards.show_new(self._tx, table, orphans)
        for record_id in deleted:  # what names it may have come before it
            self.receipt.deleted += deleting.children(self._tx, table, record_id, device=self._pusher.device)

    def _merge(self, table: Table, row: Kept, merged: Merge) -> None:
        record_rows.change(self._tx, table, row, merged.record, device=merged.device, history=merged.history)
        knowing = cloud_forms.marks(table, merged.old, merged.changed, self._tx.zone)
        queue.changed(self._tx, table, [row.num], merged.changed, knowing, old_ms=merged.old.row.updated_at)
        self._audit(table, merged.record.id, merged.changed)
        if table.name == RECORDS:
            counting.hand_out_otherwise(self._tx, row.num, merged.old, merged.record, device=self._pusher.device)
        self._forget_parents(table, [merged.record.id])
        self.receipt.updated += 1

    def _audit(self, table: Table, record_id: str, columns: Collection[str]) -> None:
        """Note a change of what all share; the columns are named where not the whole record came or went."""
        if not access.is_audited(table, columns):
            return
        device = self._pusher.device or None
        said = "" if len(columns) == len(table.names) else f" ({', '.join(sorted(columns))})"
        detail = f"{table.name} {record_id}{said}"
        audit.note(self._tx, "reference.changed", device=device, user_id=self._pusher.rights.user_id, detail=detail)

    def _find(self, table: Table, record_id: str) -> Kept | None:
        return record_rows.find(self._tx.db, table, [record_id]).get(record_id)

    def _stored(self, table: Table, row: Kept) -> Version | Tombstone:
        return record_rows.version(table, row) if row.deleted is None else afterwards.tombstone(self._tx, table, row)

    def _knew(self, table: Table, row: Kept) -> Knowledge:
        """Return what whoever edited a record knew of it.

        On the hub everything is seen; whoever edits a record on a phone has had at least its first version.
        """
        if self._pusher.device == HUB:
            return Knowledge(self._tx.now_ms, self._tx.now_ms)
        has = self._known.revision(table, row.num)
        if not has and row.origin == self._pusher.device and row.created > self._known.since:
            has = row.created  # it made it itself
        return Knowledge(max(has, row.created), has, self._known.since)

    @cached_property
    def _known(self) -> KnownVersions:
        return KnownVersions(self._tx.db, self._pusher.device)

    def _foresee(self, table: Table, records: Sequence[Record]) -> None:
        """Look up together what these records name, and the patients of that, each once."""
        patients: set[str] = set()
        for name, ids in push_decision.named_records(table, records).items():
            cached = self._known_parents[name]
            self._look_up(name, ids)
            patients.update(cached[record_id].patient or "" for record_id in ids)
        self._look_up("patients", patients - {""})

    def _look_up(self, name: str, ids: set[str]) -> None:
        cached = self._known_parents[name]
        if missing := ids - cached.keys():
            found = record_rows.parents(self._tx.db, TABLES[name], missing)
            cached.update(dict.fromkeys(missing, push_decision.UNKNOWN) | found)
            held = quarantine.held(self._tx.db, name, missing - found.keys())
            cached.update(dict.fromkeys(held, Parent(is_held=True)))
            self._held_parents.update((name, record_id) for record_id in held)

    def _forget_parents(self, table: Table, ids: Iterable[str]) -> None:
        cached = self._known_parents.get(table.name)
        if cached:
            for record_id in ids:
                cached.pop(record_id, None)
                self._held_parents.discard((table.name, record_id))
