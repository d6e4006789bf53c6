"""The four languages of people: messages, numbers, dates; English texts are the names of their translations."""

import datetime as dt
import io
from functools import cache, cached_property
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from hub.late import Late

if TYPE_CHECKING:
    import babel
    from babel import dates, numbers
    from babel.messages import mofile, pofile
else:
    babel = Late("babel")
    dates = Late("babel.dates")
    numbers = Late("babel.numbers")
    mofile = Late("babel.messages.mofile")
    pofile = Late("babel.messages.pofile")

LANGUAGES: Final = {"en": "English", "ar": "العربية", "es": "Español", "fr": "Français"}
RIGHT_TO_LEFT = frozenset({"ar"})
_DIGITS = {"ar": str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")}
"""Babel keeps 0 to 9 in some of its texts; a sentence must not mix two kinds."""
_MINUTE_S = 60
_HOUR_MIN = 60
_THOUSAND = 1000
UNITS = ("{number} B", "{number} kB", "{number} MB", "{number} GB", "{number} TB")


class Words:
    """One language."""

    def __init__(self, code: str, catalogue: NullTranslations) -> None:
        self.code = code
        self.direction = "rtl" if code in RIGHT_TO_LEFT else "ltr"
        self._catalogue = catalogue
        self._digits = _DIGITS.get(code, {})
        self._numbering = "arab" if code in _DIGITS else "latn"

    @cached_property
    def _locale(self) -> "babel.Locale":
        return babel.Locale.parse(self.code)

    def say(self, english: str, **values: object) -> str:
        """Translate a text and fill its ``{name}`` in."""
        said = self._catalogue.gettext(english)
        return said.format(**values) if values else said

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """Translate a text about a number of things; ``{count}`` becomes the number."""
        return self._catalogue.ngettext(one, many, number).format(count=self.number(number), **values)

    def number(self, value: float) -> str:
        """Write a number."""
        return numbers.format_decimal(
            value, format="#,##0.#", locale=self._locale, numbering_system=self._numbering
        ).translate(self._digits)

    def size(self, size_bytes: float) -> str:
        """Write a size in the unit that suits it, by thousands as disks are sold."""
        unit = 0
        while size_bytes >= _THOUSAND and unit < len(UNITS) - 1:
            size_bytes /= _THOUSAND
            unit += 1
        return self.say(UNITS[unit], number=self.number(size_bytes))

    def span(self, seconds: float) -> str:
        """Write a length of time, roughly: ``3 hours``."""
        return dates.format_timedelta(
            dt.timedelta(seconds=max(seconds, _MINUTE_S)), granularity="minute", threshold=2, locale=self._locale
        ).translate(self._digits)

    def clock(self, seconds: int) -> str:
        """Write what is left, to the second: ``54:22``, ``3:54:22``."""
        minutes, rest = divmod(max(seconds, 0), _MINUTE_S)
        hours, minutes = divmod(minutes, _HOUR_MIN)
        left = f"{hours}:{minutes:02}" if hours else f"{minutes}"
        return f"{left}:{rest:02}".translate(self._digits)

    def ago(self, seconds: float) -> str:
        """Write how long ago something was: ``3 hours ago``."""
        if seconds < _MINUTE_S:
            return self.say("just now")
        return dates.format_timedelta(
            dt.timedelta(seconds=-seconds), granularity="minute", threshold=2, add_direction=True, locale=self._locale
        ).translate(self._digits)

    def moment(self, wall_ms: int) -> str:
        """Write a date and a time of day."""
        at = dt.datetime.fromtimestamp(wall_ms / 1000).astimezone()
        return dates.format_datetime(at, "medium", locale=self._locale).translate(self._digits)

    def hour(self, at: dt.datetime) -> str:
        """Write a full hour, short enough for a chart: ``9 AM``, ``09:00``."""
        has_halves = "a" in self._locale.time_formats["short"].pattern
        said = dates.format_skeleton("h", at, locale=self._locale) if has_halves else None
        return (said or dates.format_time(at, "short", locale=self._locale)).translate(self._digits)

    def day(self, at: dt.datetime) -> str:
        """Write a day of the week."""
        return dates.format_date(at, "EEE", locale=self._locale).translate(self._digits)


@cache
def words(code: str) -> Words:
    """Return a language; its catalogue is read at first use."""
    if code == "en":  # which a start writes into status.json; its catalogue says what the code says
        return Words(code, NullTranslations())
    source = files("hub.words").joinpath("locale", f"{code}.po").read_bytes()
    compiled = io.BytesIO()
    mofile.write_mo(compiled, pofile.read_po(io.BytesIO(source), locale=code))
    compiled.seek(0)
    return Words(code, GNUTranslations(compiled))


def choose(chosen: str | None, accepted: str, default: str) -> str:
    """Return the code of the language that was chosen, or else the best of an Accept-Language header."""
    if chosen in LANGUAGES:
        return chosen
    wanted: list[tuple[float, str]] = []
    for part in accepted.split(",")[:20]:
        name, _, quality = part.partition(";q=")
        try:
            wanted.append((-float(quality or 1), name.strip().lower().split("-")[0]))
        except ValueError:
            continue
    return next((name for _, name in sorted(wanted, key=lambda pair: pair[0]) if name in LANGUAGES), default)
