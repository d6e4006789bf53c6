"""The certificate of the pages."""

from pathlib import Path

from hub.core.certificate import Certificate
from hub.store.box import certificate as files
from hub.store.database import Store


def load(store: Store, host_name: str) -> Certificate:
    """Return the certificate; a new hub makes it here, once."""
    return files.load(store, host_name)


def paths(store: Store) -> tuple[Path, Path]:
    """Return where certificate and key are."""
    return files.paths(store)
