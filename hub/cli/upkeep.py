"""hikma-hub status and doctor: how the hub is, and whether it is fit."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from hub.actions.box import facts
from hub.cli import fitness, options
from hub.core.status import state as states
from hub.services.status import file
from hub.store.database import Store

_FIT = "pass"
_UNFIT = "fail"


@click.command()
@options.data
@options.config
@options.as_json
def status(data: Path, config: Path | None, as_json: bool) -> None:  # noqa: FBT001  click's way
    """Say whether everything entered is safe, and whether the hub answers."""
    path = Path(options.settings(config, data).box.status_file)
    if path.exists():  # a hub wrote it, and the age of it tells whether that hub lives
        now = file.current(path)
    else:
        with options.store(data) as store:
            now = facts.gather(store)
    state = states.state(now)
    row = {"state": state.name.lower(), "sentence": states.sentence(now), "remedy": states.remedy(now)}
    options.show_one({**row, **msgspec.to_builtins(now)}, as_json=as_json)


@click.command()
@options.data
@options.config
@options.as_json
@click.option("--box", is_flag=True, help="Also the box: card, supply, radio, clock, encryption. Takes some seconds.")
@click.option("--capacity", is_flag=True, help="Also try the whole card, which takes up to hours.")
def doctor(data: Path, config: Path | None, as_json: bool, box: bool, capacity: bool) -> None:  # noqa: FBT001
    """Check the hub thoroughly; ends with status 1 if anything fails."""
    options.settings(config, data)
    with options.store(data) as store:
        found = [*_checks(store), *(fitness.checks(data, capacity=capacity) if box or capacity else ())]
    checks = [{"check": name, "result": result, "detail": detail} for name, result, detail in found]
    options.show(checks, as_json=as_json, empty="")
    sys.exit(any(check["result"] == _UNFIT for check in checks))


def _checks(store: Store) -> Iterator[tuple[str, str, str]]:
    yield "settings", _FIT, "read"
    damage = store.check(full=True)
    yield "database", _UNFIT if damage else _FIT, damage[0] if damage else "every page and index is sound"
    now = facts.gather(store, damage=tuple(damage))
    yield "writing", _FIT if now.writable else _UNFIT, "a write was kept" if now.writable else "a write failed"
    low = now.free_bytes < states.FREE_BYTES_LOW
    yield "disk", _UNFIT if low else _FIT, f"{now.free_bytes // 1_000_000:,} MB free"
    mode = store.path.stat().st_mode & 0o077
    yield "privacy", _UNFIT if mode else _FIT, "others can read the database" if mode else "only the hub can read it"
    yield "quarantine", _UNFIT if now.quarantined else _FIT, f"{now.quarantined} records"
    state = states.state(now)
    yield "state", _FIT if state.is_well else _UNFIT, states.sentence(now)
