"""Pairing new phones: the QR code, while pairing is open, and how long it stays open (S2)."""

import io
from typing import Any

import msgspec
import segno

from hub.actions.box import identity
from hub.actions.phones import pairing
from hub.core.phone import qr, reach
from hub.web.answers import Answer, Go
from hub.web.desk import Desk, Form
from hub.web.visitor import Visitor


def handlers(here: Desk) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        now = pairing.current(here.store)
        is_open = now.left_s > 0 or here.options.pairing_always
        payload = _payload(here) if is_open else None
        return here.render(
            "pairing.html",
            who,
            left_s=now.left_s,
            is_open=is_open,
            code=_svg(payload) if payload else "",
            address=payload.url if payload else "",
            joined=now.recent,
            moved=here.options.moved(),
            looks=reach.LOOKS,
            remedy=reach.REMEDY,
            minutes=here.options.pairing_minutes,
        )

    def open_pairing(_who: Visitor, _form: Form) -> Answer:
        pairing.open_for(here.store, here.options.pairing_minutes)
        return Go("/pairing", "opened")

    def close_pairing(_who: Visitor, _form: Form) -> Answer:
        pairing.close(here.store)
        return Go("/pairing", "closed")

    return [
        here.page("/pairing", show),
        here.action("/pairing/open", open_pairing),
        here.action("/pairing/close", close_pairing),
    ]


def _payload(here: Desk) -> qr.Pairing:
    who = identity.load(here.store)
    return qr.payload(host=here.options.host(), port=here.options.port, hub_id=who.id, public=who.keys.public)


def _svg(payload: qr.Pairing) -> str:
    """Draw the code, dark on light in every theme: cameras expect it so."""
    out = io.BytesIO()
    text = msgspec.json.encode(payload).decode()
    segno.make(text, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=2, dark="#000", light="#fff", nl=False
    )
    return out.getvalue().decode()
