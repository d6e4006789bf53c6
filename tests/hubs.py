"""Real hubs for the tests: one in this process for speed, one as a process of its own for everything else."""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import bcrypt
import msgspec
import pytest

from hub.actions.people import clinics
from hub.actions.phones import pairing
from hub.core.errors import PhoneError
from hub.core.people.attempts import Attempts
from hub.core.people.users import User
from hub.core.phone import keys, wire
from hub.core.phone.cipher import Direction
from hub.core.phone.keys import KeyPair, SessionKey
from hub.core.records.access import Permission
from hub.services.rpc.dispatch import PhoneBounds, Rpc
from hub.services.rpc.procedures.registry import Policy
from hub.store.database import Store
from hub.store.people import users
from tests.simulator import processes
from tests.simulator import rpc as simulated
from tests.simulator.hub_process import HubProcess
from tests.simulator.phone import Phone
from tests.simulator.rows import Row, Value, complete
from tests.simulator.transport import HttpTransport, Transport

EMAIL = "amal@clinic.example"
PASSWORD = "correct horse"
NOW_MS = 1_800_000_000_000
"""What model phones take for the time."""

BOUNDS = PhoneBounds(
    hub_name="Test Hub",
    always_open=False,
    sessions=1000,
    sessions_per_device=128,
    handshakes_per_minute=100_000,
)
POLICY = Policy(page_bytes=1_000_000, token_days=30, attempts=Attempts(5, 30, 900), phones_max=100)

# Few rounds, made once: the hub takes any bcrypt hash, as the cloud sends them.
_HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


def row(table: str, row_id: str, *, changed: str = "", status: str = "created", **values: Value) -> Row:
    """Return a whole row as a phone pushes it."""
    times: Row = {"created_at": NOW_MS, "updated_at": NOW_MS}
    given: dict[str, Any] = {**times, **values}
    return complete(table, given, row_id=row_id, status=status, changed=changed)


def edit(base: Row, **values: Value) -> Row:
    """Return a row as a phone pushes it after editing these columns; ``updated_at`` is a second later by default."""
    later = {"updated_at": int(str(base["updated_at"])) + 1000, **values}
    return {**base, **later, "_status": "updated", "_changed": ",".join(later)}


def changes(
    table: str, *, created: Iterable[object] = (), updated: Iterable[object] = (), deleted: Iterable[object] = ()
) -> dict[str, Any]:
    """Return a change set of one table."""
    return {table: {"created": list(created), "updated": list(updated), "deleted": list(deleted)}}


def add_user(
    store: Store,
    clinic_id: str,
    *,
    email: str = EMAIL,
    role: str = "provider",
    without: Iterable[Permission] = (),
) -> User:
    """Make a user with PASSWORD and, in the clinic, every permission but ``without``."""
    user = User(f"user-{email}", email, f"Dr {email}", role, clinic_id, _HASH, is_deleted=False, source="hub")
    with store.write() as tx:
        users.put(tx, user)
        users.grant(tx, user.id, clinic_id, set(Permission) - set(without))
    return user


def add_clinic(store: Store, name: str) -> str:
    """Make a clinic; returns its id."""
    return str(clinics.add(store, name)["id"])


class Answer(NamedTuple):
    """An HTTP status, and the JSON that came with it: opened if it was sealed."""

    status: int
    json: Any


