"""Keeps how far the fleet server is told of this hub, and gives the samples that it lacks."""

import time
from datetime import UTC, datetime

import msgspec

from hub.core.clock import Heard
from hub.core.cloud.link import Last
from hub.core.fleet import reporting, sample_time
from hub.core.fleet.reporting import Told
from hub.core.fleet.sample_time import Anchor
from hub.store.box import samples, state
from hub.store.box.samples import Sample
from hub.store.cloud import connection
from hub.store.database import Store

__all__ = ["Sample", "Standing", "Told", "begin", "is_due", "keep", "may_go_on", "place", "standing", "untold"]


class Standing(msgspec.Struct, frozen=True):
    """How the telling stands: hub time in ms, samples in numbers."""

    told: Told
    last: Last
    has_cloud: bool
    newest: int
    kept: int
    now_ms: int


def standing(store: Store) -> Standing:
    """Look at it."""
    with store.read() as db:
        return Standing(
            state.get(db, state.TOLD) or Told(),
            connection.last(db),
            connection.link(db) is not None,
            samples.newest(db)[0],
            samples.count(db),
            store.now_ms(db),
        )


def is_due(store: Store) -> bool:
    """Whether to report now."""
    now = standing(store)
    return reporting.is_due(
        now.told,
        newest=now.newest,
        now_ms=now.now_ms,
        run_ms=store.run_ms,
        last=now.last,
        has_cloud=now.has_cloud,
    )


def may_go_on(store: Store) -> bool:
    """Whether no records are on their way: they come first."""
    with store.read() as db:
        return not connection.last(db).running_since_ms


def begin(store: Store, server_ms: int | None) -> Told:
    """Note that the server was reached, if it was: what it said of the time."""
    now = standing(store)
    heard = Heard(server_ms, time.time_ns() // 1_000_000, now.now_ms) if server_ms is not None else None
    day = f"{datetime.fromtimestamp(server_ms / 1000, UTC):%Y-%m-%d}" if server_ms is not None else now.told.day
    return reporting.begun(now.told, now_ms=now.now_ms, last=now.last, heard=heard, day=day)


def place(store: Store, server_ms: int) -> None:
    """Give every sample that has none its true time, for good: whatever becomes of it, it is sent again as the same."""
    with store.write() as tx:
        found = samples.moments(tx.db)
        if found:
            now = Anchor(server_ms, tx.now_ms, store.run_ms)
            placed = sample_time.place([one for _, one in found], now, samples.newest_placed(tx.db))
            for (num, _), one in zip(found, placed, strict=True):
                samples.place(tx, num, one)


def untold(store: Store, told: Told) -> tuple[Sample | None, list[Sample]]:
    """Return the next samples that the server lacks, and the one before them."""
    with store.read() as db:
        return samples.before(db, told.num), samples.after(db, told.num, reporting.CHUNK)


def keep(store: Store, told: Told) -> None:
    """Keep how far the server is told; not worth waiting for the disk: what is sent twice is the same.

    Hub time is kept with it: what was heard of the time was heard before the next run of the machine.
    """
    with store.write(durable=False) as tx:
        _ = tx.now_ms
        state.put(tx, state.TOLD, told)


def forget(store: Store) -> None:
    """Forget the server: another one is told everything that is kept."""
    with store.write() as tx:
        state.forget(tx, state.TOLD)
