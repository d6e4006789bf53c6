"""How the lights blink for each state: one table, read by the lights, the page and the printed label (O2, O3).

No pattern stands still, so that a box that froze, whose lights stay as they were, is never taken for a healthy one.
Each pattern has a rhythm of its own, so that they can be told apart without seeing colours.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec


class Light(StrEnum):
    """What the lights can say; status.json names one of these."""

    SAFE = "safe"
    WAITING = "waiting"
    LINE = "line"
    RELAYING = "relaying"
    SYNCING = "syncing"
    PAIRING = "pairing"
    STARTING = "starting"
    DAMAGE = "damage"
    STORAGE = "storage"
    DISK = "disk"
    CLOCK = "clock"
    POWER = "power"
    HEAT = "heat"
    QUARANTINE = "quarantine"
    KEY = "key"
    CLOUD = "cloud"
    COPY = "copy"
    NOT_SERVING = "not_serving"
    FAULT = "fault"
    LOCATE = "locate"
    PRESSED = "pressed"
    REFUSED = "refused"
    HELD = "held"
    STOPPING = "stopping"


class Levels(NamedTuple):
    """Brightness of each lamp, 0 to 1."""

    green: float
    blue: float
    red: float


class Phase(NamedTuple):
    """Levels that are held, or reached evenly from the step before, in ``ms`` milliseconds."""

    ms: int
    levels: Levels
    glide: bool = False


class Pattern(msgspec.Struct, frozen=True):
    """Steps that repeat, what they mean to a person, and how they look in words: not everybody sees them move."""

    steps: tuple[Phase, ...]
    meaning: str
    rhythm: str

    @property
    def period_ms(self) -> int:
        """The time after which it repeats."""
        return sum(step.ms for step in self.steps)

    def at(self, t_ms: int) -> Levels:
        """Return the levels at a time since its beginning; it repeats for ever."""
        left_ms = t_ms % self.period_ms
        before = self.steps[-1].levels
        for step in self.steps:
            if left_ms < step.ms:
                return _between(before, step.levels, left_ms / step.ms) if step.glide else step.levels
            left_ms -= step.ms
            before = step.levels
        raise AssertionError(t_ms)


_DARK = Levels(0, 0, 0)
_GREEN = Levels(1, 0, 0)
_BLUE = Levels(0, 1, 0)
_RED = Levels(0, 0, 1)
_ALL = Levels(1, 1, 1)


def _between(before: Levels, after: Levels, share: float) -> Levels:
    return Levels(*(a + (b - a) * share for a, b in zip(before, after, strict=True)))


def _blinks(*, long: int = 0, short: int = 0) -> tuple[Phase, ...]:
    """Return long and then short red blinks, and a pause: up to five are counted without effort."""
    blinks = (Phase(1000, _RED), Phase(300, _DARK)) * long + (Phase(250, _RED), Phase(250, _DARK)) * short
    return (*blinks[:-1], Phase(1500, _DARK))


PATTERNS: dict[Light, Pattern] = {
    Light.SAFE: Pattern(
        (Phase(4000, _GREEN), Phase(500, Levels(0.1, 0, 0), glide=True), Phase(500, _GREEN, glide=True)),
        "Everything the phones have sent is safe.",
        "Green, steady; dips every 5 seconds",
    ),
    Light.WAITING: Pattern(
        (Phase(2000, _GREEN), Phase(2000, _DARK)),
        "Safe here; records are waiting to go to the cloud.",
        "Green: 2 seconds on, 2 seconds off",
    ),
    Light.LINE: Pattern(
        (Phase(300, _GREEN), Phase(2700, _DARK)), "Safe here; no internet.", "Green: one short blink, long pause"
    ),
    Light.RELAYING: Pattern(
        (Phase(125, _GREEN), Phase(125, _DARK), Phase(125, _GREEN), Phase(625, _DARK)),
        "Sending records to the cloud.",
        "Green: blinks twice quickly, pause",
    ),
    Light.SYNCING: Pattern(
        (
            Phase(125, _BLUE),
            Phase(125, _DARK),
            Phase(125, _BLUE),
            Phase(125, _DARK),
            Phase(125, _BLUE),
            Phase(375, _DARK),
        ),
        "A phone is syncing.",
        "Blue: blinks three times quickly, pause",
    ),
    Light.PAIRING: Pattern(
        (Phase(500, _BLUE), Phase(500, _DARK)), "Phones can be added.", "Blue: blinks evenly, once a second"
    ),
    Light.STARTING: Pattern(
        (Phase(1000, _BLUE, glide=True), Phase(1000, _DARK, glide=True)),
        "Starting.",
        "Blue: slowly brighter and darker",
    ),
    Light.DAMAGE: Pattern(_blinks(long=1), "The data is damaged: call your technician.", "Red: 1 long, pause"),
    Light.STORAGE: Pattern(
        _blinks(long=2), "The hub cannot save anything: call your technician.", "Red: 2 long, pause"
    ),
    Light.DISK: Pattern(_blinks(short=2), "The storage is nearly full.", "Red: 2 short, pause"),
    Light.CLOCK: Pattern(_blinks(short=3), "The clock is wrong.", "Red: 3 short, pause"),
    Light.POWER: Pattern(_blinks(short=4), "The power supply is too weak.", "Red: 4 short, pause"),
    Light.HEAT: Pattern(_blinks(short=5), "The hub is too hot.", "Red: 5 short, pause"),
    Light.QUARANTINE: Pattern(
        _blinks(long=1, short=1), "Some records need checking: see the page.", "Red: 1 long, 1 short, pause"
    ),
    Light.KEY: Pattern(
        _blinks(long=1, short=2), "The cloud does not accept this hub: see the page.", "Red: 1 long, 2 short, pause"
    ),
    Light.CLOUD: Pattern(
        _blinks(long=1, short=3),
        "Cloud problem: nothing to do unless it lasts more than a day.",
        "Red: 1 long, 3 short, pause",
    ),
    Light.COPY: Pattern(
        _blinks(long=2, short=1),
        "Records are on one card only: the stick or spare is missing.",
        "Red: 2 long, 1 short, pause",
    ),
    Light.NOT_SERVING: Pattern(
        _blinks(long=2, short=2), "Syncing was stopped: see the page.", "Red: 2 long, 2 short, pause"
    ),
    Light.FAULT: Pattern(
        (Phase(125, _RED), Phase(125, _DARK)),
        "The hub does not answer: unplug it, wait, plug it back in.",
        "Red: flickers without a pause",
    ),
    Light.LOCATE: Pattern(
        (Phase(250, _GREEN), Phase(250, _BLUE), Phase(250, _RED), Phase(250, _DARK)),
        "This is the hub you are looking for.",
        "Green, blue, red, one after another",
    ),
    Light.PRESSED: Pattern(
        (Phase(375, _ALL), Phase(125, _DARK)), "Button press received.", "All three: long, with a short gap"
    ),
    Light.REFUSED: Pattern(
        (Phase(125, _RED), Phase(250, _DARK)),
        "Button press received, but it did not work.",
        "Red: short blinks with gaps",
    ),
    Light.HELD: Pattern(
        (Phase(3300, _ALL), Phase(3300, Levels(0, 1, 1)), Phase(3400, _RED)),
        "To switch off, keep holding until the last light goes out. Let go to cancel.",
        "All three on, then one after another goes out",
    ),
    Light.STOPPING: Pattern(
        (Phase(2000, _RED), Phase(250, _DARK)),
        "Switching off: when all lights are out, count to ten before you unplug it.",
        "Red: 2 seconds on, a short gap",
    ),
}

RECEIPT_MS = 1500
"""How long PRESSED and REFUSED are shown: three flashes or four."""
