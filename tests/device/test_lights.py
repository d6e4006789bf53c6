"""The lamps and the button of a running hub, on the lines of a GPIO chip that the kernel simulates."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.device import card
from tests.device.guest import Guest
from tests.outside import run

_MODULE = card.IMAGE.parent / "gpio-sim.ko"
_LAMPS = {"green": 17, "blue": 27, "red": 22}
_BUTTON = 3
_CHIP = """
cd /sys/kernel/config/gpio-sim && mkdir -p hub/bank0 && echo 28 >hub/bank0/num_lines && echo 1 >hub/live
chip=$(cat hub/bank0/chip_name)
mkdir -p /run/systemd/system/hikma-hub-lights.service.d
printf '[Service]\\nEnvironment=HIKMA_HUB_LIGHTS_CHIP=%s\\n' "${chip#gpiochip}" \\
    >/run/systemd/system/hikma-hub-lights.service.d/chip.conf
udevadm settle
systemctl daemon-reload
# As at every start of a box: the lights are there before the data.
systemctl stop hikma-hub hikma-hub-console hikma-hub-lights
umount /var/lib/hikma-hub
systemctl start hikma-hub-lights
hikma-hub firstboot >/dev/null 2>&1
systemctl start hikma-hub hikma-hub-console
echo /sys/devices/platform/$(cat hub/dev_name)/$chip
"""
_WATCH = "cd {lines}; for i in $(seq {times}); do {reads} echo $green $blue $red; sleep 0.02; done"
_SEEN_S = 240
_PRESS_S = 1
_TIMES_HELD = 1200
"""More than the board has time for before it is off."""

Row = dict[str, str]
"""The level of each lamp at one moment."""


@pytest.fixture(scope="module")
def lines(flashed: Guest) -> str:
    """Return the folder where the levels of the simulated lines can be read, and the button be pressed."""
    if not _MODULE.exists():
        done = run(Path(__file__).with_name("build_gpio_sim"), card.IMAGE.parent / "work/root", _MODULE)
        assert done.returncode == 0, done.stderr
    if not flashed.is_on:
        flashed.power_on()
    card.run(*flashed.scp(_MODULE, "/tmp/gpio-sim.ko"))  # noqa: S108  in the board
    flashed.ssh("modprobe configfs; mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config")
    flashed.ssh("insmod /tmp/gpio-sim.ko")
    flashed.ssh("cat >/run/chip.sh", stdin=_CHIP)
    return flashed.ssh("sh /run/chip.sh").strip().splitlines()[-1]


def rows(board: Guest, lines: str, *, first: str = "true", times: int = 300) -> list[Row]:
    """Do something, and give the levels of the lamps in the seconds after it, as long as the board says them."""
    reads = " ".join(f"read {lamp} <sim_gpio{pin}/value;" for lamp, pin in _LAMPS.items())
    printed = board.ssh(f"{first}; {_WATCH.format(lines=lines, times=times, reads=reads)}", check=False)
    found = [line.split() for line in printed.splitlines()]
    return [dict(zip(_LAMPS, row, strict=True)) for row in found if len(row) == len(_LAMPS)]


def lit(lamp: str, found: list[Row]) -> list[int]:
    """Return at which moments a lamp was lit; it flickers, for its brightness is a share of the time."""
    return [moment for moment, row in enumerate(found) if row[lamp] == "1"]


def until(board: Guest, fact: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _SEEN_S
    while not fact():
        assert time.monotonic() < deadline, f"{what}: not seen in {_SEEN_S} s\n{board.evidence()}"


def until_lit(board: Guest, lines: str, lamp: str, *, but_not: str) -> None:
    """Wait for some seconds in which one lamp is lit and another is not."""

    def is_lit() -> bool:
        found = rows(board, lines)
        return bool(lit(lamp, found)) and not lit(but_not, found)

    until(board, is_lit, f"the {lamp} lamp")


def press(lines: str, seconds: float | None = None) -> str:
    """Return the command that closes the button's contact, and opens it after some seconds."""
    pull = f"{lines}/sim_gpio{_BUTTON}/pull"
    down = f"echo pull-down >{pull}"
    return f"{down}; sleep {seconds}; echo pull-up >{pull}" if seconds else down


def test_the_lamps_show_that_pairing_is_open_and_then_that_all_is_well(board: Guest, lines: str) -> None:
    until_lit(board, lines, "blue", but_not="red")
    board.ssh("hikma-hub pairing close")
    until_lit(board, lines, "green", but_not="red")


def test_a_short_press_of_the_button_opens_pairing(board: Guest, lines: str) -> None:
    assert board.hub("status")["pairing_left_s"] == 0

    def opens() -> bool:
        board.ssh(press(lines, _PRESS_S))
        return bool(board.hub("status")["pairing_left_s"])

    until(board, opens, "pairing open after a press")
    until_lit(board, lines, "blue", but_not="red")
    board.ssh("hikma-hub pairing open --minutes 240")


def test_a_hub_that_died_is_shown_in_red(board: Guest, lines: str) -> None:
    board.ssh("systemctl stop hikma-hub")
    until_lit(board, lines, "red", but_not="green")
    board.ssh("systemctl start hikma-hub")
    board.wait_until_ready()


def test_holding_the_button_switches_the_box_off_safely_and_the_lamps_count_down(board: Guest, lines: str) -> None:
    found = rows(board, lines, first=press(lines), times=_TIMES_HELD)
    board.wait_until_off()
    green, blue, red = (lit(lamp, found) for lamp in _LAMPS)
    assert green, "the press was seen"
    assert green[-1] < blue[-1] < red[-1], "the lamps go out one by one"
    for word in ("Stopped hikma-hub.service", "Power down"):
        assert word in board.serial, board.serial[-3000:]
