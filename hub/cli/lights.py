"""hikma-hub lights: the lamps and the button of the box, as a process of its own."""

import signal
import threading
import time
from pathlib import Path

import click

from hub.cli import logs, options
from hub.core import label
from hub.core.lights import Light
from hub.services import status_file
from hub.services.lights.box import Box, Wiring
from hub.services.lights.show import TICK_MS, Actions, Show
from hub.services.machine.switch import Switch
from hub.settings import Settings
from hub.store import pairing

STARTING_S = 600
"""A box that starts is not taken for a broken one for ten minutes: its first start encrypts the card."""
_SHUTDOWN = "systemctl poweroff"


@click.command()
@options.data
@options.config
@click.option("--label", "drawn", type=click.Choice(["text", "svg"]), help="Print what the lights mean, and end.")
def lights(data: Path, config: Path | None, drawn: str | None) -> None:
    """Show how the hub is on the lamps of the box; its button opens pairing, and switches off when held."""
    if drawn:
        click.echo(label.as_svg() if drawn == "svg" else label.as_text())
        return
    settings = options.settings(config)
    logs.configure(settings.log)
    box = Box(_wiring(settings))
    try:
        play(Show(box, _actions(data, settings)))
    finally:
        box.close()


def play(show: Show) -> None:
    """Tick until told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(TICK_MS / 1000):
        show.tick(time.monotonic_ns() // 1_000_000)


class Look:
    """Reads what the hub wrote of itself, and takes silence for what it is."""

    def __init__(self, path: Path, now_s: float) -> None:
        self._path = path
        self._began_s = now_s
        self._was_there = False

    def light(self, now_s: float) -> Light:
        """Give the light to show: FAULT when the hub fell silent, STARTING while it may still be on its way."""
        report = status_file.read(self._path)
        if report is None:
            may_start = not self._was_there and now_s - self._began_s < STARTING_S
            return Light.STARTING if may_start and not self._path.exists() else Light.FAULT
        self._was_there = True
        return report.light if now_s - report.monotonic_s <= status_file.OLD_S else Light.FAULT


def _actions(data: Path, settings: Settings) -> Actions:
    look = Look(Path(settings.box.status_file), time.monotonic())

    def open_pairing() -> None:
        with options.store(data) as store, store.write() as tx:
            pairing.open_for(tx, settings.pairing.minutes)

    return Actions(
        look=lambda: look.light(time.monotonic()),
        open_pairing=open_pairing,
        shut_down=Switch(shutdown_command=settings.box.shutdown_command or _SHUTDOWN).shut_down,
    )


def _wiring(settings: Settings) -> Wiring:
    wires = settings.lights
    return Wiring(
        kind=wires.kind,
        green_pin=wires.green_pin,
        blue_pin=wires.blue_pin,
        red_pin=wires.red_pin,
        is_active_high=wires.active == "high",
        brightness=wires.brightness,
        button_pin=wires.button_pin,
        chip=wires.chip,
    )
