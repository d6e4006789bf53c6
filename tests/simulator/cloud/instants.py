"""Reads times as the cloud does: ISO text, epoch ms, epoch seconds, and the trap between them (CLOUD.md 4.2)."""

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_LONGEST_MONTH = 31
_FIRST_YEAR = 1850
_LAST_YEAR = 2120
# From here up to the next bound a number counts as seconds, although ms from 1970-01-12 to 2001-09-09 lie here too.
_SECONDS_FROM = 10**9
_SECONDS_UP_TO = 10**12
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?P<time>[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clock:
    """The cloud's time and zone: ``now`` is the start of the transaction, ``zone`` the server process's own."""

    now: dt.datetime
    zone: ZoneInfo


class Unreadable(Exception):
    """Not a time at all."""


class FarOff(Exception):
    """A time outside the years 1850-2120, which the cloud turns into now."""


def instant(given: object, clock: Clock) -> dt.datetime | None:
    """Read a pushed time, cut to ms; None for 0, which counts as no time.

    Raises Unreadable for garbage and FarOff for years that the cloud does not believe.
    """
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise Unreadable
    text = given.strip() if isinstance(given, str) else ""
    if isinstance(given, str) and not _NUMBER.fullmatch(text):
        moment = _from_iso(text, clock.zone)
    else:
        moment = _from_epoch(given)
        if moment == EPOCH:
            return None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise FarOff
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def day(text: str) -> dt.date:
    """Read a date as text, which is stored as it is in every year (CLOUD.md 7); raises Unreadable."""
    match = _ISO.fullmatch(text.strip())
    try:
        return dt.date.fromisoformat(text.strip()[:10]) if match and not match["time"] else _day_of_moment(text)
    except ValueError:
        raise Unreadable from None


def _day_of_moment(text: str) -> dt.date:
    return dt.datetime.fromisoformat(text.strip()).astimezone(dt.UTC).date()


def _from_epoch(given: float | str) -> dt.datetime:
    try:
        number = float(given)
        ms = number * 1000 if _SECONDS_FROM <= number < _SECONDS_UP_TO else number
        return EPOCH + dt.timedelta(milliseconds=ms)
    except OverflowError:
        raise FarOff from None


def _from_iso(text: str, zone: ZoneInfo) -> dt.datetime:
    match = _ISO.fullmatch(text)
    if match is None:
        raise Unreadable
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = _overflowing(text)
    if moment.tzinfo is None:
        # A day alone is midnight UTC, a time without a zone is the server's: ECMA-262 section 21.4.3.2.
        moment = moment.replace(tzinfo=zone if match["time"] else dt.UTC)
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError:
        raise FarOff from None


def _overflowing(text: str) -> dt.datetime:
    """Count on into the next month, as JavaScript does with a day that the month has not (CLOUD.md 7)."""
    number = int(text[8:10])
    try:
        first = dt.datetime.fromisoformat(f"{text[:8]}01{text[10:]}")
    except ValueError:
        raise Unreadable from None
    if not 1 <= number <= _LONGEST_MONTH:
        raise Unreadable
    return first + dt.timedelta(days=number - 1)


def midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the start of ``day`` in the server's zone as UTC, which is how a DATE column travels (CLOUD.md 0)."""
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def iso(moment: dt.datetime) -> str:
    """Write a UTC time with exactly three decimals, cut and not rounded."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
