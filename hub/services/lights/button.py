"""Tells a short press of the hub's button from a long one, by gpiozero's debounce and hold."""

from enum import Enum, auto
from queue import Empty, SimpleQueue
from typing import Any

import gpiozero

BOUNCE_S = 0.05
"""A contact bounces for some ten milliseconds; a finger stays longer."""
SHORT_S = 2.0
"""Up to here it was a press; longer, but not to the end, means that someone thought better of it."""
HOLD_S = 10.0
"""Nobody holds a button so long by mistake."""


class Press(Enum):
    """What someone did."""

    SHORT = auto()
    LONG = auto()


class Button:
    """The button at ``pin``, which closes to ground; gpiozero calls it from threads of its own.

    One that is jammed from the start, or still down from the press that woke the hub, means nothing until it is let go.
    """

    def __init__(self, pin: int, factory: Any = None) -> None:  # noqa: ANN401  gpiozero has no types
        """Take the pin; raises what gpiozero raises."""
        self._presses: SimpleQueue[Press] = SimpleQueue()
        self._down_since: float | None = None
        self._button = gpiozero.Button(pin, bounce_time=BOUNCE_S, hold_time=HOLD_S, pin_factory=factory)
        self._button.when_pressed = self._pressed
        self._button.when_held = self._held
        self._button.when_released = self._released

    def press(self) -> Press | None:
        """Take the oldest press that nobody has taken: SHORT once it was let go, LONG while it is still held."""
        try:
            return self._presses.get_nowait()
        except Empty:
            return None

    def held_ms(self) -> int:
        """Return for how long it has been held; 0 when it is not, or when that means nothing any more."""
        since = self._down_since
        return 0 if since is None else round(1000 * self._seconds_since(since))

    def close(self) -> None:
        """Let the pin go."""
        self._button.close()

    def _pressed(self) -> None:
        self._down_since = self._button.pin_factory.ticks()

    def _held(self) -> None:
        if self._down_since is not None:
            self._down_since = None
            self._presses.put(Press.LONG)

    def _released(self) -> None:
        since, self._down_since = self._down_since, None
        if since is not None and self._seconds_since(since) < SHORT_S:
            self._presses.put(Press.SHORT)

    def _seconds_since(self, ticks: float) -> float:
        factory = self._button.pin_factory
        return float(factory.ticks_diff(factory.ticks(), ticks))
