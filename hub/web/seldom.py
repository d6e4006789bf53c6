"""Something that is dear to make and that anybody may ask for: made once in a while, and given to all."""

import threading
import time
from collections.abc import Callable


class Seldom:
    """What ``make`` makes, no older than ``most_s`` seconds; who asks while it is made waits for it."""

    def __init__(self, make: Callable[[], bytes], most_s: float) -> None:
        self._make = make
        self._most_s = most_s
        self._lock = threading.Lock()
        self._made = b""
        self._made_s = -most_s

    def get(self) -> bytes:
        """Return it."""
        with self._lock:
            if time.monotonic() - self._made_s > self._most_s:
                self._made, self._made_s = self._make(), time.monotonic()
            return self._made
