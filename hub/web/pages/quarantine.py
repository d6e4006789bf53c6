"""Quarantine: what could not be taken in, why, trying again, and taking it away as a file (P7)."""

import json
from typing import Any

import msgspec

from hub.actions.phones import push
from hub.actions.phones.push import Source
from hub.core.errors import HubError
from hub.core.reasons import Code, from_json
from hub.store import quarantine
from hub.store.cloud import departures
from hub.store.database import Store, Transaction
from hub.store.people import audit, users
from hub.store.quarantine import Action
from hub.store.records.record_rows import HUB
from hub.web.answers import Answer, Download, Go
from hub.web.frame import Form, Pages
from hub.web.visitor import Visitor
from hub.words.reasons import said

SHOWN_MAX = 200
_DIGITS_MAX = 15


class Row(msgspec.Struct, frozen=True):
    """An entry as the page shows it: which record and why, never what is in it."""

    num: int
    table: str
    record_id: str
    action: str
    """A word of hub.store.quarantine.Action."""
    reason: str
    is_english: bool
    """The reason has no translation."""
    device: int
    age: str


def handlers(here: Pages, store: Store, quarantine_max: int) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        with store.read() as db:
            now_ms = store.now_ms(db)
            entries = list(quarantine.entries(db))
        rows = [_row(who, entry, now_ms) for entry in entries[:SHOWN_MAX]]
        return here.render("quarantine.html", who, rows=rows, more=max(0, len(entries) - SHOWN_MAX), all=len(entries))

    def retry(_who: Visitor, form: Form) -> Answer:
        text = form.get("num", "")
        if not text.isdecimal() or len(text) > _DIGITS_MAX:
            return Go("/quarantine", "gone")
        with store.write() as tx:
            if quarantine.entry(tx.db, int(text)) is None:
                return Go("/quarantine", "gone")
        return Go("/quarantine", "taken" if once_more(int(text)) else "refused")

    def retry_all(_who: Visitor, _form: Form) -> Answer:
        with store.read() as db:
            nums = [int(entry["num"]) for entry in quarantine.entries(db)]
        refused = sum(not once_more(num) for num in nums)
        return Go("/quarantine", "some_refused" if refused else "all_taken")

    def once_more(num: int) -> bool:
        try:
            with store.write() as tx:
                return _retry(tx, num, quarantine_max)
        except HubError:
            return False

    def export(_who: Visitor, _form: Form) -> Answer:
        with store.write() as tx:
            nums = [int(entry["num"]) for entry in quarantine.entries(tx.db)]
            lines = [json.dumps(quarantine.entry(tx.db, num), ensure_ascii=False) + "\n" for num in nums]
            audit.note(tx, "quarantine.exported", detail=f"{len(nums)} entries")
        return Download("".join(lines).encode(), "quarantine.jsonl", "application/jsonl; charset=utf-8")

    return [
        here.page("/quarantine", show),
        here.action("/quarantine/retry", retry),
        here.action("/quarantine/retry-all", retry_all),
        here.action("/quarantine/export", export),
    ]


def _retry(tx: Transaction, num: int, most: int) -> bool:
    """Try an entry again; returns whether it worked."""
    entry = quarantine.entry(tx.db, num)
    if entry is None:
        return False
    match Action(entry["action"]):
        case Action.KEEP | Action.DELETE:
            user = users.find(tx.db, entry["user_id"])
            return user is not None and push.retry(tx, entry, Source(HUB, users.rights(tx.db, user), most))
        case Action.RELAY | Action.PULL:
            return departures.retry(tx, entry)


def _row(who: Visitor, entry: dict[str, Any], now_ms: int) -> Row:
    reason = from_json(entry["why"], entry["reason"])
    return Row(
        num=entry["num"],
        table=entry["table_name"],
        record_id=entry["record_id"] or "",
        action=entry["action"],
        reason=said(who.words, reason),
        is_english=reason.code is Code.OTHER,
        device=entry["device"],
        age=who.words.ago((now_ms - entry["at"]) / 1000),
    )
