"""Says health as numbers with names and labels, as Prometheus has them: nothing else leaves the hub for its fleet.

A word, such as the state, is a series with the value 1; when another word takes its place it goes to 0 once, so that
the newest value of every series together is the hub as it is.
"""

from collections.abc import Iterator

import msgspec

from hub.core.fleet.health import Health
from hub.core.fleet.sample_time import ClockQuality
from hub.core.fleet.totals import Total, outcome_of
from hub.core.status.state import Level

PREFIX = "hikma_hub_"
_LEVELS = {level: rank for rank, level in enumerate(Level)}
_CLOCKS = {clock: rank for rank, clock in enumerate(ClockQuality)}
Labels = tuple[tuple[str, str], ...]

HELP = {
    "up": "1 in every sample: when a hub was last there.",
    "state": "The state of the hub when the sample was taken (1), by its name.",
    "worst_state": "The worst state of the hour before the sample (1), by its name.",
    "level": "0 safe, 1 waiting, 2 attention, 3 alarm.",
    "clock_quality": "How well the time of the sample is known: 0 exact, 1 believed, 2 reckoned.",
    "clock_wrong": "1 if the clock was wrong in the hour.",
    "cloud_connected": "1 if a cloud is connected.",
    "records": "Records on the hub.",
    "waiting_records": "Records that the cloud has not confirmed.",
    "waiting_seconds": "Age of the record that has waited longest.",
    "unproven_records": "Records sent and not yet seen in the cloud.",
    "lost_records": "Records that the cloud had lost.",
    "relayed_ago_seconds": "Age of the last relay that succeeded.",
    "copies": "On how many media everything is that was acknowledged.",
    "phones": "Phones that may sync.",
    "phones_today": "Phones that synced within a day.",
    "phones_refused": "Phones that were refused of late, by reason.",
    "dispensed_beyond": "Medicines of which more was handed out than was prescribed or in stock.",
    "quarantined_records": "Records to check, by reason.",
    "on_hold_records": "Records that the cloud does not take, by reason.",
    "writable": "1 if the hub can save.",
    "free_bytes": "Free storage.",
    "disk_bytes": "Size of the storage.",
    "card_wear_percent": "Wear of the storage, where it tells.",
    "card_errors": "Errors that the file systems have met.",
    "temperature_celsius": "Highest temperature of the processor in the hour.",
    "power_weak": "1 if the power supply was too weak in the hour.",
    "memory_free_bytes": "Memory that programs can still have.",
    "uptime_seconds": "Time since the machine started.",
    "info": "1, with the versions of hub, database and kernel.",
    "pages_total": "Answers to pulls that carried something.",
    "pushes_total": "Pushes that were taken.",
    "boots_total": "Starts of the machine.",
    "starts_total": "Starts of the hub's program.",
    "samples_lost_total": "Samples that were dropped before anybody had them.",
    "relays_total": "Relay cycles, by how they ended.",
}
"""Every name, without the prefix, and what it means."""


class Series(msgspec.Struct, frozen=True):
    """A name of HELP, and labels whose values come from the hub's own lists."""

    name: str
    labels: Labels = ()


def told(now: Health, clock: ClockQuality, before: Health | None = None) -> dict[Series, float]:
    """Return every number of a sample. ``before`` is the sample before it, whose words may be over."""
    found = dict(_told(now, clock))
    over = dict(_told(before, clock)) if before else {}
    return {**{series: 0.0 for series in over if series.labels and series not in found}, **found}


def _told(one: Health, clock: ClockQuality) -> Iterator[tuple[Series, float]]:
    yield Series("up"), 1.0
    yield Series("level"), float(_LEVELS[Level(one.level)])
    yield Series("clock_quality"), float(_CLOCKS[clock])
    yield Series("state", (("state", one.state),)), 1.0
    yield Series("worst_state", (("state", one.worst),)), 1.0
    versions = (("version", one.version), ("schema", str(one.counted.schema)), ("kernel", one.machine.kernel))
    yield Series("info", versions), 1.0
    for name, value in _plain(one).items():
        if value is not None:
            yield Series(name), float(value)
    for name, counts in _by_reason(one).items():
        yield from ((Series(name, (("reason", reason),)), float(count)) for reason, count in counts.items())
    yield from _totals(one)


def _plain(one: Health) -> dict[str, float | None]:
    machine = one.machine
    return {
        "clock_wrong": one.clock_wrong,
        "cloud_connected": one.cloud,
        "records": one.records,
        "waiting_records": one.waiting,
        "waiting_seconds": one.waiting_s,
        "unproven_records": one.unproven,
        "lost_records": one.lost,
        "relayed_ago_seconds": one.relayed_ago_s,
        "copies": one.copies,
        "phones": one.phones,
        "phones_today": one.phones_today,
        "dispensed_beyond": one.beyond,
        "writable": one.writable,
        "free_bytes": one.free_bytes,
        "disk_bytes": machine.disk_bytes,
        "card_wear_percent": machine.wear_percent,
        "card_errors": machine.card_errors,
        "temperature_celsius": one.temperature_c,
        "power_weak": one.power_weak,
        "memory_free_bytes": machine.memory_free_bytes,
        "uptime_seconds": machine.uptime_s,
    }


def _by_reason(one: Health) -> dict[str, dict[str, int]]:
    counted = one.counted
    return {
        "phones_refused": counted.refused,
        "quarantined_records": counted.quarantined,
        "on_hold_records": counted.on_hold,
    }


def _totals(one: Health) -> Iterator[tuple[Series, float]]:
    """Tell every total that is known, from 0 on: an alert on its growth needs the first step too."""
    totals = one.counted.totals
    for total in Total:
        yield Series(f"{total}_total"), float(totals.get(total, 0))
    for name, count in totals.items():
        outcome = outcome_of(name)
        if outcome:
            yield Series("relays_total", (("outcome", outcome),)), float(count)
