"""Quarantine: records that were not accepted, why, trying them again, and taking them away as a file (P7)."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from hub.actions import quarantine as actions
from hub.actions.people.page_sign_in import AccountKind
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


class Filter(msgspec.Struct, frozen=True):
    """Which entries are wanted; "" for any."""

    reason: str = ""
    """The word of a Code."""
    phone: str = ""

    def has(self, entry: RefusedRecord) -> bool:
        """Whether an entry is wanted."""
        return self.reason in {"", entry.reason.code.word} and self.phone in {"", entry.phone}

    def path(self, **more: str) -> str:
        """Return the address of the page with these entries alone."""
        query = urlencode({name: value for name, value in (msgspec.structs.asdict(self) | more).items() if value})
        return f"/quarantine?{query}" if query else "/quarantine"


class RefusedRow(msgspec.Struct, frozen=True):
    """An entry as the page shows it: which record and why, never what is in it but the patient's name."""

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
    patient: str
    """Whom it is about; "" for a viewer who may not see that, or a patient who is not here."""
    phone: str
    user: str
    note: str
    age: str
    is_tried: bool
    """It was tried again just now, and is still not accepted."""
    is_unallowed: bool
    """Its author may not enter it: an administrator can."""


def handlers(here: Pages, store: Store) -> list[Any]:
    """Return the routes."""
    return _Checking(here, store).routes()


class _Checking(NamedTuple):
    """The page and its forms."""

    here: Pages
    store: Store

    def routes(self) -> list[Any]:
        action = self.here.action
        return [
            self.here.page("/quarantine", self._show),
            action("/quarantine/retry", partial(self._again, actions.retry)),
            action("/quarantine/accept", partial(self._again, actions.accept)),
            action("/quarantine/set-aside", self._set_aside),
            action("/quarantine/take-back", self._take_back),
            action("/quarantine/retry-all", self._retry_all),
            action("/quarantine/export", self._export),
        ]

    def _show(self, who: Visitor, query: Form) -> Answer:
        entries = actions.entries(self.store)
        wanted, waiting = _filter(query), [entry for entry in entries if entry.note is None]
        to_check = [entry for entry in waiting if wanted.has(entry)]
        aside = [entry for entry in entries if entry.note is not None]
        about = self._patients(who, [*to_check[:SHOWN_MAX], *aside[:SHOWN_MAX]])
        tried = query.get("tried", "")
        return self.here.render(
            "quarantine.html",
            who,
            rows=[_row(who, entry, about, tried) for entry in to_check[:SHOWN_MAX]],
            more=max(0, len(to_check) - SHOWN_MAX),
            all=len(to_check),
            wanted=wanted,
            reasons={entry.reason.code.word: said(who.words, entry.reason) for entry in waiting},
            phones=sorted({entry.phone for entry in waiting if entry.phone}),
            aside=[_row(who, entry, about, "") for entry in aside[:SHOWN_MAX]],
            more_aside=max(0, len(aside) - SHOWN_MAX),
        )

    def _patients(self, who: Visitor, shown: list[RefusedRecord]) -> dict[int, str]:
        """Name the patients to whom may see them: somebody of the clinic, over a line on which nobody listens."""
        if who.account is None or who.account.kind is not AccountKind.USER or not who.unheard:
            return {}
        return actions.patients(self.store, who.account.id, [entry.num for entry in shown])

    def _again(self, how: Callable[[Store, int], Retried], _who: Visitor, form: Form) -> Answer:
        prints = {entry.num: str(entry.fingerprint) for entry in actions.entries(self.store)}
        done = _NOTES.get(how(self.store, _num(form)), "refused")
        return Go(_filter(form).path(tried=prints.get(_num(form), "") if done == "refused" else ""), done)

    def _set_aside(self, _who: Visitor, form: Form) -> Answer:
        note = form.get("note", "")
        try:
            if "num" in form:
                found = actions.set_aside(self.store, _num(form), note)
            else:
                found = actions.set_all_aside(self.store, self._wanted(form), note) > 0
        except OperatorError:
            return Go(_filter(form).path(), "unfit_note")
        return Go(_filter(form).path(), "set_aside" if found else "gone")

    def _take_back(self, _who: Visitor, form: Form) -> Answer:
        return Go("/quarantine", "taken_back" if actions.take_back(self.store, _num(form)) else "gone")

    def _retry_all(self, _who: Visitor, form: Form) -> Answer:
        refused = set(actions.retry_all(self.store, self._wanted(form)).values()) - {Retried.ACCEPTED, Retried.GONE}
        return Go(_filter(form).path(tried="all" if refused else ""), "some_refused" if refused else "all_taken")

    def _wanted(self, form: Form) -> list[int]:
        wanted = _filter(form)
        return [entry.num for entry in actions.entries(self.store) if entry.note is None and wanted.has(entry)]

    def _export(self, _who: Visitor, _form: Form) -> Answer:
        lines: list[str] = []
        actions.export(self.store, lines.append)
        return Download("".join(lines).encode(), "quarantine.jsonl", "application/jsonl; charset=utf-8")


def _filter(form: Form) -> Filter:
    return Filter(form.get("reason", ""), form.get("phone", ""))


def _num(form: Form) -> int:
    """Return which entry a form means; 0, which none has, where it names none."""
    text = form.get("num", "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _DIGITS_MAX else 0


def _row(who: Visitor, entry: RefusedRecord, about: dict[int, str], tried: str) -> RefusedRow:
    return RefusedRow(
        num=entry.num,
        kind=named(who.words, entry.table_name),
        table=entry.table_name,
        record_id=entry.record_id or "",
        action=entry.action,
        reason=said(who.words, entry.reason),
        is_english=entry.reason.code is Code.OTHER,
        patient=about.get(entry.num, ""),
        phone=entry.phone,
        user=entry.user,
        note=entry.note or "",
        age=who.words.ago(entry.age_s),
        is_tried=tried in {"all", str(entry.fingerprint)},
        is_unallowed=entry.reason.code in _UNALLOWED,
    )
