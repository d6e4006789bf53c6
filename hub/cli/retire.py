"""hikma-hub retire: erases a hub before it is given away or thrown away."""

import os

import click

from hub.core.errors import OperatorError
from hub.firstboot import retirement
from hub.firstboot.machine import Machine


@click.command()
@click.option("--name", prompt="To erase this hub, type its host name", help="Host name of the hub, to confirm.")
def retire(name: str) -> None:
    """Erase this hub for good: its keys, then its data.

    Sync with the cloud and make a backup first.
    """
    machine = Machine()
    if os.geteuid() != 0:
        raise OperatorError("only root can erase a hub")
    if name != machine.path("/etc/hostname").read_text("ascii").strip():
        raise OperatorError("that is not the host name of this hub; nothing was erased")
    for told in retirement.erase(machine):
        click.echo(told)
