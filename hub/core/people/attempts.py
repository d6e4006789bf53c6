"""How guessing is slowed: after some failures in a row, whoever signs in must wait."""

import msgspec

DAY_MS = 86_400_000
"""So long without a failure forgives all."""
_PEOPLE_AT_AN_ADDRESS = 4
"""Several phones may come by one address; their people may all mistype, and sign in at the same moment."""
_DOUBLINGS = 20


class Attempts(msgspec.Struct, frozen=True):
    """How many failures are free, and how long the first and the longest wait are."""

    free: int
    wait_s: int
    wait_max_s: int


class Failures(msgspec.Struct, frozen=True):
    """Failures in a row, and hub time of the last one."""

    count: int
    last_ms: int


def left_s(key: str, failures: Failures, attempts: Attempts, *, now_ms: int) -> int:
    """Return for how many seconds ``key`` must still wait; each failure past the free ones doubles the wait."""
    free = attempts.free * (_PEOPLE_AT_AN_ADDRESS if key.startswith("address:") else 1)
    if failures.count < free or now_ms - failures.last_ms >= DAY_MS:
        return 0
    wait_s: int = min(attempts.wait_s << min(failures.count - free, _DOUBLINGS), attempts.wait_max_s)
    return max(0, -(-(failures.last_ms + wait_s * 1000 - now_ms) // 1000))
