"""What all commands share: where the data is, and how they print."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from hub.core.errors import StoreError
from hub.settings import Settings, load
from hub.store.database import FILE_NAME, QUARANTINE_MAX, Store

SETTINGS_NAME = "hub.toml"

data = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="HIKMA_HUB_DATA",
    default="/var/lib/hikma-hub",
    show_default=True,
    help="Folder with the hub's data.",
)
config = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="HIKMA_HUB_CONFIG",
    help="Settings file (TOML).  [default: hub.toml in the data folder]",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def settings(given: Path | None, folder: Path) -> Settings:
    """Read the settings: of the file that was ``given``, or of the one beside the data if it is there.

    Raises SettingError.
    """
    path = settings_file(given, folder)
    return load(path if given or path.exists() else None, os.environ)


def settings_file(given: Path | None, folder: Path) -> Path:
    """Return where settings are written."""
    return given or folder / SETTINGS_NAME


@contextmanager
def store(folder: Path, *, create: bool = False, quarantine_max: int = QUARANTINE_MAX) -> Iterator[Store]:
    """Open the hub's database, also beside a hub that runs; raises StoreError where there is none.

    create: make it if it is not there; for what prepares a hub before its first start.
    quarantine_max: for what may put records into quarantine.
    """
    if not create and not (folder / FILE_NAME).exists():
        raise StoreError(f"there is no hub in {folder}; to start one: 'hikma-hub serve --data {folder}'")
    opened = Store(folder, quarantine_max=quarantine_max)
    try:
        yield opened
    finally:
        opened.close()


def show(rows: Iterable[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as JSON or as a table; ``empty`` where there are none."""
    listed = list(rows)
    if as_json:
        click.echo(json.dumps(listed, ensure_ascii=False))
        return
    if not listed:
        click.echo(empty)
        return
    names = list(listed[0])
    cells = [[_cell(row[name]) for name in names] for row in listed]
    widths = [max(len(name), *(len(line[index]) for line in cells)) for index, name in enumerate(names)]
    for line in (names, *cells):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def show_one(row: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing as JSON or as lines."""
    if as_json:
        click.echo(json.dumps(dict(row), ensure_ascii=False))
        return
    for name, value in row.items():
        click.echo(f"{name + ':':<12} {_cell(value)}")


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)
