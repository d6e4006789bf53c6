"""Backs the hub up into one encrypted file while it serves, and makes a hub of such a file again (O4).

The file is a tar, encrypted as an age file: ``hub.db`` (records, people, phones, identity, what waits for the cloud),
``hub.toml`` (settings), ``tls/`` (the certificate of the pages), and what the hub needs to be known to a fleet server
and to a cloud that it has not reached yet; nothing else of the folder.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from hub import files
from hub.actions.box import snapshot
from hub.core import encrypted_stream
from hub.core.copy.entry import Part
from hub.core.encrypted_stream import recipient
from hub.core.encrypted_stream.chunks import PieceReader
from hub.core.errors import Damaged, NoRoom, OperatorError
from hub.services.copy import reading
from hub.services.copy import stick as sticks
from hub.services.copy.stick import Stick
from hub.store.database import FILE_NAME, Store

SETTINGS_NAME = "hub.toml"
_TLS = ("tls/certificate.pem", "tls/key.pem")
_SECRETS = ("fleet.token", "fleet-ca.pem", "cloud.wish")
_BESIDE = (SETTINGS_NAME, *_TLS, *_SECRETS)
_SPARE_BYTES = 64 * 1024 * 1024
"""Stays free beside the copy of the database, for the phones that go on meanwhile."""
_BLOCK = tarfile.BLOCKSIZE
_READ_BYTES = 256 * 1024
_COPY, _BASE = f"{FILE_NAME}.backup", f"{FILE_NAME}.base"
"""Copies of the database, there only while a backup or a stick's is made of them."""
_LOCK_NAME = "archive.lock"


def encrypted(store: Store, passphrase: str, settings: Path) -> Iterator[bytes]:
    """Return the backup of now, piece by piece; ``settings`` is the settings file in force.

    Raises OperatorError before the first piece: too short a passphrase, or no room for the copy. One is made at a time.
    """
    if not encrypted_stream.is_fit(passphrase):
        raise OperatorError(f"the passphrase needs at least {encrypted_stream.PASSPHRASE_CHARS_MIN} characters")
    _check_room(store, store.path.with_name(_COPY))
    return _noted(store, _encrypted(store, passphrase, settings))


