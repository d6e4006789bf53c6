"""Phones: which are paired, when each synced, what each lacks; naming, blocking and forgetting one (S2)."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

from hub.actions.phones import devices
from hub.actions.phones.devices import LargeRecord, ListedDevice
from hub.actions.phones.refusals import RefusalReason, RefusedPhone
from hub.core.errors import NotThere, OperatorError
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.visitor import Visitor
from hub.words import Words, tables

SHOWN_MAX = 200
"""Counting what a phone lacks takes some milliseconds."""


class PhoneRow(msgspec.Struct, frozen=True):
    """A phone as the page shows it."""

    name: str
    client_id: str
    is_revoked: bool
    seen: str
    synced: str
    behind: int
    asks: int
    user: str
    suggested: str
    """What it may be called: by who signed in on it, until a person names it."""
    is_stranger: bool
    """Nobody ever signed in on it."""
    notes: list[str]
    """What the app cannot tell its user."""


class Notice(msgspec.Struct, frozen=True):
    """That a phone was refused, and what to do."""

    text: str
    remedy: str


def handlers(here: Pages, store: Store, refused: Callable[[], list[RefusedPhone]]) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        known, count = devices.newest(store, SHOWN_MAX)
        rows = [row(who.words, found) for found in known]
        strangers = sum(1 for found in known if found.device.user_id is None)
        return here.render(
            "phones.html",
            who,
            rows=rows,
            more=count - len(rows),
            strangers=strangers,
            refused=[_notice(who.words, one) for one in refused()],
        )

    def action(path: str, act: Callable[[Form], object], done: str) -> HTTPRouteHandler:
        def acted(_who: Visitor, form: Form) -> Answer:
            try:
                act(form)
            except NotThere:
                return Go("/phones", "gone")
            except OperatorError:
                return Go("/phones", "unfit_name")
            return Go("/phones", done)

        return here.action(path, acted)

    return [
        here.page("/phones", show),
        action("/phones/revoke", lambda form: devices.block(store, _phone(form)), "revoked"),
        action("/phones/unblock", lambda form: devices.unblock(store, _phone(form)), "unblocked"),
        action("/phones/rename", lambda form: devices.rename(store, _phone(form), form.get("name", "")), "renamed"),
        action("/phones/forget", lambda form: devices.forget(store, _phone(form)), "forgotten"),
        action("/phones/forget-strangers", lambda _form: devices.forget_strangers(store), "strangers_forgotten"),
    ]


def _phone(form: Form) -> str:
    return form.get("phone", "")


def row(words: Words, found: ListedDevice) -> PhoneRow:
    """Say of a phone what people ask for."""
    return PhoneRow(
        name=found.device.name,
        client_id=found.device.client_id,
        is_revoked=found.is_blocked,
        seen=words.ago(found.seen_s),
        synced="" if found.synced_s is None else words.ago(found.synced_s),
        behind=0 if found.is_blocked else found.behind,
        asks=0 if found.is_blocked else found.asks,
        user=found.user,
        suggested=found.suggested_name,
        is_stranger=found.device.user_id is None,
        notes=list(_notes(words, found)),
    )


def _notes(words: Words, found: ListedDevice) -> Iterator[str]:
    if found.twins:
        yield words.say(
            "{count} phones take turns as this one: a backup of it was put on another phone. Both get everything."
            " Let one of them sync, then install the app anew on it and add it as a new phone.",
            count=words.number(found.twins),
        )
    if found.unconfirmed:
        yield words.say(
            "It did not store the last {count} answers. Bring it close to the hub, close its other apps, and keep the"
            " app open while it syncs. The hub sends it less at a time.",
            count=words.number(found.unconfirmed),
        )
    if found.is_ahead:
        yield words.say(
            "It synced after the backup was made from which this hub was restored. What was entered on it in between"
            " may be on that phone alone: a record comes back when somebody changes it on that phone."
        )
    for record in found.too_large:
        yield _large(words, record)


def _large(words: Words, record: LargeRecord) -> str:
    return words.say(
        "Too large for this phone: {kind} {id} ({size}). Everything else reaches it; the hub tries again now and then.",
        kind=tables.named(words, record.table),
        id=record.record_id[:8],
        size=words.size(record.size_bytes),
    )


def _notice(words: Words, phone: RefusedPhone) -> Notice:
    name = phone.name or words.say("A phone that this hub does not know")
    ago = words.ago(phone.ago_s)
    text = words.count(
        "{name} was refused {count} time, last {ago}.",
        "{name} was refused {count} times, last {ago}.",
        phone.times,
        name=name,
        ago=ago,
    )
    return Notice(text, _remedy(words, phone.reason))


def _remedy(words: Words, reason: RefusalReason) -> str:
    match reason:
        case RefusalReason.UNKNOWN:
            return words.say("Choose Add a phone, then scan the QR code with it.")
        case RefusalReason.SIGN_IN:
            return words.say("Its sign-in has ended. Scan the QR code with that phone and sign in again.")
        case RefusalReason.BLOCKED:
            return words.say("It is blocked. If it should sync again, unblock it here; then sign in on it.")
        case RefusalReason.TOO_LARGE:
            return words.say(
                "What it sends at once is too much for this hub. Do not uninstall the app, and call your technician."
            )
        case RefusalReason.NO_ROOM:
            return words.say("The hub could not take what it sent. See the Overview for the reason, then sync again.")
