"""The same sentence wherever somebody reads how the hub is (O2, O3)."""

import html
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from babel.support import NullTranslations
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from hub.cli import console, upkeep
from hub.core.status.facts import Facts, Trouble
from hub.core.status.state import HubState, state
from hub.services.status import file
from hub.settings import HubSettings, Settings
from hub.store.database import Store
from hub.web.pages import public
from hub.words import LANGUAGES, Words, status, words
from tests.core.status.test_state import CLOUD, TROUBLES, WELL, WORSE, facts

DAY_S = 86_400
TEN_YEARS_S = 3653 * DAY_S
CASES = [*WORSE, *((CLOUD | given, named) for given, named in TROUBLES), ({}, HubState.SAFE)]


class Faces:
    """A hub whose facts a test chooses, and all that shows them: page, screen, command line, status.json."""

    def __init__(self, folder: Path) -> None:
        self.facts = WELL
        self._store = Store(folder / "data")
        self._file = folder / "status.json"
        page = public.closed_handlers("Hub", "en", lambda: self.facts, bytes)
        self._browser = TestClient(Litestar(page, openapi_config=None, logging_config=None))

    def page(self, code: str) -> str:
        return html.unescape(self._browser.get("/", headers={"accept-language": code}).text)

    def screen(self, code: str) -> str:
        return console.screen(self._store, Settings(hub=msgspec.convert({"language": code}, HubSettings)), self.facts)

    def command(self, *more: str) -> str:
        folder = str(self._store.path.parent)
        done = CliRunner().invoke(
            upkeep.status, ["--data", folder, *more], env={"HIKMA_HUB_BOX_STATUS_FILE": str(self._file)}
        )
        assert done.exit_code == 0, done.output
        return done.output

    def file(self) -> file.Status:
        file.write(self._file, "Hub", self.facts)
        status = file.read(self._file, time.monotonic())
        assert status
        return status

    def close(self) -> None:
        self._store.close()


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faces]:
    some = Faces(tmp_path_factory.mktemp("faces"))
    yield some
    some.close()


@settings(deadline=None, max_examples=10)
@given(case=st.sampled_from(CASES), waiting=st.integers(1, 10**6), waiting_s=st.integers(0, TEN_YEARS_S))
@example(case=CASES[-2], waiting=1412, waiting_s=36 * 3600)
@example(case=CASES[-3], waiting=1412, waiting_s=36 * 3600)
@example(case=CASES[-3], waiting=1, waiting_s=15 * DAY_S)
@example(case=CASES[-3], waiting=2, waiting_s=20)
def test_page_screen_command_line_and_file_say_the_same(
    faces: Faces, case: tuple[dict[str, object], HubState], waiting: int, waiting_s: int
) -> None:
    given_, named = case
    counted = {name: waiting for name in ("waiting", "quarantined") if name in given_}
    faces.facts = facts(**given_ | counted, waiting_s=waiting_s)
    assert state(faces.facts) is named
    written = faces.file()
    assert written.sentence in faces.command()
    assert written.remedy in faces.command()
    told = msgspec.json.decode(faces.command("--json"))
    assert (told["sentence"], told["remedy"]) == (written.sentence, written.remedy)
    assert (written.sentence, written.remedy) == tuple(_said(faces.facts, words("en")))
    for code in LANGUAGES:
        for text in _said(faces.facts, words(code)):
            assert text in faces.page(code)
            assert text in faces.screen(code)


def _said(now: Facts, spoken: Words) -> Iterator[str]:
    yield status.sentence(spoken, now)
    yield status.remedy(spoken, now)


@settings(deadline=None, max_examples=10)
@given(waiting=st.integers(0, 10**6), waiting_s=st.integers(0, TEN_YEARS_S))
def test_english_needs_no_catalogue(waiting: int, waiting_s: int) -> None:
    bare = Words("en", NullTranslations())
    for given_, _named in CASES:
        now = facts(**given_ | {"waiting": waiting, "waiting_s": waiting_s, "relayed_ago_s": waiting_s})
        assert [*_said(now, bare)] == [*_said(now, words("en"))]
        assert status.summary(bare, now) == status.summary(words("en"), now)


