"""The setup takes a backup file from a browser, and the hub becomes the one that made it."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.actions.box import identity
from hub.actions.people import setup
from hub.app import backup, recovery
from hub.core.encrypted_stream import age, first_format
from hub.store.database import FILE_NAME, Store
from tests.hubs import InProcessHub, changes, row
from tests.services.copy.copies import until
from tests.web.site import _FORM_KEY, Site

SECRET = "four words are enough"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a guess at the passphrase cost nothing."""
    monkeypatch.setattr(age, "_WORK_FACTOR", 4)


@pytest.fixture
def made(hub: InProcessHub, tmp_path: Path) -> bytes:
    """Return the backup of a hub at work."""
    assert hub.client().push(changes("patients", created=[row("patients", "p-1", given_name="Amal")])).status == 200
    return b"".join(backup.encrypted(hub.store, SECRET, tmp_path / "hub.toml"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Return the pages of a new hub, for whoever knows its setup code."""
    with Site(tmp_path / "new") as made:
        made.submit("/setup/code", {"code": setup.code(made.store) or ""}, page="/setup")
        yield made


def send(site: Site, content: bytes, *, key: str | None = None) -> httpx.Response:
    """Send a file, as a browser does that loaded the form just now."""
    found = _FORM_KEY.search(site.get("/setup?step=backup").text)
    return site.client.post(
        "/setup/backup",
        data={"form_key": (found[1] if found else "") if key is None else key},
        files={"file": ("hikma-hub.backup", content)},
        headers={"accept": "text/html", "origin": "https://hikma-hub.local"},
        follow_redirects=False,
    )


def open_(site: Site, passphrase: str = SECRET) -> httpx.Response:
    return site.submit("/setup/recover", {"passphrase": passphrase}, page="/setup?step=recover")


def left(site: Site) -> list[str]:
    """List what lies beside the new hub's own files."""
    return [path.name for path in site.store.path.parent.iterdir() if path.name.startswith(("upl", "recover"))]


def test_a_backup_file_makes_this_device_the_hub_that_made_it(site: Site, hub: InProcessHub, made: bytes) -> None:
    assert 'href="/setup?step=backup"' in site.get("/setup").text
    assert send(site, made).headers["location"] == "/setup?step=recover"
    assert "Open the backup" in site.get("/setup?step=recover").text
    assert open_(site).headers["location"] == "/setup?step=recover"
    data = site.store.path.parent
    until(lambda: recovery.is_ready(data))
    site.store.close()
    recovery.take(data)
    became = Store(data)
    assert identity.load(became).id == identity.load(hub.store).id
    assert became.path.exists()
    assert left(site) == []
    became.close()


def test_a_wrong_passphrase_is_asked_for_again_and_the_file_need_not_come_again(site: Site, made: bytes) -> None:
    send(site, made)
    assert "does not open it" in open_(site, "not the passphrase").text
    assert open_(site).headers["location"] == "/setup?step=recover"
    until(lambda: recovery.is_ready(site.store.path.parent))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a photo", age.MAGIC + b"-> X25519 of a stick"])
def test_a_file_that_is_no_backup_is_not_kept(site: Site, content: bytes) -> None:
    answer = send(site, content)
    assert answer.status_code == 400
    assert "not a backup of a hub" in answer.text
    assert left(site) == []


def test_a_backup_of_the_first_release_is_taken(site: Site, made: bytes) -> None:
    assert made
    send(site, first_format.MAGIC + os.urandom(200))
    assert "Open the backup" in site.get("/setup?step=recover").text


def test_a_backup_that_was_cut_off_or_spoilt_is_told_and_another_can_come(site: Site, made: bytes) -> None:
    for spoilt in (made[: len(made) // 2], made[:-400] + bytes(400)):
        send(site, spoilt)
        open_(site)
        until(lambda: "damaged or incomplete" in site.get("/setup?step=recover").text)
        assert left(site) == ["uploaded.backup"]
    send(site, made)
    assert "damaged" not in site.get("/setup?step=recover").text
    open_(site)
    until(lambda: recovery.is_ready(site.store.path.parent))


def test_a_backup_of_a_newer_hub_is_told_as_that(site: Site, hub: InProcessHub, tmp_path: Path) -> None:
    newer = sqlite3.connect(hub.store.path)
    newer.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('hub', '99_next', '2030')")
    newer.commit()
    newer.close()
    send(site, b"".join(backup.encrypted(hub.store, SECRET, tmp_path / "hub.toml")))
    open_(site)
    until(lambda: "A newer hub made this backup" in site.get("/setup?step=recover").text)


def test_a_file_too_large_for_the_disk_is_told_with_what_is_needed(
    site: Site, made: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": 0}))
    answer = send(site, made)
    assert answer.status_code == 400
    assert "not enough free space" in answer.text
    assert left(site) == []


def test_only_who_sets_a_new_hub_up_can_bring_a_file(site: Site, made: bytes) -> None:
    with site.stranger():
        assert send(site, made).headers["location"] == "/setup"
    with pytest.raises(AssertionError):
        assert send(site, made, key="of another page").status_code == 303
    assert left(site) == []
    site.set_up()
    assert send(site, made).headers["location"] == "/setup"
    assert left(site) == []


def test_what_is_no_form_with_a_file_is_refused(site: Site) -> None:
    field = b'--x\r\ncontent-disposition: form-data; name="form_key"\r\n\r\n'
    for kind, content in (
        ("multipart/form-data; boundary=x", b"--x\r\nno header\r\n\r\n--x--"),
        ("multipart/form-data", b""),
        ("text/plain", b"form_key=1"),
        ("multipart/form-data; boundary=x", field + b"k\r\n--x--"),
        ("multipart/form-data; boundary=x", field + bytes(20_000) + b"\r\n--x--"),
    ):
        answer = site.client.post("/setup/backup", content=content, headers={"content-type": kind})
        assert answer.status_code == 400, (kind, content[:40])
    assert left(site) == []


def test_an_upload_that_nobody_opened_goes_with_the_next_start(site: Site, made: bytes) -> None:
    send(site, made)
    data = site.store.path.parent
    assert left(site) == ["uploaded.backup"]
    recovery.take(data)
    assert left(site) == []
    assert (data / FILE_NAME).exists()
