"""hikma-hub pairing: opening and closing it for new phones, and the QR code that they scan."""

import json
from pathlib import Path

import click
import msgspec
import segno

from hub.actions.box import identity
from hub.actions.phones import pairing as window
from hub.app import reach
from hub.cli import options, speech
from hub.core.phone import qr
from hub.core.phone.reach import LOOKS, REMEDY

_PNG_SCALE = 8


@click.group()
def pairing() -> None:
    """Turn adding phones on or off, and show the QR code."""


@pairing.command("open")
@options.data
@options.config
@click.option("--minutes", type=click.IntRange(1, 240), help="For how long.  [default: the setting pairing.minutes]")
def open_pairing(data: Path, config: Path | None, minutes: int | None) -> None:
    """Turn adding phones on for some minutes."""
    length = minutes or options.settings(config, data).pairing.minutes
    with options.store(data, create=True) as store:
        window.open_for(store, length)
    click.echo(f"Phones can be added for {_minutes(length)}.")


@pairing.command("close")
@options.data
def close_pairing(data: Path) -> None:
    """Turn adding phones off. Phones already added keep syncing."""
    with options.store(data) as store:
        window.close(store)
    click.echo("Adding phones is off.")


@pairing.command("show")
@options.data
@options.config
@options.as_json
@click.option("--png", type=click.Path(dir_okay=False, path_type=Path), help="Write the QR code to this file.")
def show_pairing(data: Path, config: Path | None, as_json: bool, png: Path | None) -> None:  # noqa: FBT001  click's way
    """Show the QR code that phones scan."""
    settings = options.settings(config, data)
    with options.store(data, create=True) as store:
        ways = reach.current(store, settings)
        who = identity.load(store)
        payload = qr.payload(host=ways.host(), port=ways.server.port, hub_id=who.id, public=who.keys.public)
        moved = ways.moved()
        left_s = window.left_s(store)
    text = msgspec.json.encode(payload).decode()
    code = segno.make(text, error="m")
    if png:
        code.save(str(png), scale=_PNG_SCALE, border=4)
    words = speech.of(settings)
    for gone in moved:
        click.echo(f"{words.count(*LOOKS, gone.phones, host=gone.host)} {words.say(REMEDY)}", err=True)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(payload)))
        return
    code.terminal(compact=True)
    click.echo(f"Hub at {payload.url}")
    if settings.pairing.mode == "open":
        click.echo("Phones can be added at any time.")
    elif left_s:
        click.echo(f"Phones can be added for another {_minutes(-(-left_s // 60))}.")
    else:
        click.echo("Adding phones is off. To turn it on: hikma-hub pairing open")


def _minutes(count: int) -> str:
    return "1 minute" if count == 1 else f"{count} minutes"
