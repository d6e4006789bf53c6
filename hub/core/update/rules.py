"""Which update may be installed, and when."""

import re

import msgspec

from hub.core.status.facts import Facts
from hub.core.update.refusal import Refusal

QUIET_S = 300
"""Somebody who has just plugged the hub in waits for it, and one that starts again and again must stay reachable."""
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:\.dev(\d{1,6}))?", re.ASCII)


class Bundle(msgspec.Struct, frozen=True):
    """What an update says of itself, after its signature was verified."""

    compatible: str
    """The kind of device that it is for."""
    version: str | None = None


def unfit(bundle: Bundle, *, compatible: str, current: str, may_be_older: bool) -> Refusal | None:
    """Return why a bundle is not for this hub; None where it is.

    may_be_older: a person wants it, although it is not newer.
    """
    if bundle.compatible != compatible:
        return Refusal.OTHER_DEVICE
    return None if may_be_older or is_newer(bundle.version, current) else Refusal.NOT_NEWER


def is_newer(version: str | None, than: str) -> bool:
    """Whether a version is above another; one that cannot be read is not."""
    one, other = _ordered(version or ""), _ordered(than)
    return one is not None and (other is None or one > other)


def untimely(facts: Facts, uptime_s: float) -> Refusal | None:
    """Return why an update must wait; None where nobody is kept waiting. A hub that does not answer serves nobody."""
    if uptime_s < QUIET_S:
        return Refusal.STARTING
    if facts.syncing:
        return Refusal.SYNCING
    return Refusal.RELAYING if facts.relaying else None


def _ordered(version: str) -> tuple[int, ...] | None:
    """Return what orders versions: 1.3.0.dev0 comes before 1.3.0."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return None
    *release, dev = match.groups()
    return (*map(int, release), 0 if dev else 1, int(dev or 0))
