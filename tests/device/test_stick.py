"""A box with a USB stick loses its card; a new card and the stick are that hub, and phones go on (O4, O6)."""

import time
from pathlib import Path

import pytest

from tests.device import card
from tests.device.conftest import PASSPHRASE, Keys, paired, tell, toml
from tests.device.guest import Guest

pytestmark = pytest.mark.long
_STICK_BYTES = 256 * 1024**2
_WITH_STICK = "hikma-hub copy status --json | grep -q '\"safe\"'"


def stick(folder: Path) -> Path:
    """Return a stick as it comes from a shop: FAT32, and a file of somebody's on it."""
    made = folder / "stick.img"
    with made.open("wb") as file:
        file.truncate(_STICK_BYTES)
    card.run("mkfs.vfat", "-F", "32", "-n", "KINGSTON", str(made))
    card.run("mcopy", "-i", str(made), "-", "::holiday.txt", stdin=b"somebody's")
    return made


def plugged(made: Path) -> tuple[str, ...]:
    """Return the devices of a board with this stick in it."""
    drive = f"if=none,id=stick,file={made},format=raw,cache=writeback"
    return "-device", "qemu-xhci", "-drive", drive, "-device", "usb-storage,drive=stick"


@pytest.mark.timeout(3600)
def test_a_new_card_with_the_stick_is_the_hub_and_no_phone_is_touched(keys: Keys, tmp_path: Path) -> None:
    usb = plugged(stick(tmp_path))
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = card.flash(tmp_path / "old", "card", toml(keys))
    with Guest(old, keys.private, devices=usb) as board:
        board.until("findmnt /media/hikma-hub")
        board.ssh("hikma-hub pairing open --minutes 240")
        board.ssh("hikma-hub copy start /media/hikma-hub --passphrase-stdin", stdin=PASSPHRASE + "\n")
        board.until(_WITH_STICK)
        first, second = paired(board, 1), paired(board, 2)
        made = [first.create("patients", {"given_name": "Amal", "surname": f"{number}"}) for number in range(20)]
        assert first.sync().ok
        identity = board.hub("copy status"), board.ssh("cat /etc/machine-id")
        board.cut()  # the last push was answered, and nothing was closed
    old.unlink()

    begun = time.monotonic()
    text = f'[ssh]\nkey = "{keys.public}"\n[storage]\nrecovery_passphrase = "{PASSPHRASE}"\n'
    new = card.flash(tmp_path / "new", "card", text)
    with Guest(new, keys.private, devices=usb, ports=board.ports) as board:
        tell(f"a new card became the hub of the stick, until phones were served: {time.monotonic() - begun:.0f} s")
        for phone in (first, second):
            board.meet(phone)
        outcome = second.sync()
        assert outcome.ok, outcome.error
        assert all(second.store.find("patients", str(one["id"])) for one in made)
        first.create("patients", {"given_name": "After", "surname": "the card"})
        assert first.sync().ok
        board.until(_WITH_STICK)
        status = board.hub("copy status")
        assert status["folder"] != identity[0]["folder"], "it keeps a copy of its own beside the one it was made of"
        assert "(taken)" in card.on_boot_partition(board.card, "hikma-hub.toml").decode()
        assert board.ssh("cat /media/hikma-hub/holiday.txt") == "somebody's"
        assert board.ssh("systemctl --failed --no-legend --plain").strip() == ""
