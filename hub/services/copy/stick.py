"""A copy's folder on a stick: its mark, whole backups, and journal files that are only ever added to.

    hikma-hub-copy/ID/copy.json                     whose copy it is, in the clear
    hikma-hub-copy/ID/journal-00000001.hhj          numbered as they were begun; a closed one is never written again
    hikma-hub-copy/ID/base-000000000042.age         a backup that covers all transactions up to 42

A stick may be FAT: nothing relies on owners, modes or links, and no name differs by its case alone.
"""

import contextlib
import hashlib
import math
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from hub import files
from hub.core.copy.chain import Span, chain
from hub.core.copy.frames import JournalFile, JournalSealer
from hub.core.encrypted_stream.chunks import PieceReader
from hub.core.errors import OperatorError

FOLDER = "hikma-hub-copy"
MARK = "copy.json"
_READ_BYTES = 256 * 1024
_BASE_STEP = 1024 * 1024
"""A backup is written in steps, each waited for: what a phone waits for is never behind more than one of them."""
_BASES = 2
"""Whole backups that are kept, and all that came after the older of them."""
_MARK_BYTES_MAX = 64 * 1024
_BASE = re.compile(r"base-([0-9]{12})\.age")
_JOURNAL = re.compile(r"journal-([0-9]{8})\.hhj")


_NO_STICK = "the stick is not there"


def journal_name(number: int) -> str:
    """Return the name of a journal file."""
    return f"journal-{number:08}.hhj"


def base_name(seq: int) -> str:
    """Return the name of a whole backup."""
    return f"base-{seq:012}.age"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy says of itself in the clear."""

    version: int = 1
    id: str
    hub_id: str
    hub_name: str
    epoch: int
    salt: bytes
    """With the recovery passphrase it gives the key; alone it says nothing."""


class Reach(NamedTuple):
    """How far a copy can be rebuilt."""

    base: int | None
    """The newest backup; None for none."""
    last: int
    """The last transaction that is there."""
    is_broken: bool
    """Whether something is missing before what follows."""


def copies(stick: Path) -> list["Stick"]:
    """Return the copies on a stick that can be read, the newest last; one without a whole backup is of no use yet."""
    found = []
    for path in sorted((stick / FOLDER).glob(f"*/{MARK}")):
        with contextlib.suppress(OperatorError):
            found.append(Stick(path.parent))
    return sorted(found, key=lambda one: (bool(one.bases()), one.mark.epoch, one.written_s()))


def begin(stick: Path, mark: Mark) -> "Stick":
    """Make the folder of a new copy; raises OSError."""
    folder = stick / FOLDER / mark.id
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f"{MARK}.new"  # not files.replace: FAT has no modes to set
    with new.open("wb") as file:
        file.write(msgspec.json.encode(mark))
        file.flush()
        os.fsync(file.fileno())
    files.move(new, folder / MARK)
    for changed in (folder.parent, stick):
        files.flush(changed)
    return Stick(folder)


class StickPlace:
    """A stick, by the folder in which it is seen."""

    def __init__(self, where: Path) -> None:
        self._where = where

    def epoch(self, hub_id: str) -> int:
        """Return the highest epoch in which the hub wrote there, -1 for none.

        Raises OperatorError without a stick, and with one that has only copies of other hubs: it is theirs, until a
        person begins a copy of this hub on it too.
        """
        if not (self._where / FOLDER).is_dir():
            raise OperatorError(_NO_STICK)
        marks = [one.mark for one in copies(self._where)]
        own = [mark.epoch for mark in marks if mark.hub_id == hub_id]
        if marks and not own:
            raise OperatorError(f"the stick is that of {marks[-1].hub_name}")
        return max(own, default=-1)

    def open(self, mark: Mark) -> "Stick":
        """Return the copy with this mark; begins it where it is not there yet."""
        folder = self._where / FOLDER / mark.id
        return Stick(folder) if (folder / MARK).exists() else begin(self._where, mark)

    def close(self) -> None:
        """Let go of it; nothing of it is open."""


class Stick:
    """The folder of one copy; raises OperatorError where there is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            with (folder / MARK).open("rb") as file:
                self.mark = msgspec.json.decode(file.read(_MARK_BYTES_MAX), type=Mark)
        except (OSError, msgspec.DecodeError) as error:
            raise OperatorError(f"{folder} holds no copy of a hub") from error

    def look(self) -> None:
        """Raise OperatorError where the stick is not there any more."""
        if not (self.folder / MARK).exists():
            raise OperatorError(_NO_STICK)

    def bases(self) -> list[tuple[int, Path]]:
        """Return the whole backups, oldest first: what they cover, and where they are."""
        return self._found(_BASE)

    def journals(self) -> list[tuple[int, Path]]:
        """Return the journal files, oldest first."""
        return self._found(_JOURNAL)

    def base_age_s(self) -> float:
        """Return how old the newest whole backup is, by the box's clock; a clock that was set back makes none young."""
        bases = self.bases()
        return max(0.0, time.time() - bases[-1][1].stat().st_mtime) if bases else math.inf

    def written_s(self) -> float:
        """Return when something was last written there, by the clock of the box that did."""
        paths = [path for _, path in (*self.bases(), *self.journals())]
        return max((path.stat().st_mtime for path in paths), default=0.0)

    def reach(self) -> Reach:
        """Read how far the copy can be rebuilt, as far as it shows without the key."""
        bases = self.bases()
        base = bases[-1][0] if bases else 0
        spans: list[Span] = []
        for _, path in reversed(self.journals()):
            own = list(entries(path))
            spans[:0] = own
            if own and own[0].first <= base + 1:
                break
        found = chain(base, spans)
        return Reach(base if bases else None, found.reach, found.is_broken)

    def begin_journal(self, recipient: bytes) -> "Journal":
        """Begin a new file; raises OSError."""
        number = self.next_number()
        return Journal(self.folder / journal_name(number), JournalSealer(number, recipient))

    def next_number(self) -> int:
        """Return the number of the journal file that is begun next."""
        return max((number for number, _ in self.journals()), default=0) + 1

    def put_base(self, seq: int, pieces: Iterable[bytes]) -> int:
        """Write a backup, read it back, and only then give it its name; returns its bytes. Raises OSError."""
        part = self.folder / f"base-{seq:012}.part"
        try:
            size, digest = _written(part, pieces)
            if digest_of(part) != digest:
                raise OSError(None, "what was written to the stick reads back differently")
            files.move(part, self.folder / base_name(seq))
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        return size

    def prune(self) -> None:
        """Remove what two newer backups made needless, but never the last journal file: it may be open."""
        bases = self.bases()
        covered = bases[-_BASES][0] if len(bases) >= _BASES else 0
        needless = [path for seq, path in bases if seq < covered]
        for _, path in self.journals()[:-1]:
            if all(span.last <= covered for span in entries(path)):
                needless.append(path)
        for path in (*needless, *self.folder.glob("base-*.part")):  # such a part is of one that a power cut ended
            path.unlink()

    def _found(self, name: re.Pattern[str]) -> list[tuple[int, Path]]:
        matches = ((name.fullmatch(path.name), path) for path in self.folder.iterdir())
        return sorted((int(match[1]), path) for match, path in matches if match)


