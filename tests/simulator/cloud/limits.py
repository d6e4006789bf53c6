"""Counts requests per client as the cloud does, in memory (CLOUD.md 2.4)."""

import math
import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 60.0


class RateLimit:
    """A sliding window; a refused request does not count."""

    def __init__(self, most: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now_s = now_s
        self._taken: dict[str, deque[float]] = {}

    def retry_after_s(self, client: str) -> int:
        """Count a request of ``client``: 0 when it may pass, else the whole seconds to wait."""
        now_s = self._now_s()
        taken = self._taken.setdefault(client, deque())
        while taken and taken[0] <= now_s - WINDOW_S:
            taken.popleft()
        if len(taken) < self._most:
            taken.append(now_s)
            return 0
        return max(1, math.ceil(taken[0] + WINDOW_S - now_s))


def client_key(forwarded_for: str) -> str:
    """Return the first entry of X-Forwarded-For; without the header all clients share one key."""
    return forwarded_for.partition(",")[0].strip()
