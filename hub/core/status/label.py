"""The table of lights for the label on the hub: text for a terminal, SVG for a printer."""

import html
import textwrap
from collections.abc import Callable

from hub.core.status.lights import PATTERNS, Light, Pattern

LABEL: tuple[Light, ...] = tuple(Light)
"""In the order of the label."""

_TICK_MS = 125
_TICKS = 48
"""6 seconds: every rhythm shows itself whole."""
_COLOURS = ("#157a3c", "#1d5fbf", "#c0251d")
_LETTERS = ("green", "blue", "red")
_LINE_CHARS = 72
"""As many as fit beside the lanes; what is longer stands on two lines."""
_ROW_PX, _LEFT_PX, _TICK_PX, _TEXT_PX, _WIDTH_PX, _LANES_PX = 34, 10, 5, 270, 760, 22


def as_text() -> str:
    """Return one line for each light: its rhythm over 6 seconds (# lit, + dim, . dark), its colours, its meaning."""
    return "\n".join(
        f"{_strip(PATTERNS[light])}  {_lamps(PATTERNS[light]):<15} {PATTERNS[light].meaning}" for light in LABEL
    )


def as_svg(say: Callable[[str], str] = str, *, is_rtl: bool = False) -> str:
    """Return a drawing: for each light three lanes, green, blue and red, over 6 seconds, and its meaning.

    say: translates a meaning; is_rtl: into a language that is written from right to left.
    """
    height = _ROW_PX * len(LABEL) + _LEFT_PX
    where = f'x="{_WIDTH_PX - _LEFT_PX}" direction="rtl"' if is_rtl else f'x="{_TEXT_PX}"'
    rows = "".join(
        _row(index, PATTERNS[light]) + _told(say(PATTERNS[light].meaning), where, index * _ROW_PX + _LEFT_PX + 16)
        for index, light in enumerate(LABEL)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH_PX} {height}"'
        f' font-family="sans-serif" font-size="13">'
        f'<rect width="{_WIDTH_PX}" height="{height}" fill="#fff"/>{rows}</svg>\n'
    )


def strip_svg(pattern: Pattern) -> str:
    """Return a drawing of a rhythm alone: three lanes, green, blue and red, over 6 seconds."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_TICKS * _TICK_PX} {_LANES_PX}" aria-hidden="true">'
        f'<rect width="{_TICKS * _TICK_PX}" height="{_LANES_PX}" fill="#f2f2f2"/>{_lanes(pattern, 0, 0)}</svg>'
    )


def _told(meaning: str, where: str, middle: int) -> str:
    lines = textwrap.wrap(meaning, _LINE_CHARS)
    top = middle - 7 * (len(lines) - 1)
    return "".join(
        f'<text {where} y="{top + 14 * number}">{html.escape(line)}</text>' for number, line in enumerate(lines)
    )


def _row(index: int, pattern: Pattern) -> str:
    return _lanes(pattern, _LEFT_PX, index * _ROW_PX + _LEFT_PX)


def _lanes(pattern: Pattern, left: int, top: int) -> str:
    return "".join(
        f'<rect x="{left + tick * _TICK_PX}" y="{top + lane * 8}" width="{_TICK_PX}" height="6"'
        f' fill="{_COLOURS[lane]}" fill-opacity="{level:.2f}"/>'
        for tick in range(_TICKS)
        for lane, level in enumerate(pattern.at(tick * _TICK_MS))
        if level
    )


def _strip(pattern: Pattern) -> str:
    brightest = (max(pattern.at(tick * _TICK_MS)) for tick in range(_TICKS))
    return "".join("#" if level > 0.5 else "+" if level else "." for level in brightest)  # noqa: PLR2004  half lit


def _lamps(pattern: Pattern) -> str:
    used = [any(step.levels[lane] for step in pattern.steps) for lane in range(3)]
    return "+".join(word for word, is_used in zip(_LETTERS, used, strict=True) if is_used)
