"""Finds what a full check of a damaged file system left nameless in lost+found: the hub's folder, or its files."""

from collections.abc import Iterator
from pathlib import Path

from hub.store.database import FILE_NAME

_DATABASE = b"SQLite format 3\0"
_LOGS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
"""How a write-ahead log begins: sqlite.org/fileformat2.html section 4.1."""
LOST = "lost+found"


def has_hub(folder: Path) -> bool:
    """Return whether a hub's database is there; an empty file, of which SQLite would make a new one, is none."""
    return _begins(folder / FILE_NAME) == _DATABASE


def adopt(mount: Path, folder: Path) -> bool:
    """Give the hub's folder its files back, where there is no doubt which they are; returns whether it did.

    A log without its database is never joined to another: of several databases or logs none is taken.
    """
    if has_hub(folder) or not (mount / LOST).is_dir():
        return False
    orphans = sorted((mount / LOST).iterdir())
    found = [orphan for orphan in orphans if orphan.is_dir() and has_hub(orphan)]
    if len(found) == 1:
        _make_room(folder)
        found[0].rename(folder)
        return True
    databases, logs = list(_files(orphans, _DATABASE)), [one for kind in _LOGS for one in _files(orphans, kind)]
    if len(databases) != 1 or len(logs) > 1:
        return False
    folder.mkdir(mode=0o700, exist_ok=True)
    for one in logs:
        one.rename(folder / f"{FILE_NAME}-wal")
    databases[0].rename(folder / FILE_NAME)  # last: it is what counts as a hub
    return True


def lay_aside(folder: Path) -> None:
    """Rename what stands in the database's place and is none, of which SQLite would make a new one."""
    file = folder / FILE_NAME
    if file.exists() and not has_hub(folder):
        file.rename(folder / f"{FILE_NAME}.damaged")


def _make_room(folder: Path) -> None:
    if folder.exists():
        folder.rename(folder.with_name(f"{folder.name}.before"))


def _files(orphans: list[Path], begin: bytes) -> Iterator[Path]:
    return (orphan for orphan in orphans if orphan.is_file() and _begins(orphan)[: len(begin)] == begin)


def _begins(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(len(_DATABASE))
    except OSError:
        return b""
