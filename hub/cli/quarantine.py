"""hikma-hub quarantine: records that were not accepted, and trying them again."""

from pathlib import Path
from typing import Any

import click
import msgspec

from hub.actions import quarantine as actions
from hub.actions.quarantine import RefusedRecord, Retried
from hub.cli import options
from hub.core.errors import OperatorError
from hub.words import words


@click.group()
def quarantine() -> None:
    """List records to check, and try them again."""


@quarantine.command("list")
@options.data
@options.as_json
def list_entries(data: Path, as_json: bool) -> None:  # noqa: FBT001  click's way
    """List the records that were not accepted, and why.

    With --json, "at" is hub time in ms.
    """
    with options.store(data) as store:
        found = actions.entries(store)
    rows = [_told(entry) if as_json else _row(entry) for entry in found]
    options.show(rows, as_json=as_json, empty="There are no records to check.")


@quarantine.command("show")
@options.data
@click.argument("num", type=int)
def show_entry(data: Path, num: int) -> None:
    """Show one entry with its record. It may contain patient data."""
    with options.store(data) as store:
        entry = actions.show(store, num)
    if entry is None:
        raise OperatorError(_problem(num, Retried.GONE))
    options.show_one(entry, as_json=True)


@quarantine.command("retry")
@options.data
@options.config
@click.argument("nums", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Try every entry.")
def retry_entries(data: Path, config: Path | None, nums: tuple[int, ...], everything: bool) -> None:  # noqa: FBT001
    """Try entries again, after the cause was fixed."""
    if not nums and not everything:
        raise click.UsageError("Give the numbers of entries, or --all.")
    most = options.settings(config, data).limits.quarantine_records
    with options.store(data, quarantine_max=most) as store:
        retried = actions.retry_all(store, None if everything else nums)
    accepted = sum(outcome is Retried.ACCEPTED for outcome in retried.values())
    click.echo(f"{accepted} of {len(retried)} accepted.")
    problems = [_problem(num, outcome) for num, outcome in retried.items() if outcome in _PROBLEMS]
    if problems:
        raise OperatorError("\n".join(problems))


@quarantine.command("accept")
@options.data
@click.argument("nums", type=int, nargs=-1, required=True)
def accept_entries(data: Path, nums: tuple[int, ...]) -> None:
    """Take entries in on your authority, with what waits for them, though their authors may not enter them."""
    with options.store(data) as store:
        outcomes = {num: actions.accept(store, num) for num in nums}
    accepted = sum(outcome is Retried.ACCEPTED for outcome in outcomes.values())
    click.echo(f"{accepted} of {len(outcomes)} accepted.")
    problems = [_problem(num, outcome) for num, outcome in outcomes.items() if outcome in _PROBLEMS]
    if problems:
        raise OperatorError("\n".join(problems))


@quarantine.command("set-aside")
@options.data
@click.argument("num", type=int)
@click.argument("note")
def set_entry_aside(data: Path, num: int, note: str) -> None:
    """Set an entry aside, with a note for those who come after you. It stays stored and exported."""
    with options.store(data) as store:
        if not actions.set_aside(store, num, note):
            raise OperatorError(_problem(num, Retried.GONE))
    click.echo("Set aside.")


@quarantine.command("take-back")
@options.data
@click.argument("num", type=int)
def take_entry_back(data: Path, num: int) -> None:
    """Let an entry that was set aside be checked again."""
    with options.store(data) as store:
        if not actions.take_back(store, num):
            raise OperatorError(_problem(num, Retried.GONE))
    click.echo("It is to be checked again.")


@quarantine.command("export")
@options.data
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
def export_entries(data: Path, output: Path) -> None:
    """Write all entries with their records as JSON lines.

    The file contains patient data: keep it safe.
    """
    output.touch(mode=0o600)
    with options.store(data) as store, output.open("w", encoding="utf-8") as file:
        count = actions.export(store, file.write)
    click.echo(f"{count} entries written to {output}.")


_PROBLEMS = {
    Retried.GONE: "there is no entry {num}; see 'hikma-hub quarantine list'",
    Retried.NO_USER: "entry {num} cannot be tried: the person who sent it is no longer on this hub",
    Retried.FAILED: "entry {num} could not be saved; see 'hikma-hub doctor'",
}


def _problem(num: int, outcome: Retried) -> str:
    return _PROBLEMS[outcome].format(num=num)


def _told(entry: RefusedRecord) -> dict[str, Any]:
    row = msgspec.structs.asdict(entry)
    del row["age_s"], row["fingerprint"]
    return actions.plain(row)


def _row(entry: RefusedRecord) -> dict[str, Any]:
    return {
        "num": entry.num,
        "table": entry.table_name,
        "record_id": entry.record_id,
        "action": entry.action,
        "device": entry.device,
        "received": words("en").ago(entry.age_s),
        "reason": entry.reason,
    }
