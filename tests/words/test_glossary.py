"""One word per thing, in every language: words that once stood for something else in a clinic do not come back."""

import html
import re
from collections.abc import Iterator

import click
import pytest
from babel.messages.pofile import read_po
from click.testing import CliRunner

from hub.cli import hikma_hub
from hub.core.records.tables import TABLES as STORED
from hub.core.status import label
from hub.core.status.lights import PATTERNS
from hub.web import messages
from hub.words import LANGUAGES, words
from hub.words.tables import TABLES

RETIRED = {
    "en": (
        r"\bthe box\b|quarantine\b|\bjoin(s|ed|ing)?\b|\bshut(s|ting)? \S*out\b|\b(let|kept|keep) (in|out)\b|\bdoor\b"
        r"|\blamps?\b|\bwait here\b|\bended so\b|working memory|\bin step\b|taken in\b|\bthe line\b|\bby mail\b"
        r"|Everything entered|\bthe card that\b"
    ),
    "ar": (
        r"محور|العزل|معزول|الباب\b|مصباح|المصابيح|ينضم|تنضم|انضم|مُنع|السجل اليومي|أنشئ شخصًا|يعتني"
        r"|المحطة|بالبريد\b(?! الإلكتروني)"
    ),
    "es": (
        r"\bcajas?\b|cuarentena|\bunir(se|los)?\b|\bunid[oa]s?\b|exclu|\bla puerta\b|lámparas?|tarjeta(?! SD)"
        r"|frase de contraseña"
    ),
    "fr": (
        r"\bdossiers?\b|quarantaine|\bjoindre\b|\bjoints?\b|exclu|\bla porte\b|\blampes?\b|boîtier|\bwifi\b"
        r"|\berronés?\b|centres? de santé"
    ),
}
"""Each once stood on a page: a patient's file, a cash desk, an isolation ward, an axis, reading lamps ..."""
ALLOWED_IN_HELP = "quarantine"
"""The name of a command, which scripts use."""


def sentences(code: str) -> list[str]:
    with messages.path(code).open("rb") as file:
        read = [message.string for message in read_po(file, locale=code) if message.id]
    return [form for said in read if said for form in ((said,) if isinstance(said, str) else said)]


def helps(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    """Return every text of ``--help``, with the words that lead to it."""
    yield path, command.help or ""
    yield from ((path, option.help or "") for option in command.params if isinstance(option, click.Option))
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from helps(found, f"{path} {name}")


HELPS = list(helps(hikma_hub, "hikma-hub"))


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_retired_word_is_in_a_catalogue(code: str) -> None:
    assert [said for said in sentences(code) if re.search(RETIRED[code], said, re.IGNORECASE)] == []


def test_no_retired_word_is_in_the_help_of_a_command() -> None:
    told = [(path, text.replace(f"'hikma-hub {ALLOWED_IN_HELP}", "")) for path, text in HELPS]
    assert [(path, text) for path, text in told if re.search(RETIRED["en"], text, re.IGNORECASE)] == []


def test_the_list_of_commands_says_of_each_what_it_does_without_cutting_it_off() -> None:
    listed = CliRunner().invoke(hikma_hub, ["--help"], terminal_width=80).output
    assert "admin" in listed
    assert [line for line in listed.splitlines() if line.startswith("  ") and line.endswith("...")] == []


def test_every_kind_of_record_has_a_name_that_a_nurse_knows() -> None:
    assert STORED.keys() <= TABLES.keys()
    assert set(TABLES.values()) <= set(messages.every())


@pytest.mark.parametrize("code", ["ar", "es", "fr"])
def test_a_translation_of_a_sentence_is_not_the_english_one(code: str) -> None:
    """A message left as it came shows itself: only names and units may be alike in two languages."""
    with messages.path(code).open("rb") as file:
        same = {message.id for message in read_po(file, locale=code) if message.id and message.string == message.id}
    assert {text for text in same if isinstance(text, str) and " " in re.sub(r"\{\w+\}", "", text).strip()} == set()


def test_french_marks_stand_with_their_words() -> None:
    loose = [said for said in sentences("fr") if re.search(r" [:;?!»]|« ", said)]
    assert loose == [], "python -m hub.web.messages binds them"


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_a_light_means_can_be_read_whole_on_the_label(code: str) -> None:
    drawn = label.as_svg(words(code).say, is_rtl=code == "ar")
    lines = re.findall(r"<text [^>]*>([^<]*)</text>", drawn)
    assert max(map(len, lines)) <= 72 + 8  # &#x27; counts for one
    for pattern in PATTERNS.values():
        assert html.escape(words(code).say(pattern.meaning)) in " ".join(lines)
