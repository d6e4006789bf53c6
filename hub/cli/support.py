"""hikma-hub support-file: one file with what a technician far away needs."""

import contextlib
from pathlib import Path

import click

from hub.actions.people import audit
from hub.app import support
from hub.cli import options
from hub.core.errors import OperatorError, StoreError, Unavailable
from hub.store.database import FILE_NAME


@click.command("support-file")
@options.data
@options.config
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Zip file to write.")
def support_file(data: Path, config: Path | None, out: Path) -> None:
    """Write a support file for remote support.

    It contains no records, names, keys or passwords; its about.txt lists what it contains.
    """
    settings = options.settings(config, data)
    try:
        with options.store(data) as store:
            with contextlib.suppress(Unavailable):  # nothing can be noted on a full disk
                audit.note(store, "support.exported")
            content = support.build(data, settings, store)
    except StoreError as error:  # damaged, or on a disk so full that SQLite cannot even read it
        if not (data / FILE_NAME).exists():
            raise
        content = support.build(data, settings, None, (str(error),))
    try:
        out.touch(mode=0o600)
        out.write_bytes(content)
    except OSError as error:
        raise OperatorError(f"{out} cannot be written: {error.strerror}") from error
    click.echo(f"Support file written to {out} ({len(content):,} bytes).")
