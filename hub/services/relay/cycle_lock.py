"""Lets one cycle run at a time on a hub, whichever process runs it; who comes later joins the running one."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_NAME = "relay.lock"


@contextmanager
def cycle_lock(data: Path) -> Iterator[bool]:
    """Lock the cycles of the hub that keeps its data in ``data``.

    Yields True at once when no cycle was running; False when one was, after its end: it was ours too.
    """
    with (data / FILE_NAME).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield False
        else:
            yield True
