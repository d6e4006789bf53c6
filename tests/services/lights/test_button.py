"""The button, on gpiozero's mock pins and the clock of the test."""

from collections.abc import Iterator
from threading import Event

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from hub.services.lights import button
from hub.services.lights.button import BOUNCE_S, HOLD_S, SHORT_S, Button, Press

PIN = 3


class Finger(MockFactory):  # type: ignore[misc]  # gpiozero has no types
    """Pins with a clock that only a finger moves."""

    now_s = 1000.0

    def ticks(self) -> float:
        """Return the time of the test."""
        return self.now_s

    def down(self) -> None:
        """Press."""
        self.pin(PIN).drive_low()

    def up(self) -> None:
        """Let go."""
        self.pin(PIN).drive_high()

    def press(self, seconds: float) -> None:
        """Hold for so long."""
        self.down()
        self.now_s += seconds
        self.up()


@pytest.fixture
def finger() -> Iterator[Finger]:
    made = Finger()
    gpiozero.Device.pin_factory = made
    yield made
    gpiozero.Device.pin_factory = None


@pytest.fixture
def made(finger: Finger) -> Iterator[Button]:
    del finger
    found = Button(PIN)
    yield found
    found.close()


def held(made: Button) -> Press:
    """Wait until the thread of gpiozero has told of a hold; a bounded number of looks."""
    pause = Event()
    for _ in range(500):
        press = made.press()
        if press:
            return press
        pause.wait(0.01)
    raise AssertionError("nothing was told")


def test_a_press_counts_once_when_it_is_let_go(finger: Finger, made: Button) -> None:
    finger.down()
    assert made.press() is None
    finger.up()
    assert [made.press(), made.press()] == [Press.SHORT, None]


def test_two_presses_are_two(finger: Finger, made: Button) -> None:
    finger.press(0.2)
    finger.press(0.2)
    assert [made.press(), made.press(), made.press()] == [Press.SHORT, Press.SHORT, None]


@pytest.mark.usefixtures("made")
def test_a_contact_that_bounces_is_left_to_the_pin(finger: Finger) -> None:
    """Mock pins do not bounce; test_gpio_sim.py tries it on a line of the kernel."""
    assert finger.pin(PIN).bounce == BOUNCE_S


@pytest.mark.parametrize("seconds", [SHORT_S, HOLD_S - 1])
def test_who_lets_go_before_the_end_has_done_nothing(finger: Finger, made: Button, seconds: float) -> None:
    finger.press(seconds)
    assert made.press() is None
    finger.press(SHORT_S - 0.01)
    assert made.press() is Press.SHORT


def test_holding_to_the_end_counts_once_and_before_it_is_let_go(
    finger: Finger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(button, "HOLD_S", 0.02)
    made = Button(PIN)
    finger.down()
    assert held(made) is Press.LONG
    assert made.held_ms() == 0
    finger.up()
    assert made.press() is None
    made.close()


def test_a_button_that_is_jammed_from_the_start_does_nothing_until_it_is_let_go(
    finger: Finger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(button, "HOLD_S", 0)
    finger.down()
    monkeypatch.setattr(finger.pin(PIN), "_set_pull", lambda _pull: None)  # a jammed contact is stronger
    made = Button(PIN)
    finger.now_s += 60
    assert (made.press(), made.held_ms()) == (None, 0)
    finger.up()
    assert made.press() is None
    finger.press(0.2)
    assert held(made) in {Press.SHORT, Press.LONG}
    made.close()


def test_how_long_it_is_held_can_be_shown(finger: Finger, made: Button) -> None:
    finger.down()
    finger.now_s += 3
    assert made.held_ms() == 3000
    finger.up()
    assert made.held_ms() == 0
