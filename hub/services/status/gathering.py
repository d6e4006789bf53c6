"""Gathers the facts often: what costs the card or the processor something is looked at more seldom."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from hub.actions.box import facts
from hub.core.clock import contradicts
from hub.core.status.state import Facts
from hub.services.machine import measures
from hub.store.box import counters
from hub.store.cloud import connection
from hub.store.database import Store, hub_time

_PROBE_S = 60
"""A write every two seconds would wear the card; a phone's push finds a full disk out by itself."""
_RECORDS_S = 10
_KEEP_S = 30
"""How often a changed number of waiting records is worth a write."""


class Gathering:
    """Remembers what was found out last; used by one thread at a time."""

    def __init__(
        self, store: Store, *, root: Path = Path("/"), wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._store = store
        self._root = root
        self._wall_ms = wall_ms
        self._writable = True
        self._probed_s = -float(_PROBE_S)
        self._records = 0
        self._counted_s = -float(_RECORDS_S)
        self._counted_at = -1
        self._kept = -1
        self._kept_s = -counters.BUCKET_MS / 1000

    def gather(self) -> Facts:
        """Return the facts of now, the machine's included."""
        now_s = time.monotonic()
        if now_s - self._probed_s >= _PROBE_S or not self._writable:
            self._writable, self._probed_s = facts.can_write(self._store), now_s
        with self._store.read() as db:
            changed_at, hub_ms, heard = hub_time(db), self._store.now_ms(db), connection.last(db).heard
            if changed_at != self._counted_at and now_s - self._counted_s >= _RECORDS_S:
                self._records = sum(facts.counts(db).values())
                self._counted_s, self._counted_at = now_s, changed_at
        wall_ms = self._wall_ms()
        is_contradicted = heard is not None and contradicts(heard, wall_ms=wall_ms, hub_ms=hub_ms)
        found = facts.gather(self._store, writable=self._writable, records=self._records)
        return msgspec.structs.replace(
            found,
            power_weak=bool(measures.power_weak(self._root)),
            temperature_c=measures.temperature_c(self._root),
            clock_wrong=is_contradicted or measures.clock_is_wrong(wall_ms, hub_ms),
        )

    def keep(self, now: Facts) -> None:
        """Note for the charts how much waits: when it changed, and otherwise every ten minutes."""
        passed_s = time.monotonic() - self._kept_s
        if passed_s >= counters.BUCKET_MS / 1000 or (now.waiting != self._kept and passed_s >= _KEEP_S):
            with self._store.write(durable=False) as tx:
                counters.sample(tx, waiting=now.waiting)
            self._kept, self._kept_s = now.waiting, time.monotonic()
