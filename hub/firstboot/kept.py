"""What lies on the root for the day when the data cannot be opened: that this card is a hub, and its networks."""

import base64
import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.firstboot import data
from hub.firstboot.machine import Machine, write

MARK = "/etc/hikma-hub/hub"
"""The hub's id: with it this card never becomes a new hub by itself."""
FOLDER = "/etc/hikma-hub/kept"
"""Networks and settings, sealed under the data partition's key: whoever has the card alone reads no Wi-Fi password."""
_NONCE_BYTES = 12
_SETTINGS = "hub/hub.toml"


def is_hub(machine: Machine) -> bool:
    """Return whether this card ever was a hub."""
    return machine.path(MARK).exists()


def keep(machine: Machine, key: bytes, hub_id: str) -> None:
    """Write what changed since the last start; one read-only root is not made writable for nothing."""
    files = _files(machine)
    mark = f"{hub_id}\n".encode()
    is_marked = is_hub(machine) and machine.path(MARK).read_bytes() == mark
    if is_marked and _unsealed(machine, key) == files:
        return
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + ChaCha20Poly1305(_derived(key)).encrypt(nonce, msgspec.json.encode(files), None)
    with machine.writable("/"):
        write(machine.path(FOLDER), sealed, mode=0o600)
        write(machine.path(MARK), mark)


def bring_back(machine: Machine, key: bytes) -> None:
    """Put networks and settings where the data partition would have them, but what is there already."""
    for name, content in _unsealed(machine, key).items():
        path = machine.path(f"{data.MOUNT}/{name}")
        if not path.exists():
            write(path, base64.b64decode(content), mode=0o600)
        if name == _SETTINGS:
            machine.run("chown", "hikma-hub:", str(path))


def forget(machine: Machine) -> None:
    """Let this card be a new hub."""
    for name in (MARK, FOLDER):
        machine.path(name).unlink(missing_ok=True)


def _files(machine: Machine) -> dict[str, str]:
    folder = machine.path(data.MOUNT)
    found = (*sorted((folder / "connections").glob("*.nmconnection")), folder / _SETTINGS)
    return {
        str(path.relative_to(folder)): base64.b64encode(path.read_bytes()).decode() for path in found if path.exists()
    }


def _unsealed(machine: Machine, key: bytes) -> dict[str, str]:
    """Return the files of the last start, none where they were never kept or are damaged."""
    try:
        sealed = machine.path(FOLDER).read_bytes()
        plain = ChaCha20Poly1305(_derived(key)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        return msgspec.json.decode(plain, type=dict[str, str])
    except (OSError, ValueError, InvalidTag):
        return {}


def _derived(key: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"hikma-hub networks").derive(key)
