"""Hubs in memory for the model phone: one that answers as told, one that really shares records."""

import json
import random
from collections.abc import Callable
from typing import Any

from hub.core.phone import cipher, keys, wire
from hub.core.phone.cipher import Direction
from hub.core.phone.keys import KeyPair, SessionKey
from tests.simulator.phone import Phone

QR = {"type": "sync_hub", "url": "http://hub.test:4001", "id": "hub-1", "pk": "unchecked"}
LOGIN = {
    "token": "token-1",
    "user_id": "user-A2",
    "clinic_id": "clinic-1",
    "role": "provider",
    "provider_name": "Dr A2",
}
START_MS = 1_795_155_628_000


def seeded(seed: int) -> random.Random:
    """Draw what a test needs the same in every run."""
    return random.Random(seed)


class Clock:
    """A clock that a test moves."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def tick(self, ms: int = 1) -> None:
        self.now_ms += ms


class FakeHub:
    """Answers what ``answers`` says; a Transport itself.

    answers: name of the call -> what stands inside the sealed answer, or a function of the call's params.
    plain: name of the call -> (status, body) sent in place of a sealed answer; an exception to raise for none at all.
    """

    def __init__(self, hub_id: str = "hub-1") -> None:
        self.hub_id = hub_id
        self.pair = KeyPair()
        self.handshake: dict[str, Any] | None = None
        self.handshake_status = 200
        self.handshakes: list[dict[str, Any]] = []
        self.calls: list[tuple[str, Any, str | None]] = []
        self.keys_used: list[SessionKey] = []
        self.paths: list[str] = []
        self.answers: dict[str, Any] = {
            "login": LOGIN,
            "sync_pull": {"changes": {}, "timestamp": 1},
            "sync_push": {"success": True},
        }
        self.plain: dict[str, tuple[int, bytes] | type[Exception]] = {}
        self.client_id = ""
        """Whose request is being answered."""
        self._keys: dict[str, list[SessionKey]] = {}

    def connect(self, url: str) -> "FakeHub":
        self.paths.append(url)
        return self

    def get(self, path: str) -> tuple[int, bytes]:
        self.paths.append(path)
        return 200, b"ok"

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        self.paths.append(path)
        request = json.loads(body)
        if path == "/rpc/handshake":
            return self._shake(request)
        up, down = (
            (Direction.QUERY, Direction.QUERY_RESPONSE)
            if path == "/rpc/query"
            else (Direction.COMMAND, Direction.COMMAND_RESPONSE)
        )
        sealed = wire.decode(request["payload"].encode())
        key, opened = cipher.open_with_any(self._keys[request["client_id"]], bytearray(sealed), up)
        inside = json.loads(opened)
        name = inside.get("query") or inside["command"]
        params = inside.get("params") if "query" in inside else inside["data"]
        self.calls.append((name, params, inside["token"]))
        self.keys_used.append(key)
        self.client_id = request["client_id"]
        return self._answer(name, params, key, down)

    def named(self, name: str) -> list[Any]:
        """Return the params of every call of this name."""
        return [params for called, params, _ in self.calls if called == name]

    def sealed(self, answer: object, key: SessionKey, direction: Direction) -> bytes:
        payload = wire.encode(cipher.seal(key, json.dumps(answer).encode(), direction))
        return json.dumps({"success": True, "payload": payload}).encode()

    def _answer(self, name: str, params: dict[str, Any], key: SessionKey, down: Direction) -> tuple[int, bytes]:
        plain = self.plain.get(name)
        if isinstance(plain, tuple):
            return plain
        if plain is not None:
            raise plain(name)
        answer = self.answers[name]
        return 200, self.sealed(answer(params) if callable(answer) else answer, key, down)

    def _shake(self, request: dict[str, Any]) -> tuple[int, bytes]:
        self.handshakes.append(request)
        if self.handshake_status != 200:
            return self.handshake_status, b"{}"
        client_public = wire.public_key(request["client_public_key"])
        self._keys.setdefault(request["client_id"], []).append(keys.hub_session_key(self.pair, client_public))
        answer = self.handshake or {
            "success": True,
            "hub_public_key": wire.encode(self.pair.public),
            "hub_id": self.hub_id,
            "hub_name": "Test hub",
        }
        return 200, json.dumps(answer).encode()


class SharingHub(FakeHub):
    """Keeps pushed rows and gives every phone what it does not hold in its newest version; whole rows win."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        self.held: dict[str, dict[tuple[str, str], int]] = {}
        self.time = 0

    def put(self, table: str, row: dict[str, Any]) -> None:
        self.time += 1
        self.rows[table, row["id"]] = self.time, row

    def _answer(self, name: str, params: dict[str, Any], key: SessionKey, down: Direction) -> tuple[int, bytes]:
        if name in self.plain:
            return super()._answer(name, params, key, down)
        if name == "sync_pull":
            return 200, self.sealed(self._pull(params), key, down)
        if name == "sync_push":
            self._push(params["changes"])
        return super()._answer(name, params, key, down)

    def _pull(self, params: dict[str, Any]) -> dict[str, Any]:
        if not params["lastPulledAt"]:
            self.held[self.client_id] = {}
        held = self.held[self.client_id]
        changes: dict[str, dict[str, list[Any]]] = {}
        for (table, row_id), (time, row) in self.rows.items():
            known = held.get((table, row_id))
            if known == time:
                continue
            arrays = changes.setdefault(table, {"created": [], "updated": [], "deleted": []})
            if not row.get("is_deleted"):
                arrays["updated" if known else "created"].append(row)
            elif known:
                arrays["deleted"].append({"id": row_id})
            held[table, row_id] = time
        return {"changes": {name: arrays for name, arrays in changes.items() if any(arrays.values())}, "timestamp": 5}

    def _push(self, changes: dict[str, dict[str, list[dict[str, Any]]]]) -> None:
        for table, arrays in changes.items():
            for row in (*arrays["created"], *arrays["updated"]):
                self.put(table, {name: value for name, value in row.items() if name not in {"_status", "_changed"}})
                self.held.setdefault(self.client_id, {})[table, row["id"]] = self.time


def phone_of(hub: FakeHub, clock: Callable[[], int] | None = None, *, seed: int = 1, sign_in: bool = True) -> Phone:
    """Return a phone that is paired with ``hub`` and, unless told otherwise, signed in."""
    phone = Phone(rng=seeded(seed), now_ms=clock or Clock(), connect=hub.connect, name=f"phone {seed}")
    phone.pair(QR)
    if sign_in:
        phone.login("nurse@clinic.example", "secret")
    return phone


def pull_of(table: str, timestamp: object = 1, **arrays: list[Any]) -> dict[str, Any]:
    """Return the answer to a pull that holds one table."""
    return {"changes": {table: arrays}, "timestamp": timestamp}
