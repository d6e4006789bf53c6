"""What is seen on the lights, on the clock of the test."""

import itertools
from dataclasses import dataclass, field

import pytest

from hub.core.errors import OperatorError
from hub.core.status.lights import PATTERNS, RECEIPT_MS, Levels, Light
from hub.services.lights.button import HOLD_S, SHORT_S, Press
from hub.services.lights.show import LOOK_MS, STOPPING_MS, TICK_MS, Actions, LightShow


@dataclass
class Scene:
    """A hub with a clock, its state and a finger."""

    light: Light = Light.SAFE
    down_since_ms: int | None = None
    presses: list[Press] = field(default_factory=list)
    works: bool = True
    now_ms: int = 1_000_000
    done: list[str] = field(default_factory=list)
    shown: list[tuple[int, Levels]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin."""
        actions = Actions(lambda: self.light, lambda: self.do("pairing"), lambda: self.do("shutdown"))
        self.play = LightShow(self, actions)

    def do(self, what: str) -> None:
        """Do what the button asks for."""
        if not self.works:
            raise OperatorError(what)
        self.done.append(what)

    def held_ms(self) -> int:
        """How long the finger has held the button."""
        return 0 if self.down_since_ms is None else self.now_ms - self.down_since_ms

    def press(self) -> Press | None:
        """What the finger did."""
        if self.held_ms() >= HOLD_S * 1000:
            self.down_since_ms = None
            return Press.LONG
        return self.presses.pop() if self.presses else None

    def show(self, levels: Levels) -> None:
        """Take what the lights show."""
        self.shown.append((self.now_ms, levels))

    def run(self, length_ms: int) -> list[Levels]:
        """Let time pass; returns what was seen."""
        self.shown.clear()
        for _ in range(length_ms // TICK_MS):
            self.play.tick(self.now_ms)
            self.now_ms += TICK_MS
        return [levels for _, levels in self.shown]

    def hold(self, length_ms: int, *, and_let_go: bool = True) -> list[Levels]:
        """Hold the button for so long, or longer; returns what was seen."""
        if self.down_since_ms is None:
            self.down_since_ms = self.now_ms
        seen = self.run(length_ms)
        if and_let_go and self.down_since_ms is not None:
            if self.held_ms() < SHORT_S * 1000:
                self.presses.append(Press.SHORT)
            self.down_since_ms = None
        return seen


def played(light: Light, length_ms: int) -> list[Levels]:
    return [PATTERNS[light].at(t_ms) for t_ms in range(0, length_ms, TICK_MS)]


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.run(1000)
    return made


@pytest.mark.parametrize("light", Light)
def test_every_light_is_played_as_the_table_says(light: Light) -> None:
    scene = Scene(light)
    length_ms = 2 * PATTERNS[light].period_ms // TICK_MS * TICK_MS
    assert scene.run(length_ms) == played(light, length_ms)


def test_a_new_state_is_seen_within_half_a_second_from_its_beginning(scene: Scene) -> None:
    scene.light = Light.FAULT
    seen = scene.run(LOOK_MS + 1000)
    beginning = next(index for index, levels in enumerate(seen) if levels.red)
    assert beginning * TICK_MS <= LOOK_MS
    assert seen[beginning:] == played(Light.FAULT, 10_000)[: len(seen) - beginning]


def test_a_press_opens_pairing_and_says_so(scene: Scene) -> None:
    scene.hold(200)
    seen = scene.run(100 + RECEIPT_MS)
    assert scene.done == ["pairing"]
    assert seen.count(Levels(1, 1, 1)) * TICK_MS >= RECEIPT_MS / 2
    assert scene.run(400) != played(Light.PRESSED, 400)


def test_a_press_that_cannot_be_obeyed_says_that(scene: Scene) -> None:
    scene.works = False
    scene.hold(200)
    seen = scene.run(100 + RECEIPT_MS)
    assert scene.done == []
    assert Levels(0, 0, 1) in seen
    assert Levels(1, 1, 1) not in seen


def test_holding_counts_down_lamp_by_lamp_and_then_switches_off(scene: Scene) -> None:
    seen = scene.hold(9_900, and_let_go=False)
    assert scene.done == []
    order = [levels for before, levels in itertools.pairwise(seen) if levels != before]
    assert order[-3:] == [Levels(1, 1, 1), Levels(0, 1, 1), Levels(0, 0, 1)]
    scene.hold(400)
    assert scene.done == ["shutdown"]
    assert set(scene.run(3_000)) == {Levels(0, 0, 1), Levels(0, 0, 0)}


def test_letting_go_early_shows_the_state_again_and_switches_nothing_off(scene: Scene) -> None:
    scene.hold(8_000)
    seen = scene.run(5_000)
    assert scene.done == []
    assert Levels(1, 0, 0) in seen


def test_a_box_that_does_not_switch_off_shows_its_state_again(scene: Scene) -> None:
    scene.hold(11_000)
    scene.run(STOPPING_MS)
    assert Levels(1, 0, 0) in scene.run(5_000)
