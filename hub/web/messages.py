"""Collects every message of the pages, the screen and the label, so that none is left without a translation.

``python -m hub.web.messages`` brings the catalogues up to date: new messages come in empty, old ones go.
"""

import io
import re
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from hub.core.cloud.cycle_outcome import Outcome
from hub.core.fleet.reporting import ReportOutcome
from hub.core.phone.reach import LOOKS, REMEDY
from hub.core.status.lights import PATTERNS
from hub.core.status.state import HubState
from hub.web.notes import NOTES
from hub.web.pages import settings
from hub.web.pages.accounts import REFUSED, ROLES
from hub.web.pages.audit import EVENTS
from hub.web.pages.finishing import STEPS
from hub.web.pages.network import ENDS, OWN_IS
from hub.web.pages.problem import SENTENCES
from hub.web.pages.updates import SOURCES
from hub.words import LANGUAGES, UNITS, reasons, updates
from hub.words.status import LABELS
from hub.words.tables import TABLES

Message = str | tuple[str, str]
"""A text, or the texts for one and for many."""

_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_STRICT = {"templates/**.html": {"silent": "false"}}
"""A template that cannot be read must fail: without its messages their translations would be thrown away."""
_NOISE = (
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Last-Translator',
    '"Language-Team',
    '"Report-Msgid-Bugs-To',
    '"Generated-By',
    '"Project-Id-Version',
)
_KEYWORDS = {"_": None, "say": None, "_n": (1, 2), "count": (1, 2)}


def every() -> list[Message]:
    """Return all messages, each once."""
    return list(dict.fromkeys([*_tables(), *_sources(), *LABELS.values()]))


def template() -> Catalog:
    """Return a catalogue of all messages without translations."""
    catalogue = Catalog(charset="utf-8", fuzzy=False)
    for message in every():
        catalogue.add(message)
    return catalogue


def path(code: str) -> Path:
    """Return where the catalogue of a language is."""
    return Path(str(files("hub.words"))) / "locale" / f"{code}.po"


def update(code: str) -> None:
    """Bring the catalogue of a language up to date; in English a message is its own translation."""
    with path(code).open("rb") as file:
        before = read_po(file, locale=code)
    catalogue = Catalog(locale=code, charset="utf-8", fuzzy=False, project="Hikma Hub")
    for message in every():
        known = before.get(message[0] if isinstance(message, tuple) else message)
        translated = (known.string if known else "") or ""
        catalogue.add(message, message if code == "en" else _typeset(code, translated))
    save(code, catalogue)


def _typeset(code: str, translated: str | tuple[str, ...] | list[str]) -> str | tuple[str, ...]:
    """Keep French marks with their words: a space before one of them never ends a line."""
    if not isinstance(translated, str):
        return tuple(str(_typeset(code, form)) for form in translated)
    return re.sub(r" (?=[:;?!»])|(?<=«) ", "\u00a0", translated) if code == "fr" else translated


def save(code: str, catalogue: Catalog) -> None:
    """Write the catalogue of a language, without dates and names that would change with every run."""
    out = io.BytesIO()
    catalogue.header_comment = f"# {LANGUAGES[code]}: translations of the pages of Hikma Hub."
    write_po(out, catalogue, width=120)
    lines = out.getvalue().decode().splitlines(keepends=True)
    path(code).write_text("".join(line for line in lines if not line.startswith(_NOISE)), "utf-8")


def _tables() -> Iterator[Message]:
    for state in HubState:
        for text in state.texts:
            yield (text.one, text.many) if text.many else text.one
    for pattern in PATTERNS.values():
        yield from (pattern.meaning, pattern.rhythm)
    yield from (outcome.sentence for outcome in Outcome)
    yield from (outcome.sentence for outcome in ReportOutcome)
    for table in (NOTES, EVENTS, ROLES, REFUSED, STEPS, SENTENCES, ENDS, SOURCES, settings.LABELS, TABLES):
        yield from table.values()
    for choices in settings.CHOICES.values():
        yield from choices.values()
    yield OWN_IS
    yield from settings.GROUPS
    for texts in settings.REASONS.values():
        yield from texts
    yield from (LOOKS, REMEDY)
    yield from reasons.messages()
    yield from updates.messages()
    yield from UNITS


def _sources() -> Iterator[Message]:
    """Read the messages in the code of the pages, and of the screen and the label, which speak too."""
    with as_file(files("hub")) as folder:
        faces = [*_extracted(folder / "web"), *_extracted(folder / "cli")]
        found = [*sorted(faces, key=lambda row: row[:2]), *_extracted(folder / "words")]
        for _file, _line, message, _comments, _context in found:
            if not isinstance(message, tuple):
                yield message
            elif isinstance(message[0], str) and message[0]:
                yield message[0], message[1]


def _extracted(folder: Path) -> Iterator[Any]:
    return extract_from_dir(folder, method_map=_METHODS, keywords=_KEYWORDS, options_map=_STRICT)


if __name__ == "__main__":
    for language in LANGUAGES:
        update(language)
