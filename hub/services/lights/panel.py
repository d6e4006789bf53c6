"""The lights and the button of the hub, over gpiozero."""

import warnings
from typing import Any, Literal

import gpiozero
import msgspec
from gpiozero.exc import GPIOZeroError, PinFactoryFallback

from hub.core.errors import OperatorError
from hub.core.status.lights import Levels
from hub.services.lights.button import Button, Press


class Wiring(msgspec.Struct, frozen=True, kw_only=True):
    """What hangs where: GPIO numbers, brightness in percent, ``button_pin`` 0 for no button."""

    kind: Literal["three", "rgb"]
    green_pin: int
    blue_pin: int
    red_pin: int
    is_active_high: bool
    brightness: int
    button_pin: int
    chip: int
    """N of /dev/gpiochipN, -1 to let gpiozero find the one of a Raspberry Pi."""


class Panel:
    """The lights and the button; ``close`` it to leave the pins as they were."""

    def __init__(self, wiring: Wiring) -> None:
        """Take the pins; raises OperatorError when there are none, or others have them."""
        self._share = wiring.brightness / 100
        self._shown: Levels | None = None
        pins = (wiring.green_pin, wiring.blue_pin, wiring.red_pin)
        if len({*pins, wiring.button_pin}) != len(pins) + 1:
            raise OperatorError("two of the pins in [lights] are the same")
        try:
            factory = _factory(wiring.chip)
            self._leds = _leds(wiring, factory)
            self._button = Button(wiring.button_pin, factory) if wiring.button_pin else None
        except (GPIOZeroError, OSError, ImportError) as error:
            raise OperatorError(
                f"the lights cannot be reached: {error or type(error).__name__}; see [lights] in the settings"
            ) from error

    def press(self) -> Press | None:
        """Take the oldest press of the button that nobody has taken."""
        return self._button.press() if self._button else None

    def held_ms(self) -> int:
        """Return for how long the button has been held; 0 when it is not."""
        return self._button.held_ms() if self._button else 0

    def show(self, levels: Levels) -> None:
        """Set the lights, if they are not so already."""
        if levels == self._shown:
            return
        green, blue, red = (level * self._share for level in levels)
        self._leds.value = (red, green, blue) if isinstance(self._leds, gpiozero.RGBLED) else (green, blue, red)
        self._shown = levels

    def close(self) -> None:
        """Let the pins go; the lights go out."""
        self._leds.close()
        if self._button:
            self._button.close()


def _factory(chip: int) -> Any:  # noqa: ANN401  gpiozero has no types
    if chip < 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PinFactoryFallback)  # what it tries in vain is none of our business
            gpiozero.Device.ensure_pin_factory()
        return None
    from hub.services.lights.chip import Chip  # noqa: PLC0415  only a box with pins has lgpio

    return Chip(chip)


def _leds(wiring: Wiring, factory: Any) -> Any:  # noqa: ANN401  as above
    if wiring.kind == "rgb":
        return gpiozero.RGBLED(
            wiring.red_pin,
            wiring.green_pin,
            wiring.blue_pin,
            active_high=wiring.is_active_high,
            pin_factory=factory,
        )
    pins = (wiring.green_pin, wiring.blue_pin, wiring.red_pin)
    return gpiozero.LEDBoard(*pins, pwm=True, active_high=wiring.is_active_high, pin_factory=factory)
