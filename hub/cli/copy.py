"""hikma-hub copy: a copy of everything on a USB stick, written before a phone gets its answer."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hub.actions.box import copying as copies
from hub.app import copying
from hub.cli import options, secret
from hub.core.copy import join_code
from hub.core.copy.standing import Copy
from hub.core.encrypted_stream import recipient
from hub.core.errors import OperatorError
from hub.services.copy import reading
from hub.services.copy import spare as spares
from hub.services.copy import stick as sticks
from hub.services.copy.stick import Reach, Stick


@click.group()
def copy() -> None:
    """Keep a copy of everything on a USB stick."""


@copy.command("start")
@click.argument("where", metavar="FOLDER|CODE")
@options.data
@options.config
@click.option("--passphrase-stdin", is_flag=True, help="Read the recovery passphrase from standard input.")
def start(where: str, data: Path, config: Path | None, passphrase_stdin: bool) -> None:  # noqa: FBT001  click's way
    """Keep a copy from now on, on the stick that is seen in FOLDER; other files there stay as they are.

    With the CODE of a spare ('hikma-hub spare start' there) it is kept on that hub instead.

    Only the recovery passphrase opens it, and nobody can find it out: write it down, and keep it in a safe, away from
    the hub and the stick.
    """
    name = options.settings(config, data).hub.name
    passphrase = secret.read("Recovery passphrase", from_stdin=passphrase_stdin)
    place = spares.join(join_code.parse(where)) if join_code.is_one(where) else _stick(where)
    with options.store(data) as store:
        kept = copying.start(store, place, passphrase, hub_name=name)
    click.echo(f"A copy is kept in {_folder(kept)} from now on, while the hub runs.")
    click.echo(
        "Without the recovery passphrase nobody can open it: write it down, and keep it away from hub and stick."
    )


def _stick(where: str) -> Path:
    folder = Path(where).resolve()
    if not folder.is_dir():
        raise OperatorError(f"there is no folder {where}")
    return folder


@copy.command("stop")
@options.data
def stop(data: Path) -> None:
    """Keep no copy any more. What is on the stick stays there."""
    with options.store(data) as store:
        if not copies.stop(store):
            raise OperatorError("no copy is kept")
    click.echo("No copy is kept any more.")


@copy.command("status")
@options.data
@options.as_json
def status(data: Path, as_json: bool) -> None:  # noqa: FBT001
    """Show whether the stick has everything."""
    with options.store(data) as store:
        kept, now, last = copies.config(store), copies.condition(store), copies.last(store)
    row: dict[str, Any] = {"kept": kept is not None}
    if kept and now:
        row |= {"standing": now.standing.value, "why": now.detail or None, **_on_stick(kept), "transactions": last}
    options.show_one(row, as_json=as_json)


@copy.command("verify")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@options.data
@options.as_json
@click.option("--passphrase-stdin", is_flag=True, help="Also open everything, with the recovery passphrase.")
def verify(folder: Path | None, data: Path, as_json: bool, passphrase_stdin: bool) -> None:  # noqa: FBT001
    """Read the whole copy on the hub's stick, or on the one that is seen in FOLDER, and say how far it goes."""
    stick = _found(folder, data)
    reach = stick.reach()
    row = {"hub": stick.mark.hub_name, "folder": str(stick.folder), **_told(stick, reach)}
    is_whole = reach.base is not None and not reach.is_broken
    if passphrase_stdin:
        passphrase = secret.read("Recovery passphrase", from_stdin=True)
        row["opened"] = reading.check(stick, recipient.private_key(passphrase, stick.mark.salt))
    options.show_one(row | {"whole": is_whole}, as_json=as_json)
    if not is_whole:
        raise OperatorError("something is missing from the copy: leave the stick in, and the hub makes it whole")


def _found(folder: Path | None, data: Path) -> Stick:
    if folder is None:
        with options.store(data) as store:
            kept = copies.config(store)
        if kept is None:
            raise OperatorError("no copy is kept")
        if kept.spare:
            raise OperatorError("the copy is on a spare: verify it there, in the folder 'spare' of its data")
        return Stick(Path(_folder(kept)))
    found = sticks.copies(folder)
    if not found:
        raise OperatorError(f"{folder} holds no copy of a hub")
    return found[-1]


def _folder(kept: Copy) -> str:
    return f"{kept.folder}/{'' if kept.spare else sticks.FOLDER + '/'}{kept.id}"


def _on_stick(kept: Copy) -> dict[str, Any]:
    if kept.spare:
        return {"folder": _folder(kept)}
    try:
        stick = Stick(Path(_folder(kept)))
        return {"folder": str(stick.folder), **_told(stick, stick.reach())}
    except (OperatorError, OSError):
        return {"folder": _folder(kept)}


def _told(stick: Stick, reach: Reach) -> dict[str, Any]:
    written = datetime.fromtimestamp(stick.written_s(), UTC).isoformat(timespec="seconds")
    return {"written": written, "backup_until": reach.base, "journal_until": reach.last}
