"""The table of lights, and the label that is printed from it."""

import itertools
import xml.etree.ElementTree as ET
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.status import label
from hub.core.status.lights import PATTERNS, Levels, Light, Pattern, Phase

TICK_MS = 10


def rhythm(pattern: Pattern) -> tuple[bool, ...]:
    """What someone sees who sees no colours, over one period: lit or not, all lamps alike."""
    return tuple(max(pattern.at(t_ms)) > 0.5 for t_ms in range(0, pattern.period_ms, TICK_MS))


def beats(pattern: Pattern) -> tuple[tuple[bool, int], ...]:
    """The same as lengths, beginning with the longest dark: wherever one begins to look, the same."""
    runs = [(lit, len(list(run)) * TICK_MS) for lit, run in itertools.groupby(rhythm(pattern))]
    if len(runs) > 1 and runs[0][0] == runs[-1][0]:
        runs = [(runs[0][0], runs[0][1] + runs[-1][1]), *runs[1:-1]]
    return max(tuple(runs[turn:] + runs[:turn]) for turn in range(len(runs)))


def changes(pattern: Pattern) -> set[Levels]:
    return {pattern.at(t_ms) for t_ms in range(0, pattern.period_ms, TICK_MS)}


def test_every_light_has_a_pattern_and_a_meaning() -> None:
    assert set(PATTERNS) == set(Light)
    assert all(pattern.meaning.endswith(".") for pattern in PATTERNS.values())
    assert len({pattern.meaning for pattern in PATTERNS.values()}) == len(Light)


@pytest.mark.parametrize("light", Light)
def test_no_light_stands_still_so_that_a_frozen_box_never_looks_healthy(light: Light) -> None:
    assert len(changes(PATTERNS[light])) > 1


def look_alike(one: Light, other: Light) -> bool:
    """Whether two lights are told apart by their colours alone."""
    seen, also = beats(PATTERNS[one]), beats(PATTERNS[other])
    if seen == also:  # both never get dark: then they differ by which lights change, and how fast
        return PATTERNS[one].period_ms == PATTERNS[other].period_ms
    return len(seen) == len(also) and all(
        a == b and abs(first - second) < max(60, 0.25 * max(first, second))
        for (a, first), (b, second) in zip(seen, also, strict=True)
    )


def test_any_two_lights_differ_without_colours() -> None:
    assert [pair for pair in itertools.combinations(Light, 2) if look_alike(*pair)] == []


@pytest.mark.parametrize("light", Light)
def test_only_green_and_blue_mean_that_nobody_has_to_act(light: Light) -> None:
    well = {Light.SAFE, Light.WAITING, Light.LINE, Light.RELAYING, Light.SYNCING, Light.PAIRING, Light.STARTING}
    button = {Light.LOCATE, Light.PRESSED, Light.REFUSED, Light.HELD, Light.STOPPING}
    red = any(step.levels.red for step in PATTERNS[light].steps)
    assert light in button or red == (light not in well)


@given(st.sampled_from(list(Light)), st.integers(min_value=0, max_value=10**13))
def test_levels_stay_between_dark_and_bright_for_ever(light: Light, t_ms: int) -> None:
    assert all(0 <= level <= 1 for level in PATTERNS[light].at(t_ms))
    assert PATTERNS[light].at(t_ms) == PATTERNS[light].at(t_ms + PATTERNS[light].period_ms)


def test_a_gliding_step_rises_evenly_from_the_one_before() -> None:
    pattern = Pattern((Phase(100, Levels(0, 0, 1)), Phase(100, Levels(1, 0, 0), glide=True)), "", "")
    assert pattern.at(99) == (0, 0, 1)
    assert pattern.at(150) == (0.5, 0, 0.5)


def test_the_label_tells_every_light() -> None:
    text = label.as_text()
    drawn = " ".join(ET.fromstring(label.as_svg()).itertext())  # noqa: S314  it is our own
    for pattern in PATTERNS.values():
        assert pattern.meaning in text
        assert pattern.meaning in drawn
    assert len(text.splitlines()) == len(Light)


def test_the_label_shows_rhythms_as_they_blink() -> None:
    lines = {line.split("  ")[-1].split(" ", 1)[-1].strip(): line for line in label.as_text().splitlines()}
    fault = next(line for line in lines.values() if "does not answer" in line)
    assert fault.startswith("#.#.#.#.")


def test_the_page_on_the_lights_shows_the_table_as_it_is() -> None:
    page = files("hub").joinpath("services/lights/README.md").read_text("utf-8")
    assert f"```\n{label.as_text()}\n```" in page
