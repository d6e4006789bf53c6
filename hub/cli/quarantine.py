"""hikma-hub quarantine: what could not be taken in, and trying again."""

import json
from pathlib import Path
from typing import Any

import click

from hub.actions.phones import push
from hub.actions.phones.push import Source
from hub.cli import options
from hub.core.errors import OperatorError
from hub.core.reasons import from_json, plain
from hub.store import quarantine as kept
from hub.store.cloud import departures
from hub.store.database import Transaction
from hub.store.people import audit, users
from hub.store.quarantine import Action
from hub.store.records.record_rows import HUB


@click.group()
def quarantine() -> None:
    """Look at records that could not be taken in."""


@quarantine.command("list")
@options.data
@options.as_json
def list_entries(data: Path, as_json: bool) -> None:  # noqa: FBT001  click's way
    """List the entries with their reasons."""
    with options.store(data) as store, store.read() as db:
        options.show(map(_told, kept.entries(db)), as_json=as_json, empty="Nothing is in quarantine.")


@quarantine.command("show")
@options.data
@click.argument("num", type=int)
def show_entry(data: Path, num: int) -> None:
    """Show one entry with its record. It may hold patient data."""
    with options.store(data) as store, store.read() as db:
        options.show_one(_told(_entry(db, num)), as_json=True)


@quarantine.command("retry")
@options.data
@options.config
@click.argument("nums", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Try every entry.")
def retry_entries(data: Path, config: Path | None, nums: tuple[int, ...], everything: bool) -> None:  # noqa: FBT001
    """Try to take entries in again, after the permission or the hub was mended."""
    if not nums and not everything:
        raise click.UsageError("name entries, or say --all")
    most = options.settings(config, data).limits.quarantine_records
    taken = 0
    with options.store(data) as store:
        with store.read() as db:
            wanted = [entry["num"] for entry in kept.entries(db)] if everything else list(nums)
        for num in wanted:
            with store.write() as tx:
                taken += _retry(tx, num, most)
    click.echo(f"{taken} of {len(wanted)} were taken in.")


@quarantine.command("export")
@options.data
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
def export_entries(data: Path, output: Path) -> None:
    """Write all entries with their records as JSON lines. The file holds patient data: keep it safe."""
    output.touch(mode=0o600)
    with options.store(data) as store:
        with store.read() as db, output.open("w", encoding="utf-8") as file:
            count = 0
            for entry in kept.entries(db):
                file.write(json.dumps(_told(_entry(db, entry["num"])), ensure_ascii=False) + "\n")
                count += 1
        with store.write() as tx:
            audit.note(tx, "quarantine.exported", detail=f"{count} entries")
    click.echo(f"{count} entries written to {output}.")


def _retry(tx: Transaction, num: int, most: int) -> bool:
    entry = _entry(tx.db, num)
    if entry["action"] in {Action.RELAY, Action.PULL}:
        return departures.retry(tx, entry)
    user = users.find(tx.db, entry["user_id"])
    if user is None:
        raise OperatorError(f"entry {num}: its user is not on this hub any more")
    return push.retry(tx, entry, Source(HUB, users.rights(tx.db, user), most))


def _told(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with its reason as data too."""
    reason = from_json(entry.pop("why"), entry["reason"])
    return {**entry, "reason": str(reason), **plain(reason)}


def _entry(db: Any, num: int) -> dict[str, Any]:  # noqa: ANN401  the store's connection, only handed on
    entry = kept.entry(db, num)
    if entry is None:
        raise OperatorError(f"there is no entry {num}; 'hikma-hub quarantine list' shows them")
    return entry