def test_the_sentence_counts_the_records_and_the_time() -> None:
    told = facts(cloud=True, trouble=Trouble.LINE, waiting=1412, waiting_s=7300)
    said = status.sentence(words("en"), told)
    assert said == "1,412 records are safe on this hub and have been waiting 2 hours for internet."
    one = msgspec.structs.replace(told, waiting=1, waiting_s=80)
    assert (
        status.sentence(words("en"), one) == "1 record is safe on this hub and has been waiting 1 minute for internet."
    )


def summary(now: Facts, code: str = "en") -> dict[str, str]:
    return dict(status.summary(words(code), now))


def test_the_summary_speaks_words_and_units() -> None:
    now = facts(
        **CLOUD | {"waiting": 1412, "waiting_s": 36 * 3600, "relayed_ago_s": 14, "trouble": Trouble.LINE},
        free_bytes=62_021_312_512,
        temperature_c=61.4,
        pairing_left_s=600,
        records=12_345,
        patients=3_456,
        visits=7_890,
    )
    assert summary(now) == {
        "Records on this hub": "12,345",
        "Patients": "3,456",
        "Visits": "7,890",
        "Completed forms": "0",
        "Records to check": "0",
        "Phones added": "0",
        "Last sync of a phone": "1 minute ago",
        "Phones in the last 24 hours": "0",
        "Phones syncing now": "0",
        "Adding phones": "possible for 10 minutes",
        "Cloud": "The cloud cannot be reached.",
        "Waiting for the cloud": "1,412",
        "Longest wait": "36 hours",
        "Sent, not yet confirmed": "0",
        "Sending records now": "no",
        "Last success": "just now",
        "Last backup": "never",
        "Database": "sound",
        "Can save data": "yes",
        "Storage": "62 GB free (enough)",
        "Temperature": "61 °C (good)",
        "Clock": "correct",
    }


def test_the_summary_tells_no_numbers_of_a_hub_that_nothing_is_known_of() -> None:
    assert summary(facts(answering=False)) == summary(facts(ready=False)) == {}
    assert summary(facts(damage=("page 3",))) == {"Database": "damaged"}


@pytest.mark.parametrize(
    ("given_", "label", "value"),
    [
        ({"free_bytes": 1}, "Storage", "1 B free (nearly full)"),
        ({"temperature_c": 85.0}, "Temperature", "85 °C (too hot)"),
        ({"power_weak": True}, "Power supply", "too weak"),
        ({"clock_wrong": True}, "Clock", "wrong"),
        ({"writable": False}, "Can save data", "no"),
        ({}, "Cloud", "not connected"),
        ({"cloud": True}, "Cloud", "connected"),
        ({"cloud": True}, "Last success", "not yet"),
    ],
)
def test_the_summary_judges(given_: dict[str, object], label: str, value: str) -> None:
    assert summary(facts(**given_))[label] == value


@pytest.mark.parametrize("trouble", Trouble)
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_trouble_has_its_words(trouble: Trouble, code: str) -> None:
    assert summary(facts(cloud=True, trouble=trouble), code)[words(code).say("Cloud")].endswith((".", "۔"))


def test_every_fact_has_a_name_that_people_know_or_shows_in_the_sentence() -> None:
    in_the_sentence = {"full", "answering", "ready", "locating_left_s", "trouble", "replaced", "stopped", "card"}
    assert set(status.LABELS) == set(Facts.__struct_fields__) - in_the_sentence


def test_raw_values_are_shown_to_nobody(faces: Faces) -> None:
    for given_, _named in CASES:
        faces.facts = facts(**given_)
        faces.file()
        shown: Callable[[str], bool] = faces.command().__contains__
        assert not any(map(shown, ("()", "None", "True", "False", "_s", "bytes")))
