"""The setup finds the copy of a hub that died, and becomes that hub."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions.people import setup
from hub.app import recovery
from hub.services.copy import writer as writers
from hub.settings import CopySettings, Settings, WebSettings
from hub.store.database import Store
from tests.hubs import InProcessHub, changes, row
from tests.services.copy.copies import SECRET, contents, copied, until
from tests.web.site import Site


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a guess at the passphrase cost nothing, and look for the stick often."""
    monkeypatch.setattr("hub.core.encrypted_stream.recipient._WORK_FACTOR", 4)
    monkeypatch.setattr(writers, "_LOOK_S", 0.05)


@pytest.fixture
def stick(hub: InProcessHub, tmp_path: Path) -> Path:
    """Return a stick with the copy of a hub at work."""
    with copied(hub.store, tmp_path / "stick"):
        assert hub.client().push(changes("patients", created=[row("patients", "p-1", given_name="Amal")])).status == 200
    return tmp_path / "stick"


@pytest.fixture
def site(tmp_path: Path, stick: Path) -> Iterator[Site]:
    """Return the pages of a new hub, with the stick in it, for whoever knows its setup code."""
    settings = Settings(web=WebSettings(https_port=4443), copy=CopySettings(folder=str(stick)))
    with Site(tmp_path / "new", settings=settings) as made:
        made.submit("/setup/code", {"code": setup.code(made.store) or ""}, page="/setup")
        yield made


def test_the_copy_becomes_this_hub_at_its_next_start(site: Site, hub: InProcessHub) -> None:
    shown = site.get("/setup").text
    assert "Does this device replace Test Hub?" in shown
    answer = site.submit("/setup/recover", {"passphrase": SECRET}, page="/setup")
    assert answer.headers["location"] == "/setup?step=recover"
    data = site.store.path.parent
    until(lambda: recovery.is_ready(data))
    site.store.close()
    recovery.take(data)
    became = Store(data)
    assert contents(became) == contents(hub.store)
    became.close()
    assert not recovery.is_ready(data)


def test_a_wrong_passphrase_changes_nothing_and_says_so(site: Site) -> None:
    answer = site.submit("/setup/recover", {"passphrase": "not the passphrase"}, page="/setup")
    assert "does not open it" in answer.text
    assert not recovery.is_ready(site.store.path.parent)


def test_a_new_hub_can_be_made_beside_a_stick(site: Site) -> None:
    assert 'action="/setup/name"' in site.get("/setup?step=name").text
    site.submit("/setup/name", {"name": "Other"}, page="/setup?step=name")
    assert 'action="/setup/administrator"' in site.get("/setup?step=administrator").text


def test_whoever_does_not_know_the_code_learns_and_takes_nothing(site: Site) -> None:
    with site.stranger():
        assert "Test Hub" not in site.get("/setup").text
        site.submit("/setup/recover", {"passphrase": SECRET}, page="/setup")
    assert not recovery.is_ready(site.store.path.parent)


def test_a_hub_that_is_set_up_cannot_become_another(site: Site) -> None:
    site.set_up()
    site.submit("/setup/recover", {"passphrase": SECRET}, page="/sign-in")
    assert not recovery.is_ready(site.store.path.parent)


def test_a_power_cut_while_the_hub_is_put_into_its_place_is_made_up_for(site: Site, hub: InProcessHub) -> None:
    site.submit("/setup/recover", {"passphrase": SECRET}, page="/setup")
    data = site.store.path.parent
    until(lambda: recovery.is_ready(data))
    site.store.close()
    (data / "recovered/hub.toml").rename(data / "hub.toml") if (data / "recovered/hub.toml").exists() else None
    (data / "hub.db-wal").write_bytes(b"of the hub that goes")
    recovery.take(data)
    became = Store(data)
    assert contents(became) == contents(hub.store)
    became.close()
