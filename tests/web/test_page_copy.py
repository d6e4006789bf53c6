"""The page on which a copy on a USB stick is begun and ended."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hub.actions.box import copying
from hub.core.copy.standing import Copy, Spare
from hub.services.copy import stick as sticks
from hub.settings import CopySettings, Settings, WebSettings
from tests.web.site import Site

PASSPHRASE = "four words are enough"


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def site(tmp_path: Path, stick: Path) -> Iterator[Site]:
    settings = Settings(web=WebSettings(https_port=4443), copy=CopySettings(folder=str(stick)))
    with Site(tmp_path / "data", settings=settings) as made:
        made.set_up()
        made.sign_in()
        yield made


def begin(site: Site, passphrase: str, again: str) -> str:
    answer = site.submit("/copy/start", {"passphrase": passphrase, "again": again}, page="/copy")
    return str(answer.headers.get("location", answer.text))


def test_a_copy_is_begun_on_the_stick_that_is_in_and_ended(site: Site, stick: Path) -> None:
    assert begin(site, PASSPHRASE, PASSPHRASE).endswith("done=copy_started")
    kept = copying.config(site.store)
    assert kept is not None
    assert [one.mark.id for one in sticks.copies(stick)] == [kept.id]
    assert site.submit("/copy/stop", {}, page="/copy").headers["location"].endswith("done=copy_stopped")
    assert copying.config(site.store) is None


def test_a_copy_on_a_spare_is_called_so(site: Site) -> None:
    spare = Spare(url="https://192.0.2.9:4444", token="t", certificate="c")
    kept = Copy(id="c", folder="192.0.2.9", spare=spare, salt=b"s", recipient=b"r" * 32)
    copying.start(site.store, kept)
    text = site.get("/copy").text
    assert "<h1>Copy on a spare</h1>" in text
    assert "Everything is written to the spare" in text


def test_two_passphrases_or_a_short_one_begin_nothing(site: Site, stick: Path) -> None:
    assert "The two passphrases are not the same." in begin(site, PASSPHRASE, "four other words here")
    assert "character" in begin(site, "short", "short")
    assert copying.config(site.store) is None
    assert not (stick / sticks.FOLDER).exists()


def test_the_passphrase_stands_on_the_sheet_for_the_safe_once_where_the_organisation_wants_it(site: Site) -> None:
    settings = site.live.settings
    site.live.settings = msgspec.structs.replace(
        settings, copy=msgspec.structs.replace(settings.copy, print_passphrase=True)
    )
    sheet = begin(site, PASSPHRASE, PASSPHRASE)
    assert PASSPHRASE in sheet
    assert "Emergency sheet" in sheet
    assert PASSPHRASE not in site.get("/emergency-sheet").text
    assert copying.config(site.store) is not None


def test_a_wrong_code_of_a_spare_begins_nothing_and_is_kept_in_its_field(site: Site) -> None:
    fields = {"code": "hikma-spare:192.0.2.1:4444:abc", "passphrase": PASSPHRASE, "again": PASSPHRASE}
    answer = site.submit("/copy/start", fields, page="/copy")
    assert "this is not its code" in answer.text
    assert fields["code"] in answer.text
    assert copying.config(site.store) is None


def test_without_a_stick_the_page_says_what_to_do(site: Site, stick: Path) -> None:
    stick.rmdir()
    assert "put a USB stick into this device" in site.get("/copy").text


def test_nobody_begins_a_copy_without_signing_in(site: Site) -> None:
    with site.stranger():
        answer = site.client.get("/copy", follow_redirects=False)
    assert answer.headers["location"].startswith("/sign-in")
