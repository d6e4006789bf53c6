"""The key of the data partition: from the board's fuses where it has them, else from a file, and which it was."""

import re
import secrets
from enum import Enum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.core.errors import OperatorError
from hub.firstboot.machine import Machine, write

KEY_BYTES = 32
CARD_FILE = "/etc/hikma-hub/data.key"
_USB_FILE = "hikma-hub.key"
_USB_MOUNT = "/run/hikma-hub-usb"
USB_STAMP = "/etc/hikma-hub/key-on-usb"
_USB_LABEL = "/dev/disk/by-label/HIKMA-KEY"
_GET_OTP_KEY = "0x00030081"
"""Mailbox tag of the customer's device key, rows 0 to 7 of 32 bits; blank fuses read as zeros."""
_ROWS = 8


class KeyPlace(Enum):
    """Where the key is, and what that protects against, in words for the page."""

    BOARD = ("burnt into this board", "A card taken out of this board cannot be read elsewhere.")
    CARD = (
        "in a file on the same card",
        "Whoever has the whole card can read it; a card that was wiped by 'hikma-hub retire' nobody can.",
    )
    USB = ("on a USB stick", "Without the stick nobody can read the card, and the hub cannot start.")

    @property
    def told(self) -> str:
        """Say where it is."""
        return self.value[0]

    @property
    def protects(self) -> str:
        """Say what that is worth."""
        return self.value[1]


def key(machine: Machine, place: KeyPlace, *, make: bool) -> tuple[bytes, KeyPlace]:
    """Return the key and where it was found; ``place`` USB asks for the stick, any other for fuses before the file.

    make: draw it where there is none yet; otherwise raises OperatorError.
    """
    if place is KeyPlace.USB:
        return _on_stick(machine, make=make), KeyPlace.USB
    file = machine.path(CARD_FILE)
    if not file.exists():
        fused = _fused(machine)
        if fused:
            return fused, KeyPlace.BOARD
        if not make:
            raise OperatorError(
                f"the key of the data partition is missing: it is neither in the fuses nor in {CARD_FILE}"
            )
        write(file, secrets.token_bytes(KEY_BYTES), mode=0o400)
    return file.read_bytes(), KeyPlace.CARD


def on_stick(machine: Machine) -> bool:
    """Return whether the data partition was made with a key on a USB stick, whatever the file says now."""
    return machine.path(USB_STAMP).exists()


def parse_rows(printed: str) -> bytes | None:
    """Read the answer of vcmailbox: seven words of header, then the rows; None if the fuses are blank."""
    words = re.findall(r"0x[0-9a-fA-F]{8}", printed)
    rows = words[7 : 7 + _ROWS]
    raw = b"".join(int(word, 16).to_bytes(4, "big") for word in rows)
    return raw if len(rows) == _ROWS and any(raw) else None


def _fused(machine: Machine) -> bytes | None:
    """Derive a key from the board's fuses; the fuses' own value is never given to another program."""
    if not machine.path("/dev/vcio").exists():
        return None
    asked = ("vcmailbox", _GET_OTP_KEY, "40", "40", "0", str(_ROWS), *["0"] * _ROWS)
    try:
        rows = parse_rows(machine.run(*asked))
    except OperatorError:  # no vcmailbox, or a firmware that does not know the tag: a board without fuses for us
        return None
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"hikma-hub data partition").derive(rows) if rows else None


def _on_stick(machine: Machine, *, make: bool) -> bytes:
    """Read, or draw, the key on the USB stick labelled HIKMA-KEY."""
    if not machine.path(_USB_LABEL).exists():
        raise OperatorError("insert the USB stick labelled HIKMA-KEY, then switch the hub off and on again")
    mount = machine.path(_USB_MOUNT)
    mount.mkdir(mode=0o700, parents=True, exist_ok=True)
    machine.run("mount", "-o", "nosuid,nodev,noexec,umask=0077", _USB_LABEL, str(mount))
    try:
        file = mount / _USB_FILE
        if not file.exists():
            if not make:
                raise OperatorError(f"the USB stick has no {_USB_FILE}; is it the stick of another hub?")
            write(machine.path(USB_STAMP), b"")
            write(file, secrets.token_bytes(KEY_BYTES), mode=0o700)
        return file.read_bytes()
    finally:
        machine.run("umount", str(mount))
