"""What a server's answer says in its headers of the time and of waiting, whatever it says (RFC 9110)."""

import math
from email.utils import parsedate_to_datetime


def retry_after_s(said: str | None, *, unsaid: float, most: float) -> float:
    """Return how long Retry-After asks to wait, from 1 s to ``most``; ``unsaid`` where it names no number."""
    try:
        seconds = float(said or "")
    except ValueError:
        return unsaid
    return unsaid if math.isnan(seconds) else min(max(seconds, 1.0), most)


def date_ms(said: str | None) -> int | None:
    """Return the time of Date in ms, which is cut off at the second; None where it is none."""
    try:
        return int(parsedate_to_datetime(said or "").timestamp() * 1000)
    except (TypeError, ValueError, OverflowError):
        return None
