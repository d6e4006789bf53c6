"""Keeps some room for the day when the storage is full: without any, SQLite cannot open a database even to read it."""

import os
import shutil
from pathlib import Path

BYTES = 2 * 1024 * 1024
_PLENTY = 32 * BYTES
"""With less free, the room is not taken from what phones send."""


def give(data: Path) -> None:
    """Give the room back where there is less; a hub is about to start."""
    if data.exists() and shutil.disk_usage(data).free < BYTES:
        _file(data).unlink(missing_ok=True)


def keep(data: Path) -> None:
    """Take the room while there is plenty."""
    if _file(data).exists() or shutil.disk_usage(data).free < _PLENTY:
        return
    with _file(data).open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, BYTES)


def _file(data: Path) -> Path:
    return data / "reserve"
