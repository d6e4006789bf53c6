"""Lets one hub serve a folder: a second one would give out pages that the first knows nothing of."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.core.errors import OperatorError, StoreError


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Hold the folder while a hub serves it. The lock is on the folder itself: a full disk takes it, a crash ends it.

    Raises OperatorError where another one does, StoreError where nothing can be kept.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StoreError(f"cannot open {data}: {error}") from None
    try:
        _lock(folder, data)
        yield
    finally:
        os.close(folder)


def _lock(folder: int, data: Path) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OperatorError(f"a hub runs on {data} already; stop it first, or give this one a folder") from None
