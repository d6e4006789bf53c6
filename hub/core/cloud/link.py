"""The link to the cloud as values: who the cloud says this hub is, how far the relay has come, how it last ended."""

from typing import Any

import msgspec

from hub.core.clock import Heard

ACTIVE = "active"


class Link(msgspec.Struct, frozen=True):
    """A cloud and what it last said of this hub (CLOUD.md 1)."""

    url: str
    device: str
    name: str
    clinics: tuple[str, ...]
    status: str = ACTIVE
    """Anything but ``active`` and the hub relays no more, though the cloud would let it."""
    ever: frozenset[str] = frozenset()
    """All clinics that the cloud gave this hub at any time."""


class Progress(msgspec.Struct, frozen=True):
    """How far the relay has come. ``*_ms`` without another word is hub time; ``cloud_ms`` is the cloud's clock."""

    cursor_cloud_ms: int = 0
    """The timestamp of the last complete pull; 0 before the first."""
    clinics: tuple[str, ...] = ()
    """The clinics that the last complete pull was for."""
    full_cloud_ms: int = 0
    """When everything was last pulled."""
    full_wanted: str = ""
    """Why everything should be pulled again."""
    full_failed_cloud_ms: int = 0
    """When a full pull last failed; 0 when none did since one was complete."""
    lost: int = 0
    """Records that the cloud had lost, and has again: it was restored from an older backup."""
    lost_cloud_ms: int = 0
    """When that was last seen."""
    later: int = 0
    """Records of a later app that the cloud had at the last full pull, and this hub cannot take in."""
    pulls: int = 0
    """How many pulls were complete."""
    pushed_bytes: int = 0
    """How much was pushed since the last complete pull."""
    pushed_cloud_ms: int = 0
    """When that ended."""
    pull_failures: int = 0
    """How many pulls in a row failed."""
    pulls_fail_since_cloud_ms: int = 0
    """When the first of them did."""
    retried_cloud_ms: int = 0
    """When what is on hold was last tried again."""
    batch_bytes: int = 0
    """How much the connection is trusted with in one request; 0 before the first."""
    month: str = ""
    month_bytes: int = 0


class Last(msgspec.Struct, frozen=True):
    """How the last cycle ended, for people and for the schedule."""

    tried_ms: int = 0
    succeeded_ms: int = 0
    outcome: str = ""
    sentence: str = ""
    failures: int = 0
    """Cycles in a row that failed."""
    next_s: int = 0
    """How long after it the next one was meant to begin."""
    running_since_ms: int = 0
    """When the cycle began that moves records now; 0 if none does."""
    report: dict[str, Any] = {}
    heard: Heard | None = None
    """What the cloud last said of the time."""