def _noted(store: Store, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield from pieces
    snapshot.note_whole(store)


def base(store: Store, public: bytes, settings: Path) -> tuple[int, Iterator[bytes]]:
    """Return a backup of now for the owner of a public key: the last transaction that it covers, and its bytes.

    Raises OperatorError where there is no room for the copy, which is made at once and removed with the last byte.
    """
    copied = store.path.with_name(_BASE)
    _check_room(store, copied)
    copied.unlink(missing_ok=True)
    snapshot.copy(store, copied)
    found = _beside(store, settings, copied)
    pieces = encrypted_stream.encrypt_to(public, _packed(found))
    return snapshot.covered(copied), _then_removed(pieces, copied)


def sweep(data: Path) -> None:
    """Remove what a power cut left of a copy, before anything is copied to a stick; a command's backup goes on."""
    with contextlib.suppress(OSError), _locked(data, wait=False):
        for left in (*data.glob(f"{_COPY}*"), *data.glob(f"{_BASE}*")):
            left.unlink()


def restore(pieces: Iterable[bytes], data: Path, passphrase: str) -> None:
    """Make ``data`` the folder of the hub that was backed up; raises OperatorError, and then leaves nothing in it.

    Everything is decrypted, checked and made ready beside its place before any of it is put there, the database last.
    """
    with _made_in(data) as scratch:
        _unpack(encrypted_stream.decrypt(passphrase, pieces), scratch)
        snapshot.revive(scratch)


def opens(file: Path, passphrase: str) -> None:
    """Raise OperatorError unless a passphrase opens the beginning of a backup file."""
    next(encrypted_stream.decrypt(passphrase, from_file(file)))


def from_file(file: Path) -> Iterator[bytes]:
    """Return the bytes of a backup file, piece by piece."""
    with file.open("rb") as opened:
        yield from sticks.read(opened)


def restore_copy(copy: Stick, data: Path, passphrase: str) -> None:
    """Make ``data`` the folder of the hub whose copy a stick has.

    Raises OperatorError, and then leaves nothing in it.
    """
    rebuild(copy, data, unlocked(copy, passphrase))


def unlocked(copy: Stick, passphrase: str) -> bytes:
    """Return the key of a copy; raises OperatorError: the wrong passphrase, or no whole backup that it could open."""
    private = recipient.private_key(passphrase, copy.mark.salt)
    failure: Exception = _nothing_whole()
    for _, path in reversed(copy.bases()):
        try:
            with path.open("rb") as file:
                next(encrypted_stream.decrypt_with(private, sticks.read(file)))
        except (OperatorError, OSError) as error:
            failure = error
            continue
        return private
    raise failure


def rebuild(copy: Stick, data: Path, private: bytes, *, is_kept: bool = True) -> None:
    """Make ``data`` the folder of the hub whose copy this is; raises OperatorError, and then leaves nothing in it.

    is_kept: the new hub goes on to keep a copy in the same place.
    """
    with _made_in(data) as scratch:
        covered = _newest_base(copy, private, scratch)
        snapshot.replay(scratch, _without_files(reading.parts(copy, private, covered), scratch))
        snapshot.revive(scratch, has_same_keys=True, is_copy_kept=is_kept)


def _nothing_whole() -> OperatorError:
    return OperatorError("the stick has no whole backup of the hub")


def _newest_base(copy: Stick, private: bytes, scratch: Path) -> int:
    """Unpack the newest backup that is sound; returns what it covers. Raises OperatorError where none is."""
    failure: Exception = _nothing_whole()
    for covered, path in reversed(copy.bases()):
        try:
            with path.open("rb") as file:
                _unpack(encrypted_stream.decrypt_with(private, sticks.read(file)), scratch)
        except (OperatorError, tarfile.TarError, OSError) as error:
            failure = error
            continue
        return covered
    raise failure


def _without_files(parts: Iterable[Part], scratch: Path) -> Iterator[Part]:
    """Write the files that pass into the folder; the last of each name stays."""
    for part in parts:
        for name in part.files.keys() & set(_BESIDE):
            (scratch / name).parent.mkdir(mode=0o700, exist_ok=True)
            files.replace(scratch / name, [part.files[name]])
        yield part


@contextlib.contextmanager
def _made_in(data: Path) -> Iterator[Path]:
    """Give a folder in which the hub is made, and put it in its place when all went well."""
    scratch = data / "restoring"
    shutil.rmtree(scratch, ignore_errors=True)  # of one that a power cut ended
    if data.exists() and any(data.iterdir()):
        raise OperatorError(f"restore needs an empty folder; {data} has files in it")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        scratch.mkdir(mode=0o700)
        yield scratch
        put(scratch, data)
    except (tarfile.TarError, Damaged) as error:
        raise OperatorError(f"the backup is damaged: {error}") from error
    except OSError as error:
        raise unwritten(data, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def unwritten(data: Path, error: OSError) -> OperatorError:
    """Return what is told of a folder in which nothing could be made."""
    if error.errno == errno.ENOSPC:
        return NoRoom(_SPARE_BYTES, shutil.disk_usage(data).free)
    return OperatorError(f"{data} cannot be written: {error.strerror}")


def beside(store: Store, settings: Path) -> dict[str, Path]:
    """Return the files beside the database that belong to a backup, by their names in it."""
    return {SETTINGS_NAME: settings, **{name: store.path.parent / name for name in _TLS}}


def _beside(store: Store, settings: Path, copied: Path) -> dict[str, Path]:
    found = {FILE_NAME: copied, **beside(store, settings)}
    return {name: path for name, path in found.items() if path.is_file()}


def _then_removed(pieces: Iterator[bytes], copied: Path) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        copied.unlink(missing_ok=True)


def _check_room(store: Store, copied: Path) -> None:
    """Raise NoRoom where a copy has no place; what a power cut left of the last one makes way for it."""
    left = copied.stat().st_size if copied.exists() else 0
    free, needed = shutil.disk_usage(store.path.parent).free + left, store.size_bytes() + _SPARE_BYTES
    if free < needed:
        raise NoRoom(needed, free)


def _encrypted(store: Store, passphrase: str, settings: Path) -> Iterator[bytes]:
    copied = store.path.with_name(_COPY)
    with _locked(store.path.parent):
        try:
            copied.unlink(missing_ok=True)  # of a backup that a power cut ended
            snapshot.copy(store, copied)
            yield from encrypted_stream.encrypt(passphrase, _packed(_beside(store, settings, copied)))
        finally:
            copied.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(data: Path, *, wait: bool = True) -> Iterator[None]:
    """Let one backup be made at a time, by the page or the command: both copy the database to the same file."""
    # To be read, not written: a technician may have made the first backup as root.
    lock = os.open(data / _LOCK_NAME, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


def _packed(files: dict[str, Path]) -> Iterator[bytes]:
    """Write a tar (POSIX.1-2001): for each file its header, its bytes and zeros up to a full block."""
    for name, path in files.items():
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = path.stat().st_size, 0o600, int(path.stat().st_mtime)
        yield info.tobuf(tarfile.PAX_FORMAT)
        with path.open("rb") as file:
            while piece := file.read(_READ_BYTES):
                yield piece
        yield bytes(-info.size % _BLOCK)
    yield bytes(2 * _BLOCK)


def _unpack(plain: Iterator[bytes], folder: Path) -> None:
    """Write the files that are known by their names; what a tar says of paths, owners and links is ignored."""
    for name, content in members(plain):
        path = folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        files.replace(path, content)


def members(plain: Iterator[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Return the files of an archive that are known by their names, each to be read before the next."""
    known = {FILE_NAME, *_BESIDE}
    with tarfile.open(fileobj=PieceReader(plain), mode="r|") as tar:  # type: ignore[call-overload]  # it reads, and does no more
        for member in tar:
            content = tar.extractfile(member) if member.name in known and member.isfile() else None
            if content is not None:
                yield member.name, iter(partial(content.read, _READ_BYTES), b"")
    for _ in plain:  # the last chunk is authenticated too
        pass


def put(scratch: Path, data: Path) -> None:
    """Move what is ready to its place; without its database, which comes last, a folder is no hub."""
    names = sorted((path.name for path in scratch.iterdir()), key=lambda name: name == FILE_NAME)
    for name in names:
        (scratch / name).replace(data / name)
    files.flush(data)
