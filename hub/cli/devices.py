"""hikma-hub device and token: the phones that are paired, and shutting them out."""

from pathlib import Path

import click
import msgspec

from hub.cli import options
from hub.core.errors import OperatorError
from hub.store.people import audit, users
from hub.store.phones import devices as kept
from hub.store.phones import ledger, sessions


@click.group()
def device() -> None:
    """See and revoke phones."""


@device.command("list")
@options.data
@options.as_json
def list_devices(data: Path, as_json: bool) -> None:  # noqa: FBT001  click's way
    """List the phones; times are hub time in ms, behind counts the records that a phone lacks."""
    with options.store(data) as store, store.read() as db:
        rows = [{**msgspec.to_builtins(found), "behind": ledger.behind(db, found.num)} for found in kept.every(db)]
    options.show(rows, as_json=as_json, empty="No phone has paired yet.")


@device.command("revoke")
@options.data
@click.argument("client_id")
def revoke_device(data: Path, client_id: str) -> None:
    """Shut a phone out at once."""
    with options.store(data) as store, store.write() as tx:
        found = kept.revoke(tx, client_id)
    if found is None:
        raise OperatorError(f"there is no phone {client_id}; 'hikma-hub device list' shows them")
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
    with options.store(data) as store, store.write() as tx:
        user = users.find_by_email(tx.db, email) if email else None
        phone = kept.find(tx.db, client_id) if client_id else None
        if (email and not user) or (client_id and not phone):
            raise OperatorError("there is no such user or phone")
        count = sessions.revoke_tokens(tx, user_id=user.id if user else None, device=phone.num if phone else None)
        audit.note(tx, "token.revoked", device=phone.num if phone else None, user_id=user.id if user else None)
    click.echo(f"{count} sign-ins ended.")
