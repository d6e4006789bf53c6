"""What the audit log keeps: what anybody can cause takes no sign-in, export or blocking out of it."""

from collections.abc import Sequence

NOISE = frozenset({"device.paired", "login.refused", "page.refused", "setup.refused"})
"""What anybody on the Wi-Fi can make the hub note."""
NOISE_ENTRIES = 5_000
ENTRIES = 50_000
"""Of all else."""
ALIKE = 20
"""Entries of one kind in a minute before those that follow are counted in the last one."""
_MERGED_MS = 60_000
_PRUNE_EVERY = 256


def is_flood(event: str, newest: Sequence[tuple[str, int]], now_ms: int) -> bool:
    """Whether an event is counted in the newest entry; ``newest``: the last ``ALIKE`` entries' events and hub times."""
    return (
        event in NOISE
        and len(newest) == ALIKE
        and all(each == event for each, _ in newest)
        and now_ms - newest[-1][1] < _MERGED_MS
    )


def is_to_be_pruned(num: int) -> bool:
    """Whether the entry of this number is one after which old entries go: few writes find many."""
    return num % _PRUNE_EVERY == 0
