"""hikma-hub sync: stops serving phones without switching the hub off, and goes on."""

from pathlib import Path

import click

from hub.actions.box import serving
from hub.cli import options


@click.group()
def sync() -> None:
    """Stop syncing with phones, and go on."""


@sync.command("stop")
@options.data
def stop(data: Path) -> None:
    """Refuse phones from now on, while pages and relay go on.

    It ends with 'hikma-hub sync start', or when the hub is started again.
    """
    with options.store(data) as store:
        serving.stop(store)
    click.echo(
        "Phones cannot sync until 'hikma-hub sync start', or until the hub is started again. They keep what they have."
    )


@sync.command("start")
@options.data
def start(data: Path) -> None:
    """Serve phones again."""
    with options.store(data) as store:
        serving.go_on(store)
    click.echo("Phones can sync.")
