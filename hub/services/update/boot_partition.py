"""The boot partition: read as what ``hub.core.update.slots`` decides by, and changed one whole file after the other.

Of two names that a cut leaves with one content, fsck empties the second in the folder. So config.txt, which the image
wrote before all that is written later, is never the one.
"""

import hashlib
from pathlib import Path

from hub import files
from hub.core.update import slots
from hub.core.update.slots import Boot, Remove, Slot, Steps, Write

MUST_HAVE = (slots.CONFIG, "cmdline.txt")
"""What the firmware reads of a system beside the files that its config.txt names."""
_MODE = 0o700
"""What a FAT shows of every file under our umask; it keeps no mode of its own."""


def read(folder: Path, *, thoroughly: bool = False) -> Boot:
    """Read it. thoroughly: with the content of every file, some seconds for each system, not its size alone.

    Raises OSError.
    """
    trial = folder / slots.TRIAL
    return Boot(
        config=_text(folder / slots.CONFIG),
        trial=_text(trial) if trial.exists() else None,
        tried=(folder / slots.TRIED).exists(),
        own={
            slot: _text(folder / slot.folder / slots.CONFIG)
            for slot in Slot
            if is_whole(folder, slot, thoroughly=thoroughly)
        },
    )


def perform(folder: Path, steps: Steps) -> None:
    """Take the steps, each on the card before the next begins. Raises OSError."""
    for step in steps:
        path = folder / step.name
        match step:
            case Write():
                files.exchange(path, [step.text.encode()], mode=_MODE)
            case Remove():
                path.unlink(missing_ok=True)
                if path.parent.is_dir():
                    files.flush(path.parent)


def is_whole(folder: Path, slot: Slot, *, thoroughly: bool) -> bool:
    """Whether all files are there that the system's list names, as long as it says or, thoroughly, with its digests.

    A line of the list is ``digest(64 hex) size name``.
    """
    try:
        rows = [line.split(" ", 2) for line in _text(folder / slot.seal).splitlines()]
        is_complete = {name for _, _, name in rows} >= set(MUST_HAVE)
        return is_complete and all(
            _fits(folder / slot.folder / name, digest, int(size), thoroughly=thoroughly) for digest, size, name in rows
        )
    except (OSError, ValueError):
        return False


def seal(folder: Path, slot: Slot) -> None:
    """List the files of a system, after all of them are on the card: from now on it is whole. Raises OSError."""
    root = folder / slot.folder
    # What begins with a dot is of a write that a power cut ended.
    paths = sorted(path for path in root.rglob("[!.]*") if path.is_file() and path != folder / slot.seal)
    for path in paths:
        files.flush(path)
    for inner in {path.parent for path in paths}:
        files.flush(inner)
    lines = [f"{_digest(path)} {path.stat().st_size} {path.relative_to(root).as_posix()}\n" for path in paths]
    files.exchange(folder / slot.seal, ["".join(lines).encode()], mode=_MODE)


def _fits(path: Path, digest: str, size: int, *, thoroughly: bool) -> bool:
    return path.stat().st_size == size and (not thoroughly or _digest(path) == digest)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace")
