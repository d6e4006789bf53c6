"""The payload of the pairing QR code (PROTOCOL.md "Pairing")."""

import msgspec

from hub.core.phone import wire
from hub.core.phone.keys import PublicKey


class Pairing(msgspec.Struct, frozen=True):
    """What a phone scans; today's app reads ``type`` and ``url`` and keeps the rest."""

    type: str
    url: str
    id: str
    pk: str


def payload(*, host: str, port: int, hub_id: str, public: PublicKey) -> Pairing:
    """Return the payload for a hub at this address; without a trailing slash, which the app would double."""
    name = f"[{host}]" if ":" in host else host
    return Pairing("sync_hub", f"http://{name}:{port}", hub_id, wire.encode(public))
