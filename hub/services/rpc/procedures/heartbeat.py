"""ping and heartbeat: a phone asks whether its session works."""

import msgspec

from hub.services.rpc.procedures.registry import Call, command, query


class NoParams(msgspec.Struct, frozen=True):
    """No parameters; what comes is ignored."""


@query("ping", public=True)
@command("ping", public=True)
@query("heartbeat", public=True)
@command("heartbeat", public=True)
def heartbeat(_call: Call, params: NoParams) -> dict[str, str]:  # noqa: ARG001  every procedure takes some
    """Answer that the session works."""
    return {"status": "ok"}
