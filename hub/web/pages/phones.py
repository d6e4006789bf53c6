"""Phones: which are paired, when each synced, what each lacks, shutting one out and forgetting it (S2)."""

from typing import Any

import msgspec

from hub.actions.phones import devices
from hub.actions.phones.devices import ListedDevice
from hub.core.errors import NotThere
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.visitor import Visitor
from hub.words import Words

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
    user: str
    is_stranger: bool
    """Nobody ever signed in on it."""


def handlers(here: Pages, store: Store) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        known, count = devices.newest(store, SHOWN_MAX)
        rows = [_row(who.words, found) for found in known]
        strangers = sum(1 for found in known if found.device.user_id is None)
        return here.render("phones.html", who, rows=rows, more=count - len(rows), strangers=strangers)

    def revoke(_who: Visitor, form: Form) -> Answer:
        try:
            devices.block(store, form.get("phone", ""))
        except NotThere:
            return Go("/phones", "gone")
        return Go("/phones", "revoked")

    def forget(_who: Visitor, form: Form) -> Answer:
        try:
            devices.forget(store, form.get("phone", ""))
        except NotThere:
            return Go("/phones", "gone")
        return Go("/phones", "forgotten")

    def forget_strangers(_who: Visitor, _form: Form) -> Answer:
        devices.forget_strangers(store)
        return Go("/phones", "strangers_forgotten")

    return [
        here.page("/phones", show),
        here.action("/phones/revoke", revoke),
        here.action("/phones/forget", forget),
        here.action("/phones/forget-strangers", forget_strangers),
    ]


def _row(words: Words, found: ListedDevice) -> PhoneRow:
    return PhoneRow(
        name=found.device.name,
        client_id=found.device.client_id,
        is_revoked=found.is_blocked,
        seen=words.ago(found.seen_s),
        synced="" if found.synced_s is None else words.ago(found.synced_s),
        behind=0 if found.is_blocked else found.behind,
        user=found.user,
        is_stranger=found.device.user_id is None,
    )
