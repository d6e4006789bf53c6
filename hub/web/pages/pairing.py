"""Pairing new phones while pairing is open (S2), and the code that those that are known scan at every sign-in.

The code is no key: address, id and public key are what the hub tells everybody on the network anyway, and whether a new
phone gets in is decided when it knocks.
"""

import io
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from hub.actions.box import identity
from hub.actions.phones import pairing
from hub.core.phone import qr, reach
from hub.core.phone.reach import Moved
from hub.late import Late
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.visitor import Visitor

if TYPE_CHECKING:
    import segno
else:
    segno = Late("segno")


class PairingOptions(msgspec.Struct, frozen=True):
    """What the settings say about pairing."""

    minutes: int
    always: bool
    port: int
    """Where phones find the hub."""
    host: Callable[[], str]
    """The address or name that the QR code carries."""
    moved: Callable[[], list[Moved]]
    """The addresses that phones use and the hub has not got any more."""


def handlers(here: Pages, store: Store, options: Callable[[], PairingOptions]) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        return here.render(
            "pairing.html",
            who,
            **shown(store, options()),
            closes=True,
            moved=options().moved(),
            looks=reach.LOOKS,
            remedy=reach.REMEDY,
            minutes=options().minutes,
        )

    def scan(who: Visitor, _query: Form) -> Answer:
        payload = _payload(store, options())
        return here.render("scan.html", who, code=_svg(payload), address=payload.url)

    def open_pairing(_who: Visitor, _form: Form) -> Answer:
        pairing.open_for(store, options().minutes)
        return Go("/pairing", "opened")

    def close_pairing(_who: Visitor, _form: Form) -> Answer:
        pairing.close(store)
        return Go("/pairing", "closed")

    return [
        here.page("/pairing", show),
        here.page("/code", scan, public=True),
        here.action("/pairing/open", open_pairing),
        here.action("/pairing/close", close_pairing),
    ]


def shown(store: Store, options: PairingOptions) -> dict[str, Any]:
    """Return the code and what belongs to it, as ``code.html`` shows it while phones can be added."""
    now = pairing.current(store)
    is_open = now.left_s > 0 or options.always
    payload = _payload(store, options) if is_open else None
    return {
        "left_s": now.left_s,
        "is_open": is_open,
        "code": _svg(payload) if payload else "",
        "address": payload.url if payload else "",
        "joined": now.recent,
    }


def _payload(store: Store, options: PairingOptions) -> qr.Pairing:
    who = identity.load(store)
    return qr.payload(host=options.host(), port=options.port, hub_id=who.id, public=who.keys.public)


@lru_cache(maxsize=2)
def _svg(payload: qr.Pairing) -> str:
    """Draw the code, dark on light in every theme: cameras expect it so."""
    out = io.BytesIO()
    text = msgspec.json.encode(payload).decode()
    segno.make(text, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=2, dark="#000", light="#fff", nl=False
    )
    return out.getvalue().decode()
