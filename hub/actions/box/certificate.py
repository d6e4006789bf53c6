"""The certificate under which the hub's pages are encrypted."""

from pathlib import Path

from hub.actions.box import identity
from hub.core import certificate
from hub.core.certificate import Certificate
from hub.store.box import certificate as files
from hub.store.database import Store


def load(store: Store, host_name: str) -> Certificate:
    """Return the certificate; a new hub makes it here, once."""
    kept = files.read(store)
    if kept is None:
        kept = certificate.make(identity.load(store).id, host_name)
        files.write(store, kept)
    return kept


def paths(store: Store) -> tuple[Path, Path]:
    """Return where certificate and key are."""
    return files.paths(store)
