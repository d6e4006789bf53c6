"""Charts for a template: bars and curves in the units of their SVG, and the same as a table."""

import datetime as dt
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple
from unicodedata import name

import msgspec

from hub.actions.box.history import Bucket
from hub.words import Words

HOUR_MS = 3_600_000
_WIDTH, _HEIGHT = 400, 200
_LEFT, _TOP, _BOTTOM = 46, 18, 34
_LABEL_GAP = 6
"""Between a label of the vertical axis and the drawing; the least between two of the horizontal axis."""
_LATIN = {True: 0.7, False: 0.4}
_ARABIC = 0.5
"""Breadth of letters, which in Arabic are narrow and joined; in sizes of the font."""
_EM = 16
"""Size of the labels on a small screen (hub.css), in units of the drawing; on others they are smaller."""
_GAP = 0.22
"""Share of a step that stays empty between bars."""


class Bar(msgspec.Struct, frozen=True):
    """A rectangle."""

    series: int
    x: float
    y: float
    width: float
    height: float


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a template needs; positions in units of the SVG."""

    title: str
    summary: str
    series: tuple[str, ...]
    rows: list[tuple[str, list[str]]]
    grid: list[tuple[float, str]]
    ticks: list[tuple[float, str]]
    bars: list[Bar] = []
    curve: str = ""
    area: str = ""
    width: int = _WIDTH
    height: int = _HEIGHT
    left: float = _LEFT


class Slot(msgspec.Struct):
    """One step of the time axis; ``waiting`` is None where the hub was off."""

    at: dt.datetime
    entered: int = 0
    relayed: int = 0
    waiting: int | None = None


def slots(buckets: Sequence[Bucket], *, now_ms: int, wall_ms: int, hours: int, step_h: int) -> list[Slot]:
    """Put buckets into steps of ``step_h`` hours that end now; by the wall clock where it could be believed."""
    zone = dt.datetime.now().astimezone().tzinfo
    step_ms = step_h * HOUR_MS
    offset_ms = int(dt.datetime.now(zone).utcoffset().total_seconds() * 1000)  # type: ignore[union-attr]  # aware
    last = (wall_ms + offset_ms) // step_ms
    count = hours // step_h
    found = [
        Slot(dt.datetime.fromtimestamp((number * step_ms - offset_ms) / 1000, zone))
        for number in range(last - count + 1, last + 1)
    ]
    for bucket in buckets:
        at = bucket.wall if bucket.wall is not None else wall_ms - (now_ms - bucket.at)
        index = (at + offset_ms) // step_ms - (last - count + 1)
        if 0 <= index < count:
            slot = found[index]
            slot.entered += bucket.entered
            slot.relayed += bucket.relayed
            slot.waiting = max(slot.waiting or 0, bucket.waiting)
    return found


def records(words: Words, title: str, steps: Sequence[Slot], *, with_cloud: bool, by_day: bool) -> Chart:
    """Draw how many records were entered and, with a cloud, relayed."""
    series = (words.say("entered"), words.say("sent to the cloud")) if with_cloud else (words.say("entered"),)
    values = [[step.entered, step.relayed][: len(series)] for step in steps]
    axes = _axes(words, len(steps), max((max(pair) for pair in values), default=0))
    width = axes.step * (1 - _GAP) / len(series)
    bars = [
        Bar(
            series=number,
            x=round(axes.x(index) + axes.step * _GAP / 2 + number * width, 1),
            y=round(axes.y(value), 1),
            width=round(width, 1),
            height=round(axes.y(0) - axes.y(value), 1),
        )
        for index, pair in enumerate(values)
        for number, value in enumerate(pair)
        if value
    ]
    total = sum(step.entered for step in steps)
    return Chart(
        title=title,
        summary=words.count(
            "{title}: {count} record entered.", "{title}: {count} records entered.", total, title=title
        ),
        series=series,
        rows=[
            (_label(words, step.at, by_day=by_day), [words.number(value) for value in pair])
            for step, pair in zip(steps, values, strict=True)
        ],
        grid=axes.grid(words),
        ticks=_ticks(words, axes, steps, by_day=by_day),
        bars=bars,
        left=axes.left,
    )


def waiting(words: Words, title: str, steps: Sequence[Slot], *, by_day: bool) -> Chart:
    """Draw how many records waited for the cloud."""
    known = [(index, step.waiting) for index, step in enumerate(steps) if step.waiting is not None]
    axes = _axes(words, len(steps), max((value for _, value in known), default=0))
    points = [(round(axes.x(index + 0.5), 1), round(axes.y(value), 1)) for index, value in known]
    if len(points) == 1:  # a single point would not be seen
        (x, y), half = points[0], axes.step / 2
        points = [(round(x - half, 1), y), (round(x + half, 1), y)]
    curve = "M" + "L".join(f"{x} {y}" for x, y in points) if points else ""
    area = f"{curve}L{points[-1][0]} {axes.y(0)}L{points[0][0]} {axes.y(0)}Z" if points else ""
    now = known[-1][1] if known else 0
    return Chart(
        title=title,
        summary=words.count("{title}: {count} record now.", "{title}: {count} records now.", now, title=title),
        series=(words.say("waiting"),),
        rows=[
            (_label(words, step.at, by_day=by_day), [words.number(step.waiting)])
            for step in steps
            if step.waiting is not None
        ],
        grid=axes.grid(words),
        ticks=_ticks(words, axes, steps, by_day=by_day),
        curve=curve,
        area=area,
        left=axes.left,
    )


class _Axes(NamedTuple):
    """Where steps and values lie; the left margin is as wide as the longest value needs."""

    left: float
    step: float
    most: int

    def x(self, index: float) -> float:
        return self.left + index * self.step

    def y(self, value: int) -> float:
        return _TOP + (_HEIGHT - _BOTTOM - _TOP) * (1 - value / self.most)

    def grid(self, words: Words) -> list[tuple[float, str]]:
        return [(round(self.y(value), 1), words.number(value)) for value in (0, self.most // 2, self.most)]


def _axes(words: Words, count: int, most: int) -> _Axes:
    most = _round_above(most)
    left = max(_LEFT, *(_breadth(words.number(value)) + _LABEL_GAP for value in (most, most // 2)))
    return _Axes(round(left, 1), (_WIDTH - left) / count, most)


def _round_above(most: int) -> int:
    """Return a round number at or above ``most`` that four lines divide well."""
    if most <= 4:  # noqa: PLR2004
        return 4
    unit = 10 ** math.floor(math.log10(most))
    return next(int(unit * factor) for factor in (1, 2, 4, 6, 8, 10) if unit * factor >= most)


def _breadth(text: str) -> float:
    """Return how wide a label is at most, in the widest of the fonts that browsers take for sans-serif."""
    return _EM * sum(_ARABIC if "ARABIC LETTER" in name(letter, "") else _LATIN[letter.isalnum()] for letter in text)


def _ticks(words: Words, axes: _Axes, steps: Sequence[Slot], *, by_day: bool) -> list[tuple[float, str]]:
    """Label days at their middle or every sixth hour; all labels inside the drawing, and none on another."""
    ticks = []
    for index, step in enumerate(steps):
        if by_day and step.at.hour < _first_of_day(steps):
            ticks.append((axes.x(index + 2), words.day(step.at)))
        elif not by_day and step.at.hour % 6 == 0:
            ticks.append((axes.x(index + 0.5), words.hour(step.at)))
    return _apart([(round(_inside(x, label), 1), label) for x, label in ticks if x <= _WIDTH])


def _inside(x: float, label: str) -> float:
    """Move the middle of a label so far that nothing of it is cut off."""
    half = _breadth(label) / 2
    return min(max(x, half), _WIDTH - half)


def _apart(ticks: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return every label, or as many evenly as have room beside each other, the last among them."""
    for stride in range(1, len(ticks)):
        some = ticks[::-stride][::-1]
        if all(
            after - before >= (_breadth(one) + _breadth(other)) / 2 + _LABEL_GAP
            for (before, one), (after, other) in pairwise(some)
        ):
            return some
    return ticks[-1:]


def _first_of_day(steps: Sequence[Slot]) -> int:
    return (steps[1].at - steps[0].at).seconds // 3600 if len(steps) > 1 else 24


def _label(words: Words, at: dt.datetime, *, by_day: bool) -> str:
    return f"{words.day(at)} {words.hour(at)}" if by_day else words.hour(at)
