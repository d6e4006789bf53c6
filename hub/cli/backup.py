"""hikma-hub backup and restore: a dead hub is replaced from its backup, and its phones go on (O4)."""

from collections.abc import Iterator
from pathlib import Path

import click

from hub import files
from hub.actions.people import audit
from hub.app import backup as backups
from hub.cli import options, secret
from hub.core.errors import OperatorError
from hub.services.copy import stick as sticks

_passphrase = click.option("--passphrase-stdin", is_flag=True, help="Read the passphrase from standard input.")


@click.command()
@options.data
@options.config
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@_passphrase
def backup(data: Path, config: Path | None, out: Path, passphrase_stdin: bool) -> None:  # noqa: FBT001  click's way
    """Back up the hub into one file, encrypted with a passphrase.

    The hub keeps serving meanwhile. The file is a tar, encrypted by age: "age -d FILE > hub.tar" opens it on any
    computer.
    """
    passphrase = secret.read("Passphrase", from_stdin=passphrase_stdin)
    with options.store(data) as store:
        pieces = backups.encrypted(store, passphrase, options.settings_file(config, data))
        size = _write(out, pieces)
        audit.note(store, "backup.made")
    click.echo(f"Backup written to {out} ({size:,} bytes). Nobody can open it without the passphrase.")


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@options.data
@_passphrase
def restore(source: Path, data: Path, passphrase_stdin: bool) -> None:  # noqa: FBT001
    """Restore a backup, or a stick, into an empty data folder.

    SOURCE is the backup file, or the folder in which the stick is seen that has a copy of the hub.
    """
    passphrase = secret.read("Passphrase", from_stdin=passphrase_stdin)
    if source.is_dir():
        _restore_copy(source, data, passphrase)
        return
    backups.restore(backups.from_file(source), data, passphrase)
    click.echo(
        f"The hub was restored to {data}. Start it; phones that were added go on by themselves."
        " What they sent after the backup is here again once the cloud has it, or when somebody changes it on a phone."
    )


def _restore_copy(stick: Path, data: Path, passphrase: str) -> None:
    found = sticks.copies(stick)
    if not found:
        raise OperatorError(f"{stick} holds no copy of a hub")
    newest = found[-1]
    backups.restore_copy(newest, data, passphrase)
    click.echo(
        f"{newest.mark.hub_name} was restored to {data}, with all that was on its stick. Start it at the old one's"
    )
    click.echo(
        "address: phones go on, and nobody adds, signs in or uploads anything again. Never let the old one run too."
    )


def _write(out: Path, pieces: Iterator[bytes]) -> int:
    """Write the file whole or not at all; returns its size in bytes."""
    try:
        return files.replace(out, pieces)
    except OSError as error:
        raise OperatorError(f"{out} cannot be written: {error.strerror}") from error
