"""The lamps of a running hub, seen on the lines of a GPIO chip that the kernel simulates."""

import time
from pathlib import Path

import pytest

from tests.device import guest
from tests.device.guest import Guest
from tests.outside import run

_MODULE = guest.IMAGE.parent / "gpio-sim.ko"
_LAMPS = {"green": 17, "blue": 27, "red": 22}
_CHIP = """
cd /sys/kernel/config/gpio-sim && mkdir -p hub/bank0 && echo 28 >hub/bank0/num_lines && echo 1 >hub/live
chip=$(cat hub/bank0/chip_name)
mkdir -p /run/systemd/system/hikma-hub-lights.service.d
printf '[Service]\\nEnvironment=HIKMA_HUB_LIGHTS_CHIP=%s HIKMA_HUB_LIGHTS_BUTTON_PIN=0\\n' "${chip#gpiochip}" \\
    >/run/systemd/system/hikma-hub-lights.service.d/chip.conf
udevadm settle
systemctl daemon-reload
systemctl restart hikma-hub-lights
echo /sys/devices/platform/$(cat hub/dev_name)/$chip
"""
_WATCH = "for i in $(seq 400); do cat {files} | tr '\\n' ' '; echo; sleep 0.02; done"
_SEEN_S = 240


@pytest.fixture(scope="module")
def lines(board: Guest) -> str:
    """Give the folder where the levels of the simulated lines can be read."""
    if not _MODULE.exists():
        done = run(Path(__file__).with_name("build_gpio_sim"), guest.IMAGE.parent / "work/root", _MODULE)
        assert done.returncode == 0, done.stderr
    guest.run(*board.scp(_MODULE, "/tmp/gpio-sim.ko"))  # noqa: S108  in the board
    board.ssh("modprobe configfs; mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config")
    board.ssh("insmod /tmp/gpio-sim.ko")
    board.ssh("cat >/run/chip.sh", stdin=_CHIP)
    return board.ssh("sh /run/chip.sh").strip().splitlines()[-1]


def seen(board: Guest, lines: str) -> dict[str, set[str]]:
    """Give the levels that each lamp had during some seconds."""
    files = " ".join(f"{lines}/sim_gpio{pin}/value" for pin in _LAMPS.values())
    rows = [line.split() for line in board.ssh(_WATCH.format(files=files)).splitlines()]
    return {name: {row[place] for row in rows} for place, name in enumerate(_LAMPS)}


def until_lit(board: Guest, lines: str, lamp: str) -> dict[str, set[str]]:
    deadline = time.monotonic() + _SEEN_S
    levels: dict[str, set[str]] = {}
    while time.monotonic() < deadline:
        levels = seen(board, lines)
        if "1" in levels[lamp]:
            return levels
    message = f"the {lamp} lamp stayed dark: {levels}; {board.ssh('journalctl -u hikma-hub-lights | tail -5')}"
    raise AssertionError(message)


def test_the_lamps_show_that_pairing_is_open_and_then_that_all_is_well(board: Guest, lines: str) -> None:
    levels = until_lit(board, lines, "blue")
    assert levels["red"] == {"0"}
    board.ssh("hikma-hub pairing close")
    levels = until_lit(board, lines, "green")
    assert levels["red"] == {"0"}
    board.ssh("hikma-hub pairing open --minutes 240")


def test_a_hub_that_died_is_shown_in_red(board: Guest, lines: str) -> None:
    board.ssh("systemctl stop hikma-hub")
    levels = until_lit(board, lines, "red")
    assert "1" not in levels["green"]
    board.ssh("systemctl start hikma-hub")
    board.wait_until_ready()
