"""Remembers which phones are refused, so that the page can name them: the app cannot tell its user why (O2).

Counts are in memory and written rarely; whoever makes the hub refuse something cannot make it write.
"""

import contextlib
import threading
import time
from collections import OrderedDict

from hub.actions.phones import refusals
from hub.actions.phones.refusals import UNKNOWN, Refusal, RefusalReason
from hub.core.errors import Unavailable
from hub.core.phone.refusal import again
from hub.store.database import Store

_WRITTEN_S = 60.0
_DEVICES = 1024


class Refusals:
    """The refusals of each phone since it last came through; the longest not refused go when there are too many."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.known = OrderedDict((one.device, one) for one in reversed(refusals.every(store)))
        """By device; whoever is not in it was not refused."""
        self._written_s: dict[int, float] = {}
        self._lock = threading.Lock()

    def note(self, device: int, reason: RefusalReason) -> None:
        """Count a refusal; what cannot be written, for the disk is full, is known until the hub stops."""
        now_ms, now_s = refusals.now_ms(self._store), time.monotonic()
        with self._lock:
            refusal = again(self.known.pop(device, None), device, reason, now_ms)
            self.known[device] = refusal
            if len(self.known) > _DEVICES:
                self._written_s.pop(self.known.popitem(last=False)[0], None)
            if now_s - self._written_s.get(device, -_WRITTEN_S) < _WRITTEN_S:
                return
            self._written_s[device] = now_s
        with contextlib.suppress(Unavailable):
            refusals.keep(self._store, refusal)

    def came_through(self, device: int, *, is_push: bool) -> None:
        """Forget that a phone was refused, once what was refused works."""
        with self._lock:
            found = self.known.get(device)
            if found is None or (found.reason.is_of_pushes and not is_push):
                return
            del self.known[device]
            self._written_s.pop(device, None)
        with contextlib.suppress(Unavailable):
            refusals.forget(self._store, device)

    def now(self) -> list[Refusal]:
        """Return all refusals."""
        with self._lock:
            return list(self.known.values())


__all__ = ["UNKNOWN", "RefusalReason", "Refusals"]
