"""A card that was a hub, and what is left of it."""

import shutil
from pathlib import Path

import pytest

from hub.core.status.card import CardShape
from hub.firstboot import kept
from hub.firstboot.report import FirstBootReport
from hub.firstboot.steps import START_ANEW
from hub.store.database import Store
from tests.firstboot.flashed import Flashed, card
from tests.firstboot.test_recovery import FILE as RECOVERY
from tests.firstboot.test_recovery import stick
from tests.firstboot.test_steps import FILE

__all__ = ["card", "stick"]


@pytest.fixture
def used(card: Flashed) -> Flashed:
    """Return a card that was a hub for a while."""
    card.put(FILE)
    first = card.boot()
    assert first is not None
    assert (first.card, first.hub_id) == (CardShape.SOUND, hub_id(card))
    return card


def booted(card: Flashed) -> FirstBootReport:
    """Start a card that may hold data, of which nothing must be formatted."""
    report = card.boot()
    assert report is not None
    assert not [command for command in card.commands if command.startswith(("cryptsetup luksFormat", "mkfs"))]
    return report


def hub_id(card: Flashed) -> str:
    """Return which hub this card is, by its root."""
    return card.path(kept.MARK).read_text("ascii").strip()


def test_a_file_system_that_only_a_full_check_mends_is_mended_and_the_hub_is_the_same(used: Flashed) -> None:
    used.faults.add("torn")
    report = booted(used)
    assert (report.card, report.hub_id) == (CardShape.MENDED, hub_id(used))
    assert "e2fsck" in report.card_why
    assert booted(used).card is CardShape.SOUND


def test_a_folder_that_a_full_check_left_in_lost_and_found_is_the_hubs_again(used: Flashed) -> None:
    lose_the_folder(used)
    report = booted(used)
    assert (report.card, report.hub_id) == (CardShape.MENDED, hub_id(used))


def test_files_that_a_full_check_left_nameless_are_the_hubs_again(used: Flashed) -> None:
    lose_the_folder(used)
    lost = used.root / "data/lost+found"
    for number, file in enumerate(sorted((lost / "#12").iterdir())):
        if file.is_file():
            file.rename(lost / f"#{100 + number}")
    report = booted(used)
    assert (report.card, report.hub_id) == (CardShape.MENDED, hub_id(used))


def test_of_two_nameless_databases_none_is_taken(used: Flashed) -> None:
    lose_the_folder(used)
    lost = used.root / "data/lost+found"
    Store(lost / "#13").close()
    assert booted(used).card is CardShape.GONE
    assert (lost / "#12/hub.db").exists()


def test_a_damaged_header_is_replaced_by_the_kept_one(used: Flashed) -> None:
    used.put_header(label="x")
    report = booted(used)
    assert (report.card, report.hub_id) == (CardShape.MENDED, hub_id(used))
    assert used.header()["label"] == "hikma-data"


def test_a_card_that_takes_nothing_in_is_read_and_what_is_written_is_not_kept(used: Flashed) -> None:
    used.faults.add("read-only")
    before = (used.root / "data/hub/hub.db").read_bytes()
    report = booted(used)
    assert (report.card, report.hub_id) == (CardShape.FAILED, hub_id(used))
    assert (used.root / "data/hub/hub.db").read_bytes() == before


@pytest.mark.parametrize("fault", ["emptied", "no database", "lost", "no header", "no partition"])
def test_a_card_that_was_a_hub_never_becomes_a_new_one_by_itself(used: Flashed, fault: str) -> None:
    harm(used, fault)
    for _ in range(2):
        report = booted(used)
        assert report.card is CardShape.GONE
        assert report.card_why
        assert (report.hub_id, report.setup_code) == ("", None)
        assert report.access_point == "Hikma North", "its networks come up all the same"
    if fault in {"lost", "no header", "no partition"}:  # what root wrote into memory the hub must be able to read
        assert any(
            line.startswith("chown hikma-hub:") and line.endswith("/data/hub/hub.toml") for line in used.commands
        )


def test_its_networks_are_kept_where_the_card_alone_gives_no_password_away(used: Flashed) -> None:
    for path in (used.root / "etc").rglob("*"):
        assert not path.is_file() or b"open sesame" not in path.read_bytes(), path


def test_a_hub_that_is_gone_begins_anew_when_a_person_says_so(used: Flashed) -> None:
    harm(used, "lost")
    was = hub_id(used)
    wish = used.root / "boot/firmware" / START_ANEW
    (whole := used.root / "boot/firmware/slot-B/whole.txt").parent.mkdir()
    whole.touch()
    wish.touch()
    report = used.boot()
    assert report is not None
    assert report.card is CardShape.SOUND
    assert report.hub_id not in {"", was}
    assert not wish.exists()
    again = used.boot()
    assert again is not None
    assert again.hub_id == report.hub_id
    assert not whole.exists(), "the other system has the key of the data that was given up"


def test_a_hub_that_is_there_is_not_given_up(used: Flashed) -> None:
    (used.root / "boot/firmware" / START_ANEW).touch()
    assert booted(used).hub_id == hub_id(used)


def test_a_power_cut_while_a_card_is_mended_harms_nothing(used: Flashed) -> None:
    for cut in range(0, 60, 7):
        used.faults.add("torn")
        used.boot(cut_at=cut)
        assert booted(used).hub_id == hub_id(used), cut


def test_a_restored_hub_on_a_card_whose_data_was_gone_is_that_hub(used: Flashed) -> None:
    kept_aside = (used.root / "data/hub").rename(used.root / "backup")
    assert booted(used).card is CardShape.GONE
    shutil.rmtree(used.root / "data/hub")
    kept_aside.rename(used.root / "data/hub")
    report = booted(used)
    assert (report.card, report.hub_id) == (CardShape.SOUND, hub_id(used))


@pytest.mark.parametrize("fault", ["emptied", "no database"])
def test_a_card_whose_data_is_gone_becomes_the_hub_of_its_stick(used: Flashed, stick: Path, fault: str) -> None:
    harm(used, fault)
    used.plug(stick)
    used.put(RECOVERY)
    report = booted(used)
    assert (report.card, report.recovered) == (CardShape.MENDED, "Test Hub")
    assert report.hub_id == hub_id(used)


def lose_the_folder(card: Flashed) -> None:
    (card.root / "data/lost+found").mkdir(exist_ok=True)
    (card.root / "data/hub").rename(card.root / "data/lost+found/#12")
    card.faults.add("torn")


def harm(card: Flashed, fault: str) -> None:
    match fault:
        case "emptied":
            (card.root / "data/hub/hub.db").write_bytes(b"")
        case "no database":
            (card.root / "data/hub/hub.db").unlink()
        case "lost":
            card.faults.add("lost")
        case "no header":
            card.put_header()
            (card.root / "etc/hikma-hub/data.header").unlink()
        case "no partition":
            card.forget_partition()
        case _:
            raise NotImplementedError(fault)
