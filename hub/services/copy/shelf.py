"""The copies that this box keeps for other hubs, as files of a stick; one that was taken over grows no more.

    spare/spare.json                      the token that lets hubs write, and the certificate with its key
    spare/certificate.pem, key.pem        the same, for the server
    spare/hikma-hub-copy/ID/              as on a stick (stick.py)
    spare/hikma-hub-copy/ID/taken         this box became that hub, or is about to

A hub's word for "written" is the card's: each piece is waited for before it is confirmed.
"""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from hub import files
from hub.core import certificate
from hub.core.certificate import Certificate
from hub.core.copy.join_code import TOKEN_BYTES
from hub.core.errors import OperatorError
from hub.services.copy import stick as sticks
from hub.services.copy.kept_there import KeptThere
from hub.services.copy.stick import FOLDER, MARK, Mark, Stick

SPARE = "spare"
TAKEN = "taken"
_KEY = "spare.json"
_COPIES_MAX = 16
_FREE_BYTES_MIN = 128 * 1024 * 1024
"""Stays free, for the hub that this box may become."""
_ID = re.compile(r"[0-9a-f]{8}")
_NAME = re.compile(r"journal-[0-9]{8}\.hhj|base-([0-9]{12})\.age")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class SpareKey(msgspec.Struct, frozen=True):
    """How hubs know this spare, and how it knows them."""

    token: bytes
    certificate: Certificate

    def admits(self, given: str) -> bool:
        """Return whether a request may write; ``given`` is its Authorization."""
        return secrets.compare_digest(given.encode(), f"Bearer {self.token.hex()}".encode())


class This(NamedTuple):
    """What this box is itself, as a hub."""

    hub_id: str
    epoch: int


def key(data: Path) -> SpareKey | None:
    """Return the key of the spare in ``data``; None where it is none."""
    try:
        return msgspec.json.decode((data / SPARE / _KEY).read_bytes(), type=SpareKey)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise OperatorError(f"{data / SPARE / _KEY} cannot be read: {error}") from error


def is_spare(data: Path) -> bool:
    """Return whether this box keeps copies of others."""
    return (data / SPARE / _KEY).exists()


def begin(data: Path) -> SpareKey:
    """Make a spare of this box, once; returns its key."""
    found = key(data)
    if found is None:
        found = SpareKey(secrets.token_bytes(TOKEN_BYTES), certificate.make(secrets.token_hex(8), "hikma-spare.local"))
        (data / SPARE).mkdir(mode=0o700, exist_ok=True)
        at, key_at = tls(data)
        files.replace(at, [found.certificate.certificate])
        files.replace(key_at, [found.certificate.private_key])
        files.replace(data / SPARE / _KEY, [msgspec.json.encode(found)])
    return found


def end(data: Path, *, deletes: bool) -> None:
    """Be a spare no longer: the code ends at once. The copies stay, unless it deletes them."""
    at, key_at = tls(data)
    for path in (data / SPARE / _KEY, at, key_at):
        path.unlink(missing_ok=True)
    if deletes:
        shutil.rmtree(data / SPARE, ignore_errors=True)
    files.flush(data)


def tls(data: Path) -> tuple[Path, Path]:
    """Return where the server finds the spare's certificate and key; not the hub's, which goes when it takes over."""
    return data / SPARE / "certificate.pem", data / SPARE / "key.pem"


def copies(data: Path) -> list[Stick]:
    """Return the copies that are kept here, the newest last; not those of hubs that this box became already."""
    return [one for one in sticks.copies(data / SPARE) if not (one.folder / TAKEN).exists()]


@contextlib.contextmanager
def taken(copy: Stick) -> Iterator[None]:
    """Let nothing more be written to a copy while this box becomes its hub, and after; a failure opens it again."""
    mark = copy.folder / TAKEN
    files.replace(mark, [b""])
    try:
        yield
    except BaseException:
        mark.unlink(missing_ok=True)
        raise


