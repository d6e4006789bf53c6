"""Reads the entries of a copy back, with the key that the recovery passphrase gives."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from hub.core import encrypted_stream
from hub.core.copy.chain import Span, chain
from hub.core.copy.entry import Part, decode
from hub.core.copy.frames import JournalFile
from hub.core.encrypted_stream.chunks import PieceReader
from hub.services.copy.stick import Stick, read


class _Entry(NamedTuple):
    path: Path
    span: Span
    frames: range


def parts(copy: Stick, private: bytes, base: int) -> Iterator[Part]:
    """Return the parts of what came after the transaction ``base``, in their order, as far as nothing is missing.

    Raises OperatorError for the wrong passphrase, and for what was changed after it was written.
    """
    found = [entry for _, path in copy.journals() for entry in _entries(path)]
    counted = [found[place] for place in chain(base, [entry.span for entry in found]).counted]
    for path in dict.fromkeys(entry.path for entry in counted):
        wanted = {place for entry in counted if entry.path == path for place in entry.frames}
        yield from _opened(path, private, wanted)


def check(copy: Stick, private: bytes) -> int:
    """Open every whole backup and every frame; returns how many frames.

    Raises OperatorError for one that is not what was written.
    """
    for _, path in copy.bases():
        with path.open("rb") as file:
            deque(encrypted_stream.decrypt_with(private, read(file)), maxlen=0)
    return sum(1 for _, path in copy.journals() for _ in _opened(path, private))


def _entries(path: Path) -> Iterator[_Entry]:
    """Return the complete entries of a file."""
    with _open(path) as journal:
        first = 0
        for frame in journal.frames():
            if frame.is_last:
                yield _Entry(path, frame.span, range(first, frame.place + 1))
                first = frame.place + 1


def _opened(path: Path, private: bytes, wanted: set[int] | None = None) -> Iterator[Part]:
    with _open(path) as journal:
        opener = None if journal.is_torn else journal.opener(private)
        for frame in journal.frames():
            if opener and (wanted is None or frame.place in wanted):
                yield decode(opener.open(frame))


@contextmanager
def _open(path: Path) -> Iterator[JournalFile]:
    with path.open("rb") as file:
        yield JournalFile(PieceReader(read(file)))
