"""login: a person signs in on a phone, with or without an internet connection (S4, S5)."""

from typing import Annotated

import msgspec

from hub.actions.phones import sign_in
from hub.actions.phones.sign_in import Terms
from hub.services.rpc.procedures.registry import Call, Work, command


class Login(msgspec.Struct, frozen=True):
    """What the app sends."""

    email: Annotated[str, msgspec.Meta(max_length=320)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]


class LoginAnswer(msgspec.Struct, frozen=True):
    """What the app needs to let its user in: every field a non-empty text (PROTOCOL.md "Login")."""

    token: str
    user_id: str
    clinic_id: str
    role: str
    provider_name: str
    email: str


@command("login", public=True, work=Work.PASSWORD)
def login(call: Call, params: Login) -> LoginAnswer:
    """Sign in, which adds a phone that is new (actions.phones.sign_in)."""
    policy = call.policy
    found = sign_in.sign_in(
        call.store,
        call.device,
        params.email,
        params.password,
        address=call.address,
        terms=Terms(policy.attempts, policy.token_days, policy.phones_max),
    )
    return LoginAnswer(
        token=found.token,
        user_id=found.user.id,
        clinic_id=found.clinic_id,
        role=found.user.role,
        provider_name=found.user.name or found.user.email,
        email=found.user.email,
    )
