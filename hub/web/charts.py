"""Draws charts as figures for a template: bars and curves in the units of their SVG, and the same as a table."""

import datetime as dt
import math
from collections.abc import Sequence

import msgspec

from hub.store.box.counters import Bucket
from hub.words import Words

HOUR_MS = 3_600_000
_WIDTH, _HEIGHT = 400, 190
_LEFT, _TOP, _BOTTOM = 46, 10, 28
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
    left: int = _LEFT


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
    top = _top(max((max(pair) for pair in values), default=0))
    step_width = (_WIDTH - _LEFT) / len(steps)
    width = step_width * (1 - _GAP) / len(series)
    bars = [
        Bar(
            series=number,
            x=round(_LEFT + index * step_width + step_width * _GAP / 2 + number * width, 1),
            y=round(_y(value, top), 1),
            width=round(width, 1),
            height=round(_HEIGHT - _BOTTOM - _y(value, top), 1),
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
        grid=_grid(words, top),
        ticks=_ticks(words, steps, by_day=by_day),
        bars=bars,
    )


def waiting(words: Words, title: str, steps: Sequence[Slot], *, by_day: bool) -> Chart:
    """Draw how many records waited for the cloud."""
    known = [(index, step.waiting) for index, step in enumerate(steps) if step.waiting is not None]
    top = _top(max((value for _, value in known), default=0))
    step_width = (_WIDTH - _LEFT) / len(steps)
    points = [(round(_LEFT + (index + 0.5) * step_width, 1), round(_y(value, top), 1)) for index, value in known]
    if len(points) == 1:  # a single point would not be seen
        (x, y), half = points[0], step_width / 2
        points = [(round(x - half, 1), y), (round(x + half, 1), y)]
    curve = "M" + "L".join(f"{x} {y}" for x, y in points) if points else ""
    area = f"{curve}L{points[-1][0]} {_HEIGHT - _BOTTOM}L{points[0][0]} {_HEIGHT - _BOTTOM}Z" if points else ""
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
        grid=_grid(words, top),
        ticks=_ticks(words, steps, by_day=by_day),
        curve=curve,
        area=area,
    )


def _top(most: int) -> int:
    """Return a round number at or above ``most`` that four lines divide well."""
    if most <= 4:  # noqa: PLR2004
        return 4
    unit = 10 ** math.floor(math.log10(most))
    return next(int(unit * factor) for factor in (1, 2, 4, 6, 8, 10) if unit * factor >= most)


def _y(value: int, top: int) -> float:
    return _TOP + (_HEIGHT - _BOTTOM - _TOP) * (1 - value / top)


def _grid(words: Words, top: int) -> list[tuple[float, str]]:
    return [(round(_y(value, top), 1), words.number(value)) for value in (0, top // 2, top)]


def _ticks(words: Words, steps: Sequence[Slot], *, by_day: bool) -> list[tuple[float, str]]:
    step_width = (_WIDTH - _LEFT) / len(steps)
    ticks = []
    for index, step in enumerate(steps):
        if by_day and step.at.hour < _first_of_day(steps):
            ticks.append((round(_LEFT + (index + 2) * step_width, 1), words.day(step.at)))
        elif not by_day and step.at.hour % 6 == 0:
            ticks.append((round(_LEFT + (index + 0.5) * step_width, 1), words.hour(step.at)))
    return [(x, label) for x, label in ticks if _LEFT + 15 < x < _WIDTH - 15]


def _first_of_day(steps: Sequence[Slot]) -> int:
    return (steps[1].at - steps[0].at).seconds // 3600 if len(steps) > 1 else 24


def _label(words: Words, at: dt.datetime, *, by_day: bool) -> str:
    return f"{words.day(at)} {words.hour(at)}" if by_day else words.hour(at)
