"""The card in a Raspberry Pi 3: its own device tree, card slot and pins, as far as QEMU has them."""

import re
from collections.abc import Iterator

import pytest

from tests.device import card
from tests.device.conftest import Keys, tell, toml
from tests.device.raspberry import Raspberry

pytestmark = pytest.mark.long

_FAILED = "systemctl status --state=failed --no-pager --full"
_IDENTITY = "cat /etc/machine-id; cryptsetup luksUUID /dev/mmcblk0p4; sha256sum /etc/hikma-hub/data.key"
_LAMPS = {"green": 17, "blue": 27, "red": 22}
_BUTTON = 3
_TAKEN = """mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
grep -q ') out ' /sys/kernel/debug/gpio || { systemctl status --no-pager hikma-hub-lights; false; }"""
"""The lights run and have their lines; what they say where they have not."""


@pytest.fixture(scope="module")
def raspberry(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raspberry]:
    """Return a Raspberry Pi 3 that was plugged in with a flashed card."""
    with Raspberry(card.flash(tmp_path_factory.mktemp("raspberry"), "card", toml(keys))) as made:
        tell(f"Raspberry Pi 3, first boot, until phones would be served: {made.boot_s:.0f} s")
        yield made


def asked(board: Raspberry, command: str) -> str:
    status, told = board.sh(command)
    assert status == 0, told
    return told


def pins(board: Raspberry) -> dict[int, str]:
    """Return what is done with each of the board's own pins that is in use: its number -> direction and level."""
    told = asked(board, "cat /sys/kernel/debug/gpio")
    chip = re.search(r"GPIOs (\d+)-\d+, parent: platform/[^,]*, pinctrl-bcm2835", told)
    assert chip, told
    lines = re.findall(r"^ gpio-(\d+) .*\) (in|out)\s+(hi|lo)", told, re.MULTILINE)
    return {int(line) - int(chip[1]): f"{direction} {level}" for line, direction, level in lines}


def test_its_card_becomes_a_hub(raspberry: Raspberry) -> None:
    assert "Raspberry Pi 3" in asked(raspberry, "tr -d '\\0' </proc/device-tree/model")
    assert asked(raspberry, "findmnt -no FSTYPE,OPTIONS /var/lib/hikma-hub").startswith("ext4 rw")
    assert asked(raspberry, "systemctl --failed --no-legend --plain") == "", raspberry.sh(_FAILED)[1]


def test_lamps_and_button_are_on_its_own_pins(raspberry: Raspberry) -> None:
    raspberry.until(_TAKEN)
    seen: dict[int, set[str]] = {}
    for _ in range(20):
        for pin, what in pins(raspberry).items():
            seen.setdefault(pin, set()).add(what)
    lamps = {name: seen.get(pin, set()) for name, pin in _LAMPS.items()}
    assert all(levels <= {"out lo", "out hi"} for levels in lamps.values()), seen
    assert "out hi" in set().union(*lamps.values()), "one of the lamps is lit"
    assert seen[_BUTTON] <= {"in hi", "in lo"}, seen


def test_after_a_cut_it_is_the_same_hub_and_has_what_it_acknowledged(raspberry: Raspberry) -> None:
    before = asked(raspberry, _IDENTITY)
    asked(raspberry, "hikma-hub clinic add --name 'Before the cut'")
    raspberry.cut()
    raspberry.power_on()
    tell(f"Raspberry Pi 3, after a cut, until phones would be served: {raspberry.boot_s:.0f} s")
    assert asked(raspberry, _IDENTITY) == before
    assert "Before the cut" in asked(raspberry, "hikma-hub clinic list")
