"""Quarantine: records that were not accepted, why, trying them again, and taking them away as a file (P7)."""

from typing import Any

import msgspec

from hub.actions import quarantine as actions
from hub.actions.quarantine import RefusedRecord, Retried
from hub.core.errors import OperatorError
from hub.core.reasons import Code
from hub.store.database import Store
from hub.web.answers import Answer, Download, Go
from hub.web.frame import Form, Pages
from hub.web.visitor import Visitor
from hub.words.reasons import said
from hub.words.tables import named

_UNALLOWED = frozenset({Code.NOT_PERMITTED, Code.NOT_IN_CLINIC, Code.NOT_SEEN, Code.PART_NOT_ALLOWED})
SHOWN_MAX = 200
_DIGITS_MAX = 15
_NOTES = {Retried.ACCEPTED: "taken", Retried.GONE: "gone"}


class RefusedRow(msgspec.Struct, frozen=True):
    """An entry as the page shows it: which record and why, never what is in it."""

    num: int
    kind: str
    """What people call a record of this table."""
    table: str
    record_id: str
    action: str
    """A word of hub.store.quarantine.Action."""
    reason: str
    is_english: bool
    """The reason has no translation."""
    phone: str
    user: str
    note: str
    age: str
    is_unallowed: bool
    """Its author may not enter it: an administrator can."""


def handlers(here: Pages, store: Store) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        entries = actions.entries(store)
        to_check = [entry for entry in entries if entry.note is None]
        aside = [entry for entry in entries if entry.note is not None]
        return here.render(
            "quarantine.html",
            who,
            rows=[_row(who, entry) for entry in to_check[:SHOWN_MAX]],
            more=max(0, len(to_check) - SHOWN_MAX),
            all=len(to_check),
            aside=[_row(who, entry) for entry in aside[:SHOWN_MAX]],
            more_aside=max(0, len(aside) - SHOWN_MAX),
        )

    def retry(_who: Visitor, form: Form) -> Answer:
        return Go("/quarantine", _NOTES.get(actions.retry(store, _num(form)), "refused"))

    def accept(_who: Visitor, form: Form) -> Answer:
        return Go("/quarantine", _NOTES.get(actions.accept(store, _num(form)), "refused"))

    def set_aside(_who: Visitor, form: Form) -> Answer:
        try:
            return Go(
                "/quarantine", "set_aside" if actions.set_aside(store, _num(form), form.get("note", "")) else "gone"
            )
        except OperatorError:
            return Go("/quarantine", "unfit_note")

    def take_back(_who: Visitor, form: Form) -> Answer:
        return Go("/quarantine", "taken_back" if actions.take_back(store, _num(form)) else "gone")

    def retry_all(_who: Visitor, _form: Form) -> Answer:
        retried = actions.retry_all(store)
        refused = set(retried.values()) - {Retried.ACCEPTED, Retried.GONE}
        return Go("/quarantine", "some_refused" if refused else "all_taken")

    def export(_who: Visitor, _form: Form) -> Answer:
        lines: list[str] = []
        actions.export(store, lines.append)
        return Download("".join(lines).encode(), "quarantine.jsonl", "application/jsonl; charset=utf-8")

    return [
        here.page("/quarantine", show),
        here.action("/quarantine/retry", retry),
        here.action("/quarantine/accept", accept),
        here.action("/quarantine/set-aside", set_aside),
        here.action("/quarantine/take-back", take_back),
        here.action("/quarantine/retry-all", retry_all),
        here.action("/quarantine/export", export),
    ]


def _num(form: Form) -> int:
    """Return which entry a form means; 0, which none has, where it names none."""
    text = form.get("num", "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _DIGITS_MAX else 0


def _row(who: Visitor, entry: RefusedRecord) -> RefusedRow:
    return RefusedRow(
        num=entry.num,
        kind=named(who.words, entry.table_name),
        table=entry.table_name,
        record_id=entry.record_id or "",
        action=entry.action,
        reason=said(who.words, entry.reason),
        is_english=entry.reason.code is Code.OTHER,
        phone=entry.phone,
        user=entry.user,
        note=entry.note or "",
        age=who.words.ago(entry.age_s),
        is_unallowed=entry.reason.code in _UNALLOWED,
    )
