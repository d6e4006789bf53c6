"""How the hub is, said in any language: the one renderer of page, screen, command line and status.json (O2, O3)."""

from typing import Final

from hub.core.cloud.cycle_outcome import Outcome
from hub.core.status.facts import FREE_BYTES_LOW, HOT_C, Facts
from hub.core.status.state import Text, state
from hub.words import Words

LABELS: Final = {
    "devices": "Phones added",
    "synced_ago_s": "Last sync of a phone",
    "devices_today": "Phones in the last 24 hours",
    "syncing": "Phones syncing now",
    "turned_away": "Phones that could not send",
    "pairing_left_s": "Adding phones",
    "rivals": "Another device uses this hub's name",
    "records": "Records on this hub",
    "patients": "Patients",
    "visits": "Visits",
    "completed_forms": "Completed forms",
    "quarantined": "Records to check",
    "over_prescribed": "Handed out beyond prescription",
    "over_stock": "Batches with stock below zero",
    "waiting": "Waiting for the cloud",
    "waiting_s": "Longest wait",
    "unproven": "Sent, not yet confirmed",
    "held": "On hold",
    "lost": "Lost by the cloud and sent again",
    "later": "Only in the cloud, from a newer app",
    "relaying": "Sending records now",
    "relayed_ago_s": "Last success",
    "cloud": "Cloud",
    "copies": "Copies of everything",
    "backed_up_s": "Last backup",
    "damage": "Database",
    "writable": "Can save data",
    "free_bytes": "Storage",
    "temperature_c": "Temperature",
    "power_weak": "Power supply",
    "clock_wrong": "Clock",
}
"""What people call each fact on every page and in the command line, by its name in Facts."""
_TROUBLES: Final = {outcome.trouble: outcome.sentence for outcome in reversed(Outcome) if outcome.trouble}
"""The sentence of each trouble; of two outcomes with one trouble the first is the usual one."""


def sentence(words: Words, facts: Facts) -> str:
    """Say whether everything that the phones have sent is safe."""
    return fill(words, state(facts).texts[0], facts)


def remedy(words: Words, facts: Facts) -> str:
    """Say what to do."""
    return fill(words, state(facts).texts[1], facts)


def fill(words: Words, text: Text, facts: Facts) -> str:
    """Translate a text of a state and fill the facts in."""
    if text.of:
        return words.count(text.one, text.many, getattr(facts, text.of), time=words.span(facts.waiting_s))
    return words.say(text.one)


def pairing(words: Words, facts: Facts, *, is_always_open: bool) -> str:
    """Say whether phones can be added."""
    if is_always_open:
        return words.say("always possible")
    if facts.pairing_left_s:
        return words.say("possible for {time}", time=words.span(facts.pairing_left_s))
    return words.say("off")


def last_sync(words: Words, facts: Facts) -> str:
    """Say how long ago a phone last synced."""
    return words.say("not yet") if facts.synced_ago_s is None else words.ago(facts.synced_ago_s)


def last_success(words: Words, facts: Facts) -> str:
    """Say how long ago the last exchange with the cloud succeeded."""
    return words.say("not yet") if facts.relayed_ago_s is None else words.ago(facts.relayed_ago_s)


def last_backup(words: Words, facts: Facts) -> str:
    """Say how long ago the last backup was made."""
    return words.say("never") if facts.backed_up_s is None else words.ago(facts.backed_up_s)


def cloud(words: Words, facts: Facts) -> str:
    """Say whether a cloud is connected, and why it cannot be used if so."""
    if not facts.cloud:
        return words.say("not connected")
    return words.say(_TROUBLES[facts.trouble]) if facts.trouble else words.say("connected")


def summary(words: Words, facts: Facts, *, is_always_open: bool = False) -> list[tuple[str, str]]:
    """Name every fact that is known and means something, with its value: for people who read no JSON.

    Nothing is known of a hub that does not answer or has only begun to start, and nothing but that of a damaged one.
    """
    if not (facts.answering and facts.ready):
        return []
    found = {"damage": words.say("damaged")} if facts.damage else _values(words, facts, is_always_open=is_always_open)
    return [(words.say(LABELS[name]), said) for name, said in found.items() if said]


def _values(words: Words, facts: Facts, *, is_always_open: bool) -> dict[str, str]:
    of_phones = {
        "records": words.number(facts.records),
        "patients": words.number(facts.patients),
        "visits": words.number(facts.visits),
        "completed_forms": words.number(facts.completed_forms),
        "quarantined": words.number(facts.quarantined),
        "over_prescribed": words.number(facts.over_prescribed) if facts.over_prescribed else "",
        "over_stock": words.number(facts.over_stock) if facts.over_stock else "",
        "devices": words.number(facts.devices),
        "synced_ago_s": last_sync(words, facts),
        "devices_today": words.number(facts.devices_today),
        "syncing": words.number(facts.syncing),
        "turned_away": words.number(facts.turned_away) if facts.turned_away else "",
        "pairing_left_s": pairing(words, facts, is_always_open=is_always_open),
    }
    of_machine = {
        "rivals": ", ".join(facts.rivals),
        "damage": words.say("sound"),
        "writable": words.say("yes") if facts.writable else words.say("no"),
        "free_bytes": _storage(words, facts),
        "power_weak": words.say("too weak") if facts.power_weak else "",
        "temperature_c": _temperature(words, facts),
        "clock_wrong": words.say("wrong") if facts.clock_wrong else words.say("correct"),
    }
    of_cloud = {"cloud": cloud(words, facts), **(_relay(words, facts) if facts.cloud else {})}
    return {
        **of_phones,
        **of_cloud,
        "copies": copies(words, facts),
        "backed_up_s": last_backup(words, facts),
        **of_machine,
    }


def copies(words: Words, facts: Facts) -> str:
    """Say where everything is that the phones have sent; "" where no copy is kept."""
    if facts.copies is None:
        return ""
    return words.say("on the hub and in its copy") if facts.copies > 1 else words.say("on the hub alone")


def _relay(words: Words, facts: Facts) -> dict[str, str]:
    return {
        "waiting": words.number(facts.waiting),
        "waiting_s": words.span(facts.waiting_s) if facts.waiting else "",
        "unproven": words.number(facts.unproven),
        "held": words.number(facts.held) if facts.held else "",
        "lost": words.number(facts.lost) if facts.lost else "",
        "later": words.number(facts.later) if facts.later else "",
        "relaying": words.say("yes") if facts.relaying else words.say("no"),
        "relayed_ago_s": last_success(words, facts),
    }


def _storage(words: Words, facts: Facts) -> str:
    is_low = facts.free_bytes < FREE_BYTES_LOW
    return _judged(
        words.say("{free} free", free=words.size(facts.free_bytes)),
        words.say("nearly full") if is_low else words.say("enough"),
    )


def _temperature(words: Words, facts: Facts) -> str:
    if facts.temperature_c is None:
        return ""
    is_hot = facts.temperature_c >= HOT_C
    return _judged(
        words.say("{number} °C", number=words.number(round(facts.temperature_c))),
        words.say("too hot") if is_hot else words.say("good"),
    )


def _judged(value: str, judgement: str) -> str:
    return f"{value} ({judgement})"
