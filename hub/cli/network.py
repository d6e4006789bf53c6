"""hikma-hub change-network: grants the wish for another Wi-Fi that an administrator left on the page."""

import os

import click

from hub.core.errors import OperatorError
from hub.firstboot import network_change
from hub.firstboot.machine import Machine


@click.command("change-network")
def change_network() -> None:
    """Change the Wi-Fi as the page asked; systemd runs this.

    A network that does not take the hub is given up, and the one that was used before is used again.
    """
    if os.geteuid() != 0:
        raise OperatorError("only root can change networks; on a hub, systemd runs this command")
    attempt = network_change.carry_out(Machine())
    click.echo("nothing was asked for" if attempt is None else f"ended with: {attempt.end}")
