"""hikma-hub serve: the hub itself."""

import os
from pathlib import Path

import click
import msgspec

from hub.app import assembly
from hub.app.live_settings import LiveSettings
from hub.cli import logs, options


@click.command()
@options.data
@click.option("--host", help="Address to listen on.  [default: the setting server.host]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: the setting server.port]")
@options.config
def serve(data: Path, host: str | None, port: int | None, config: Path | None) -> None:
    """Run the hub until it is stopped."""
    settings = options.settings(config, data)
    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, **given))
    logs.configure(settings.log)
    assembly.serve(data, LiveSettings(settings, options.settings_file(config, data), os.environ))
