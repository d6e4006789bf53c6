"""Names how a relay cycle can end, in a word and in a sentence, and when the next one is due."""

from hub.core.status.facts import Trouble
from hub.core.worded import Worded, Words

BACKOFF_MAX_S = 3600
_JITTER = 0.15
"""Hubs that got power or a line at the same moment do not ask the cloud at the same moment for ever."""


class _Row(Words, frozen=True):
    trouble: Trouble | None = None


class Outcome(Worded):
    """How a cycle ended, or why there was none."""

    DONE = _Row("done", "The last exchange with the cloud succeeded.")
    NO_CLOUD = _Row("no_cloud", "No cloud is connected.")
    STOPPED = _Row("stopped", "The hub was stopped; the next attempt continues from there.")
    BUSY = _Row("busy", "The cloud asked the hub to wait.")
    OUT_OF_HOURS = _Row("out_of_hours", "Outside the hours when the hub may use the internet; it is waiting.")
    OVER_BUDGET = _Row("over_budget", "This month's data allowance is used up; sending resumes next month.")
    NO_LINE = _Row("no_line", "The cloud cannot be reached.", Trouble.LINE)
    KEY_REFUSED = _Row("key_refused", "The cloud no longer accepts this hub's key.", Trouble.KEY)
    PAUSED = _Row("paused", "The organisation has paused this hub in the cloud.", Trouble.PAUSED)
    NO_CLINIC = _Row("no_clinic", "This hub has no clinic in the cloud.", Trouble.NO_CLINIC)
    CLOUD_FAILING = _Row("cloud_failing", "The cloud answered with an error.", Trouble.CLOUD)
    NOT_THE_CLOUD = _Row(
        "not_the_cloud",
        "Something else answered in place of the cloud: perhaps the sign-in page of an internet connection.",
        Trouble.CLOUD,
    )
    TOO_LARGE = _Row("too_large", "The cloud sent more than the hub accepts.", Trouble.CLOUD)
    TOO_SLOW = _Row("too_slow", "The cloud's answer came too slowly to ever end.", Trouble.LINE)
    UNREADABLE = _Row("unreadable", "The cloud's answer could not be read.", Trouble.CLOUD)
    NO_PLACE = _Row("no_place", "The hub could not save what the cloud sent.", Trouble.CLOUD)

    @property
    def trouble(self) -> Trouble | None:
        """Return what it means for the state of the hub."""
        return self.value.trouble

    @property
    def failed(self) -> bool:
        """Return whether it is to be tried again more and more seldom."""
        return self.trouble is not None


def trouble(word: str) -> Trouble | None:
    """Return the trouble that the word of an outcome stands for."""
    return next((outcome.trouble for outcome in Outcome if outcome.word == word), None)


def delay_s(outcome: Outcome, *, failures: int, usual_s: float, draw: float, retry_after_s: float = 0) -> float:
    """Return how long to wait before the next cycle: the usual time, twice as long with every failure, at most an hour.

    failures: how many cycles in a row failed, this one included.
    draw: from 0 to 1, drawn anew each time.
    retry_after_s: what the cloud asked for.
    """
    wait_s = usual_s
    if outcome.failed:
        wait_s = min(usual_s * 2 ** min(failures - 1, 20), max(BACKOFF_MAX_S, usual_s))
    return max(wait_s * (1 + _JITTER * (2 * draw - 1)), retry_after_s)


def in_hours(hour: int, begin: int, end: int) -> bool:
    """Return whether ``hour`` lies in a daily window, which may go over midnight; equal ends mean always."""
    if begin % 24 == end % 24:
        return True
    return begin <= hour < end if begin < end else hour >= begin or hour < end
