"""hikma-hub user and clinic: the people and places of this hub."""

from pathlib import Path
from typing import Any

import click

from hub.actions.people import clinics, users
from hub.actions.people.users import User
from hub.cli import options, secret
from hub.core.records.access import Permission


@click.group()
def clinic() -> None:
    """Add and list clinics."""


@clinic.command("add")
@options.data
@click.option("--name", required=True)
@options.as_json
def add_clinic(data: Path, name: str, as_json: bool) -> None:  # noqa: FBT001  click's way
    """Add a clinic to a hub without a cloud."""
    with options.store(data, create=True) as store:
        made = clinics.add(store, name)
    options.show_one(made, as_json=as_json)


@clinic.command("list")
@options.data
@options.as_json
def list_clinics(data: Path, as_json: bool) -> None:  # noqa: FBT001
    """List the clinics."""
    with options.store(data) as store:
        options.show(clinics.every(store), as_json=as_json, empty="There are no clinics yet.")


@click.group()
def user() -> None:
    """Add, list and block users of the phones."""


@user.command("add")
@options.data
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--role", required=True, help="super_admin, admin, provider, registrar, or a role of your own.")
@click.option("--clinic", "clinic_id", required=True, help="ID of the clinic; see 'hikma-hub clinic list'.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice([permission.value for permission in Permission]),
    help="A permission of the role that this user does not get; can be repeated.",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@options.as_json
def add_user(
    data: Path,
    email: str,
    name: str,
    role: str,
    clinic_id: str,
    without: tuple[str, ...],
    password_stdin: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Add a user with the permissions of a role in one clinic."""
    password = secret.read("Password", from_stdin=password_stdin)
    with options.store(data, create=True) as store:
        made = users.add(
            store,
            email=email,
            name=name,
            role=role,
            clinic_id=clinic_id,
            password=password,
            without=[Permission(text) for text in without],
        )
    options.show_one(_row(made), as_json=as_json)


@user.command("list")
@options.data
@options.as_json
def list_users(data: Path, as_json: bool) -> None:  # noqa: FBT001
    """List the users."""
    with options.store(data) as store:
        options.show(map(_row, users.every(store)), as_json=as_json, empty="There are no users yet.")


@user.command("password")
@options.data
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def change_password(data: Path, email: str, password_stdin: bool) -> None:  # noqa: FBT001
    """Set the password of a user of this hub. They must sign in again everywhere."""
    password = secret.read("Password", from_stdin=password_stdin)
    with options.store(data) as store:
        users.change_password(store, email, password)
    click.echo("Password changed.")


@user.command("block")
@options.data
@click.argument("email")
def block_user(data: Path, email: str) -> None:
    """Block a user. Their sign-ins end now, and they cannot sign in again."""
    with options.store(data) as store:
        users.disable(store, email)
    click.echo("The user is blocked.")


user.add_command(block_user, "disable")
"""The older name of the same command."""


def _row(found: User) -> dict[str, Any]:
    return {
        "id": found.id,
        "email": found.email,
        "name": found.name,
        "role": found.role,
        "clinic_id": found.clinic_id,
        "source": found.source,
        "disabled": found.is_deleted,
    }
