"""Tells a press of the button from a bounce and from being held."""

from enum import Enum, auto

DEBOUNCE_MS = 50
"""A contact bounces for some ten milliseconds; a finger stays longer."""
SHORT_MS = 2_000
"""Up to here it was a press; longer, but not to the end, means that someone thought better of it."""
HOLD_MS = 10_000
"""Nobody holds a button so long by mistake."""


class Event(Enum):
    """What someone did."""

    SHORT = auto()
    HELD = auto()


class Press:
    """Follows one button; tell it often what its contact says."""

    def __init__(self) -> None:
        """Take it for held, so that a jammed button, or the press that woke the box, means nothing."""
        self._is_down = True
        self._counts = False
        self._down_ms = 0
        self._differs_ms: int | None = None

    def hear(self, now_ms: int, *, is_down: bool) -> Event | None:
        """Return what was just done: SHORT when it is let go, HELD while it is still held."""
        if is_down == self._is_down:
            self._differs_ms = None
        elif self._differs_ms is None:
            self._differs_ms = now_ms
        elif now_ms - self._differs_ms >= DEBOUNCE_MS:
            return self._turn(is_down=is_down)
        if is_down and self._counts and self.held_ms(now_ms) >= HOLD_MS:
            self._counts = False
            return Event.HELD
        return None

    def held_ms(self, now_ms: int) -> int:
        """Return for how long it has been held; 0 when it is not, or when that means nothing any more."""
        return now_ms - self._down_ms if self._counts else 0

    def _turn(self, *, is_down: bool) -> Event | None:
        began_ms, self._differs_ms = self._differs_ms or 0, None
        self._is_down = is_down
        was_short = self._counts and began_ms - self._down_ms < SHORT_MS
        self._counts = is_down
        self._down_ms = began_ms
        return Event.SHORT if was_short and not is_down else None
