"""What a hub tells the network of itself, and what others tell: the TXT record and its limits.

    txtvers=1  proto=1  id=<hub id>  name=<name>  fp=<fingerprint of the public key>  pairing=open|closed
    restored=<proof>        of a hub that was made of a copy: hub.core.copy.succession

RFC 6763 section 6: at most 255 bytes in each of these, keys of at most 9 characters.
"""

from collections.abc import Mapping

import msgspec
from zeroconf import ServiceInfo

from hub.actions.box import copying, identity
from hub.actions.phones import pairing
from hub.core.copy import succession
from hub.core.phone import keys
from hub.services.discovery.links import NetworkLink
from hub.store.database import Store

HUBS = "_hikma-hub._tcp.local."
PAGES = "_http._tcp.local."
PROTOCOL = "1"
"""Of the phones' RPC (PROTOCOL.md)."""

_RESTORED = "restored"
_LABEL_BYTES = 63
_VALUE_BYTES = 255 - len("name=")
_ID_CHARS = 4
"""Of the hub's id, behind its name: two hubs of the same name are two, whichever comes first."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say."""

    name: str
    host: str
    """Where the hub listens."""
    port: int
    host_name: str
    """The wanted name, without ``.local``."""
    always_open: bool
    """New phones may pair at any time."""


class Presence(msgspec.Struct, frozen=True):
    """What is announced of a hub, beside where it is."""

    hub_id: str
    name: str
    fingerprint: str
    is_open: bool
    restored: str = ""
    """The proof of how often it was made of a copy; none for never."""

    def text(self) -> dict[str, str]:
        """Return the TXT record."""
        return {
            "txtvers": "1",
            "proto": PROTOCOL,
            "id": self.hub_id,
            "name": _cut(self.name, _VALUE_BYTES),
            "fp": self.fingerprint,
            "pairing": "open" if self.is_open else "closed",
            **({_RESTORED: self.restored} if self.restored else {}),
        }

    def label(self) -> str:
        """Return the name in lists of services, such as ``North clinic 3f2a``; a dot would end it, so there is none.

        A hub that was made of a copy has another than the dead one, or nobody would ask what that one announces.
        """
        times, _, _ = self.restored.partition(".")
        ending = f" {self.hub_id[:_ID_CHARS]}{'-' if times else ''}{times}"
        return _cut(self.name.replace(".", " "), _LABEL_BYTES - len(ending)) + ending


def read(store: Store, options: Options) -> Presence:
    """Return what is to be announced now; the key may change while the hub runs."""
    who = identity.load(store)
    is_open = options.always_open or pairing.left_s(store) > 0
    times = copying.epoch(store)
    return Presence(
        who.id,
        identity.name(store) or options.name,
        keys.fingerprint(who.keys.public),
        is_open,
        succession.proof(who.keys, times) if times else "",
    )


def services(presence: Presence, host_name: str, port: int, link: NetworkLink) -> list[ServiceInfo]:
    """Return what a link is told: the hub, for phones, and its page, for whoever looks for web pages."""
    return [
        ServiceInfo(
            kind,
            f"{presence.label()}.{kind}",
            port=port,
            properties={**presence.text(), **more},
            server=f"{host_name}.",
            addresses=[link.address.packed],
        )
        for kind, more in ((HUBS, {}), (PAGES, {"path": "/"}))
    ]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A hub on the network as it describes itself; nothing of it is proven."""

    name: str
    url: str
    host: str
    addresses: tuple[str, ...]
    pairing: str
    id: str
    fingerprint: str
    protocol: str


def found(info: ServiceInfo) -> Found | None:
    """Read what another hub announces; None unless it says where it is."""
    addresses = tuple(info.parsed_addresses())
    if not addresses or not info.port or not info.server:
        return None
    text = {key: value or "" for key, value in _decoded(info).items()}
    return Found(
        name=_plain(text.get("name", "")),
        url=f"http://{addresses[0]}:{info.port}",
        host=_plain(info.server.rstrip(".")),
        addresses=addresses,
        pairing="open" if text.get("pairing") == "open" else "closed",
        id=_plain(text.get("id", "")),
        fingerprint=_plain(text.get("fp", "")),
        protocol=_plain(text.get("proto", "")),
    )


def restored(info: ServiceInfo) -> str:
    """Return what a hub announces of how often it was made of a copy."""
    return _decoded(info).get(_RESTORED) or ""


def _decoded(info: ServiceInfo) -> Mapping[str, str | None]:
    try:
        return info.decoded_properties
    except UnicodeDecodeError:
        return {}


def _plain(text: str) -> str:
    """Take out what would move the cursor of a terminal: the text comes from whoever is on the network."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_VALUE_BYTES])


def _cut(text: str, size_bytes: int) -> str:
    return text.encode()[:size_bytes].decode(errors="ignore")
