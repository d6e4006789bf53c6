"""Charts: every label can be read (O2)."""

import datetime as dt
from itertools import pairwise

import pytest

from hub.web import charts
from hub.words import LANGUAGES, words
from tests.web import drawn


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("top", drawn.TOPS)
def test_no_label_leaves_the_drawing_or_lies_on_another(code: str, top: int) -> None:
    for hour in range(24):
        for chart in drawn.every(code, hour=hour, top=top):
            assert all(charts._breadth(label) < chart.left for _, label in chart.grid)
            ends = [(x - charts._breadth(label) / 2, x + charts._breadth(label) / 2) for x, label in chart.ticks]
            assert all(left >= -0.1 and right <= chart.width + 0.1 for left, right in ends)
            assert all(before[1] < after[0] for before, after in pairwise(ends))


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("hour", range(24))
def test_a_day_names_at_least_three_hours_and_a_week_three_days(code: str, hour: int) -> None:
    for chart in drawn.every(code, hour=hour, top=12_345):
        assert len(chart.ticks) >= 3


def test_bars_and_curve_stay_between_the_axis_and_the_edge() -> None:
    for top in drawn.TOPS:
        for chart in drawn.every("en", hour=13, top=top):
            lowest, highest = chart.grid[0][0], chart.grid[-1][0]
            for bar in chart.bars:
                assert chart.left <= bar.x <= bar.x + bar.width <= chart.width
                assert highest <= bar.y <= bar.y + bar.height <= lowest + 0.1


def test_hours_are_short() -> None:
    noon = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)
    assert [words(code).hour(noon) for code in LANGUAGES] == ["12 PM", "١٢\u202fم", "12:00", "12:00"]
