"""hikma-hub serve: the hub itself."""

import os
import sys
from pathlib import Path

import click
import msgspec

from hub.actions.people import setup
from hub.app import assembly, reach
from hub.app.live_settings import LiveSettings
from hub.cli import logs, options
from hub.firstboot.report import first_boot
from hub.settings import Settings
from hub.store.database import Store


@click.command()
@options.data
@click.option("--host", help="Address to listen on.  [default: the setting server.host]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: the setting server.port]")
@options.config
def serve(data: Path, host: str | None, port: int | None, config: Path | None) -> None:
    """Run the hub until it is stopped."""
    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}

    def read() -> LiveSettings:
        settings = options.settings(config, data)
        settings = msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, **given))
        logs.configure(settings.log)
        return LiveSettings(settings, options.settings_file(config, data), os.environ)

    assembly.serve(data, read, _greet, first_boot().card)


def _greet(store: Store, settings: Settings) -> None:
    """Tell somebody at a terminal where the pages are; a log, which others may read, never has the setup code."""
    if not sys.stderr.isatty():
        return
    click.echo(f"The hub's page: {', '.join(reach.configured(store, settings).pages())}", err=True)
    code = setup.code(store)
    if code:
        click.echo(f"Setup code: {code}", err=True)
