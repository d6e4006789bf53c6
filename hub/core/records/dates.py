"""Reads dates as people write and phones store them: in any script's digits, and as moments of a day somewhere.

A phone stores a day as a moment of it: the day that was picked, at the time of day at which it was picked, in the zone
of the phone. The day is therefore the one that this moment has in the clinic's zone; that is what the cloud is told.
A day that comes without a moment gets one that lies in it both in the clinic's zone and in UTC. A moment that is
written with an offset of its own is of the day that is written: whoever wrote it saw that one.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{4})(\d{2})(\d{2})", re.ASCII)
_BETWEEN = re.compile(r"\s*[-/.,\u2044\u060c\u060d\u066b]\s*|\s+")
_MS = re.compile(r"-?\d{11,15}")
"""Fewer digits may be seconds, a date without its year, or nobody knows what."""
_TIMED = re.compile(r"(.{6,20}?)[T ]\s*(\d{2}:\d{2}.*)", re.ASCII)
_CLOUD_FORM = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.000Z", re.ASCII)
_HALF_DAY = timedelta(hours=12)
_EAST_ASIAN = {ord("年"): "-", ord("月"): "-", ord("日"): ""}
_CHARS = 40
_MONTHS, _DAYS = 13, 32
"""The most that any calendar in use has: the Ethiopian 13 months, the Bikram Sambat 32 days."""


class Calendar(StrEnum):
    """A calendar that people may have meant."""

    SOLAR_HIJRI = "solar_hijri"
    HIJRI = "hijri"
    EITHER_HIJRI = "either_hijri"
    BUDDHIST = "buddhist"
    ETHIOPIAN = "ethiopian"
    BIKRAM_SAMBAT = "bikram_sambat"
    HEBREW = "hebrew"


_BY_YEARS = (
    (range(1300, 1341), Calendar.SOLAR_HIJRI),
    (range(1341, 1415), Calendar.EITHER_HIJRI),
    (range(1415, 1500), Calendar.HIJRI),
    (range(2400, 2700), Calendar.BUDDHIST),
    (range(5600, 5900), Calendar.HEBREW),
)
"""Years of people alive, and of plans, in other calendars; those that overlap ours are told by their months alone."""


def calendar(year: int, month: int = 1, day: int = 1) -> Calendar | None:
    """Guess which other calendar a date is one of; None where nothing says so."""
    if month == _MONTHS:
        return Calendar.ETHIOPIAN
    if day == _DAYS:
        return Calendar.BIKRAM_SAMBAT
    return next((found for years, found in _BY_YEARS if year in years), None)


def calendar_of_text(text: str) -> Calendar | None:
    """Guess which other calendar a date written year first is one of."""
    found = _parts(plain(text))
    return calendar(*found) if found else None


def calendar_of_ms(ms: float) -> Calendar | None:
    """Guess which other calendar a moment was entered in."""
    try:
        return calendar((EPOCH + timedelta(milliseconds=ms)).year)
    except (OverflowError, ValueError):
        return None


def plain(text: str) -> str:
    """Return a text with the digits 0 to 9, and without what nobody sees."""
    if text.isascii():
        return text.strip()
    return "".join(map(_letter, unicodedata.normalize("NFKC", text))).strip()


def is_folded(text: str) -> bool:
    """Whether a date is written as YYYY-MM-DD."""
    return _ISO.fullmatch(text) is not None


def folded(text: str) -> str:
    """Return a date that is written year first as YYYY-MM-DD, whatever digits and marks it has; others as they are."""
    if is_folded(text) or not text or len(text) > _CHARS:
        return text
    found = _parts(plain(text))
    return f"{found[0]:04}-{found[1]:02}-{found[2]:02}" if found else text


def moment_ms(text: str) -> int:
    """Read ISO 8601, in UTC unless it says otherwise; raises ValueError."""
    moment = datetime.fromisoformat(folded(text) if _parts(plain(text)) else _iso(plain(text)))
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def day_of_ms(ms: float, zone: tzinfo) -> float:
    """Return the midnight in UTC of the day that a moment has in the clinic's zone; what no calendar holds stays."""
    try:
        return start_ms((EPOCH + timedelta(milliseconds=ms)).astimezone(zone).date(), UTC)
    except (OverflowError, ValueError):
        return ms


