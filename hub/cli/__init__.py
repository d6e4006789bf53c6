"""hikma-hub: the command line for technicians and scripts."""

import gc
import importlib
import sys
from types import ModuleType

import click

from hub import __version__
from hub.core.errors import HubError

_FAILED = 1
_COMMANDS = {
    "admin": "page",
    "backup": "backup",
    "change-network": "network",
    "clinic": "people",
    "cloud": "cloud",
    "console": "console",
    "copy": "copy",
    "demo": "demo",
    "device": "devices",
    "discover": "discover",
    "doctor": "upkeep",
    "fingerprint": "page",
    "firstboot": "firstboot",
    "fleet": "fleet",
    "label": "label",
    "lights": "lights",
    "pairing": "pairing",
    "quarantine": "quarantine",
    "relay": "cloud",
    "restore": "backup",
    "retire": "retire",
    "serve": "serve",
    "settings": "settings",
    "setup-code": "page",
    "spare": "spare",
    "status": "upkeep",
    "support-file": "support",
    "sync": "sync",
    "take-over": "spare",
    "token": "devices",
    "update": "update",
    "user": "people",
}
"""Command and the module that holds it, under the same name."""


class _Commands(click.Group):
    """Imports a command when it is called: a Pi needs seconds for all of them, and starts three at every boot."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's way
        """List the names, as ``--help`` shows them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's way
        """Return a command, None if there is none of that name."""
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        found: click.Command = getattr(_imported(f"{__name__}.{module}"), cmd_name.replace("-", "_"))
        return found


def _imported(name: str) -> ModuleType:
    """Import a module without looking for garbage meanwhile, nor ever again in what was imported: all of it stays."""
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hikma-hub")
def hikma_hub() -> None:
    """Keep a clinic's records safe between its phones and the cloud."""


def main() -> None:
    """Run a command; a foreseen failure ends with one sentence and status 1."""
    try:
        hikma_hub()
    except HubError as error:
        click.echo(f"hikma-hub: {error}", err=True)
        sys.exit(_FAILED)
