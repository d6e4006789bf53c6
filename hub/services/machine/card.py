"""Measure the storage under the data: how fast it keeps what is written, whether it is as large as it says."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

_BLOCK_BYTES = 1024 * 1024
_SPEED_BLOCKS = 32
_COMMITS = 20
_PAGE_BYTES = 4096
_RESERVE_BYTES = 300 * 1024 * 1024
"""Left free while the capacity is tried, so that the hub goes on."""
_NAME = "card-check"


class Speed(msgspec.Struct, frozen=True):
    """How fast the card is."""

    write_mb_s: float
    commit_ms: float
    """How long one small write takes until it is safe: what a nurse waits for."""


def speed(folder: Path) -> Speed:
    """Write 32 MB and twenty small pieces, each flushed; takes seconds."""
    path = folder / f"{_NAME}.speed"
    try:
        with path.open("wb", buffering=0) as file:
            begun = time.monotonic()
            for number in range(_SPEED_BLOCKS):
                file.write(_block(number))
            os.fsync(file.fileno())
            write_s = time.monotonic() - begun
            begun = time.monotonic()
            for number in range(_COMMITS):
                file.seek(number * _BLOCK_BYTES)
                file.write(_block(number)[:_PAGE_BYTES])
                os.fsync(file.fileno())
            commit_s = time.monotonic() - begun
    finally:
        path.unlink(missing_ok=True)
    return Speed(_SPEED_BLOCKS * _BLOCK_BYTES / 1e6 / write_s, commit_s / _COMMITS * 1000)


def wrong_blocks(folder: Path, progress: Callable[[int], None] = lambda _: None) -> int:
    """Fill the free space with blocks that all differ, read them back, and return how many came back wrong.

    A forged card takes everything and keeps only the last of what was written to the same cell. ``progress`` hears
    the megabytes done, of both passes. Takes minutes to hours.
    """
    path = folder / f"{_NAME}.capacity"
    blocks = max(0, (shutil.disk_usage(folder).free - _RESERVE_BYTES) // _BLOCK_BYTES)
    wrong = 0
    try:
        with path.open("w+b", buffering=0) as file:
            for number in range(blocks):
                file.write(_block(number))
                progress(number)
            os.fsync(file.fileno())
            # What is in memory proves nothing about the card.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            file.seek(0)
            for number in range(blocks):
                wrong += file.read(_BLOCK_BYTES) != _block(number)
                progress(blocks + number)
    finally:
        path.unlink(missing_ok=True)
    return wrong


def errors(root: Path = Path("/")) -> int | None:
    """Count the errors that file systems have met (ext4 keeps the count on the card); None if none tells."""
    found = [path.read_text("ascii").strip() for path in (root / "sys/fs/ext4").glob("*/errors_count")]
    return sum(int(text) for text in found) if found else None


def _block(number: int) -> bytes:
    """Return a block that no other number has, and that does not compress."""
    return hashlib.shake_128(number.to_bytes(8, "big")).digest(_BLOCK_BYTES)
