"""Spoils honest samples, byte by byte and value by value, from a seed: the same seed makes the same inputs."""

import random
import re
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tests.adversary.hostile import LITERALS

_PIECES = (
    *LITERALS,
    b"\0",
    b'"',
    b"\\",
    b"\\ud83d",
    b"{",
    b"[",
    b"]",
    b"}",
    b"null",
    b"'",
    b"\n",
    b"\xff",
    b"\xff" * 8,
    b"\x7f\xff\xff\xff",
    b"\x91" * 2000,
    b"-1",
    b"1e9",
)
_VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.]*|true|false|null')
"""A value or a name, in JSON and in TOML alike."""
_EMPTY = (b"null", b"{}", b"[]", b'""', b"0", b"-1", b"1.5", b"true")


class Target(NamedTuple):
    """What takes bytes, and what honest ones look like. It raises only what is an error that nobody foresaw."""

    take: Callable[[bytes], None]
    samples: Sequence[bytes]


class Outcome(NamedTuple):
    """What became of a run; ``crashes`` are inputs with their tracebacks."""

    inputs: int
    seconds: float
    slowest_s: float
    crashes: list[tuple[bytes, str]]


def spoilt(sample: bytes, others: Sequence[bytes], luck: random.Random) -> bytes:
    """Return a sample with some of it changed: values in their places, or bytes anywhere."""
    if luck.random() < 0.5:
        return _with_other_values(sample, luck.choice(others), luck)
    return _with_other_bytes(sample, others, luck)


def run(make: Callable[[Path], Target], *, seed: int, most: int, seconds: float) -> Outcome:
    """Feed a target until so many inputs or seconds are over."""
    luck, crashes, count, slowest_s = random.Random(seed), [], 0, 0.0
    with tempfile.TemporaryDirectory(prefix="hikma-fuzz-") as folder:
        target = make(Path(folder))
        started = before = time.monotonic()
        while count < most and before < started + seconds:
            content = spoilt(luck.choice(target.samples), target.samples, luck)
            count += 1
            try:
                target.take(content)
            except Exception:  # noqa: BLE001  that is what is looked for
                crashes.append((content, traceback.format_exc()))
            before, after = time.monotonic(), before
            slowest_s = max(slowest_s, before - after)
    return Outcome(count, before - started, slowest_s, crashes)


def _with_other_values(sample: bytes, other: bytes, luck: random.Random) -> bytes:
    places = _values(sample)
    if not places:
        return _with_other_bytes(sample, [other], luck)
    found, end = bytearray(), 0
    for start, stop in sorted({luck.choice(places) for _ in range(luck.choice((1, 1, 2, 4)))}):
        found += sample[end:start] + _value(sample, other, luck)
        end = stop
    return bytes(found + sample[end:])


def _value(sample: bytes, other: bytes, luck: random.Random) -> bytes:
    match _below(luck, 4):
        case 0:
            return luck.choice(LITERALS)
        case 1:
            return luck.choice(_EMPTY)
        case 2:
            start, end = luck.choice(_values(sample))
            return sample[start:end]
        case _:
            start, end = luck.choice(_values(other) or [(0, 0)])
            return other[start:end]


@lru_cache(maxsize=1024)
def _values(sample: bytes) -> list[tuple[int, int]]:
    return [found.span() for found in _VALUE.finditer(sample)]


def _with_other_bytes(sample: bytes, others: Sequence[bytes], luck: random.Random) -> bytes:
    """Return a sample with some of it changed, cut out, doubled, or of another one's."""
    found = bytearray(sample)
    for _ in range(luck.choice((1, 1, 2, 3, 6))):
        at = _below(luck, len(found) + 1)
        end = at + _below(luck, luck.choice((2, 9, 200, 10_000)))
        match _below(luck, 6):
            case 0:
                found[at:end] = luck.randbytes(_below(luck, 9))
            case 1:
                found[at:at] = luck.choice(_PIECES)
            case 2:
                del found[at:end]
            case 3:
                found[at:at] = found[at:end] * (1 + _below(luck, 3))
            case 4:
                found[at:end] = luck.choice(_PIECES)
            case _:
                other = luck.choice(others)
                start = _below(luck, len(other) + 1)
                found[at:end] = other[start : start + 200]
    return bytes(found)


def _below(luck: random.Random, most: int) -> int:
    """Return a number from 0 to below ``most``; some ten times as fast as randrange."""
    return int(luck.random() * most)
