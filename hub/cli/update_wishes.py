"""The commands of ``hikma-hub update`` for what the page asks: systemd runs them as root, and root believes nothing."""

from contextlib import suppress
from pathlib import Path

import click
import msgspec
import structlog

from hub import desk
from hub.cli import options, update_parts
from hub.core.errors import UpdateRefused
from hub.core.log_events import LogEvent
from hub.core.update.wishes import Wish
from hub.services.update.systems import Systems

_WISHES: msgspec.json.Decoder[Wish] = msgspec.json.Decoder(Wish)

log = structlog.get_logger()


@click.command(hidden=True)
@options.data
@options.config
@click.pass_obj
def look(box: Systems, data: Path, config: Path | None) -> None:
    """Look for updates on the stick, and tell the page."""
    here = update_parts.granting(box, data, options.settings(config, data))
    with suppress(UpdateRefused), here.installer.alone():  # who installs meanwhile tells by itself
        here.refresh()


@click.command(hidden=True)
@options.data
@options.config
@click.pass_obj
def grant(box: Systems, data: Path, config: Path | None) -> None:
    """Do what the page asked for."""
    update_parts.as_root()
    wish = desk.take(update_parts.places().wish, _WISHES)
    if wish is None:
        log.warning(LogEvent.UPDATE_REFUSED, reason="not a wish")
        return
    update_parts.granting(box, data, options.settings(config, data)).carry_out(wish)
