"""Backs the hub up into one encrypted file while it serves, and makes a hub of such a file again (O4).

The file is a tar, encrypted as an age file: ``hub.db`` (records, people, phones, identity, what waits for the cloud),
``hub.toml`` (settings) and ``tls/`` (the certificate of the pages), and nothing else of the folder.
"""

import shutil
import tarfile
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from hub import files
from hub.actions.box import snapshot
from hub.core import encrypted_stream
from hub.core.encrypted_stream.chunks import PieceReader
from hub.core.errors import Damaged, OperatorError
from hub.store.database import FILE_NAME, Store

SETTINGS_NAME = "hub.toml"
_TLS = ("tls/certificate.pem", "tls/key.pem")
_SPARE_BYTES = 64 * 1024 * 1024
"""Stays free beside the copy of the database, for the phones that go on meanwhile."""
_BLOCK = tarfile.BLOCKSIZE
_READ_BYTES = 256 * 1024
_one_at_a_time = threading.Lock()


def encrypted(store: Store, passphrase: str, settings: Path) -> Iterator[bytes]:
    """Return the backup of now, piece by piece; ``settings`` is the settings file in force.

    Raises OperatorError before the first piece: too short a passphrase, or no room for the copy. One is made at a time.
    """
    if not encrypted_stream.is_fit(passphrase):
        raise OperatorError(f"the passphrase needs at least {encrypted_stream.PASSPHRASE_CHARS_MIN} characters")
    free, needed = shutil.disk_usage(store.path.parent).free, store.size_bytes() + _SPARE_BYTES
    if free < needed:
        raise OperatorError(
            f"not enough free storage for a backup: it needs {needed // 1_000_000} MB, {free // 1_000_000} MB are free"
        )
    return _encrypted(store, passphrase, settings)


def restore(pieces: Iterable[bytes], data: Path, passphrase: str) -> None:
    """Make ``data`` the folder of the hub that was backed up; raises OperatorError, and then leaves nothing in it.

    Everything is decrypted, checked and made ready beside its place before any of it is put there, the database last.
    """
    if data.exists() and any(data.iterdir()):
        raise OperatorError(f"restore needs an empty folder; {data} has files in it")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = data / "restoring"
    try:
        scratch.mkdir(mode=0o700)
        _unpack(encrypted_stream.decrypt(passphrase, pieces), scratch)
        snapshot.revive(scratch)
        _put(scratch, data)
    except (tarfile.TarError, Damaged) as error:
        raise OperatorError(f"the backup is damaged: {error}") from error
    except OSError as error:
        raise OperatorError(f"{data} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _encrypted(store: Store, passphrase: str, settings: Path) -> Iterator[bytes]:
    copied = store.path.with_name(f"{FILE_NAME}.backup")
    with _one_at_a_time:
        try:
            copied.unlink(missing_ok=True)  # of a backup that a power cut ended
            snapshot.copy(store, copied)
            found = {FILE_NAME: copied, SETTINGS_NAME: settings, **{name: store.path.parent / name for name in _TLS}}
            files = {name: path for name, path in found.items() if path.is_file()}
            yield from encrypted_stream.encrypt(passphrase, _packed(files))
        finally:
            copied.unlink(missing_ok=True)


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
    known = {FILE_NAME, SETTINGS_NAME, *_TLS}
    with tarfile.open(fileobj=PieceReader(plain), mode="r|") as tar:  # type: ignore[call-overload]  # it reads, and does no more
        for member in tar:
            content = tar.extractfile(member) if member.name in known and member.isfile() else None
            if content is None:
                continue
            path = folder / member.name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            files.replace(path, iter(partial(content.read, _READ_BYTES), b""))
    for _ in plain:  # the last chunk is authenticated too
        pass


def _put(scratch: Path, data: Path) -> None:
    """Move what is ready to its place; without its database, which comes last, a folder is no hub."""
    names = sorted((path.name for path in scratch.iterdir()), key=lambda name: name == FILE_NAME)
    for name in names:
        (scratch / name).replace(data / name)
    files.flush(data)
