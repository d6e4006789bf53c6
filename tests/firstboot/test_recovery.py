"""A fresh card with a stick and the recovery passphrase is the hub that died, without anybody's skill."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hub.actions.people import setup
from hub.firstboot.card_config import TAKEN
from hub.services.copy import writer as writers
from hub.settings import load
from hub.store.database import Store
from tests.firstboot.flashed import Flashed, card
from tests.hubs import InProcessHub, changes, row
from tests.services.copy.copies import SECRET, contents, copied

__all__ = ["card"]

FILE = f"""
[administrator]
email = "new@clinic.example"
password = "correct horse"
[storage]
recovery_passphrase = "{SECRET}"
"""


@pytest.fixture
def stick(hub: InProcessHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a stick with the copy of a hub at work."""
    monkeypatch.setattr("hub.core.encrypted_stream.recipient._WORK_FACTOR", 4)
    monkeypatch.setattr(writers, "_LOOK_S", 0.05)
    (hub.data / "hub.toml").write_text('[hub]\nname = "Test Hub"\nlanguage = "fr"\n')
    setup.finish(hub.store, "amal", "four words are enough")
    with copied(hub.store, tmp_path / "stick"):
        assert hub.client().push(changes("patients", created=[row("patients", "p-1", given_name="Amal")])).status == 200
    return tmp_path / "stick"


def is_the_hub(card: Flashed, hub: InProcessHub) -> bool:
    """Whether the card holds what the dead hub held, and nothing of a new one."""
    store = Store(card.root / "data/hub")
    try:
        return contents(store) == contents(hub.store)
    finally:
        store.close()


def test_the_card_becomes_the_hub_of_the_stick_and_keeps_its_name_and_people(
    card: Flashed, stick: Path, hub: InProcessHub
) -> None:
    card.plug(stick)
    card.put(FILE)
    report = card.boot()
    assert report is not None
    assert (report.recovered, report.refused, report.host_name) == ("Test Hub", None, "test-hub")
    assert is_the_hub(card, hub)
    settings = load(card.root / "data/hub/hub.toml", {})
    assert (settings.hub.name, settings.hub.language) == ("Test Hub", "fr")
    assert settings.box.restart_command
    assert TAKEN in (card.root / "boot/firmware/hikma-hub.toml").read_text()
    again = card.boot()
    assert again is not None
    assert (again.recovered, again.hub_id) == (None, report.hub_id)


def test_a_passphrase_that_is_wrong_is_told_and_can_be_corrected(card: Flashed, stick: Path, hub: InProcessHub) -> None:
    card.plug(stick)
    card.put(FILE.replace(SECRET, "not this passphrase"))
    report = card.boot()
    assert report is not None
    assert "passphrase is wrong" in (report.refused or "")
    assert report.setup_code, "the new administrator was not made: nothing of the file was applied"
    card.put(FILE)
    corrected = card.boot()
    assert corrected is not None
    assert corrected.recovered == "Test Hub"
    assert is_the_hub(card, hub)


def test_a_card_that_is_a_hub_never_becomes_another(card: Flashed, stick: Path) -> None:
    card.put(FILE)
    first = card.boot()
    card.plug(stick)
    card.put(FILE + "# again\n")
    report = card.boot()
    assert first is not None
    assert report is not None
    assert (report.recovered, report.hub_id) == (None, first.hub_id)


def test_a_stick_without_a_copy_is_left_alone(card: Flashed, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    card.plug(tmp_path / "empty")
    card.put(FILE)
    report = card.boot()
    assert report is not None
    assert (report.recovered, report.refused, report.setup_code) == (None, None, None)


@pytest.mark.slow
def test_a_power_cut_at_any_step_is_followed_by_a_boot_that_becomes_the_hub(
    card: Flashed, stick: Path, hub: InProcessHub
) -> None:
    card.plug(stick)
    card.put(FILE)
    card.boot()
    for moment in range(5, card.moments, 19):
        card.flash()
        card.put(FILE)
        if card.boot(cut_at=moment) is not None:
            assert moment > 90, "it ends earlier than a first boot can"
            break
        assert card.boot() is not None
        assert is_the_hub(card, hub), moment
        with closing(sqlite3.connect(card.root / "data/hub/hub.db")) as db:
            assert db.execute("SELECT value FROM hub WHERE key = 'epoch'").fetchone() == (1,)
