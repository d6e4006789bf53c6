"""The network between a model phone and a hub in this process: it loses and cuts messages, the books look on."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

import msgspec

from hub.core.errors import Unauthorised
from hub.core.phone import cipher, wire
from hub.core.phone.cipher import Direction
from hub.core.phone.keys import SessionKey
from hub.core.phone.wire import Envelope
from hub.store.phones import callers
from tests.hubs import InProcessHub, RpcTransport
from tests.simulator.transport import NetworkLostError


class Fault(Enum):
    """What goes wrong in one sync."""

    NONE = auto()
    HANDSHAKE_LOST = auto()
    PULL_REQUEST_LOST = auto()
    PULL_ANSWER_LOST = auto()
    PULL_ANSWER_CUT = auto()
    PUSH_REQUEST_LOST = auto()
    PUSH_ANSWER_LOST = auto()
    PUSH_ANSWER_CUT = auto()
    KILLED_BEFORE_PULL = auto()
    KILLED_AFTER_PULL = auto()
    KILLED_BEFORE_PUSH = auto()
    KILLED_AFTER_PUSH = auto()


_REQUEST_LOST = frozenset({Fault.PULL_REQUEST_LOST, Fault.PUSH_REQUEST_LOST})
_ANSWER_LOST = frozenset(
    {Fault.PULL_ANSWER_LOST, Fault.PUSH_ANSWER_LOST, Fault.KILLED_AFTER_PULL, Fault.KILLED_AFTER_PUSH}
)
_ANSWER_CUT = frozenset({Fault.PULL_ANSWER_CUT, Fault.PUSH_ANSWER_CUT})
_KILLED_BEFORE = frozenset({Fault.KILLED_BEFORE_PULL, Fault.KILLED_BEFORE_PUSH})
_KILLED_AFTER = frozenset({Fault.KILLED_AFTER_PULL, Fault.KILLED_AFTER_PUSH})

_KINDS = {
    "/rpc/query": (Direction.QUERY, Direction.QUERY_RESPONSE),
    "/rpc/command": (Direction.COMMAND, Direction.COMMAND_RESPONSE),
}


class Witness(Protocol):
    """Sees in clear what went over the line."""

    def pulled(self, cursor: float, answer: dict[str, Any]) -> None:
        """See an answer that left the hub."""
        ...

    def before_push(self, data: dict[str, Any]) -> None:
        """See a push before the hub does."""
        ...

    def after_push(self, data: dict[str, Any], status: int) -> None:
        """See what the hub answered to it."""
        ...

    def repeated(self, status: int) -> None:
        """See what the hub answered to the same push, sent again at once."""
        ...


@dataclass
class _Message:
    """One sealed request, opened."""

    key: SessionKey
    name: str
    inside: dict[str, Any]


class Line:
    """A Transport with one fault at a time.

    meanwhile: runs when the answer to a pull has left the hub and not yet arrived.
    repeat: sends every push twice.
    """

    meanwhile: Callable[[], object] | None

    def __init__(self, hub: InProcessHub, witness: Witness) -> None:
        self.fault = Fault.NONE
        self.repeat = False
        self.meanwhile = None
        self._hub = hub
        self._witness = witness
        self._direct = RpcTransport(hub)

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask for the heartbeat."""
        return self._direct.get(path)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Carry a request there and its answer back, as far as the fault lets it."""
        if path == "/rpc/handshake":
            self._stop_if(lost=self.fault is Fault.HANDSHAKE_LOST)
            return self._direct.post(path, body)
        message = self._opened(path, body)
        if message is None or message.name not in {"sync_pull", "sync_push"}:
            return self._direct.post(path, body)
        return self._carry(path, body, message, message.name.removeprefix("sync_").upper())

    def _carry(self, path: str, body: bytes, message: _Message, word: str) -> tuple[int, bytes]:
        fault = self.fault if f"_{word}" in f"_{self.fault.name}" else Fault.NONE
        self._stop_if(lost=fault in _REQUEST_LOST)
        if fault in _KILLED_BEFORE:
            self._hub.restart()
        status, answer = self._witnessed(path, body, message)
        if fault in _KILLED_AFTER:
            self._hub.restart()
        if word == "PULL" and self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        self._stop_if(lost=fault in _ANSWER_LOST)
        return status, answer[: len(answer) // 2] if fault in _ANSWER_CUT else answer

    def _witnessed(self, path: str, body: bytes, message: _Message) -> tuple[int, bytes]:
        if message.name == "sync_pull":
            status, answer = self._direct.post(path, body)
            if status == 200:
                self._witness.pulled(message.inside["params"]["lastPulledAt"], self._answer(path, answer, message))
            return status, answer
        self._witness.before_push(message.inside["data"])
        status, answer = self._direct.post(path, body)
        self._witness.after_push(message.inside["data"], status)
        if self.repeat and status == 200:
            again, _ = self._direct.post(path, self._sealed_again(path, body, message))
            self._witness.repeated(again)
        return status, answer

    def _opened(self, path: str, body: bytes) -> _Message | None:
        """Open a request with the hub's own session keys; None if the hub will not be able to either."""
        envelope = wire.read(Envelope, body)
        with self._hub.store.read() as db:
            device = callers.find(db, envelope.client_id)
        live = self._hub.rpc.sessions.of(envelope.client_id) if device else []
        sealed = wire.payload_bytes(envelope)
        for session in live:
            try:
                key, plain = cipher.open_with_any([session.key], bytearray(sealed), _KINDS[path][0])
            except Unauthorised:
                continue
            inside = msgspec.json.decode(plain)
            return _Message(key, inside.get("query") or inside.get("command"), inside)
        return None

    def _answer(self, path: str, answer: bytes, message: _Message) -> dict[str, Any]:
        sealed = wire.decode(msgspec.json.decode(answer)["payload"].encode())
        opened = cipher.open_sealed(message.key, sealed, _KINDS[path][1])
        answered: dict[str, Any] = msgspec.json.decode(opened)
        return answered

    def _sealed_again(self, path: str, body: bytes, message: _Message) -> bytes:
        envelope = wire.read(Envelope, body)
        plain = cipher.open_sealed(message.key, wire.payload_bytes(envelope), _KINDS[path][0])
        sealed = cipher.seal(message.key, plain, _KINDS[path][0])
        return msgspec.json.encode({"client_id": envelope.client_id, "payload": wire.encode(sealed)})

    def _stop_if(self, *, lost: bool) -> None:
        if lost:
            raise NetworkLostError(self.fault.name)
