"""Phones: which are paired, when each synced, what each lacks, and shutting one out (S2)."""

from typing import Any

import msgspec

from hub.store.people import users
from hub.store.phones import devices, ledger
from hub.store.phones.devices import State
from hub.web.answers import Answer, Go
from hub.web.desk import Desk, Form
from hub.web.visitor import Visitor

SHOWN_MAX = 200
"""Counting what a phone lacks takes some milliseconds."""


class Row(msgspec.Struct, frozen=True):
    """A phone as the page shows it."""

    name: str
    client_id: str
    is_revoked: bool
    seen: str
    synced: str
    behind: int
    user: str


def handlers(here: Desk) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        ago = who.words.ago
        with here.store.read() as db:
            now_ms = here.store.now_ms(db)
            known = sorted(devices.every(db), key=lambda device: -device.last_seen)
            names = {user.id: user.name for user in users.every(db)}
            rows = [
                Row(
                    name=device.name,
                    client_id=device.client_id,
                    is_revoked=device.state is State.REVOKED,
                    seen=ago((now_ms - device.last_seen) / 1000),
                    synced=ago((now_ms - device.last_sync) / 1000) if device.last_sync else "",
                    behind=ledger.behind(db, device.num) if device.state is State.PAIRED else 0,
                    user=names.get(device.user_id or "", ""),
                )
                for device in known[:SHOWN_MAX]
            ]
        return here.render("phones.html", who, rows=rows, more=max(0, len(known) - SHOWN_MAX))

    def revoke(_who: Visitor, form: Form) -> Answer:
        with here.store.write() as tx:
            found = devices.revoke(tx, form.get("phone", ""))
        return Go("/phones", "revoked" if found else "gone")

    return [here.page("/phones", show), here.action("/phones/revoke", revoke)]
