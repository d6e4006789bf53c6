"""status.json, by which lights, screen and scripts know how the hub is, and that it lives (O3)."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from hub import files
from hub.core.status import state as states
from hub.core.status.facts import Facts
from hub.core.status.lights import Light
from hub.words import status as said
from hub.words import words

VERSION = 1
OLD_S = 15.0
"""A file older than this comes from a hub that has crashed or hangs."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What status.json holds; its sentences are English."""

    version: int = VERSION
    monotonic_s: float
    """The machine's monotonic clock: comparable between processes, and nobody sets it."""
    name: str
    state: str
    level: str
    light: Light
    sentence: str
    remedy: str
    facts: Facts


def write(path: Path, name: str, facts: Facts) -> None:
    """Replace the file in one step; raises OSError."""
    state = states.state(facts)
    status = Status(
        monotonic_s=time.monotonic(),
        name=name,
        state=state.name.lower(),
        level=state.level,
        light=states.light(facts),
        sentence=said.sentence(words("en"), facts),
        remedy=said.remedy(words("en"), facts),
        facts=facts,
    )
    files.replace(path, [msgspec.json.encode(status)], mode=0o644, durable=False)


def read(path: Path, now_s: float) -> Status | None:
    """Read what the hub says of itself; None where it is silent.

    It is silent when there is no file, or it cannot be read, is of another version or was written too long ago.
    now_s: the monotonic clock.
    """
    try:
        status = msgspec.json.decode(path.read_bytes(), type=Status)
    except (OSError, msgspec.DecodeError):
        return None
    is_current = status.version == VERSION and now_s - status.monotonic_s <= OLD_S
    return status if is_current else None


def facts(path: Path, measure: Callable[[], Facts]) -> Facts:
    """Return the facts of now: what the hub says, that it is silent, or what ``measure`` finds.

    Where the folder of the file is missing no hub can write it, so its absence means nothing.
    """
    if not path.parent.is_dir():
        return measure()
    status = read(path, time.monotonic())
    return status.facts if status else Facts(answering=False)
