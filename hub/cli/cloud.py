"""hikma-hub cloud and relay: connecting to the cloud, and moving records now."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from hub.actions.cloud import cycles, link, matching
from hub.actions.cloud.overview import overview
from hub.app import rules
from hub.cli import options, secret
from hub.core.cloud.link import Link
from hub.core.errors import OperatorError
from hub.core.reasons import Reason, plain
from hub.services.relay import connect as connecting
from hub.services.relay.runner import Runner, told
from hub.store.database import Store


@click.group()
def cloud() -> None:
    """Connect this hub to the cloud, and show its progress."""


@cloud.command("connect")
@options.data
@click.option("--url", required=True, help="Address of the cloud, such as https://hikma.example.org.")
@click.option("--api-key-stdin", is_flag=True, help="Read the API key from standard input.")
@options.as_json
def connect(data: Path, url: str, api_key_stdin: bool, as_json: bool) -> None:  # noqa: FBT001  click's way
    """Connect to the cloud with the hub's API key."""
    key = secret.read("API key", from_stdin=api_key_stdin, confirm=False)
    with options.store(data, create=True) as store:
        found = connecting.connect(store, url, key)
        options.show_one(_link(store, found), as_json=as_json)


@cloud.command("disconnect")
@options.data
def disconnect(data: Path) -> None:
    """Disconnect from the cloud and forget the key. All records stay, waiting ones too."""
    with options.store(data) as store:
        if not link.disconnect(store):
            raise OperatorError("no cloud is connected")
    click.echo("The cloud is disconnected.")


@cloud.command("status")
@options.data
@options.as_json
def status(data: Path, as_json: bool) -> None:  # noqa: FBT001
    """Show what was sent to the cloud, what is waiting, and why."""
    with options.store(data) as store:
        seen = overview(store)
        last, ago = seen.last, seen.now_ms - seen.last.tried_ms
        row: dict[str, Any] = {"connected": seen.link is not None, **seen.counts}
        if seen.link is not None:
            row["in_step"] = seen.in_step
        if seen.link is not None:
            row |= _link(store, seen.link)
            row |= {
                "outcome": last.outcome,
                "lost": seen.progress.lost,
                "sentence": last.sentence or "The hub has not synced with the cloud yet.",
                "tried_s_ago": ago // 1000 if last.tried_ms else None,
                "succeeded_s_ago": (ago + last.tried_ms - last.succeeded_ms) // 1000 if last.succeeded_ms else None,
                "next_in_s": max(0, last.next_s - ago // 1000) if last.tried_ms else None,
            }
    if as_json:
        row["reasons"] = [
            {"table_name": cause.table, **_told(cause.reason), "held": int(cause.on_hold), "records": cause.records}
            for cause in seen.causes
        ]
        row["missing"] = [{"table": one.table, "id": one.id, **_told(one.reason)} for one in seen.missed]
        click.echo(json.dumps(row, ensure_ascii=False))
        return
    options.show_one(row, as_json=False)
    if seen.progress.lost:
        click.echo(f"The cloud has lost {seen.progress.lost} records. The hub has sent them again.")
    for cause in seen.causes:
        click.echo(f"{cause.records} {cause.table}: {cause.reason}")
    for one in seen.missed:
        click.echo(f"{one.table} {one.id}: {one.reason}")


@cloud.command("clinics")
@options.data
@options.as_json
def clinics(data: Path, as_json: bool) -> None:  # noqa: FBT001
    """List the clinics of this hub and of the cloud, matched ones on one line."""
    with options.store(data) as store:
        rows = [msgspec.to_builtins(pair) for pair in matching.clinics(store)]
    options.show(rows, as_json=as_json, empty="There are no clinics.")


@cloud.command("users")
@options.data
@options.as_json
def users(data: Path, as_json: bool) -> None:  # noqa: FBT001
    """List the users of this hub and of the cloud, matched ones on one line."""
    with options.store(data) as store:
        rows = [msgspec.to_builtins(pair) for pair in matching.people(store)]
    options.show(rows, as_json=as_json, empty="There are no users.")


@cloud.command("match-clinic")
@options.data
@click.option("--hub", "own", required=True, help="ID of the clinic that was added on this hub.")
@click.option("--cloud", "theirs", required=True, help="ID of the clinic in the cloud.")
def match_clinic(data: Path, own: str, theirs: str) -> None:
    """Match a clinic added on this hub with one in the cloud. Cannot be undone."""
    with options.store(data) as store:
        matching.match_clinic(store, own, theirs)
    click.echo("Matched. What was waiting for this clinic is sent with the next sync.")


@cloud.command("match-user")
@options.data
@click.option("--hub", "own", required=True, help="ID of the user who was added on this hub.")
@click.option("--cloud", "theirs", required=True, help="ID of the user in the cloud.")
def match_user(data: Path, own: str, theirs: str) -> None:
    """Match a user added on this hub with one in the cloud. Cannot be undone."""
    with options.store(data) as store:
        matching.match_user(store, own, theirs)
    click.echo("Matched. What was waiting for this user is sent with the next sync.")


@click.command()
@options.data
@options.config
@click.option(
    "--once", is_flag=True, required=True, help="Sync with the cloud once now, or wait for the sync that is running."
)
@click.option("--full", is_flag=True, help="Fetch everything from the cloud again, not only what is new.")
@options.as_json
def relay(data: Path, config: Path | None, once: bool, full: bool, as_json: bool) -> None:  # noqa: FBT001
    """Sync with the cloud once now. Ends with status 1 if that failed."""
    del once  # a hub that serves relays by itself
    settings = options.settings(config, data)
    with options.store(data, quarantine_max=settings.limits.quarantine_records) as store:
        if full:
            cycles.want_everything(store)
        runner = Runner(store, rules.relay_rules(settings))
        try:
            report = runner.run()
        finally:
            runner.close()
        last, _ = cycles.last_cycle(store)
    row = told(report) if report else {"outcome": last.outcome, "joined": True, **last.report}
    if as_json:
        click.echo(json.dumps(row, ensure_ascii=False))
    else:
        click.echo(report.outcome.sentence if report else last.sentence)
        _lines(row)
    sys.exit(row["outcome"] not in {"done", "stopped"})


def _lines(row: dict[str, Any]) -> None:
    for name in ("pulled", "pushed"):
        counts = ", ".join(f"{count} {what}" for what, count in row.get(name, {}).items() if count)
        click.echo(f"{name}: {counts or 'nothing'}")


def _told(reason: Reason) -> dict[str, object]:
    return {"reason": str(reason), **plain(reason)}


def _link(store: Store, found: Link) -> dict[str, Any]:
    return {
        "url": found.url,
        "name": found.name,
        "status": found.status,
        "clinics": matching.names_of(store, found.clinics),
        "unmatched": sorted({str(reason) for reason in matching.why_unmatched(store)}),
    }
