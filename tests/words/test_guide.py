"""The technician's guide tells of the lights what the lights do, and points to nothing that is not there."""

from pathlib import Path

import pytest

from hub.core.status.lights import PATTERNS, Light

GUIDE = Path(__file__).parents[2] / "image/GUIDE.md"


@pytest.mark.parametrize("light", Light)
def test_the_guide_says_of_every_light_what_it_means_and_what_to_do(light: Light) -> None:
    known = f"| {PATTERNS[light].rhythm} | {PATTERNS[light].meaning} | "
    rows = [line for line in GUIDE.read_text("utf-8").splitlines() if line.startswith(known)]
    assert [row.removeprefix(known) != "|" for row in rows] == [True], known


def test_no_two_lights_are_alike_in_words() -> None:
    assert len({PATTERNS[light].rhythm for light in Light}) == len(Light)


def test_what_the_guide_points_to_is_there() -> None:
    targets = [part.split(")")[0].split("#")[0] for part in GUIDE.read_text("utf-8").split("](")[1:]]
    assert [target for target in targets if target and not (GUIDE.parent / target).exists()] == []
