"""hikma-hub: the command line for technicians and scripts."""

import sys

import click

from hub import __version__
from hub.cli import (
    cloud,
    console,
    demo,
    devices,
    discover,
    firstboot,
    label,
    lights,
    page,
    pairing,
    people,
    quarantine,
    retire,
    serve,
    upkeep,
)
from hub.core.errors import HubError

_FAILED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hikma-hub")
def hikma_hub() -> None:
    """Keep a clinic's records safe between its phones and the cloud."""


for _command in (
    serve.serve,
    upkeep.status,
    upkeep.doctor,
    pairing.pairing,
    devices.device,
    devices.token,
    people.user,
    people.clinic,
    quarantine.quarantine,
    cloud.cloud,
    cloud.relay,
    discover.discover,
    console.console,
    page.setup_code,
    page.fingerprint,
    page.admin,
    lights.lights,
    demo.demo,
    firstboot.firstboot,
    label.label,
    retire.retire,
):
    hikma_hub.add_command(_command)


def main() -> None:
    """Run a command; what the hub foresees ends with one sentence and status 1."""
    try:
        hikma_hub()
    except HubError as error:
        click.echo(f"hikma-hub: {error}", err=True)
        sys.exit(_FAILED)
