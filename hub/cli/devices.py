"""hikma-hub device and token: the phones that have paired, blocking and forgetting them, and ending sign-ins."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from hub.actions.phones import devices, refusals
from hub.actions.phones.devices import ListedDevice
from hub.actions.phones.refusals import RefusalReason, RefusedPhone
from hub.cli import options
from hub.words import words

_REASONS = {
    RefusalReason.UNKNOWN: "unknown",
    RefusalReason.SIGN_IN: "must sign in",
    RefusalReason.BLOCKED: "blocked",
    RefusalReason.TOO_LARGE: "sends too much at once",
    RefusalReason.NO_ROOM: "hub had no room",
}


@click.group()
def device() -> None:
    """List, name, block and forget phones."""


@device.command("list")
@options.data
@options.as_json
def list_devices(data: Path, as_json: bool) -> None:  # noqa: FBT001  click's way
    """List the phones.

    With --json, times are hub time in ms, and "behind" counts the records that are not yet on a phone.
    """
    with options.store(data) as store:
        found, refused = devices.every(store), {one.client_id: one for one in refusals.listed(store)}
    rows = [_json(one, refused) if as_json else _row(one, refused.get(one.device.client_id)) for one in found]
    options.show(rows, as_json=as_json, empty="No phone has been added yet.")
    unknown = refused.get("")
    if unknown and not as_json:
        click.echo(f"Phones that this hub does not know were refused, last {words('en').ago(unknown.ago_s)}.", err=True)


@device.command("block")
@options.data
@click.argument("client_id")
def block_device(data: Path, client_id: str) -> None:
    """Block a phone. Its sign-ins end now, and it cannot sync any more."""
    with options.store(data) as store:
        found = devices.block(store, client_id)
    click.echo(f"{found.name} is blocked.")


device.add_command(block_device, "revoke")
"""The older name of the same command."""


@device.command("unblock")
@options.data
@click.argument("client_id")
def unblock_device(data: Path, client_id: str) -> None:
    """Let a blocked phone sync again. Somebody must sign in on it; what it has not sent comes with its next sync."""
    with options.store(data) as store:
        found = devices.unblock(store, client_id)
    click.echo(f"{found.name} can sync again once somebody has signed in on it.")


@device.command("rename")
@options.data
@click.argument("client_id")
@click.argument("name")
def rename_device(data: Path, client_id: str, name: str) -> None:
    """Give a phone a name that people know it by."""
    with options.store(data) as store:
        found = devices.rename(store, client_id, name)
    click.echo(f"The phone is now called {found.name}.")


@device.command("forget")
@options.data
@click.argument("client_id", required=False)
@click.option("--strangers", is_flag=True, help="All phones on which nobody ever signed in, blocked ones too.")
def forget_device(data: Path, client_id: str | None, strangers: bool) -> None:  # noqa: FBT001
    """Remove a phone from the list. Its sign-ins end now; what it sent stays.

    It can be added again while adding phones is on, even if it was blocked.
    """
    if bool(client_id) == strangers:
        raise click.UsageError("Give the ID of a phone, or --strangers.")
    with options.store(data) as store:
        if client_id:
            click.echo(f"{devices.forget(store, client_id).name} is forgotten.")
            return
        count = devices.forget_strangers(store)
    click.echo("1 phone is forgotten." if count == 1 else f"{count} phones are forgotten.")


@click.group()
def token() -> None:
    """End sign-ins on phones."""


@token.command("revoke")
@options.data
@click.option("--user", "email", help="Email of the user.")
@click.option("--device", "client_id", help="ID of the phone; see 'hikma-hub device list'.")
@click.option("--all", "everyone", is_flag=True, help="End every sign-in.")
def revoke_tokens(data: Path, email: str | None, client_id: str | None, everyone: bool) -> None:  # noqa: FBT001
    """End the sign-ins of a user, on a phone, or all of them.

    The people concerned must sign in again.
    """
    if not (email or client_id or everyone):
        raise click.UsageError("Give --user, --device or --all.")
    with options.store(data) as store:
        count = devices.end_sign_ins(store, email=email, client_id=client_id)
    click.echo("1 sign-in ended." if count == 1 else f"{count} sign-ins ended.")


def _json(found: ListedDevice, refused: Mapping[str, RefusedPhone]) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(found.device),
        "behind": found.behind,
        "asks": found.asks,
        "twins": found.twins,
        "unconfirmed": found.unconfirmed,
        "is_ahead": found.is_ahead,
        "too_large": [
            {"table": one.table, "id": one.record_id, "size_bytes": one.size_bytes} for one in found.too_large
        ],
        "refused": _refused(refused, found),
    }


def _refused(refused: Mapping[str, RefusedPhone], found: ListedDevice) -> dict[str, Any] | None:
    one = refused.get(found.device.client_id)
    return {"reason": one.reason, "times": one.times, "s_ago": one.ago_s} if one else None


def _row(found: ListedDevice, refused: RefusedPhone | None) -> dict[str, Any]:
    """Return a phone as people read it."""
    ago = words("en").ago
    return {
        "name": found.device.name,
        "id": found.device.client_id,
        "state": "blocked" if found.is_blocked else "added",
        "last seen": ago(found.seen_s),
        "last sync": "never" if found.synced_s is None else ago(found.synced_s),
        "records not yet on it": f"{found.behind}, about {found.asks} more syncs" if found.asks else found.behind,
        "user": found.user or "-",
        "refused": f"{_REASONS[refused.reason]}, {ago(refused.ago_s)}" if refused else "-",
        "notes": "; ".join(_notes(found)) or "-",
    }


def _notes(found: ListedDevice) -> Iterator[str]:
    if found.twins:
        yield f"{found.twins} phones use this ID in turn"
    if found.unconfirmed:
        yield f"it did not store the last {found.unconfirmed} answers"
    if found.is_ahead:
        yield "it synced after the backup was made from which this hub was restored"
    for one in found.too_large:
        yield f"too large for it: {one.table} {one.record_id}"
