"""Files that a power cut leaves old or new, never half: written beside their place, waited for, and moved there.

On a FAT the entry of a file that was moved says where it begins, and how long it is, only when the file itself was
waited for once more (the kernel's vfat_rename only marks it): in a folder that was waited for it is 0 bytes long.
"""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

_HERE = -100
"""AT_FDCWD: paths as they are."""
_EXCHANGE = 2
"""RENAME_EXCHANGE (rename(2)); of FAT since Linux 6.0."""


def replace(path: Path, pieces: Iterable[bytes], *, mode: int = 0o600, durable: bool = True) -> int:
    """Put a new file at ``path``; returns its size in bytes. Raises OSError, and then the old one is still there.

    A link stays a link: what it leads to is replaced. durable=False is for file systems in memory: nothing is waited
    for, a reader still sees the old or the new.
    """
    path = path.resolve()
    new = path.with_name(f".{path.name}.new")
    try:
        size = _write(new, pieces, mode, durable=durable)
        if durable:
            move(new, path)
        else:
            new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return size


def move(new: Path, path: Path) -> None:
    """Give a file that was waited for its name, on the disk when this returns. Raises OSError."""
    new.replace(path)
    flush(path)
    flush(path.parent)


def exchange(path: Path, pieces: Iterable[bytes], *, mode: int = 0o600) -> None:
    """Put a new file at ``path`` on a FAT, whose old content must be there until the new one is. Raises OSError.

    A rename would free the old content in the same step, and cut in the middle it can leave a name that leads to freed
    blocks: fsck makes an empty file of it. So the two change places first, and the old one is removed after that.
    """
    new = path.with_name(f".{path.name}.new")
    _write(new, pieces, mode, durable=True)
    put_over(new, path)


def put_over(new: Path, path: Path) -> None:
    """Put a file that was waited for in the place of another on a FAT, as ``exchange`` does. Raises OSError."""
    if not path.exists():
        move(new, path)
        return
    swap(new, path)
    _flush_system(path.parent)
    new.unlink()
    flush(path.parent)


def swap(one: Path, other: Path) -> None:
    """Let two names change places in one step. Raises OSError."""
    _call("renameat2", _HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE)


def flush(path: Path) -> None:
    """Wait until what changed in a file or folder is on the disk itself; FAT tells the card only when it is asked."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush_system(folder: Path) -> None:
    """Wait for the whole file system of a folder; file by file, two names would lead to one of two for a while."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        _call("syncfs", handle)
        os.fsync(handle)  # syncfs of a FAT does not ask the disk to write what it still has in its own memory
    finally:
        os.close(handle)


def _call(name: str, *given: object) -> None:
    """Call what Python has no name for. Raises OSError."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*given) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def _write(path: Path, pieces: Iterable[bytes], mode: int, *, durable: bool) -> int:
    # Nobody else may read it while it is written; one that a power cut left behind is written anew.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)
        size = sum(file.write(piece) for piece in pieces)
        file.flush()
        if durable:
            os.fsync(handle)
    return size
