"""hikma-hub status and doctor: how the hub is, and whether it is fit."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
import msgspec

from hub.cli import fitness, hub_state, options
from hub.cli.fitness import FAIL, PASS, UNKNOWN, Check
from hub.core.errors import Damaged
from hub.core.status import state as states
from hub.core.status.facts import FREE_BYTES_LOW, Facts
from hub.store.database import Store
from hub.words import status as said
from hub.words import words

_LABELS = {
    "database": said.LABELS["damage"],
    "writing": said.LABELS["writable"],
    "disk": said.LABELS["free_bytes"],
    "quarantine": said.LABELS["quarantined"],
    "clock": said.LABELS["clock_wrong"],
}
"""What people call a check whose fact has a name on the page."""


@click.command()
@options.data
@options.config
@options.as_json
def status(data: Path, config: Path | None, as_json: bool) -> None:  # noqa: FBT001  click's way
    """Show whether everything the phones have sent is safe."""
    settings = options.settings(config, data)
    facts = hub_state.facts(settings, partial(_measured, data))
    if as_json:
        options.show_one(_as_json(facts), as_json=True)
        return
    click.echo(said.sentence(words("en"), facts))
    click.echo(said.remedy(words("en"), facts))
    lines = said.summary(words("en"), facts, is_always_open=settings.pairing.mode == "open")
    width = max((len(label) for label, _ in lines), default=0)
    for label, value in lines:
        click.echo(f"  {label:<{width}}  {value}")


@click.command()
@options.data
@options.config
@options.as_json
@click.option(
    "--box", is_flag=True, help="Also check the hardware: card, power supply, Wi-Fi, clock, encryption. Takes seconds."
)
@click.option("--capacity", is_flag=True, help="Also test the whole card; can take hours.")
def doctor(data: Path, config: Path | None, as_json: bool, box: bool, capacity: bool) -> None:  # noqa: FBT001
    """Check the hub thoroughly. Ends with status 1 if a check fails."""
    options.settings(config, data)
    found = [*_checks(data), *(fitness.checks(data, capacity=capacity) if box or capacity else ())]
    checks = [{"check": name, "result": result, "detail": detail} for name, result, detail in found]
    if not as_json:
        checks = [{**check, "check": _LABELS.get(check["check"], check["check"].capitalize())} for check in checks]
    options.show(checks, as_json=as_json, empty="")
    sys.exit(any(result == FAIL for _, result, _ in found))


def _measured(data: Path) -> Facts:
    try:
        with options.store(data) as store:
            return hub_state.gathering(store).gather()
    except Damaged as error:
        return Facts(damage=(str(error),), writable=False)


def _as_json(facts: Facts) -> dict[str, object]:
    """Return what scripts read: the state and every fact by its name in status.json."""
    return {
        "state": states.state(facts).name.lower(),
        "sentence": said.sentence(words("en"), facts),
        "remedy": said.remedy(words("en"), facts),
        **msgspec.to_builtins(facts),
    }


def _checks(data: Path) -> Iterator[Check]:
    yield "settings", PASS, "readable"
    try:
        with options.store(data) as store:
            yield from _checks_of_database(store)
    except Damaged as error:
        yield "database", FAIL, str(error)
        yield "state", FAIL, said.sentence(words("en"), Facts(damage=(str(error),)))


def _checks_of_database(store: Store) -> Iterator[Check]:
    english = words("en")
    damage = store.check(full=True)
    yield "database", FAIL if damage else PASS, _first(damage) if damage else "every page and index is sound"
    now = hub_state.gathering(store).gather()
    is_readable = not now.damage
    yield "writing", PASS if now.writable else FAIL, "a write was kept" if now.writable else "a write failed"
    is_low = now.free_bytes < FREE_BYTES_LOW
    yield "disk", FAIL if is_low else PASS, f"{english.size(now.free_bytes)} free"
    mode = store.path.stat().st_mode & 0o077
    yield "privacy", FAIL if mode else PASS, "others can read the database" if mode else "only the hub can read it"
    if is_readable:
        records = english.count("{count} record", "{count} records", now.quarantined)
        yield "quarantine", FAIL if now.quarantined else PASS, records
    else:
        yield "quarantine", UNKNOWN, "the database cannot be read"
    now = msgspec.structs.replace(now, damage=(*now.damage, *damage))
    yield "state", PASS if states.state(now).is_well else FAIL, said.sentence(english, now)


def _first(damage: list[str]) -> str:
    """Return the first finding on one line; SQLite lists up to twenty, each perhaps of several lines."""
    first, *more = " ".join(damage[0].split()), *damage[1:]
    return f"{first} (and {len(more)} more)" if more else first
