"""What this machine is on a network with: each cable or radio, its address, and what a router knows it by."""

from pathlib import Path

import msgspec

from hub.services.discovery import links

_KERNEL = Path("/sys/class/net")


class Adapter(msgspec.Struct, frozen=True):
    """A network adapter that has an address now."""

    interface: str
    address: str
    hardware: str
    """Its hardware address (MAC), "" where the kernel tells none."""
    is_radio: bool


def every(kernel: Path = _KERNEL) -> list[Adapter]:
    """List those that phones may be on, in a steady order."""
    return [
        Adapter(
            link.interface,
            str(link.address),
            _hardware(kernel / link.interface / "address"),
            (kernel / link.interface / "wireless").exists(),
        )
        for link in links.every()
    ]


def _hardware(path: Path) -> str:
    try:
        return path.read_text("ascii").strip().upper()
    except (OSError, UnicodeDecodeError):
        return ""
