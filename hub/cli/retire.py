"""hikma-hub retire: makes a box forget everything, before it is given away or thrown away."""

import os

import click

from hub.core.errors import OperatorError
from hub.firstboot import retirement
from hub.firstboot.machine import Machine


@click.command()
@click.option("--name", prompt="Type the host name of this box, to erase all of it", help="Host name, as a safeguard.")
def retire(name: str) -> None:
    """Erase this box: keys first, then the data. Nothing brings it back; relay and back up before."""
    machine = Machine()
    if os.geteuid() != 0:
        raise OperatorError("only root may erase a box")
    if name != machine.path("/etc/hostname").read_text("ascii").strip():
        raise OperatorError("that is not the name of this box; nothing was erased")
    for told in retirement.erase(machine):
        click.echo(told)
