"""What was entered and sent over time, for the charts."""

import msgspec

from hub.store.box import counters
from hub.store.box.counters import BUCKET_MS, KEPT_MS, Bucket
from hub.store.database import Store

__all__ = ["BUCKET_MS", "Bucket", "ChartHistory", "recent"]


class ChartHistory(msgspec.Struct, frozen=True):
    """Counts of the last days, oldest first, and what hub time and the wall clock say now."""

    buckets: list[Bucket]
    now_ms: int
    wall_ms: int


def recent(store: Store) -> ChartHistory:
    """Return the counts that are kept."""
    with store.read() as db:
        now_ms = store.now_ms(db)
        buckets = list(counters.since(db, now_ms - KEPT_MS))
        return ChartHistory(buckets, now_ms, counters.wall_ms(db, now_ms) or now_ms)
