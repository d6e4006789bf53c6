"""The update that was sent through the page: taken out of the hub's folder, so that nobody changes what was checked."""

import fcntl
import os
import shutil
from pathlib import Path

from hub.core.errors import UpdateRefused
from hub.core.update.refusal import Refusal


def take(sent: Path, kept: Path) -> None:
    """Take the file, if one was sent: from now on root alone can write it. Raises UpdateRefused and OSError."""
    if not os.path.lexists(sent):
        return
    sent.replace(kept)  # of the same partition
    try:
        _own(kept)
    except OSError as error:
        remove(kept)
        raise UpdateRefused(Refusal.NOT_AN_UPDATE) from error


def remove(kept: Path) -> None:
    """Remove it, whatever it is. Raises OSError."""
    if kept.is_dir() and not kept.is_symlink():
        shutil.rmtree(kept)
    else:
        kept.unlink(missing_ok=True)


def _own(kept: Path) -> None:
    """Make a plain file root's alone; raises OSError for what is none, or is open for writing somewhere."""
    handle = os.open(kept, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.fchown(handle, os.geteuid(), os.getegid())
        os.fchmod(handle, 0o600)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)  # is refused where somebody could still write to it
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    finally:
        os.close(handle)
