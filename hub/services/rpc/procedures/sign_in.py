"""login: a person signs in on a phone, with or without a line (S4, S5)."""

from typing import Annotated

import msgspec

from hub.core.errors import Unauthorised
from hub.core.people.users import User, nobody
from hub.services.rpc.procedures.registry import Call, command
from hub.store.people import audit, users
from hub.store.phones import devices, sessions


class Login(msgspec.Struct, frozen=True):
    """What the app sends."""

    email: Annotated[str, msgspec.Meta(max_length=320)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]


class SignedIn(msgspec.Struct, frozen=True):
    """What the app needs to let its user in: every field a non-empty text (PROTOCOL.md "Login")."""

    token: str
    user_id: str
    clinic_id: str
    role: str
    provider_name: str
    email: str


@command("login", public=True)
def login(call: Call, params: Login) -> SignedIn:
    """Sign in; raises Unauthorised, or TooMany after too many failures by account, device or address."""
    context, policy = call.context, call.context.policy
    keys = [f"account:{params.email.casefold()}", f"device:{call.device.client_id}", f"address:{call.address}"]
    # A guess counts before it is looked at: of many at once, from many phones, no more get through than one by one.
    with context.store.write() as tx:
        sessions.check_attempts(
            tx.db,
            keys,
            now_ms=tx.now_ms,
            free=policy.attempts,
            wait_s=policy.wait_s,
            wait_max_s=policy.wait_max_s,
        )
        sessions.note_failure(tx, keys)
        user = users.find_by_email(tx.db, params.email)
    if not (user or nobody()).opens_with(params.password) or user is None:
        with context.store.write() as tx:
            audit.note(tx, "login.refused", device=call.device.num, user_id=user.id if user else None)
        raise Unauthorised("unknown account or wrong password")
    return _admit(call, user, keys)


def _admit(call: Call, user: User, keys: list[str]) -> SignedIn:
    with call.context.store.write() as tx:
        sessions.forget_failures(tx, keys)
        token = sessions.issue_token(tx, device=call.device.num, user_id=user.id, days=call.context.policy.token_days)
        devices.signed_in(tx, call.device.num, user.id)
        audit.note(tx, "login", device=call.device.num, user_id=user.id)
        clinic = user.clinic_id or next(iter(users.rights(tx.db, user).clinics), "")
    return SignedIn(
        token=token,
        user_id=user.id,
        clinic_id=clinic,
        role=user.role,
        provider_name=user.name or user.email,
        email=user.email,
    )
