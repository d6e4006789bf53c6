"""The files of the hub's certificate and its key: beside the database, because the server reads files."""

from pathlib import Path

from hub.core.certificate import Certificate
from hub.store.database import Store

_FOLDER = "tls"


def read(store: Store) -> Certificate | None:
    """Return what is kept; None when one of the files is missing."""
    at, key_at = paths(store)
    try:
        return Certificate(at.read_bytes(), key_at.read_bytes())
    except FileNotFoundError:
        return None


def write(store: Store, made: Certificate) -> None:
    """Keep it, for the hub's own user alone."""
    at, key_at = paths(store)
    at.parent.mkdir(mode=0o700, exist_ok=True)
    _write(key_at, made.private_key)
    _write(at, made.certificate)  # last: a power cut before it makes both anew


def paths(store: Store) -> tuple[Path, Path]:
    """Return where certificate and key are."""
    folder = store.path.parent / _FOLDER
    return folder / "certificate.pem", folder / "key.pem"


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
