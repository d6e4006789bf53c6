"""The languages: every message in all four, and numbers and times as people write them there."""

import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import TemplateSyntaxError

from hub.core.status.facts import FREE_BYTES_LOW, Facts, Trouble
from hub.core.status.state import HubState
from hub.web import messages
from hub.web.messages import Message
from hub.words import LANGUAGES, choose, status, words

MESSAGES = messages.every()


def catalogue(code: str) -> dict[Message, tuple[str, ...]]:
    """Return every message with its translation, or its forms."""
    with messages.path(code).open("rb") as file:
        read = read_po(file, locale=code, abort_invalid=True)
    found: dict[Message, tuple[str, ...]] = {}
    for message in read:
        if message.id and not message.fuzzy:
            key = message.id if isinstance(message.id, str) else (message.id[0], message.id[1])
            found[key] = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    return found


def test_the_english_catalogue_says_what_the_code_says() -> None:
    said = {message: (message,) if isinstance(message, str) else message for message in MESSAGES}
    assert catalogue("en") == said, "words() reads no catalogue for English"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_message_exists_in_every_language(code: str) -> None:
    found = catalogue(code)
    missing = [message for message in MESSAGES if not all(found.get(message) or ("",))]
    assert missing == [], "python -m hub.web.messages brings the catalogues up to date; then translate"
    assert set(found) == set(MESSAGES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_translation_asks_for_what_the_message_does_not_give(code: str) -> None:
    for message, forms in catalogue(code).items():
        given = fields(message if isinstance(message, str) else message[1])
        assert all(fields(form) <= given for form in forms), message
        assert fields(forms[-1]) == given, message


def test_a_template_that_cannot_be_read_fails_instead_of_losing_its_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web" / "templates").mkdir(parents=True)
    (tmp_path / "words").mkdir()
    (tmp_path / "cli").mkdir()
    (tmp_path / "web" / "templates" / "broken.html").write_text('{{ _("Lost", *more, last) }}')
    monkeypatch.setattr(messages, "files", lambda _: tmp_path)
    with pytest.raises(TemplateSyntaxError):
        list(messages._sources())


def test_english_is_its_own_translation() -> None:
    for message, forms in catalogue("en").items():
        assert forms == ((message,) if isinstance(message, str) else message)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("named", HubState)
def test_every_state_has_its_sentence_in_every_language(code: str, named: HubState) -> None:
    facts = Facts(waiting=1412, waiting_s=7300, quarantined=3, free_bytes=FREE_BYTES_LOW)
    sentence, remedy = (status.fill(words(code), text, facts) for text in named.texts)
    assert sentence
    assert remedy
    assert "{" not in sentence + remedy
    if code != "en":
        assert sentence != status.fill(words("en"), named.texts[0], facts)


def test_the_sentence_counts_as_each_language_counts() -> None:
    def said(code: str, waiting: int) -> str:
        facts = Facts(free_bytes=FREE_BYTES_LOW, cloud=True, trouble=Trouble.LINE, waiting=waiting, waiting_s=7300)
        return status.fill(words(code), HubState.LINE_LOST.texts[0], facts)

    assert said("en", 1) == "1 record is safe on this hub and has been waiting 2 hours for internet."
    assert said("es", 1412).startswith("1.412 registros están a salvo en este hub")
    assert said("fr", 0).startswith("0 enregistrement est en sécurité")
    assert said("ar", 1).startswith("سجل واحد محفوظ")
    assert said("ar", 2).startswith("سجلان محفوظان")
    assert said("ar", 5).startswith("٥ سجلات")
    assert said("ar", 11).startswith("١١ سجلًا")
    assert said("ar", 100).startswith("١٠٠ سجل محفوظة")


def test_numbers_sizes_and_times_are_written_as_people_do() -> None:
    assert words("en").number(1234567) == "1,234,567"
    assert words("ar").number(1234) == "١٬٢٣٤"
    assert words("fr").size(81_300_000_000) == "81,3 Go"
    assert words("en").size(999) == "999 B"
    assert words("es").ago(200) == "hace 3 minutos"
    assert words("en").ago(4) == "just now"
    assert words("ar").span(7300) == "ساعتان"
    assert not set("0123456789") & set(words("ar").moment(1_800_000_000_000))


@pytest.mark.parametrize(
    ("chosen", "accepted", "code"),
    [
        ("fr", "es", "fr"),
        (None, "es-MX,es;q=0.9,en;q=0.8", "es"),
        (None, "de-DE,de;q=0.9,ar;q=0.5,en;q=0.3", "ar"),
        (None, "en;q=0.2,fr;q=0.7", "fr"),
        ("xx", "", "en"),
        (None, "zz;q=much,,;;", "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_else_the_browsers_best(chosen: str | None, accepted: str, code: str) -> None:
    assert choose(chosen, accepted, "en") == code
