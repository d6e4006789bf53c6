"""Writes status.json, by which the lights, the console and scripts know how the hub is, and that it lives."""

import time
from pathlib import Path

import msgspec

from hub.core.status import state as states
from hub.core.status.lights import Light
from hub.core.status.state import Facts

VERSION = 1
OLD_S = 15.0
"""A file older than this comes from a hub that has crashed or hangs."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What status.json holds."""

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
    report = Report(
        monotonic_s=time.monotonic(),
        name=name,
        state=state.name.lower(),
        level=state.level,
        light=states.light(facts),
        sentence=states.sentence(facts),
        remedy=states.remedy(facts),
        facts=facts,
    )
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(msgspec.json.encode(report))
    new.chmod(0o644)
    new.replace(path)


def read(path: Path) -> Report | None:
    """Read the file; None when there is none, it is not readable or it is of another version."""
    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.DecodeError):
        return None
    return report if report.version == VERSION else None


def current(path: Path) -> Facts:
    """Return the facts of now: those of the file, or that the hub does not answer when it is missing or old."""
    report = read(path)
    if report is None or time.monotonic() - report.monotonic_s > OLD_S:
        return Facts(answering=False)
    return report.facts
