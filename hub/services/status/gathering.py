"""Gather the facts of now; a test write, which is expensive, only once a minute."""

import time
from collections.abc import Callable

import msgspec

from hub.actions.box import facts
from hub.actions.box.history import BUCKET_MS
from hub.core.status.facts import Facts
from hub.store.database import Store

_PROBE_S = 60
"""A write every two seconds would wear the card; a phone's push finds a full disk out by itself."""
_KEEP_S = 30
"""How often a changed number of waiting records is worth a write."""


class Gathering:
    """The facts of a hub and its machine, with what the last probes found; used by one thread at a time.

    power_weak, temperature_c: measure the machine; None for what it does not tell.
    """

    def __init__(
        self,
        store: Store,
        *,
        power_weak: Callable[[], bool | None],
        temperature_c: Callable[[], float | None],
        can_write: Callable[[Store], bool] = facts.can_write,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._power_weak = power_weak
        self._temperature_c = temperature_c
        self._can_write = can_write
        self._wall_ms = wall_ms
        self._writable = True
        self._probed_s = -float(_PROBE_S)
        self._count = facts.Counts().of
        self._kept = -1
        self._kept_s = -BUCKET_MS / 1000

    def gather(self) -> Facts:
        """Measure the hub and its machine."""
        self._probe(time.monotonic())
        found = facts.gather(self._store, wall_ms=self._wall_ms(), writable=self._writable, count=self._count)
        return msgspec.structs.replace(found, power_weak=bool(self._power_weak()), temperature_c=self._temperature_c())

    def keep(self, now: Facts) -> None:
        """Note for the charts how much waits: when it changed, and otherwise every ten minutes."""
        passed_s = time.monotonic() - self._kept_s
        if passed_s >= BUCKET_MS / 1000 or (now.waiting != self._kept and passed_s >= _KEEP_S):
            facts.note_waiting(self._store, now.waiting)
            self._kept, self._kept_s = now.waiting, time.monotonic()

    def _probe(self, now_s: float) -> None:
        if now_s - self._probed_s >= _PROBE_S or not self._writable:
            self._writable, self._probed_s = self._can_write(self._store), now_s
