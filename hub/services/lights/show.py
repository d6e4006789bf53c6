"""Plays the state of the hub on its lights, and answers the button with a receipt that can be seen."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import structlog

from hub.core.errors import HubError
from hub.core.log_events import LogEvent
from hub.core.status.lights import PATTERNS, RECEIPT_MS, Levels, Light
from hub.services.lights.button import Press

TICK_MS = 40
"""25 pictures a second: gliding looks even, and the box has nothing to do."""
LOOK_MS = 500
"""How often the state of the hub is read."""
HOLD_SHOWN_MS = 1_000
"""A press that lasts longer begins to count down."""
STOPPING_MS = 120_000
"""A box that was told to switch off and still runs after this long shows its state again."""

log = structlog.get_logger()


class LightsAndButton(Protocol):
    """What a panel has."""

    def press(self) -> Press | None:
        """Take the oldest press that nobody has taken."""

    def held_ms(self) -> int:
        """Return for how long the button has been held; 0 when it is not."""

    def show(self, levels: Levels) -> None:
        """Set the lights."""


class Actions(NamedTuple):
    """How the state of the hub is read, and what its button does; each may raise HubError."""

    look: Callable[[], Light]
    open_pairing: Callable[[], object]
    shut_down: Callable[[], object]


class _Playing(NamedTuple):
    light: Light
    since_ms: int
    until_ms: int | None = None


class LightShow:
    """What is shown now; ``tick`` it many times a second with a clock that never jumps."""

    def __init__(self, panel: LightsAndButton, actions: Actions) -> None:
        self._panel = panel
        self._actions = actions
        self._state = _Playing(Light.STARTING, 0)
        self._receipt: _Playing | None = None
        self._look_ms = 0

    def tick(self, now_ms: int) -> None:
        """Answer the button, read the state where it is time, and set the lights."""
        press = self._panel.press()
        if press:
            self._answer(press, now_ms)
        if now_ms >= self._look_ms:
            self._look_ms = now_ms + LOOK_MS
            light = self._actions.look()
            if light is not self._state.light:
                self._state = _Playing(light, now_ms)
        playing = self._playing(now_ms)
        self._panel.show(PATTERNS[playing.light].at(now_ms - playing.since_ms))

    def _playing(self, now_ms: int) -> _Playing:
        held_ms = self._panel.held_ms()
        if held_ms >= HOLD_SHOWN_MS:
            return _Playing(Light.HELD, now_ms - held_ms)
        if self._receipt and now_ms < (self._receipt.until_ms or 0):
            return self._receipt
        return self._state

    def _answer(self, press: Press, now_ms: int) -> None:
        is_short = press is Press.SHORT
        try:
            (self._actions.open_pairing if is_short else self._actions.shut_down)()
        except HubError as error:
            log.warning(LogEvent.BUTTON_REFUSED, press=press.name.lower(), error=str(error))
            self._receipt = _Playing(Light.REFUSED, now_ms, now_ms + RECEIPT_MS)
            return
        log.info(LogEvent.BUTTON_PRESSED, press=press.name.lower())
        light, length_ms = (Light.PRESSED, RECEIPT_MS) if is_short else (Light.STOPPING, STOPPING_MS)
        self._receipt = _Playing(light, now_ms, now_ms + length_ms)
