"""Bounds how often one address may shake hands: a token bucket for each (S8)."""

import threading
from collections import OrderedDict

from hub.core.errors import TooMany

ADDRESSES = 4096


class Throttle:
    """Token buckets of ``per_minute`` tokens, refilled evenly; the longest unused go when there are too many."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, address: str, now_s: float) -> None:
        """Take a token; raises TooMany when there is none."""
        with self._lock:
            tokens, at_s = self._buckets.pop(address, (float(self._per_minute), now_s))
            tokens = min(self._per_minute, tokens + (now_s - at_s) * self._per_minute / 60)
            self._buckets[address] = (max(tokens - 1, 0), now_s)
            if len(self._buckets) > ADDRESSES:
                self._buckets.popitem(last=False)
        if tokens < 1:
            raise TooMany("too many handshakes", retry_after_s=1)
