"""hikma-hub lights: the lights and the button of the hub, as a process of its own."""

import contextlib
import itertools
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click

from hub.actions.phones import pairing
from hub.cli import logs, options
from hub.core.errors import SettingError
from hub.core.status import label
from hub.core.status.lights import Light
from hub.services.lights.panel import Panel, Wiring
from hub.services.lights.show import TICK_MS, Actions, LightShow
from hub.services.machine.switch import Switch
from hub.services.status import file
from hub.settings import Settings

STARTING_S = 600
"""A box that starts is not taken for a broken one for ten minutes: its first start encrypts the card."""
_SHUTDOWN = "systemctl poweroff"
_TICKS = 50
"""The settings are looked at every two seconds."""


@click.command()
@options.data
@options.config
@click.option("--label", "drawn", type=click.Choice(["text", "svg"]), help="Print what the lights mean and end.")
def lights(data: Path, config: Path | None, drawn: str | None) -> None:
    """Drive the status lights and the button.

    A short press turns adding phones on; holding the button switches the hub off.
    """
    if drawn:
        click.echo(label.as_svg() if drawn == "svg" else label.as_text())
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    newest = Newest(config, data)
    hub_light = HubLight(Path(newest.settings.box.status_file), time.monotonic())
    while not stop.is_set():
        logs.configure(newest.settings.log)
        panel = Panel(_wiring(newest.settings))
        try:
            play(LightShow(panel, _actions(data, newest.settings, hub_light)), stop, newest.changed)
        finally:
            panel.close()


def play(show: LightShow, stop: threading.Event, changed: Callable[[], bool]) -> None:
    """Tick until told to stop, or until the settings have changed."""
    for tick in itertools.count(1):
        if stop.wait(TICK_MS / 1000) or (tick % _TICKS == 0 and changed()):
            return
        show.tick(time.monotonic_ns() // 1_000_000)


class Newest:
    """The settings as their file says them, also one that came later: on a box the lights start before the data."""

    def __init__(self, config: Path | None, data: Path) -> None:
        self._config = config
        self._data = data
        self._mark = self._marked()
        self.settings = options.settings(config, data)

    def changed(self) -> bool:
        """Read them again if the file was changed, and tell whether they are others; a wrong file changes nothing."""
        mark, before = self._marked(), self.settings
        if mark != self._mark:
            self._mark = mark
            with contextlib.suppress(SettingError):
                self.settings = options.settings(self._config, self._data)
        return self.settings != before

    def _marked(self) -> tuple[int, int]:
        try:
            found = options.settings_file(self._config, self._data).stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino


class HubLight:
    """The light that the hub names in status.json; silence is a fault."""

    def __init__(self, path: Path, now_s: float) -> None:
        self._path = path
        self._began_s = now_s
        self._was_there = False

    def light(self, now_s: float) -> Light:
        """Return the light to show: FAULT when the hub is silent, STARTING while it may still be on its way."""
        self._was_there = self._was_there or self._path.exists()
        status = file.read(self._path, now_s)
        if status:
            return status.light
        may_start = not self._was_there and now_s - self._began_s < STARTING_S
        return Light.STARTING if may_start else Light.FAULT


def _actions(data: Path, settings: Settings, hub_light: HubLight) -> Actions:
    def open_pairing() -> None:
        with options.store(data) as store:
            pairing.open_for(store, settings.pairing.minutes)

    return Actions(
        look=lambda: hub_light.light(time.monotonic()),
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
