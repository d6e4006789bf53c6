"""When a hub tells its fleet how it is, how much of it a day, and what the server's answers mean."""

from http import HTTPStatus

import msgspec

from hub.core.clock import Heard
from hub.core.cloud import cycle_outcome
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.cloud.link import Last
from hub.core.worded import Worded, Words

USUAL_S = 300
"""As the relay: a first failure waits so long, each further one twice as long."""
SPACING_MS = 4 * 3_600_000
"""After a report that went well: a line that is always there would else carry 24 connections a day."""
CHUNK = 72
"""Samples in one request: three days, some 10 KB."""
_WITHOUT_LINE = frozenset({Outcome.NO_LINE.word, Outcome.OUT_OF_HOURS.word, Outcome.OVER_BUDGET.word})
"""Relay cycles after which there is no line, or none that may be used."""


class _Row(Words, frozen=True):
    is_well: bool = False


class ReportOutcome(Worded):
    """How a report ended."""

    SENT = _Row("sent", "The organisation has the latest figures of this hub.", is_well=True)
    PAUSED = _Row("paused", "The rest goes after the records, which come first.", is_well=True)
    OVER_DAY = _Row("over_day", "Today's data allowance for the organisation's overview is used up.", is_well=True)
    NO_LINE = _Row("no_line", "The organisation's server cannot be reached.")
    REFUSED = _Row("refused", "The organisation's server does not accept this hub's token.")
    BUSY = _Row("busy", "The organisation's server asked the hub to wait.")
    FAILING = _Row("failing", "The organisation's server answered with an error.")

    @property
    def is_well(self) -> bool:
        """Whether nothing is to be tried again sooner or later than usual."""
        return self.value.is_well


class Told(msgspec.Struct, frozen=True):
    """How far the fleet server is told. ``*_ms`` is hub time."""

    num: int = 0
    """The newest sample that the server has."""
    tried_ms: int = 0
    succeeded_ms: int = 0
    outcome: str = ""
    detail: str = ""
    failures: int = 0
    """In a row."""
    not_before_ms: int = 0
    relay_ms: int = 0
    """Which relay cycle the last report followed."""
    day: str = ""
    """YYYY-MM-DD by the server's clock."""
    day_bytes: int = 0
    heard: Heard | None = None
    """What the server last said of the time."""


def is_due(told: Told, *, newest: int, now_ms: int, run_ms: int, last: Last, has_cloud: bool) -> bool:
    """Whether to report now: something is new, no record is on its way, and the line was there just now.

    newest: the number of the newest sample.
    run_ms: when this run of the machine began; a box that runs for an hour a day reports once in each.
    last: the last relay cycle; without a cloud nobody but the report itself knows of a line.
    """
    is_new = newest > told.num
    is_quiet = not last.running_since_ms and now_ms >= told.not_before_ms
    had_line = not has_cloud or (last.tried_ms > told.relay_ms and last.outcome not in _WITHOUT_LINE)
    is_spaced = now_ms - told.succeeded_ms >= SPACING_MS or told.succeeded_ms < run_ms
    return is_new and is_quiet and had_line and (is_spaced or told.outcome != ReportOutcome.SENT.word)


def outcome_of(status: int) -> ReportOutcome:
    """Return what an answer means: the import endpoint says 204, and a web page in between says 200."""
    match status:
        case HTTPStatus.NO_CONTENT:
            return ReportOutcome.SENT
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN | HTTPStatus.BAD_REQUEST:
            # vmauth 1.79 says 400 to a token that it does not know, and an empty greeting cannot be malformed.
            return ReportOutcome.REFUSED
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE:
            return ReportOutcome.BUSY
        case _:
            return ReportOutcome.FAILING


def begun(told: Told, *, now_ms: int, last: Last, heard: Heard | None, day: str) -> Told:
    """Return what is kept when a report begins; a new day has its whole allowance."""
    used = told.day_bytes if day == told.day else 0
    return msgspec.structs.replace(
        told, tried_ms=now_ms, relay_ms=last.tried_ms, heard=heard or told.heard, day=day, day_bytes=used
    )


def ended(
    told: Told, outcome: ReportOutcome, *, now_ms: int, draw: float, retry_after_s: float = 0, detail: str = ""
) -> Told:
    """Return what is kept when a report ends; ``draw`` is from 0 to 1, drawn anew each time."""
    failures = 0 if outcome.is_well else told.failures + 1
    wait_s = retry_after_s
    if failures:
        failed = Outcome.CLOUD_FAILING
        wait_s = cycle_outcome.delay_s(
            failed, failures=failures, usual_s=USUAL_S, draw=draw, retry_after_s=retry_after_s
        )
    return msgspec.structs.replace(
        told,
        outcome=outcome.word,
        detail=detail,
        failures=failures,
        not_before_ms=now_ms + round(wait_s * 1000),
        succeeded_ms=now_ms if outcome.is_well else told.succeeded_ms,
    )
