"""Lights and button on gpiozero's mock pins."""

from collections.abc import Iterator

import gpiozero
import msgspec
import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from hub.core.errors import OperatorError
from hub.core.status.lights import Levels
from hub.services.lights.button import Press
from hub.services.lights.panel import Panel, Wiring

WIRING = Wiring(
    kind="three", green_pin=17, blue_pin=27, red_pin=22, is_active_high=True, brightness=50, button_pin=3, chip=-1
)


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory(pin_class=MockPWMPin)
    gpiozero.Device.pin_factory = factory
    yield factory
    factory.close()
    gpiozero.Device.pin_factory = None


def duty(pins: MockFactory) -> tuple[float, ...]:
    return tuple(round(float(pins.pin(number).state), 3) for number in (17, 27, 22))


@pytest.mark.parametrize("kind", ["three", "rgb"])
def test_each_light_hangs_at_its_pin_and_shines_as_bright_as_set(pins: MockFactory, kind: str) -> None:
    panel = Panel(msgspec.structs.replace(WIRING, kind=kind))
    panel.show(Levels(1, 0, 0))
    assert duty(pins) == (0.5, 0, 0)
    panel.show(Levels(0, 0.5, 1))
    assert duty(pins) == (0, 0.25, 0.5)
    panel.close()


@pytest.mark.parametrize("kind", ["three", "rgb"])
def test_a_common_anode_turns_the_levels_round(pins: MockFactory, kind: str) -> None:
    panel = Panel(msgspec.structs.replace(WIRING, kind=kind, is_active_high=False, brightness=100))
    panel.show(Levels(1, 0, 0))
    assert duty(pins) == (0, 1, 1)
    panel.close()


def test_the_button_closes_to_ground(pins: MockFactory) -> None:
    panel = Panel(WIRING)
    assert panel.press() is None
    pins.pin(3).drive_low()
    pins.pin(3).drive_high()
    assert (panel.press(), panel.held_ms()) == (Press.SHORT, 0)
    panel.close()


@pytest.mark.usefixtures("pins")
def test_a_panel_without_a_button_is_never_pressed() -> None:
    panel = Panel(msgspec.structs.replace(WIRING, button_pin=0))
    assert (panel.press(), panel.held_ms()) == (None, 0)
    panel.close()


@pytest.mark.usefixtures("pins")
def test_pins_that_are_named_twice_are_refused() -> None:
    with pytest.raises(OperatorError, match="two of the pins"):
        Panel(msgspec.structs.replace(WIRING, red_pin=17))


@pytest.mark.usefixtures("pins")
def test_pins_that_others_have_are_refused_with_the_section_to_look_at() -> None:
    panel = Panel(WIRING)
    with pytest.raises(OperatorError, match=r"\[lights\]"):
        Panel(WIRING)
    panel.close()