class Client:
    """A phone reduced to its bare messages, to send what the app would not."""

    def __init__(self, transport: Transport, client_id: str = "client-1") -> None:
        self.transport = transport
        self.client_id = client_id
        self.token: str | None = None
        self.pair = KeyPair()
        self.key = SessionKey(bytes(32))

    def post(self, path: str, body: bytes) -> Answer:
        """Send any body."""
        status, raw = self.transport.post(path, body)
        return Answer(status, msgspec.json.decode(raw) if raw else None)

    def shake(self, pair: KeyPair | None = None, **more: object) -> Answer:
        """Shake hands, with a new key pair unless one is given."""
        self.pair = pair or KeyPair()
        asked = {"client_id": self.client_id, "client_public_key": wire.encode(self.pair.public), **more}
        answer = self.post("/rpc/handshake", msgspec.json.encode(asked))
        if answer.status < 300:
            self.key = keys.client_session_key(self.pair, wire.public_key(answer.json["hub_public_key"]))
        return answer

    def envelope(self, inside: object, direction: Direction) -> bytes:
        """Seal ``inside`` (JSON, or bytes as they are) into the body of a request."""
        plain = inside if isinstance(inside, bytes) else msgspec.json.encode(inside)
        return simulated.envelope(self.key, self.client_id, plain, direction)

    def query(self, name: str, params: object = None) -> Answer:
        """Send a query under the session of the last handshake."""
        inside = {"query": name, "params": params if params is not None else {}, "token": self.token}
        return self.send("/rpc/query", self.envelope(inside, Direction.QUERY), Direction.QUERY_RESPONSE)

    def command(self, name: str, data: object = None) -> Answer:
        """Send a command under the session of the last handshake."""
        inside = {"command": name, "data": data if data is not None else {}, "token": self.token}
        return self.send("/rpc/command", self.envelope(inside, Direction.COMMAND), Direction.COMMAND_RESPONSE)

    def send(self, path: str, body: bytes, direction: Direction) -> Answer:
        """Send a sealed request; the answer of a 200 comes opened."""
        answer = self.post(path, body)
        if answer.status != 200:
            return answer
        return Answer(200, msgspec.json.decode(simulated.opened(self.key, answer.json, direction)))

    def login(self, email: str = EMAIL, password: str = PASSWORD) -> Answer:
        """Sign in and keep the token."""
        answer = self.command("login", {"email": email, "password": password})
        if answer.status == 200:
            self.token = answer.json["token"]
        return answer

    def pull(self, cursor: object = 0) -> Answer:
        """Pull from a cursor."""
        return self.query("sync_pull", {"lastPulledAt": cursor})

    def push(self, pushed: Mapping[str, Any]) -> Answer:
        """Push a change set."""
        return self.command("sync_push", {"changes": pushed, "lastPulledAt": 0})


def joined(client: Client, email: str | None) -> Client:
    """Let a client shake hands, and sign in unless ``email`` is None."""
    assert client.shake().status == 200
    if email:
        assert client.login(email).status == 200
    return client


class Answering(Protocol):
    """What answers in this process; after a restart it has another Rpc."""

    rpc: Rpc


class RpcTransport:
    """Carries requests to a hub in this process; a refusal is its status, as it is over HTTP."""

    def __init__(self, hub: Answering, address: str = "192.0.2.1") -> None:
        self.hub = hub
        self.address = address

    def get(self, path: str) -> tuple[int, bytes]:
        """Answer the heartbeat."""
        return (200, b'{"status":"ok"}') if path == "/rpc/heartbeat" else (404, b"{}")

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Hand a request over."""
        rpc = self.hub.rpc
        try:
            if path == "/rpc/handshake":
                return 200, msgspec.json.encode(rpc.handshake(bytearray(body), self.address))
            call = {"/rpc/query": rpc.open_query, "/rpc/command": rpc.open_command}[path]
            reply = rpc.answer(call(bytearray(body), self.address))
            return 200, b"".join(wire.answer_pieces(reply.sealed))
        except PhoneError as error:
            return int(error.status), msgspec.json.encode({"success": False, "error": error.reason})


@dataclass
class InProcessHub:
    """A store and its Rpc, with one clinic, one user and pairing open; each is the same hub, with the same key."""

    data: Path
    bounds: PhoneBounds = BOUNDS
    policy: Policy = POLICY
    store: Store = field(init=False)
    rpc: Rpc = field(init=False)
    clinic_id: str = field(init=False)
    user: User = field(init=False)

    def __post_init__(self) -> None:
        """Take what a hub has before its first start, and open it."""
        self.clinic_id = prepare(self.data)
        _, _, user = _template(furnished=True)
        assert user is not None
        self.user = user
        self._open()

    def _open(self) -> None:
        self.store = Store(self.data)
        self.rpc = Rpc(self.store, self.bounds, self.policy)

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def restart(self, *, bounds: PhoneBounds | None = None, policy: Policy | None = None) -> None:
        """Lose everything in memory, as a restarted process does; perhaps with other settings."""
        self.close()
        self.bounds, self.policy = bounds or self.bounds, policy or self.policy
        self._open()

    def connect(self, _url: str = "") -> RpcTransport:
        """Return a transport to this hub; a Phone's ``connect``."""
        return RpcTransport(self)

    def client(self, client_id: str = "client-1", *, email: str | None = EMAIL) -> Client:
        """Return a bare client with a session, signed in unless ``email`` is None."""
        return joined(Client(self.connect(), client_id), email)

    def phone(
        self,
        seed: int = 1,
        *,
        now_ms: Callable[[], int] = lambda: NOW_MS,
        connect: Callable[[str], Transport] | None = None,
        email: str | None = EMAIL,
        next_app: bool = False,
    ) -> Phone:
        """Return a model phone, paired and, unless ``email`` is None, signed in."""
        rng, connect = random.Random(seed), connect or self.connect
        phone = Phone(rng=rng, now_ms=now_ms, connect=connect, name=f"phone-{seed}", next_app=next_app)
        phone.pair({"type": "sync_hub", "url": "http://hub"})
        if email:
            phone.login(email, PASSWORD)
        return phone


