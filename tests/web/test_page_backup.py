"""The backup from the page: over a line that nobody hears, streamed, noted (O4, S6)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions.box import facts, identity
from hub.app import backup
from hub.core.encrypted_stream import age
from hub.core.status.facts import Facts
from hub.settings import Settings, WebSettings
from hub.store.database import Store
from hub.store.people import audit
from hub.web.pages import public
from hub.words import LANGUAGES, words
from tests.hubs import InProcessHub, changes, row
from tests.mounts import Mount, mount
from tests.web.site import ADMINISTRATOR, Site

__all__ = ["mount"]

SECRET = "four words are enough"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a guess cost nothing."""
    monkeypatch.setattr(age, "_WORK_FACTOR", 4)


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Site]:
    prepared = InProcessHub(tmp_path / "data")
    prepared.client().push(changes("patients", created=[row("patients", f"p{number}") for number in range(2000)]))
    prepared.close()
    with Site(tmp_path / "data") as site:
        site.set_up()
        site.sign_in()
        yield site


def test_o4_the_backup_is_saved_from_the_page_and_makes_a_hub(inside: Site, tmp_path: Path) -> None:
    answer = inside.submit("/box/backup", {"passphrase": SECRET, "again": SECRET}, page="/box")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith('attachment; filename="hikma-hub-20')
    assert "content-length" not in answer.headers  # it is sent while it is made
    backup.restore([answer.content], tmp_path / "new", SECRET)
    store = Store(tmp_path / "new")
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM patients").fetchone()[0] == 2000
    store.close()
    with inside.store.read() as db:
        newest = next(audit.entries(db))
    assert (newest["event"], newest["actor"]) == ("backup.made", f"administrator:{ADMINISTRATOR}")
    assert "A backup of everything was made" in inside.get("/log").text
    assert not list(inside.store.path.parent.glob("*backup*"))


def test_the_page_says_when_the_last_whole_backup_was_made(inside: Site) -> None:
    inside.pages.watch.take(facts.gather(inside.store))
    assert "Make a backup now" in inside.get("/").text
    assert "Last backup: never" in inside.get("/box").text
    pieces = backup.encrypted(inside.store, SECRET, inside.file)
    assert next(pieces)
    del pieces  # the browser went away
    inside.pages.watch.take(facts.gather(inside.store))
    assert "Last backup: never" in inside.get("/box").text
    inside.submit("/box/backup", {"passphrase": SECRET, "again": SECRET}, page="/box")
    inside.pages.watch.take(facts.gather(inside.store))
    assert "Last backup: just now" in inside.get("/box").text
    assert "Make a backup now" not in inside.get("/").text


def test_an_old_backup_is_reminded_of_unless_a_stick_has_everything() -> None:
    day_s = 86_400
    for age_s, copies, is_due in ((None, None, True), (8 * day_s, 1, True), (6 * day_s, None, False), (None, 2, False)):
        assert public.is_backup_due(Facts(records=1, backed_up_s=age_s, copies=copies)) is is_due
    assert not public.is_backup_due(Facts(records=0))


def test_the_emergency_sheet_has_what_is_needed_and_no_secret(inside: Site) -> None:
    text = inside.get("/emergency-sheet").text
    assert identity.load(inside.store).id[:8] in text
    assert "http://hikma-hub.local:4001" in text
    assert "If the hub is broken or gone" in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_is_wrong_with_the_passphrase_is_said(inside: Site, code: str) -> None:
    say, count = words(code).say, words(code).count
    least = ("A passphrase needs at least {count} character.", "A passphrase needs at least {count} characters.")
    for given, again, said in (
        ("short", "short", count(*least, 12)),
        (SECRET, SECRET + "!", say("The two passphrases are not the same.")),
    ):
        fields = {"passphrase": given, "again": again}
        answer = inside.submit("/box/backup", fields, page="/box", **{"accept-language": code})
        assert answer.status_code == 400
        assert said in answer.text
        assert SECRET not in answer.text


def test_no_passphrase_is_taken_where_others_can_listen_though_passwords_are(tmp_path: Path) -> None:
    settings = Settings(web=WebSettings(plain_sign_in=True))
    with Site(tmp_path / "data", settings=settings, url="http://hikma-hub.local") as site:
        site.set_up()
        site.sign_in()
        assert 'id="passphrase"' not in site.get("/box").text
        answer = site.submit("/box/backup", {"passphrase": SECRET, "again": SECRET}, page="/box")
        assert (answer.status_code, answer.headers["location"]) == (303, "/box")


def test_a_disk_without_room_is_said_on_the_page(mount: Mount) -> None:
    with Site(mount.path / "data") as site:
        site.set_up()
        site.sign_in()
        answer = site.submit("/box/backup", {"passphrase": SECRET, "again": SECRET}, page="/box")
        assert answer.status_code == 400
        assert "there is not enough free space for another copy" in answer.text


def test_a_visitor_who_is_not_signed_in_gets_none(inside: Site) -> None:
    with inside.stranger():
        answer = inside.submit("/box/backup", {"passphrase": SECRET, "again": SECRET}, page="/sign-in")
    assert answer.headers["location"].startswith("/sign-in")
