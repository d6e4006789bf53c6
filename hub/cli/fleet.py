"""hikma-hub fleet: telling an organisation's server how this hub is."""

import os
import sys
from pathlib import Path

import click

from hub.actions.box import telling
from hub.app import fleet as reporting
from hub.app.live_settings import LiveSettings
from hub.cli import options, secret
from hub.core.errors import OperatorError
from hub.core.fleet.reporting import ReportOutcome, Told


@click.group()
def fleet() -> None:
    """Tell your organisation how this hub is doing.

    It sends numbers, never records or names.
    """


@fleet.command("enroll")
@options.data
@options.config
@click.option("--url", required=True, help="Address of the fleet server, such as https://fleet.example.org.")
@click.option("--token-stdin", is_flag=True, help="Read this hub's token from standard input.")
def enroll(data: Path, config: Path | None, url: str, token_stdin: bool) -> None:  # noqa: FBT001  click's way
    """Report to a fleet server from now on."""
    token = secret.read("Token", from_stdin=token_stdin, confirm=False)
    with options.store(data, create=True) as store:
        reply = reporting.enroll(store, _live(data, config), url, token)
    click.echo("Enrolled. The hub reports after a sync with the cloud, every four hours at most.")
    if reply.outcome is not ReportOutcome.SENT:
        click.echo(reply.outcome.sentence)


@fleet.command("leave")
@options.data
@options.config
def leave(data: Path, config: Path | None) -> None:
    """Report nowhere any more, and delete the token."""
    with options.store(data) as store:
        if not reporting.leave(store, _live(data, config)):
            raise OperatorError("this hub reports to no fleet server")
    click.echo("The hub reports nowhere any more.")


@fleet.command("status")
@options.data
@options.config
@options.as_json
def status(data: Path, config: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Show where this hub reports, and how the last report ended."""
    settings = options.settings(config, data).fleet
    with options.store(data) as store:
        shown = reporting.shown(store, _live(data, config))
        now = telling.standing(store)
    options.show_one(
        {
            "enrolled": shown is not None,
            "url": settings.url or None,
            "outcome": now.told.outcome or None,
            "sentence": _sentence(now.told),
            "tried_s_ago": shown.tried_s if shown else None,
            "succeeded_s_ago": shown.succeeded_s if shown else None,
            "samples_kept": now.kept,
            "samples_to_send": now.newest - max(now.told.num, now.newest - now.kept),
            "bytes_today": now.told.day_bytes,
        },
        as_json=as_json,
    )


@fleet.command("send")
@options.data
@options.config
@options.as_json
def send(data: Path, config: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Report now. Ends with status 1 if that failed."""
    with options.store(data) as store:
        told = reporting.send(store, _live(data, config))
        left = telling.standing(store).newest - told.num
    row = {"outcome": told.outcome, "detail": told.detail, "samples_to_send": left, "bytes_today": told.day_bytes}
    if as_json:
        options.show_one(row, as_json=True)
    else:
        click.echo(_sentence(told))
    sys.exit(told.failures > 0)


def _sentence(told: Told) -> str:
    found = next((one for one in ReportOutcome if one.word == told.outcome), None)
    if found is None:
        return "The hub has not reported yet."
    return f"{found.sentence} ({told.detail})" if told.detail else found.sentence


def _live(data: Path, config: Path | None) -> LiveSettings:
    return LiveSettings(options.settings(config, data), options.settings_file(config, data), os.environ)
