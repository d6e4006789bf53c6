"""How the hub and a program of root speak: a wish in one file, what came of it in another.

The hub's own user may write the wish, and root believes nothing of it.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from hub import files

_WISH_BYTES_MAX = 4096

W = TypeVar("W")
T = TypeVar("T")


class Desk(msgspec.Struct, frozen=True):
    """Where a wish is left, and where it is told what is. An empty wish file: nobody here grants any."""

    wish_file: str = ""
    told_file: str = ""

    @property
    def is_open(self) -> bool:
        """Whether wishes are granted on this machine."""
        return bool(self.wish_file)

    @property
    def is_waiting(self) -> bool:
        """Whether a wish was left that nobody has taken yet."""
        return self.is_open and Path(self.wish_file).exists()

    def ask(self, wish: msgspec.Struct) -> None:
        """Leave a wish; raises OSError."""
        files.replace(Path(self.wish_file), [msgspec.json.encode(wish)], mode=0o600, durable=False)

    def told(self, kind: type[T]) -> T:
        """Return what is told; nothing is known where nothing can be read."""
        try:
            return msgspec.json.decode(Path(self.told_file).read_bytes(), type=kind)
        except (OSError, msgspec.MsgspecError):
            return kind()


def take(wish_file: Path, kind: msgspec.json.Decoder[W]) -> W | None:
    """Take a wish away and return it; None for what is no wish: anything may lie there. Raises OSError."""
    raw = b""
    with suppress(OSError):
        handle = os.open(wish_file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            raw = file.read(_WISH_BYTES_MAX + 1) or b""
    wish_file.unlink(missing_ok=True)
    try:
        return kind.decode(raw) if len(raw) <= _WISH_BYTES_MAX else None
    except msgspec.MsgspecError:
        return None
