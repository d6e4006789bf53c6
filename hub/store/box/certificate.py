"""Keeps the hub's certificate and its key: beside the database, for the server reads them from files."""

from pathlib import Path

from hub.core import certificate
from hub.core.certificate import Certificate
from hub.store.box import identity
from hub.store.database import Store

_FOLDER = "tls"


def load(store: Store, host_name: str) -> Certificate:
    """Return the certificate; a new hub makes it here, once."""
    at, key_at = paths(store)
    try:
        return Certificate(at.read_bytes(), key_at.read_bytes())
    except FileNotFoundError:
        made = certificate.make(identity.load(store).id, host_name)
    at.parent.mkdir(mode=0o700, exist_ok=True)
    _write(key_at, made.private_key)
    _write(at, made.certificate)  # last: a power cut before it makes both anew
    return made


def paths(store: Store) -> tuple[Path, Path]:
    """Return where certificate and key are."""
    folder = store.path.parent / _FOLDER
    return folder / "certificate.pem", folder / "key.pem"


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
