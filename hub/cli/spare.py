"""hikma-hub spare and take-over: another box that keeps the copy of a hub, and becomes it when it dies."""

from datetime import UTC, datetime
from pathlib import Path

import click

from hub.app import spare as spares
from hub.cli import options, secret
from hub.core.errors import OperatorError
from hub.services.copy import shelf
from hub.services.copy.stick import Stick


@click.group()
def spare() -> None:
    """Keep the copy of another hub on this one."""


@spare.command("start")
@options.data
@options.config
def start(data: Path, config: Path | None) -> None:
    """Keep copies of other hubs on this new hub, and show the code that lets them do so.

    Show the code to nobody else: whoever has it can write here, though not read.
    """
    settings = options.settings(config, data)
    with options.store(data) as store:
        code = spares.begin(store, settings)
    click.echo(f"This box keeps copies of other hubs while it runs ('hikma-hub serve'), on port {code.port}.")
    click.echo("On the hub: hikma-hub copy start CODE --passphrase-stdin")
    click.echo(f"CODE: {code}")


@spare.command("status")
@options.data
@options.as_json
def status(data: Path, as_json: bool) -> None:  # noqa: FBT001  click's way
    """List the copies that are kept here, and how far each goes."""
    options.show(map(_told, shelf.copies(data)), as_json=as_json, empty="no copy is kept here")


@spare.command("stop")
@options.data
@click.option("--delete", is_flag=True, help="Delete the copies that are kept here.")
def stop(data: Path, delete: bool) -> None:  # noqa: FBT001
    """Keep no copies of other hubs any more; their code ends at once.

    The copies stay, so that this box can still become their hub, unless they are deleted.
    """
    with options.store(data) as store:
        spares.end(store, deletes=delete)
    click.echo("This box keeps no copies of other hubs any more." + (" They are deleted." if delete else ""))


@click.command("take-over")
@click.argument("copy_id", metavar="[ID]", required=False)
@options.data
@click.option("--passphrase-stdin", is_flag=True, help="Read the recovery passphrase from standard input.")
def take_over(copy_id: str | None, data: Path, passphrase_stdin: bool) -> None:  # noqa: FBT001
    """Become the hub whose copy is kept here.

    ID names the copy where several hubs keep one here; of one hub it is the newest.

    The hub that died, should it come back, takes no records any more as soon as it sees this one.
    """
    found = [one for one in shelf.copies(data) if copy_id in {None, one.mark.id}]
    if not found:
        raise OperatorError("no such copy is kept here; 'hikma-hub spare status' lists them")
    if len({one.mark.hub_id for one in found}) > 1:
        raise OperatorError("several hubs keep a copy here: name one by its ID; 'hikma-hub spare status' lists them")
    passphrase = secret.read("Recovery passphrase", from_stdin=passphrase_stdin)
    with options.store(data) as store:
        spares.take_over(store, found[-1], passphrase)
    click.echo(
        f"This box is {found[-1].mark.hub_name} from its next start; a hub that runs here starts anew by itself."
    )
    click.echo("Give it the address of the old one, and phones go on. Never let the old one run too.")


def _told(copy: Stick) -> dict[str, object]:
    reach = copy.reach()
    return {
        "id": copy.mark.id,
        "hub": copy.mark.hub_name,
        "written": datetime.fromtimestamp(copy.written_s(), UTC).isoformat(timespec="seconds"),
        "backup_until": reach.base,
        "journal_until": reach.last,
        "whole": spares.is_whole(copy),
    }
