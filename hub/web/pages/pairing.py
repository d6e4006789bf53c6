"""Letting new phones join: the QR code, while the door is open, and how long it stays open (S2)."""

import io
from typing import Any

import msgspec
import segno

from hub.core.phone import qr, reach
from hub.store.box import identity
from hub.store.phones import devices, pairing
from hub.web.answers import Answer, Go
from hub.web.desk import Desk, Form
from hub.web.visitor import Visitor

_JUST_NOW_MS = 15 * 60_000


def handlers(here: Desk) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        with here.store.read() as db:
            now_ms = here.store.now_ms(db)
            left_s = pairing.left_s(db, now_ms)
            joined = [device.name for device in devices.every(db) if now_ms - device.first_seen < _JUST_NOW_MS]
        is_open = left_s > 0 or here.options.pairing_always
        payload = _payload(here) if is_open else None
        return here.render(
            "pairing.html",
            who,
            left_s=left_s,
            is_open=is_open,
            code=_svg(payload) if payload else "",
            address=payload.url if payload else "",
            joined=joined[::-1],
            moved=here.options.moved(),
            looks=reach.LOOKS,
            remedy=reach.REMEDY,
            minutes=here.options.pairing_minutes,
        )

    def open_door(_who: Visitor, _form: Form) -> Answer:
        with here.store.write() as tx:
            pairing.open_for(tx, here.options.pairing_minutes)
        return Go("/pairing", "opened")

    def close_door(_who: Visitor, _form: Form) -> Answer:
        with here.store.write() as tx:
            pairing.close(tx)
        return Go("/pairing", "closed")

    return [
        here.page("/pairing", show),
        here.action("/pairing/open", open_door),
        here.action("/pairing/close", close_door),
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
