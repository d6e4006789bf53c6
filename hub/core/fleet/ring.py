"""Which samples are kept: one an hour, for sixty days of running."""

EVERY_MS = 3_600_000
KEPT = 60 * 24
"""Some 1 KB each."""


def is_due(now_ms: int, newest_ms: int | None) -> bool:
    """Whether it is time for a sample; hub times in ms.

    A box that is switched off again and again within the hour gets its sample all the same: hub time goes on from
    where it stood.
    """
    return newest_ms is None or now_ms - newest_ms >= EVERY_MS
