"""The commands of ``hikma-hub update`` for what the page asks: systemd runs them as root, and root believes nothing."""

import os
from contextlib import suppress
from pathlib import Path

import click
import msgspec
import structlog

from hub.cli import options, update_parts
from hub.core.errors import UpdateRefused
from hub.core.log_events import LogEvent
from hub.core.update.wishes import Wish
from hub.services.update.desk import WISH_BYTES_MAX
from hub.services.update.systems import Systems

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
    wish = _taken(update_parts.places().wish)
    if wish:
        update_parts.granting(box, data, options.settings(config, data)).carry_out(wish)


def _taken(path: Path) -> Wish | None:
    """Take the wish away and read it; it may be anything, for the hub's own user can write there."""
    raw = b""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            raw = file.read(WISH_BYTES_MAX + 1) or b""
    path.unlink(missing_ok=True)
    try:
        return msgspec.json.decode(raw, type=Wish) if len(raw) <= WISH_BYTES_MAX else None
    except msgspec.MsgspecError as error:
        log.warning(LogEvent.UPDATE_REFUSED, reason=f"not a wish: {type(error).__name__}")
        return None