class Shelf:
    """What hubs may do here. Raises OperatorError for what is refused, OSError where the card fails."""

    def __init__(self, data: Path, this: Callable[[], This]) -> None:
        self._place = data / SPARE
        self._this = this

    def epoch(self, hub_id: str) -> int:
        """Return the highest epoch of a hub that is known here, this box's own included; -1 for none."""
        this = self._this()
        own = [this.epoch] if this.hub_id == hub_id else []
        kept = [one.mark.epoch for one in sticks.copies(self._place) if one.mark.hub_id == hub_id]
        return max((*own, *kept), default=-1)

    def open(self, copy_id: str, raw: bytes) -> None:
        """Begin a copy, unless it is there."""
        folder = self._folder(copy_id)
        if (folder / MARK).exists():
            return
        try:
            mark = msgspec.json.decode(raw, type=Mark)
        except msgspec.DecodeError as error:
            raise OperatorError("not a mark") from error
        if mark.id != copy_id or mark.epoch < self.epoch(mark.hub_id):
            raise OperatorError("another box is this hub now")
        if len(sticks.copies(self._place)) >= _COPIES_MAX:
            raise OperatorError("too many copies are kept here")
        sticks.begin(self._place, mark)

    def kept(self, copy_id: str) -> KeptThere:
        """Return how far a copy can be rebuilt."""
        stick = self._copy(copy_id)
        reach = stick.reach()
        age_s = None if reach.base is None else stick.base_age_s()
        return KeptThere(reach.base, age_s, reach.last, reach.is_broken, stick.next_number())

    def add(self, copy_id: str, name: str, at: int, data: bytes) -> None:
        """Write a piece of a file where the last one ended, and wait for the card."""
        stick = self._writable(copy_id)
        if shutil.disk_usage(stick.folder).free < _FREE_BYTES_MIN + len(data):
            raise OperatorError("no room is left here")
        path = stick.folder / _written_as(name)
        if path.suffix == ".part" and at == 0:
            path.unlink(missing_ok=True)  # of a backup that broke off
        _append(path, at, data)
        self._writable(copy_id)  # what is confirmed was there before anybody took the copy

    def whole(self, copy_id: str, name: str, digest: str) -> None:
        """Give a backup its name, when it reads back as it was sent."""
        stick = self._writable(copy_id)
        part = stick.folder / _written_as(name)
        if not _DIGEST.fullmatch(digest) or sticks.digest_of(part).hex() != digest:
            part.unlink(missing_ok=True)
            raise OperatorError("what was written reads back differently")
        files.move(part, stick.folder / name)

    def prune(self, copy_id: str) -> None:
        """Remove what two newer backups of a copy made needless."""
        self._writable(copy_id).prune()

    def _folder(self, copy_id: str) -> Path:
        if not _ID.fullmatch(copy_id):
            raise OperatorError("not a copy")
        return self._place / FOLDER / copy_id

    def _copy(self, copy_id: str) -> Stick:
        return Stick(self._folder(copy_id))

    def _writable(self, copy_id: str) -> Stick:
        stick = self._copy(copy_id)
        if (stick.folder / TAKEN).exists():
            raise OperatorError("this box took over from that hub")
        return stick


def _written_as(name: str) -> str:
    """Return the name under which a file is written: a backup has its own only when it is whole."""
    found = _NAME.fullmatch(name)
    if not found:
        raise OperatorError("not a file of a copy")
    return f"base-{found[1]}.part" if found[1] else name


def _append(path: Path, at: int, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        if os.fstat(handle).st_size != at:
            raise OperatorError("that is not where the file ends")
        view = memoryview(data)
        while view:
            view = view[os.pwrite(handle, view, at + len(data) - len(view)) :]
        os.fdatasync(handle)
    finally:
        os.close(handle)
    if at == 0:
        files.flush(path.parent)
