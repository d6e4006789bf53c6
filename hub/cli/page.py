"""hikma-hub setup-code, fingerprint and admin: what the web page needs from whoever is at the hub."""

from pathlib import Path

import click

from hub.actions.box import certificate
from hub.actions.people import administrators, setup
from hub.app import reach
from hub.cli import options, secret
from hub.words import words


@click.command("setup-code")
@options.data
@options.as_json
def setup_code(data: Path, as_json: bool) -> None:  # noqa: FBT001  click's way
    """Show the setup code, which setting up the hub asks for."""
    with options.store(data, create=True) as store:
        code = setup.code(store)
    if as_json:
        options.show_one({"setup_code": code}, as_json=True)
    elif code:
        click.echo(code)
    else:
        click.echo("The hub is set up; it has no setup code any more.")


@click.command()
@options.data
@options.config
def fingerprint(data: Path, config: Path | None) -> None:
    """Show the fingerprint of the hub's certificate.

    Compare it with the one that a browser shows.
    """
    with options.store(data, create=True) as store:
        host = reach.current(store, options.settings(config, data)).host_name()
        click.echo(certificate.load(store, host).fingerprint)


@click.group()
def admin() -> None:
    """Add, list and remove administrators of the web page."""


@admin.command("list")
@options.data
@options.as_json
def list_administrators(data: Path, as_json: bool) -> None:  # noqa: FBT001
    """List the administrators."""
    with options.store(data) as store:
        found = administrators.every(store)
    rows = [one.row if as_json else {"name": one.name, "added": words("en").ago(one.age_s)} for one in found]
    options.show(rows, as_json=as_json, empty="There are no administrators yet.")


@admin.command("add")
@options.data
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add(data: Path, name: str, password_stdin: bool) -> None:  # noqa: FBT001
    """Add an administrator. The first one completes the setup."""
    password = secret.read("Password", from_stdin=password_stdin)
    with options.store(data, create=True) as store:
        administrators.add(store, name, password)
    click.echo(f"{name} can sign in on the web page.")


@admin.command("password")
@options.data
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def change_password(data: Path, name: str, password_stdin: bool) -> None:  # noqa: FBT001
    """Set an administrator's password, for example when it is forgotten."""
    password = secret.read("Password", from_stdin=password_stdin)
    with options.store(data) as store:
        administrators.change_password(store, name, password)
    click.echo("Password changed.")


@admin.command("remove")
@options.data
@click.argument("name")
def remove(data: Path, name: str) -> None:
    """Remove an administrator. The last one cannot be removed."""
    with options.store(data) as store:
        administrators.remove(store, name)
    click.echo(f"{name} was removed.")
