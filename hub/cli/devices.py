"""hikma-hub device and token: the phones that are paired, and shutting them out."""

from pathlib import Path

import click
import msgspec

from hub.actions.phones import devices
from hub.cli import options


@click.group()
def device() -> None:
    """See and revoke phones."""


@device.command("list")
@options.data
@options.as_json
def list_devices(data: Path, as_json: bool) -> None:  # noqa: FBT001  click's way
    """List the phones; times are hub time in ms, behind counts the records that a phone lacks."""
    with options.store(data) as store:
        rows = [{**msgspec.to_builtins(found.device), "behind": found.behind} for found in devices.every(store)]
    options.show(rows, as_json=as_json, empty="No phone has paired yet.")


@device.command("revoke")
@options.data
@click.argument("client_id")
def revoke_device(data: Path, client_id: str) -> None:
    """Shut a phone out at once."""
    with options.store(data) as store:
        found = devices.block(store, client_id)
    click.echo(f"{found.name} is revoked.")


@click.group()
def token() -> None:
    """End sign-ins."""


@token.command("revoke")
@options.data
@click.option("--user", "email", help="Email of the user whose sign-ins end.")
@click.option("--device", "client_id", help="Phone on which sign-ins end.")
@click.option("--all", "everyone", is_flag=True, help="End every sign-in.")
def revoke_tokens(data: Path, email: str | None, client_id: str | None, everyone: bool) -> None:  # noqa: FBT001
    """End the sign-ins of a user, of a phone, or all; they must sign in again."""
    if not (email or client_id or everyone):
        raise click.UsageError("say whose: --user, --device or --all")
    with options.store(data) as store:
        count = devices.end_sign_ins(store, email=email, client_id=client_id)
    click.echo(f"{count} sign-ins ended.")
