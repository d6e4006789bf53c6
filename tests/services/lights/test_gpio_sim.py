"""Lights and button on lines of the kernel: gpio-sim, where the machine has it."""

import importlib.util
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.core.status.lights import Levels
from hub.services.lights.button import BOUNCE_S, Press
from hub.services.lights.panel import Panel, Wiring

CONFIG = Path("/sys/kernel/config/gpio-sim")
LINES = 28


def missing() -> str:
    if os.geteuid() != 0:
        return "gpio-sim needs root"
    if importlib.util.find_spec("lgpio") is None:
        return "lgpio is not installed (the extra 'pi')"
    subprocess.run(("/usr/sbin/modprobe", "gpio-sim"), check=False, capture_output=True)
    if not CONFIG.parent.is_mount() and CONFIG.parent.exists():
        subprocess.run(("/usr/bin/mount", "-t", "configfs", "none", str(CONFIG.parent)), check=False)
    return "" if CONFIG.is_dir() else "this kernel has no gpio-sim"


@dataclass(frozen=True)
class Simulated:
    """A chip: what drives its lines can be seen, and they can be pulled."""

    number: int
    lines: Path

    def level(self, line: int) -> int:
        return int((self.lines / f"sim_gpio{line}" / "value").read_text())

    def pull(self, line: int, which: str) -> None:
        (self.lines / f"sim_gpio{line}" / "pull").write_text(which)


@pytest.fixture
def chip() -> Iterator[Simulated]:
    why = missing()
    if why:
        pytest.skip(why)
    device = CONFIG / f"hikma{os.getpid()}"
    bank = device / "bank0"
    bank.mkdir(parents=True)
    (bank / "num_lines").write_text(str(LINES))
    (device / "live").write_text("1")
    name = (bank / "chip_name").read_text().strip()
    lines = Path("/sys/devices/platform") / (device / "dev_name").read_text().strip() / name
    yield Simulated(int(name.removeprefix("gpiochip")), lines)
    (device / "live").write_text("0")
    bank.rmdir()
    device.rmdir()


def shown(chip: Simulated, expected: Levels) -> tuple[int, ...]:
    """Look until the lines are as expected, for up to a second: lgpio sets them in a thread of its own."""
    end = time.monotonic() + 1
    while True:
        levels = tuple(chip.level(line) for line in (17, 27, 22))
        if levels == expected or time.monotonic() > end:
            return levels


@pytest.mark.parametrize("kind", ["three", "rgb"])
def test_lights_and_button_are_lines_of_the_kernel(
    chip: Simulated, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # lgpio keeps a pipe in the working directory
    chip.pull(3, "pull-up")
    panel = Panel(
        Wiring(
            kind="rgb" if kind == "rgb" else "three",
            green_pin=17,
            blue_pin=27,
            red_pin=22,
            is_active_high=True,
            brightness=100,
            button_pin=3,
            chip=chip.number,
        )
    )
    seen = []
    for levels in (Levels(1, 0, 0), Levels(0, 1, 0), Levels(0, 0, 1), Levels(1, 1, 1), Levels(0, 0, 0)):
        panel.show(levels)
        seen.append((levels, shown(chip, levels)))
    presses = []
    for length_s in (BOUNCE_S / 10, 4 * BOUNCE_S):  # a spark, and a finger
        chip.pull(3, "pull-down")
        threading.Event().wait(length_s)
        chip.pull(3, "pull-up")
        threading.Event().wait(4 * BOUNCE_S)
        presses.append(panel.press())
    panel.close()
    assert all(lit == levels for levels, lit in seen)
    assert presses == [None, Press.SHORT]
