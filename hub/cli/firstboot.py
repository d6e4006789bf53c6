"""hikma-hub firstboot: turns a flashed card into a hub, and opens its data at every boot."""

import os
from pathlib import Path

import click

from hub.cli import options
from hub.core.errors import OperatorError
from hub.firstboot import steps
from hub.firstboot.machine import Machine

_SECRET = frozenset({"setup_code", "access_point_password"})
"""Not for the journal; the label shows them."""


@click.command()
@click.option(
    "--card",
    type=click.Path(path_type=Path),
    help="Device of the SD card, if the root file system is elsewhere.",
)
@options.as_json
def firstboot(card: Path | None, as_json: bool) -> None:  # noqa: FBT001  click's way
    """Initialise this card, or unlock its data.

    Runs at every boot; safe to repeat.
    """
    if os.geteuid() != 0:
        raise OperatorError("only root can partition and mount; on a hub, systemd runs this command")
    report = steps.run(Machine(), device=card, progress=lambda name: click.echo(f"hikma-hub: {name}", err=True))
    if report.refused:
        click.echo(f"hikma-hub: {report.refused}", err=True)
    rows = {name: getattr(report, name) for name in report.__struct_fields__ if as_json or name not in _SECRET}
    options.show_one(rows, as_json=as_json)