class ServedHub(HubProcess):
    """A hub as a process of its own, with nothing in its environment but the settings.

    settings: HIKMA_HUB_* variables, such as ``{"HIKMA_HUB_SYNC_PAGE_BYTES": "16384"}``.
    """

    def __init__(
        self,
        data: Path,
        settings: Mapping[str, str] | None = None,
        *,
        host: str = "127.0.0.1",
        program: tuple[str, ...] = processes.HUB,
    ) -> None:
        super().__init__(data, host=host, settings=settings, program=program, base={})
        self._transports: list[HttpTransport] = []

    def close(self) -> None:
        """Kill it, and close the connections that were made to it."""
        self.kill()
        for transport in self._transports:
            transport.close()

    def connect(self, _url: str = "") -> HttpTransport:
        """Connect to this hub; a Phone's ``connect``."""
        transport = HttpTransport(self.url)
        self._transports.append(transport)
        return transport

    def client(self, client_id: str = "client-1", *, email: str | None = EMAIL) -> Client:
        """Make a bare client with a session, signed in unless ``email`` is None."""
        return joined(Client(self.connect(), client_id), email)


@cache
def _template(*, furnished: bool) -> tuple[tempfile.TemporaryDirectory[str], str, User | None]:
    """The data of a new hub, made once and copied often; with its clinic and its user where it is furnished."""
    made = tempfile.TemporaryDirectory(prefix="hikma-hub-")
    store = Store(Path(made.name) / "data")
    try:
        if not furnished:
            return made, "", None
        clinic_id = add_clinic(store, "Al-Amal Clinic")
        user = add_user(store, clinic_id)
        pairing.open_for(store, 240)
        return made, clinic_id, user
    finally:
        store.close()


def new_store(data: Path) -> Store:
    """Open an empty database; all that are made so have one identity and one setup code."""
    shutil.copytree(Path(_template(furnished=False)[0].name) / "data", data)
    return Store(data)


def prepare(data: Path) -> str:
    """Make the data of a hub with a clinic, a user and pairing open, before its first start; returns the clinic."""
    made, clinic_id, _ = _template(furnished=True)
    shutil.copytree(Path(made.name) / "data", data)
    return clinic_id


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty database."""
    opened = new_store(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[InProcessHub]:
    """Return a hub in this process, with a clinic, a user and pairing open."""
    made = InProcessHub(tmp_path / "hub")
    yield made
    made.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., ServedHub]]:
    """Return a function that starts a prepared hub as a process, with the settings given; all are killed after."""
    started: list[ServedHub] = []

    def start(**settings: str) -> ServedHub:
        data = tmp_path / f"served-{len(started)}"
        prepare(data)
        served = ServedHub(data, settings)
        started.append(served)
        served.start()
        return served

    yield start
    for served in started:
        served.close()
