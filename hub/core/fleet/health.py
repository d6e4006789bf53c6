"""How a hub is, in numbers and in words of the hub's own lists alone: what may leave the clinic (S6)."""

from collections.abc import Mapping

import msgspec

from hub.core.fleet.hour import Hour
from hub.core.status.facts import Facts
from hub.core.status.state import state

_TEXT_CHARS = 40


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine tells; None is what it does not. Sizes in bytes."""

    disk_bytes: int | None = None
    memory_free_bytes: int | None = None
    uptime_s: int | None = None
    wear_percent: int | None = None
    card_errors: int | None = None
    kernel: str = ""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What the database counts, by the hub's own words: reasons, refusals, totals (hub.core.fleet.totals)."""

    refused: dict[str, int] = {}
    """Phones that were refused of late; those that the hub does not know are one."""
    quarantined: dict[str, int] = {}
    on_hold: dict[str, int] = {}
    totals: dict[str, int] = {}
    schema: int = 0


class Health(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A hub at one moment and in the hour before it; sizes in bytes, ages in seconds."""

    state: str
    worst: str
    """Of the hour."""
    level: str
    cloud: bool = False
    records: int = 0
    waiting: int = 0
    waiting_s: int = 0
    unproven: int = 0
    lost: int = 0
    relayed_ago_s: int | None = None
    copies: int | None = None
    """On how many media everything is that was acknowledged; None where nobody keeps copies."""
    phones: int = 0
    phones_today: int = 0
    beyond: int = 0
    """Medicines of which more was handed out than was prescribed or in stock."""
    writable: bool = True
    power_weak: bool = False
    clock_wrong: bool = False
    temperature_c: float | None = None
    free_bytes: int = 0
    version: str = ""
    machine: Machine = Machine()
    counted: Counted = Counted()


def health(now: Facts, hour: Hour, counted: Counted, machine: Machine, version: str) -> Health:
    """Put together how a hub is; the hour has ``now`` in it."""
    named = state(now)
    return Health(
        state=named.name.lower(),
        worst=hour.worst.name.lower(),
        level=named.level,
        cloud=now.cloud,
        records=now.records,
        waiting=now.waiting,
        waiting_s=now.waiting_s,
        unproven=now.unproven,
        lost=now.lost,
        relayed_ago_s=now.relayed_ago_s,
        copies=now.copies,
        phones=now.devices,
        phones_today=now.devices_today,
        beyond=now.over_prescribed + now.over_stock,
        writable=now.writable,
        power_weak=hour.power_weak,
        clock_wrong=hour.clock_wrong,
        temperature_c=hour.temperature_c,
        free_bytes=now.free_bytes,
        version=_plain(version),
        machine=msgspec.structs.replace(machine, kernel=_plain(machine.kernel)),
        counted=counted,
    )


def known(counts: Mapping[str, int], words: frozenset[str]) -> dict[str, int]:
    """Count under ``other`` what is none of the words: it may be free text."""
    found: dict[str, int] = {}
    for word, count in counts.items():
        name = word if word in words else "other"
        found[name] = found.get(name, 0) + count
    return found


def _plain(text: str) -> str:
    """Return a version without what no version has."""
    return "".join(char for char in text if char.isascii() and (char.isalnum() or char in ".+-_~"))[:_TEXT_CHARS]
