"""Hubs with a past: samples as an earlier day left them."""

import time

import msgspec

from hub.core.fleet.health import Counted, Health, Machine
from hub.core.fleet.reporting import Told
from hub.core.fleet.sample_time import ClockQuality, Moment
from hub.store.box import samples, state
from hub.store.database import Store

HOUR_MS = 3_600_000
WELL = Health(
    state="in_cloud",
    worst="waiting",
    level="safe",
    cloud=True,
    records=41_234,
    phones=7,
    phones_today=5,
    free_bytes=20_123_456_789,
    temperature_c=51.5,
    relayed_ago_s=120,
    version="1.0.0",
    machine=Machine(
        disk_bytes=31_000_000_000, memory_free_bytes=140_000_000, uptime_s=7200, kernel="6.12.47+rpt-rpi-v8"
    ),
    counted=Counted(totals={"pushes": 200, "pages": 900, "boots": 12, "starts": 14, "relays.done": 4000}, schema=16),
)


def now_ms() -> int:
    """Return the true time."""
    return time.time_ns() // 1_000_000


def past(store: Store, hours: int, *, health: Health = WELL, clock: ClockQuality = ClockQuality.BELIEVED) -> list[int]:
    """Give a hub a sample for each of the last hours, of an earlier run of the machine; returns their true times.

    Hub time went on as the true time did. Each sample has its number among its records.
    """
    now = now_ms()
    times: list[int] = []
    with store.write() as tx:
        for number in range(hours, 0, -1):
            true = now - number * HOUR_MS
            at = tx.now_ms - number * HOUR_MS
            said = None if clock is ClockQuality.RECKONED else true
            moment = Moment(at, tx.now_ms - hours * HOUR_MS, said, clock)
            one = msgspec.structs.replace(health, records=len(times))
            samples.add(tx, moment, one, kept=1440, told=0)
            times.append(true)
    return times


def told(store: Store) -> Told:
    """Return how far the server is told."""
    with store.read() as db:
        return state.get(db, state.TOLD) or Told()


def forget_answers(store: Store, num: int = 0) -> None:
    """Let a hub not know that the server has what came after a sample: a power cut took the answers."""
    with store.write() as tx:
        state.put(tx, state.TOLD, msgspec.structs.replace(state.get(tx.db, state.TOLD) or Told(), num=num))
