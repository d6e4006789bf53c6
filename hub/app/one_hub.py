"""Lets one hub serve a folder: a second one would give out pages that the first knows nothing of."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.core.errors import OperatorError

LOCK_NAME = "serve.lock"


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Hold the folder; raises OperatorError where a hub serves it already. The lock goes with the process."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data / LOCK_NAME).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OperatorError(f"a hub runs on {data} already; stop it first, or give this one a folder") from None
        yield
