"""Every reason on every face and in every language: the pages, the command line, its JSON, the support file."""

import html
import io
import json
import zipfile
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from hub.app import support
from hub.cli.cloud import cloud
from hub.cli.quarantine import quarantine as command
from hub.core.cloud.link import Link
from hub.core.reasons import CALENDARS, FORMS, PERMISSIONS, Code, Form, Reason, to_json
from hub.core.records.dates import Calendar
from hub.settings import Settings
from hub.store import quarantine
from hub.store.cloud import connection
from hub.store.quarantine import Action, Refused
from hub.words import LANGUAGES, reasons, words
from tests.web.site import Site

SAMPLES: dict[str, str | int | tuple[str, ...]] = {
    "table": "visits",
    "column": "provider_id",
    "columns": ("metadata", "provider_name"),
    "parent": "patients",
    "parents": ("drug_catalogue", "users"),
    "limit": 16_777_216,
    "wanted": Form.NUMBER,
    "found": Form.TEXT,
    "calendar": Calendar.ETHIOPIAN,
    "needs": ("can_edit_records", "can_delete_records"),
    "email": "nurse@clinic.example",
    "name": "Al Noor",
    "detail": "Expected `int`",
    "text": "an old sentence",
}
REASONS = [code.of(**{name: SAMPLES[name] for name in code.params}) for code in Code]
OWN_WORDS = {"wanted", "found", "needs", "calendar", "limit"}
REWORDED = "A sentence that another release might have chosen."


def named(reason: Reason, name: str, code: str) -> list[str]:
    """Return how a parameter looks in a language."""
    value = reason.params[name]
    spoken = words(code)
    if isinstance(value, int):
        return [spoken.number(value)]
    table = {**FORMS, **PERMISSIONS, **CALENDARS} if name in OWN_WORDS else {}
    return [
        spoken.say(table[one]) if one in table else one for one in (value if isinstance(value, tuple) else (value,))
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a hub with each reason in quarantine and in the outbox, all beside a sentence of another time."""
    with Site(tmp_path_factory.mktemp("reasons") / "data") as made:
        made.set_up()
        made.sign_in()
        with made.store.write() as tx:
            connection.connect(tx, Link("https://cloud.test", "device", "Hub", ()), "key")
            for num, reason in enumerate(REASONS, 1):
                quarantine.add(
                    tx,
                    Refused(
                        table_name="visits",
                        record_id=f"v{num}",
                        action=Action.KEEP,
                        reason=reason,
                        raw=f"{num}",
                        device=1,
                        user_id="u",
                    ),
                )
                tx.db.execute(
                    "INSERT INTO outbox (table_name, num, revision, queued, held, reason, why)"
                    " VALUES ('visits', ?, 1, 1, 1, ?, ?)",
                    [num, REWORDED, to_json(reason)],
                )
            tx.db.execute("UPDATE quarantine SET reason = ?", [REWORDED])
        yield made


def run(site: Site, *words_of_command: str) -> str:
    group = cloud if words_of_command[0] == "status" else command
    done = CliRunner().invoke(group, [*words_of_command, "--data", str(site.store.path.parent)])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.code.word)
def test_a_reason_has_a_sentence_with_all_that_it_names(reason: Reason, code: str) -> None:
    sentence = reasons.said(words(code), reason)
    assert all(shown in sentence for name in reason.params for shown in named(reason, name, code))
    assert "{" not in sentence
    if code == "en":
        assert sentence == str(reason)
    elif reason.code is not Code.OTHER:
        assert sentence != str(reason), f"{reason.code.sentence!r} has no translation"


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_the_words_inside_a_reason_are_translated(code: str) -> None:
    for text in (*FORMS.values(), *PERMISSIONS.values()):
        assert words(code).say(text) != text


def test_a_reason_without_its_translation_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    spoken = words("fr")
    reason = Code.NOT_JSON.of(table="visits")
    assert reasons.said(spoken, reason) != str(reason)
    monkeypatch.setattr(spoken._catalogue, "gettext", lambda text: text)
    assert reasons.said(spoken, reason) == str(reason)


@pytest.mark.parametrize("path", ["/quarantine", "/cloud"])
@pytest.mark.parametrize("code", LANGUAGES)
def test_a_page_says_every_reason_by_its_code_whatever_sentence_was_stored(site: Site, path: str, code: str) -> None:
    text = html.unescape(site.get(path, **{"accept-language": code}).text)
    assert [reason for reason in REASONS if reasons.said(words(code), reason) not in text] == []
    assert REWORDED not in text


def test_the_command_line_lists_every_reason_as_the_page_does(site: Site) -> None:
    listed, waiting = run(site, "list"), run(site, "status")
    for reason in REASONS:
        assert reasons.said(words("en"), reason) in listed
        assert f"visits: {reason}" in waiting
    assert REWORDED not in listed + waiting


def test_json_has_the_sentence_the_code_and_the_parameters_of_every_reason(site: Site) -> None:
    wanted = {str(reason): json.loads(to_json(reason)) for reason in REASONS}
    for rows in (json.loads(run(site, "list", "--json")), json.loads(run(site, "status", "--json"))["reasons"]):
        assert {row["reason"]: {"code": row["code"], "params": row["params"]} for row in rows} == wanted
    assert {json.loads(run(site, "show", str(num)))["code"] for num in (1, len(REASONS))} == {
        REASONS[0].code.word,
        REASONS[-1].code.word,
    }


def test_s6_the_support_file_counts_every_code_and_keeps_free_text_here(site: Site) -> None:
    content = support.build(site.store.path.parent, Settings(), site.store)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        kept_apart = json.loads(file.read("quarantine.json"))
        waiting = json.loads(file.read("relay.json"))["reasons"]
    for rows in (kept_apart, waiting):
        assert {row["code"] for row in rows} == {code.word for code in Code}
        assert {row["reason"] for row in rows} == {str(reason.public()) for reason in REASONS}
        text = json.dumps(rows, ensure_ascii=False)
        assert not [SAMPLES[name] for name in ("email", "name", "detail", "text") if str(SAMPLES[name]) in text]
        assert REWORDED not in text
