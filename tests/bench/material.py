"""What is measured with: a hub of many records, and a lean phone that speaks the protocol and keeps nothing."""

import json
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from hub.actions.people import clinics
from hub.actions.people import users as accounts
from hub.actions.phones import pairing, push
from hub.actions.phones.push import Source, TableChanges
from hub.core.people.attempts import Attempts
from hub.core.people.users import User
from hub.core.phone import cipher, keys, wire
from hub.core.phone.cipher import Direction
from hub.services.rpc.dispatch import PhoneBounds, Rpc
from hub.services.rpc.procedures.registry import Policy
from hub.store.database import Store, Transaction
from hub.store.phones import callers
from tests.simulator.clinic import Clinic, Provider

MIB = 1024 * 1024
EMAIL, PASSWORD = "nurse@example.org", "a long password"
_BATCH = 5000
_START_MS = 1_700_000_000_000


def events(count: int, *, seed: int = 1, patients: int = 500) -> Iterator[dict[str, Any]]:
    """Return event rows of about 770 bytes of JSON, as a phone pushes them."""
    rng = random.Random(seed)
    people_ids = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(patients)]
    for number in range(count):
        answers = [
            _answer("text", "Complaint", "headache, fièvre, ألم" + "x" * 40, "fld-1"),
            _answer("number", "Pain", rng.randrange(10), "fld-2"),
        ]
        made = _START_MS + number * 1000
        yield {
            "id": str(uuid.UUID(int=(made << 80) | rng.getrandbits(80))),
            "_status": "created",
            "_changed": "",
            "patient_id": rng.choice(people_ids),
            "form_id": "01a1f79d-0000-7bdc-84ec-d3128e8a5542",
            "visit_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "event_type": "Consultation",
            "form_data": json.dumps(answers, ensure_ascii=False),
            "metadata": json.dumps(json.dumps({"providerId": "user-A2", "providerName": "Dr A2"})),
            "is_deleted": False,
            "deleted_at": None,
            "created_at": made,
            "updated_at": made,
            "recorded_by_user_id": "01a1f79d-1111-7bdc-84ec-d3128e8a5542",
        }


def patients(count: int, *, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Return rows of patients of a made-up clinic, as a phone pushes them."""
    clinic, rng = Clinic(seed), random.Random(seed)
    for number in range(count):
        made = _START_MS + number * 1000
        yield {
            "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "_status": "created",
            "_changed": "",
            **clinic.patient(made, Provider("01a1f79d-1111-7bdc-84ec-d3128e8a5542", "Dr A2")),
            "metadata": "{}",
            "is_deleted": False,
            "deleted_at": None,
            "created_at": made,
            "updated_at": made,
        }


def _answer(kind: str, name: str, value: object, field: str) -> dict[str, object]:
    return {"inputType": kind, "fieldType": kind, "name": name, "value": value, "fieldId": field}


def hub(folder: Path, records: int) -> tuple[Store, Rpc]:
    """Make a hub that holds so many events, a user, and open pairing."""
    store = Store(folder)
    with store.write() as tx:
        clinic = clinics.make(tx, "Clinic")
        user = nurse(tx, clinic["id"])
        rights = callers.rights(tx.db, user.id, user.role)
    pairing.open_for(store, 240)
    source = Source(0, rights)
    batch: list[msgspec.Raw] = []
    for row in events(records):
        batch.append(msgspec.Raw(msgspec.json.encode(row)))
        if len(batch) == _BATCH:
            _store(store, batch, source)
    _store(store, batch, source)
    return store, rpc(store)


def nurse(tx: Transaction, clinic_id: str) -> User:
    """Make the user of the lean phones, who may see and do everything."""
    return accounts.make(tx, email=EMAIL, name="Nurse", role="super_admin", clinic_id=clinic_id, password=PASSWORD)


def rpc(store: Store, page_bytes: int = 4 * MIB) -> Rpc:
    """Return the hub's phones' side over a store."""
    bounds = PhoneBounds(
        hub_name="Bench",
        always_open=True,
        sessions=4096,
        sessions_per_device=128,
        handshakes_per_minute=1_000_000,
    )
    policy = Policy(page_bytes=page_bytes, token_days=30, attempts=Attempts(5, 30, 900))
    return Rpc(store, bounds, policy)


class LeanPhone:
    """A phone that only speaks; ``post`` takes a path and a body and gives the answer's body."""

    def __init__(self, post: Any, client_id: str) -> None:  # noqa: ANN401  a function or a bound method
        self._post = post
        self.client_id = client_id
        self.token: str | None = None
        self.key = keys.SessionKey(b"")

    def handshake(self) -> None:
        """Begin a session under a fresh key."""
        pair = keys.KeyPair()
        asked = {"client_id": self.client_id, "client_public_key": wire.encode(pair.public)}
        answer = msgspec.json.decode(self._post("/rpc/handshake", msgspec.json.encode(asked)))
        self.key = keys.client_session_key(pair, wire.public_key(answer["hub_public_key"]))

    def login(self) -> None:
        """Sign in."""
        self.token = json.loads(self.call("command", "login", {"email": EMAIL, "password": PASSWORD}))["token"]

    def call(self, kind: str, name: str, data: object) -> bytes:
        """Call a procedure; returns the opened answer."""
        return self.open(kind, self._post(f"/rpc/{kind}", self.body(kind, name, data)))

    def body(self, kind: str, name: str, data: object) -> bytes:
        """Seal a request."""
        inner = {kind: name, "data" if kind == "command" else "params": data, "token": self.token}
        sealed = cipher.seal(self.key, msgspec.json.encode(inner), Direction(kind.encode()))
        return msgspec.json.encode({"client_id": self.client_id, "payload": wire.encode(sealed)})

    def open(self, kind: str, answer: bytes) -> bytes:
        """Open an answer."""
        sealed = wire.decode(msgspec.json.decode(answer)["payload"].encode())
        return cipher.open_sealed(self.key, sealed, Direction(f"{kind}_response".encode()))


def direct(served: Rpc) -> Any:  # noqa: ANN401  a function
    """Return a ``post`` that asks the hub within this process."""

    def post(path: str, body: bytes) -> bytes:
        if path == "/rpc/handshake":
            return msgspec.json.encode(served.handshake(bytearray(body), "127.0.0.1"))
        call = served.open_query if path == "/rpc/query" else served.open_command
        return b"".join(wire.answer_pieces(served.answer(call(bytearray(body), "127.0.0.1")).sealed))

    return post


def signed_in(served: Rpc, client_id: str) -> LeanPhone:
    """Return a phone that is paired and signed in."""
    phone = LeanPhone(direct(served), client_id)
    phone.handshake()
    phone.login()
    return phone


def _store(store: Store, batch: list[msgspec.Raw], source: Source) -> None:
    with store.write() as tx:
        push.take(tx, {"events": TableChanges(created=batch)}, source)
    batch.clear()
