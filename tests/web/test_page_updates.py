"""The page of updates: it leaves wishes for a program of root, takes a file to disk, and tells what came of it."""

import html
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from hub import __version__
from hub.actions.cloud import cycles, link
from hub.actions.people import audit
from hub.app import updating
from hub.core.cloud.link import Link
from hub.core.status.facts import FREE_BYTES_LOW
from hub.core.update.last import Fate, LastUpdate
from hub.core.update.refusal import Refusal
from hub.core.update.told import Doing, Told
from hub.core.update.wishes import Discard, Found, GoBack, Install, Look, Source, Try, Wish
from hub.services.relay import cycle
from hub.settings import Settings
from hub.settings.tree import BoxSettings, RelaySettings, UpdateSettings
from hub.words import LANGUAGES, words
from tests.web.site import _FORM_KEY, Site

URL = "https://updates.example.org/hub.raucb"
STICK = Found(source=Source.STICK, version="99.0.0", size_bytes=400_000_000)
FAR = Found(source=Source.ADDRESS, version="99.1.0", size_bytes=600_000_000)
IDLE = Told(running="A", usual="A", other=True, found=(STICK, FAR))


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "told.json"


@pytest.fixture
def site(tmp_path: Path, told: Path) -> Iterator[Site]:
    """Return the pages of a hub that can be updated, for its administrator."""
    tell(told, IDLE)
    box = BoxSettings(update_wish=str(tmp_path / "wish"), update_told=str(told))
    settings = Settings(box=box, update=UpdateSettings(url=URL), relay=RelaySettings(month_mb=1000))
    with Site(tmp_path / "data", settings=settings) as made:
        made.set_up()
        made.sign_in()
        yield made


def tell(path: Path, told: Told) -> None:
    path.write_bytes(msgspec.json.encode(told))


def wished(told: Path) -> Wish | None:
    path = told.with_name("wish")
    return msgspec.json.decode(path.read_bytes(), type=Wish) if path.exists() else None


def send(site: Site, content: bytes, *, key: str | None = None, **headers: str) -> httpx.Response:
    """Send a file, as a browser does that loaded the page just now."""
    found = _FORM_KEY.search(site.get("/updates").text)
    return site.client.post(
        "/updates/send",
        data={"form_key": (found[1] if found else "") if key is None else key},
        files={"file": ("hub.raucb", content)},
        headers={"accept": "text/html", "origin": "https://hikma-hub.local", **headers},
        follow_redirects=False,
    )


def received(site: Site) -> list[str]:
    return [path.name for path in site.store.path.parent.iterdir() if path.name.startswith("update")]


def test_what_runs_and_what_is_there_is_shown_and_the_box_page_leads_there(site: Site) -> None:
    shown = site.get("/updates").text
    for text in (__version__, "Version 99.0.0", "Version 99.1.0", "400 MB", URL, "Go back …"):
        assert text in shown
    assert 'href="/updates"' in site.get("/box").text


def test_what_could_be_installed_is_counted_in_the_menu_of_every_page(site: Site, told: Path) -> None:
    counted = '<a href="/box">This device <b class="count">2</b>'
    assert counted in site.get("/").text
    tell(told, msgspec.structs.replace(IDLE, found=()))
    assert counted not in site.get("/").text


@pytest.mark.parametrize(
    ("form", "fields", "wish"),
    [
        ("install", {"source": "stick"}, Install(Source.STICK)),
        ("install", {"source": "address"}, Install(Source.ADDRESS)),
        ("look", {}, Look(address=True)),
        ("try", {}, Try()),
        ("back", {}, GoBack()),
        ("discard", {}, Discard()),
    ],
)
def test_a_tap_leaves_a_wish_for_who_may_grant_it(
    site: Site, told: Path, form: str, fields: dict[str, str], wish: Wish
) -> None:
    assert site.submit(f"/updates/{form}", fields, page="/updates").headers["location"] == "/updates"
    assert wished(told) == wish
    assert told.with_name("wish").stat().st_mode & 0o777 == 0o600
    assert "begins in a moment" in site.get("/updates").text


@pytest.mark.parametrize("source", ["upload", "", "../../etc", "elsewhere"])
def test_nothing_else_than_what_is_told_can_be_installed(site: Site, told: Path, source: str) -> None:
    answer = site.submit("/updates/install", {"source": source}, page="/updates")
    assert answer.status_code == 400
    assert "No update is there" in answer.text
    assert wished(told) is None


@pytest.mark.parametrize("doing", Doing)
def test_while_something_is_done_nothing_else_is_asked_for_or_taken(site: Site, told: Path, doing: Doing) -> None:
    tell(told, msgspec.structs.replace(IDLE, doing=doing))
    shown = site.get("/updates").text
    assert 'data-live="soon"' in shown
    assert "/updates/install" not in shown
    answer = site.submit("/updates/install", {"source": "stick"}, page="/box")
    assert "Another update is being installed" in answer.text
    key = _FORM_KEY.search(site.get("/box").text)
    assert key is not None
    assert send(site, b"x" * 1000, key=key[1]).headers["location"] == "/updates"
    assert (wished(told), received(site)) == (None, [])


def test_a_file_is_taken_to_disk_and_looked_at_by_who_may(site: Site, told: Path) -> None:
    content = os.urandom(3_000_000)
    assert send(site, content).headers["location"] == "/updates"
    path = site.store.path.parent / "update.raucb"
    assert path.read_bytes() == content
    assert wished(told) == Look()
    events = [entry["event"] for entry in audit.newest(site.store, limit=10).entries]
    assert "box.update_sent" in events


