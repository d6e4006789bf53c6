"""Decides whether the next pull asks for everything, and how far a pull moves the cursor (R7, R9)."""

from collections.abc import Iterable

import msgspec

from hub.core import clock
from hub.core.cloud.link import Progress

OVERLAP_MS = 120_000
"""The cloud may commit a row late, by as long as a statement of it may take; twice that (CLOUD.md 2.1)."""
FULL_EVERY_MS = 86_400_000
"""A patient who came from another clinic is worth a full pull, but not every few minutes."""
FULL_AT_LEAST_EVERY_MS = 7 * 86_400_000
"""What no other pull shows, a full one does: what moved away, what a restored cloud has lost. It is also less than the
history that a cloud serves (CLOUD.md 2.4), so that a hub that comes back after long sees all that it still can."""
FULL_AGAIN_MS = 3_600_000
"""After one that failed the hub makes do with what is new for so long."""
LARGE_PUSH_BYTES = 1_000_000
PATIENCE_MS = 600_000
"""However much is pushed, there is a pull after so long."""
WHOLE_SECOND_MS = 1000
"""A time of the cloud's answers may be in whole seconds, and lie so much before it."""
AT_ONCE = 0
"""In the place of the time of the last full pull: the next one waits for nothing."""
BLIND_AFTER_MS = 86_400_000
"""A line that carries no pull for a day may never carry one (R3)."""
BLIND_AFTER = 3
"""It is no such line where hardly any pull was tried."""


def failed(progress: Progress, now_cloud_ms: int) -> Progress:
    """Count a pull that failed."""
    since = progress.pulls_fail_since_cloud_ms
    if not progress.pull_failures or not 0 < since <= now_cloud_ms:  # unknown, or the cloud's clock was ahead
        since = now_cloud_ms
    return msgspec.structs.replace(progress, pull_failures=progress.pull_failures + 1, pulls_fail_since_cloud_ms=since)


def is_blind(progress: Progress, now_cloud_ms: int) -> bool:
    """Whether edits are pushed though no pull showed what they are made to (R3).

    It is the last resort: what the cloud moved to another patient without a new time is moved back by a whole row.
    """
    lasts_ms = now_cloud_ms - progress.pulls_fail_since_cloud_ms
    return progress.pull_failures >= BLIND_AFTER and lasts_ms >= BLIND_AFTER_MS


def is_full(progress: Progress, clinics: Iterable[str], now_cloud_ms: int) -> bool:
    """Whether everything is to be pulled: at first, for new clinics, when it is wanted, and once a week.

    now_cloud_ms: the cloud's clock.
    """
    if not progress.cursor_cloud_ms or set(progress.clinics) != set(clinics):
        return True
    if 0 <= now_cloud_ms - progress.full_failed_cloud_ms < FULL_AGAIN_MS:
        return False
    since_ms = now_cloud_ms - progress.full_cloud_ms
    return since_ms >= (FULL_EVERY_MS if progress.full_wanted else FULL_AT_LEAST_EVERY_MS)


def can_wait(progress: Progress, now_cloud_ms: int) -> bool:
    """Whether a pull would bring much that was just pushed, and the next one all of it again, in its overlap.

    When as much time has passed as pulls overlap, it comes once. now_cloud_ms may be in whole seconds, and so lie
    before what was noted a moment ago.
    """
    is_large = progress.pushed_bytes >= LARGE_PUSH_BYTES
    just_ended = abs(now_cloud_ms - progress.pushed_cloud_ms) <= OVERLAP_MS
    return is_large and just_ended and -OVERLAP_MS <= now_cloud_ms - progress.cursor_cloud_ms < PATIENCE_MS


def lost(progress: Progress, restored: int, now_cloud_ms: int) -> tuple[int, int]:
    """Return how many records people are told that the cloud lost, and when; it is told for a week."""
    if restored:
        return progress.lost + restored, now_cloud_ms
    is_old = now_cloud_ms - progress.lost_cloud_ms >= FULL_AT_LEAST_EVERY_MS
    return (0, 0) if is_old else (progress.lost, progress.lost_cloud_ms)


def wanted_at_once(progress: Progress) -> bool:
    """Whether a full pull is wanted that waits for nothing."""
    return bool(progress.full_wanted) and progress.full_cloud_ms == AT_ONCE


def cursor(cloud_ms: int, *, wall_ms: int, hub_ms: int) -> int:
    """Return from where the next pull goes on: the cloud's clock, but not beyond what the hub itself knows of the time.

    A clock that was ahead once, and is right again, would hide whatever changes until it gets there.
    """
    return min(cloud_ms, clock.date_ms(wall_ms, hub_ms) + OVERLAP_MS)


def shown_until(progress: Progress) -> int:
    """Return up to when the pulls by now certainly showed everything, by the cloud's clock.

    The cursor may be the hub's clock and an overlap; another one is for a hub's clock that is ahead.
    """
    return progress.cursor_cloud_ms - 2 * OVERLAP_MS


def went_back(progress: Progress, cloud_ms: int) -> bool:
    """Whether the cloud's clock stands before the last pull: what changed in between may never have been shown."""
    return cloud_ms < progress.cursor_cloud_ms - OVERLAP_MS


def at_once(progress: Progress, why: str) -> Progress:
    """Want a full pull that waits for nothing."""
    return msgspec.structs.replace(progress, full_wanted=why, full_cloud_ms=AT_ONCE, full_failed_cloud_ms=0)