class Journal:
    """The journal file that is being written."""

    def __init__(self, path: Path, sealer: JournalSealer) -> None:
        self.path = path
        self._sealer = sealer
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            self._write(sealer.header)
            os.fsync(self._handle)
            files.flush(path.parent)
        except BaseException:
            self.close()
            raise

    def add(self, span: Span, part: bytes, *, is_last: bool) -> None:
        """Write a part of an entry; it is on the stick after ``flush``."""
        self._write(self._sealer.seal(span, part, is_last=is_last))

    def flush(self) -> None:
        """Wait for the stick."""
        os.fdatasync(self._handle)

    def close(self) -> None:
        """Close the file; a stick that is gone is no failure."""
        with contextlib.suppress(OSError):
            os.close(self._handle)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]


def entries(path: Path) -> Iterator[Span]:
    """Return what the complete entries of a file cover."""
    with path.open("rb") as file:
        for frame in JournalFile(PieceReader(read(file))).frames():
            if frame.is_last:
                yield frame.span


def read(file: BinaryIO) -> Iterator[bytes]:
    """Read a file piece by piece."""
    while piece := file.read(_READ_BYTES):
        yield piece


def _written(path: Path, pieces: Iterable[bytes]) -> tuple[int, bytes]:
    digest, size, waiting = hashlib.sha256(), 0, 0
    with path.open("wb") as file:
        for piece in pieces:
            digest.update(piece)
            size += file.write(piece)
            waiting += len(piece)
            if waiting >= _BASE_STEP:
                file.flush()
                os.fdatasync(file.fileno())
                waiting = 0
        file.flush()
        os.fsync(file.fileno())
    return size, digest.digest()


def digest_of(path: Path) -> bytes:
    """Read a file from the stick itself, as far as the system lets its memory of it go."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        digest = hashlib.sha256()
        for piece in read(file):
            digest.update(piece)
    return digest.digest()
