"""Keeps requests to the cloud apart: it counts 60 a minute, for a whole address (CLOUD.md 2.4)."""

import threading
import time
from collections import deque

from hub.core.errors import HubError

WINDOW_S = 60.0


class Stopped(HubError):
    """The hub is being stopped; whatever was under way goes on in the next cycle."""


class Pace:
    """Lets so many requests through in any minute; the first of them at once."""

    def __init__(self, per_minute: int, stop: threading.Event | None = None) -> None:
        self._per_minute = per_minute
        self._stop = stop or threading.Event()
        self._sent: deque[float] = deque(maxlen=per_minute)

    def wait(self) -> None:
        """Wait for our turn; raises Stopped when the hub is stopped meanwhile."""
        if len(self._sent) == self._per_minute:
            self.pause(self._sent[0] + WINDOW_S - time.monotonic())
        self.check()
        self._sent.append(time.monotonic())

    def pause(self, seconds: float) -> None:
        """Wait; raises Stopped when the hub is stopped meanwhile."""
        if seconds > 0:
            self._stop.wait(seconds)
        self.check()

    def check(self) -> None:
        """Raise Stopped if the hub is being stopped."""
        if self._stop.is_set():
            raise Stopped("the hub is being stopped")
