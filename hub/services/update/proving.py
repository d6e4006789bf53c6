"""Watches a system on trial until it is to be kept or given up."""

import time
from collections.abc import Callable, Iterable

from hub.core.update import trial
from hub.core.update.trial import Evidence, Need, Verdict, Way

_EVERY_S = 5.0


def watch(
    look: Callable[[], Evidence],
    ways_before: Iterable[Way],
    *,
    now_s: Callable[[], float] = time.monotonic,
    rest: Callable[[float], None] = time.sleep,
) -> tuple[Need, ...]:
    """Look until it is decided; returns what was missing in the end, nothing if the system is to be kept."""
    began = well_since = now_s()
    while True:
        missing, now = trial.missing(look(), ways_before), now_s()
        well_since = now if missing else well_since
        match trial.verdict(age_s=now - began, steady_s=now - well_since):
            case Verdict.KEEP:
                return ()
            case Verdict.GIVE_UP:
                return missing
            case Verdict.WAIT:
                rest(_EVERY_S)
