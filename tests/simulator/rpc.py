"""Speaks the phone's side of the LAN RPC: handshake, sealed calls, and what the app makes of each answer.

Source: PROTOCOL.md "Envelopes" and "What the phone does with an answer".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hub.core.errors import HubError
from hub.core.phone import cipher, keys, wire
from hub.core.phone.cipher import Direction
from hub.core.phone.keys import KeyPair, SessionKey
from tests.simulator import javascript
from tests.simulator.transport import NetworkLostError, Transport


class Failure(Enum):
    """Why a call failed, in the app's words."""

    AUTH_FAILED = "AUTH_FAILED"
    NETWORK_ERROR = "NETWORK_ERROR"
    DECRYPTION_FAILED = "DECRYPTION_FAILED"
    HUB_UNREACHABLE = "HUB_UNREACHABLE"
    HANDSHAKE_FAILED = "HANDSHAKE_FAILED"
    INVALID_QR = "INVALID_QR"
    NOT_PAIRED = "NOT_PAIRED"
    NOT_SENT = "NOT_SENT"
    SIGN_IN_INCOMPLETE = "SIGN_IN_INCOMPLETE"


class CallFailedError(Exception):
    """A call that the app regards as failed."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(f"{failure.value}: {detail}")
        self.failure = failure
        self.detail = detail


@dataclass(frozen=True, slots=True)
class PairedHub:
    """What a handshake says about the hub, and the key that came of it."""

    hub_id: str
    name: str
    public_key: str
    key: SessionKey


def handshake(transport: Transport, client_id: str, *, identity: str | None = None) -> PairedHub:
    """Agree on a session key with a new key pair; the hub's key is not compared with an earlier one.

    identity: the ``pk`` of a QR code, which the hub is asked to prove to be its own; today's app asks for no proof.
    """
    pair = KeyPair()
    request: dict[str, object] = {"client_id": client_id, "client_public_key": wire.encode(pair.public)}
    if identity is not None:
        request["prove"] = True
    try:
        status, body = transport.post("/rpc/handshake", javascript.write(request))
        _check_reached(status)
        answer = javascript.read(body)
    except (NetworkLostError, ValueError) as error:
        raise CallFailedError(Failure.HUB_UNREACHABLE, str(error)) from error
    public, hub_id = _handshake_fields(answer)
    try:
        key = keys.client_session_key(pair, wire.public_key(public))
    except HubError as error:
        raise CallFailedError(Failure.HUB_UNREACHABLE, str(error)) from error
    if identity is not None and not _is_proven(answer.get("hub_proof"), pair, identity, public):
        raise CallFailedError(Failure.INVALID_QR, "the hub does not prove that pk is its own")
    name = answer.get("hub_name")
    return PairedHub(hub_id, name if isinstance(name, str) and name else f"Hub {hub_id}", public, key)


def _is_proven(proof: object, pair: KeyPair, identity: str, public: str) -> bool:
    if not isinstance(proof, str):
        return False
    known = wire.public_key(identity)
    return keys.is_proven(bytes(wire.decode(proof.encode())), pair, identity=known, hub_public=wire.public_key(public))


def envelope(key: SessionKey, client_id: str, plain: bytes, direction: Direction) -> bytes:
    """Seal what is asked into the body of a request."""
    payload = wire.encode(cipher.seal(key, plain, direction))
    return javascript.write({"client_id": client_id, "payload": payload})


def opened(key: SessionKey, answer: object, direction: Direction) -> bytes:
    """Open the payload of an answer that was read; beside it nothing in the answer is looked at.

    Raises HubError, or ValueError where there is no text to open.
    """
    payload = answer.get("payload") if isinstance(answer, dict) else None
    sealed = wire.decode(payload.encode("ascii")) if isinstance(payload, str) else b""
    return cipher.open_sealed(key, sealed, direction)


@dataclass(frozen=True, slots=True)
class Channel:
    """Sealed calls under one session key."""

    transport: Transport
    client_id: str
    key: SessionKey
    token: str | None
    memory_bytes: int | None = None
    """The largest answer that fits into memory once it is decoded."""

    def query(self, name: str, params: Mapping[str, Any]) -> Any:  # noqa: ANN401  an answer may be any JSON
        """Send a query; returns the opened answer or raises CallFailedError."""
        inside = {"query": name, "params": params, "token": self.token}
        return self._call("/rpc/query", inside, Direction.QUERY, Direction.QUERY_RESPONSE)

    def command(self, name: str, data: Mapping[str, Any], before_send: Callable[[], object] | None = None) -> Any:  # noqa: ANN401  an answer may be any JSON
        """Send a command, return the answer or raise CallFailedError. ``before_send`` runs once it is sealed."""
        inside = {"command": name, "data": data, "token": self.token}
        return self._call("/rpc/command", inside, Direction.COMMAND, Direction.COMMAND_RESPONSE, before_send)

    def _call(
        self,
        path: str,
        inside: Mapping[str, Any],
        up: Direction,
        down: Direction,
        before_send: Callable[[], object] | None = None,
    ) -> Any:  # noqa: ANN401  an answer may be any JSON
        body = envelope(self.key, self.client_id, javascript.write(inside), up)
        if before_send:
            before_send()
        try:
            status, answer = self.transport.post(path, body)
            _check_accepted(status)
            read = javascript.read(answer)
        except (NetworkLostError, ValueError) as error:
            raise CallFailedError(Failure.NETWORK_ERROR, str(error)) from error
        return self._opened(read, down)

    def _opened(self, answer: object, down: Direction) -> Any:  # noqa: ANN401  an answer may be any JSON
        if answer is None:
            raise CallFailedError(Failure.NETWORK_ERROR, "TypeError: Cannot read properties of null")
        try:
            plain = opened(self.key, answer, down)
            if self.memory_bytes is not None and len(plain) > self.memory_bytes:
                raise CallFailedError(Failure.NETWORK_ERROR, "out of memory: the app ended")
            inside = javascript.read(plain)
        except (HubError, ValueError) as error:
            raise CallFailedError(Failure.DECRYPTION_FAILED, "Failed to decrypt response") from error
        if inside is None or inside is False or inside in (0, ""):
            raise CallFailedError(Failure.DECRYPTION_FAILED, "Failed to decrypt response")
        return inside


def _check_reached(status: int) -> None:
    if not is_ok(status):
        raise CallFailedError(Failure.HUB_UNREACHABLE, f"Handshake failed with HTTP {status}")


def _check_accepted(status: int) -> None:
    if status == 401:
        raise CallFailedError(Failure.AUTH_FAILED, "Unauthorized")
    if not is_ok(status):
        raise CallFailedError(Failure.NETWORK_ERROR, f"HTTP {status}")


def is_ok(status: int) -> bool:
    """Return whether the app takes this status for a yes."""
    return 200 <= status < 300


def _handshake_fields(answer: object) -> tuple[str, str]:
    public, hub_id = (answer.get("hub_public_key"), answer.get("hub_id")) if isinstance(answer, dict) else ("", "")
    success = isinstance(answer, dict) and answer.get("success")
    if not success or not isinstance(public, str) or not isinstance(hub_id, str) or not public or not hub_id:
        raise CallFailedError(Failure.HANDSHAKE_FAILED, "Invalid handshake response from hub")
    return public, hub_id