def day_of_text(text: str, zone: tzinfo) -> float | None:
    """Return a moment of a day that is written as such, or as a moment with its offset; None for other texts.

    Raises ValueError.
    """
    said = plain(text)
    if _parts(said):
        return start_ms(date.fromisoformat(folded(text)), zone)
    moment = datetime.fromisoformat(_iso(said))
    return start_ms(moment.date(), zone) if moment.utcoffset() else None


def day_of_date(text: str, zone: tzinfo) -> date:
    """Return the day of a date, or of a moment that was stored as one: ISO 8601 or epoch ms; raises ValueError."""
    said = plain(text)
    if _parts(said):
        return date.fromisoformat(folded(text))
    moment = _moment_of(said)
    try:
        if moment.tzinfo is None or moment.utcoffset():
            return moment.date()
        return _day_of_utc(moment, zone, may_be_the_clouds=_CLOUD_FORM.fullmatch(said) is not None)
    except OverflowError:
        raise ValueError(text) from None


def day_of_midnight(moment: datetime) -> date:
    """Return the day whose midnight a server sends as a moment, in whatever zone it runs (CLOUD.md 0).

    Raises OverflowError for one that UTC does not have.
    """
    in_utc = moment.astimezone(UTC)
    return moment.date() if moment.utcoffset() else (in_utc + _HALF_DAY).date()


def start_ms(day: date, zone: tzinfo) -> int:
    """Return the first moment of a day that is this day both in UTC and in the clinic's zone."""
    ms = (day - EPOCH.date()).days * 86_400_000
    behind = max(_behind(day, time(), zone), _behind(day, time(12), zone))
    return ms + max(0, behind // timedelta(milliseconds=1))


def _behind(day: date, hour: time, zone: tzinfo) -> timedelta:
    try:
        return -(datetime.combine(day, hour, zone).utcoffset() or timedelta())
    except OverflowError:  # the first and the last year
        return timedelta()


def _moment_of(said: str) -> datetime:
    if not _MS.fullmatch(said):
        return datetime.fromisoformat(_iso(said))
    try:
        return EPOCH + timedelta(milliseconds=int(said))
    except OverflowError:
        raise ValueError(said) from None


def _iso(said: str) -> str:
    """Return a moment whose date is written year first, with whatever marks, as ISO 8601; others as they are.

    Raises ValueError for a row of digits: Python would take one of them for the T, and read a time behind it.
    """
    if said.isdecimal():
        raise ValueError(said)
    found = _TIMED.fullmatch(said)
    return f"{folded(found[1])}T{found[2]}" if found and _parts(found[1]) else said


def _day_of_utc(moment: datetime, zone: tzinfo, *, may_be_the_clouds: bool) -> date:
    """Return the day of a moment in the clinic's zone, unless only a server's midnight looks like it.

    A phone that pulled from the cloud itself keeps such a midnight as it came, of whatever zone; a midnight or noon of
    the clinic was picked here.
    """
    here = moment.astimezone(zone)
    if moment.time() == time():
        return moment.date()
    is_picked = here.time() == time() or time(12) in {here.time(), moment.time()}
    return here.date() if is_picked or not may_be_the_clouds else day_of_midnight(moment)


def _parts(text: str) -> tuple[int, int, int] | None:
    """Return year, month and day where they can be those of some calendar."""
    found = _YEAR_FIRST.fullmatch(_BETWEEN.sub("-", text.translate(_EAST_ASIAN)).rstrip("-"))
    if found is None:
        return None
    year, month, day = (int(part) for part in found.groups() if part is not None)
    return (year, month, day) if 1 <= month <= _MONTHS and 1 <= day <= _DAYS else None


def _letter(letter: str) -> str:
    match unicodedata.category(letter):
        case "Nd":
            return str(unicodedata.decimal(letter))
        case "Cf" | "Cc":
            return ""
        case "Pd" | "Sm":
            return "-" if letter != "+" else letter
        case "Zs":
            return " "
        case _:
            return letter
