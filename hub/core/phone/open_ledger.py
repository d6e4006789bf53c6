"""What is due to a phone whose ledger is up to date, and what of it the next answer may carry."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from pyroaring import FrozenBitMap

from hub.core.phone import doubt
from hub.core.phone.sheets import NO_RECORDS, Delivered, Fork, Head, Outdated, Sheet, SuspectRecord
from hub.core.records.tables import NEXT_TABLES

_LATER = frozenset(table.name for table in NEXT_TABLES)


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A phone that came for an answer, and what its ledger knows of this coming."""

    device: int
    cursor: float
    """With which the phone came."""
    head: Head
    fork: Fork | None = None
    """A ledger of its own, which begins now."""
    is_shared: bool = False
    """Other phones have the same id, or had."""
    is_met_anew: bool = False
    """It came with a cursor that it was never given."""
    rests: bool = False
    """The phone may just have failed: this answer carries nothing that can fail, so that it pushes."""
    suspected: tuple[SuspectRecord, ...] = ()
    """New suspects."""
    carried: Mapping[str, FrozenBitMap] = MappingProxyType({})
    """What answers carried of which nobody knows whether they came."""


class OpenLedger(Visit, frozen=True, kw_only=True):
    """A ledger that is up to date with one view of the database, and what of it is yet to be saved."""

    sheets: Mapping[str, Sheet]
    outdated: Outdated
    stored: Mapping[str, Sheet]
    """The sheets as the database has them."""
    starts_over: bool
    """Nothing that was kept of it holds any more."""
    is_doubtful: bool = False
    """It starts over for a phone that is not new: none of the answers before says what it has."""
    settled_until: int | None = None
    """A delivery was settled just now; what was forced up to this revision is accounted for."""
    proven: tuple[SuspectRecord, ...] = ()
    """Suspects that the phone has stored now."""
    gained: Mapping[str, FrozenBitMap] = MappingProxyType({})
    """What it came to take for the phone's just now."""
    delivered: Mapping[str, Delivered] = MappingProxyType({})
    """What the answer carries that is given, with what was gained."""
    takes: frozenset[str] = frozenset()
    """The tables of a later app that the phone has; what is due of the others waits until it shows that it has them."""
    in_question: Mapping[str, FrozenBitMap] = MappingProxyType({})
    """What the phone has, is not due, and its user may not see any more."""

    def behind(self) -> int:
        """Count the records that are due."""
        return sum(len(sheet.due) for name, sheet in self.sheets.items() if self._is_taken(name))

    @property
    def is_confirming(self) -> bool:
        """Whether the phone confirms what it gets: only then something that may fail is tried."""
        return not (self.starts_over or self.is_met_anew or self.rests or self.head.attempts)

    def unsure(self) -> int:
        """Count the records that are in doubt."""
        return sum(len(sheet.unsure & sheet.due) for name, sheet in self.sheets.items() if self._is_taken(name))

    def answers_left(self) -> int:
        """Estimate how many more answers it takes until it is known what the phone has (core.phone.doubt)."""
        return doubt.answers_left(self.unsure(), doubt.size(self._failed()))

    def offered(self, *, suspects: int | None = None) -> dict[str, Sheet]:
        """Return the sheets with that part of what is due which the next answer may carry.

        suspects: how many there are; with it, some of what is in doubt is asked if the phone confirms what it gets.
        """
        asked: doubt.Nums = MappingProxyType({})
        if suspects is not None and self.unsure() and self.is_confirming:
            doubted = {name: sheet.unsure & sheet.due for name, sheet in self.sheets.items() if self._is_taken(name)}
            asked = doubt.question(doubted, self._failed(), suspects=suspects, asked=self.head.asked)
        return {
            name: sheet._replace(due=self._certain(name, sheet) | asked.get(name, NO_RECORDS))
            for name, sheet in self.sheets.items()
        }

    def _failed(self) -> dict[str, FrozenBitMap]:
        return {name: sheet.failed & sheet.due for name, sheet in self.sheets.items() if self._is_taken(name)}

    def _is_taken(self, name: str) -> bool:
        return name in self.takes or name not in _LATER

    def _certain(self, name: str, sheet: Sheet) -> FrozenBitMap:
        if not self._is_taken(name):
            return NO_RECORDS
        if self.rests and name not in doubt.KEPT:
            return sheet.due & sheet.has
        return sheet.due - sheet.unsure

    def unseen(self, nums: Mapping[str, FrozenBitMap]) -> "OpenLedger":
        """Make due what of ``in_question`` the user may not see any more: it goes as a blank row."""
        sheets, outdated = dict(self.sheets), dict(self.outdated)
        for name, found in nums.items():
            key = name, self.head.revision
            outdated[key] = outdated.get(key, NO_RECORDS) | (found - sheets[name].withheld)
            sheets[name] = sheets[name]._replace(due=sheets[name].due | found, withheld=sheets[name].withheld - found)
        return msgspec.structs.replace(self, sheets=sheets, outdated=outdated)

    def changed_sheets(self) -> dict[str, Sheet]:
        """Return the sheets that differ from the stored ones."""
        return {name: sheet for name, sheet in self.sheets.items() if sheet != self.stored.get(name, Sheet())}

    def narrowed(self, before: Mapping[str, Sheet], after: Mapping[str, Sheet]) -> "OpenLedger":
        """Take over what was found out about sheets that were ``offered``: what is withheld, and what is no record."""
        changed = {
            name: self.sheets[name]._replace(
                due=self.sheets[name].due - (before[name].due - sheet.due), withheld=sheet.withheld
            )
            for name, sheet in after.items()
            if sheet != before[name]
        }
        return msgspec.structs.replace(self, sheets={**self.sheets, **changed}) if changed else self

    def deliver(self, delivered: Mapping[str, Delivered], *, is_retry: bool) -> "OpenLedger":
        """Note what an answer carries that is given, and what was gained when it was chosen.

        The retry of a suspect says nothing about the answers before it, and is not counted.
        """
        nothing = {name: Delivered(NO_RECORDS, self.sheets[name].frontier) for name in self.gained}
        tables = {
            name: part._replace(gained=self.gained.get(name, NO_RECORDS))
            for name, part in {**nothing, **delivered}.items()
        }
        attempts = self.head.attempts if is_retry else self.head.attempts + 1
        return msgspec.structs.replace(
            self, delivered=tables, head=msgspec.structs.replace(self.head, attempts=attempts)
        )