def test_a_file_without_its_page_or_from_a_stranger_is_not_taken(site: Site, told: Path) -> None:
    assert send(site, b"bundle", key="0" * 64).status_code == 403
    assert send(site, b"bundle", origin="https://evil.example").status_code == 403
    with site.stranger():
        assert send(site, b"bundle").headers["location"] == "/updates"
        assert site.get("/updates").status_code != 200
        for form in ("look", "install", "try", "back", "discard"):
            site.submit(f"/updates/{form}", {"source": "stick"}, page="/sign-in")
    assert (wished(told), received(site)) == (None, [])


def test_a_file_that_is_cut_off_leaves_nothing(site: Site, told: Path) -> None:
    key = _FORM_KEY.search(site.get("/updates").text)
    assert key is not None
    half = (
        f'--cut\r\ncontent-disposition: form-data; name="form_key"\r\n\r\n{key[1]}\r\n'
        '--cut\r\ncontent-disposition: form-data; name="file"; filename="hub.raucb"\r\n\r\n'
    ).encode() + bytes(100_000)
    headers = {"content-type": "multipart/form-data; boundary=cut", "origin": "https://hikma-hub.local"}
    answer = site.client.post("/updates/send", content=half, headers={"accept": "text/html", **headers})
    assert answer.status_code == 400
    assert (wished(told), received(site)) == (None, [])


def test_a_file_for_which_there_is_no_room_is_refused_with_another_way(
    site: Site, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = FREE_BYTES_LOW + 500_000
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": usage}))
    answer = send(site, b"x" * 1_000_000)
    assert answer.status_code == 400
    assert "Bring the update on a USB stick instead" in answer.text
    assert (wished(told), received(site)) == (None, [])


def test_one_that_is_larger_than_any_system_is_not_read(site: Site, told: Path) -> None:
    answer = send(site, b"x", **{"content-length": str(3 * 1000**3)})
    assert answer.status_code == 413
    assert (wished(told), received(site)) == (None, [])


def test_an_update_that_costs_more_than_the_month_has_left_is_not_fetched(site: Site, told: Path) -> None:
    link.connect(site.store, Link("https://127.0.0.1:9", "d", "Clinic", ("clinic-1",)), "hh_1")
    cycles.advance(site.store, month=cycle.month(None), month_bytes=500_000_000)
    answer = site.submit("/updates/install", {"source": "address"}, page="/updates")
    assert "larger than what the hub may still use" in answer.text
    assert wished(told) is None
    cycles.advance(site.store, month_bytes=100_000_000)
    site.submit("/updates/install", {"source": "address"}, page="/updates")
    assert wished(told) == Install(Source.ADDRESS)
    assert cycles.progress(site.store).month_bytes == 700_000_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_nothing_was_installed_is_said_in_every_language(site: Site, told: Path, language: str) -> None:
    site.get(f"/updates?lang={language}")
    values = {"version": "9.9.9", "current": "1.1.1", "detail": "a word"}
    for why in (Refusal.PULLED, Refusal.STRANGER, Refusal.NOT_NEWER, Refusal.NO_ROOM, Refusal.BUSY):
        failed = Found(source=Source.STICK, refused=why.word, values=values)
        tell(told, msgspec.structs.replace(IDLE, failed=failed))
        assert html.escape(words(language).say(why.sentence, **values)) in html.escape(
            html.unescape(site.get("/updates").text)
        )


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (LastUpdate(version="2.0.0", before="1.0.0", fate=Fate.TRYING), "is being tested"),
        (LastUpdate(version="2.0.0", before="1.0.0", fate=Fate.RETURNED), "did not start"),
        (
            LastUpdate(version="2.0.0", before="1.0.0", fate=Fate.RETURNED, missing=("READY",)),
            "The hub did not answer.",
        ),
        (LastUpdate(version="2.0.0", before="1.0.0", fate=Fate.KEPT), "was updated from version 1.0.0"),
    ],
)
def test_what_became_of_the_last_one_is_told(site: Site, told: Path, last: LastUpdate, said: str) -> None:
    tell(told, msgspec.structs.replace(IDLE, last=last))
    assert said in site.get("/updates").text


def test_on_a_card_with_one_system_the_page_says_what_to_do(site: Site, told: Path) -> None:
    tell(told, Told())
    shown = site.get("/updates").text
    assert "holds one system" in shown
    assert "/updates/send" not in shown


def test_a_hub_on_another_machine_has_no_such_page(tmp_path: Path) -> None:
    with Site(tmp_path / "plain") as plain:
        plain.set_up()
        plain.sign_in()
        assert plain.get("/updates").status_code == 404
        assert 'href="/updates"' not in plain.get("/box").text


def test_the_address_is_asked_once_and_only_within_hours_and_bytes(site: Site, told: Path) -> None:
    link.connect(site.store, Link("https://127.0.0.1:9", "d", "Clinic", ("clinic-1",)), "hh_1")
    assert updating.ask(site.store, site.live)
    assert wished(told) == Look(address=True)
    assert not updating.ask(site.store, site.live), "one is waiting"
    told.with_name("wish").unlink()
    cycles.advance(site.store, month_bytes=1_000_000_000)
    assert not updating.ask(site.store, site.live)
    assert wished(told) is None


def test_in_the_first_seconds_a_card_with_two_systems_is_not_told_to_be_flashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cmdline").write_text("quiet rauc.slot=B panic=10\n")
    assert updating.has_two(tmp_path)
    monkeypatch.setattr(updating, "has_two", lambda: True)
    box = BoxSettings(update_wish=str(tmp_path / "wish"), update_told=str(tmp_path / "none"))
    with Site(tmp_path / "data", settings=Settings(box=box)) as made:
        made.set_up()
        made.sign_in()
        shown = made.get("/updates").text
    assert "The hub looks for updates." in shown
    assert "holds one system" not in shown
