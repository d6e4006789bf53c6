"""Whatever comes in, a phone gets an answer that it understands, nothing half-done stays, and the hub lives on."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import msgspec.inspect
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.people.attempts import Attempts
from hub.core.phone import wire
from hub.core.phone.cipher import Direction
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures.registry import every
from tests.adversary.asgi import Asgi
from tests.adversary.hostile import (
    ALLOWED,
    change_sets,
    contents,
    ids,
    json_values,
    literals,
    names,
    records,
    words,
    write,
)
from tests.hubs import BOUNDS, POLICY, Client, InProcessHub, row

PATHS = ("/rpc/handshake", "/rpc/query", "/rpc/command")
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
MANY = settings(FEW, max_examples=80)


class World:
    """One hub for many examples, and a phone on it with a session and a token."""

    def __init__(self, data: Path) -> None:
        policy = msgspec.structs.replace(POLICY, attempts=Attempts(50, 30, 900))
        self.hub = InProcessHub(data, bounds=BOUNDS, policy=policy)
        self.hub.store.quarantine_max = 1_000_000
        self.client = self.hub.client("fuzzed")
        self.pushes = 0

    def lives(self) -> bool:
        """Return whether it shakes hands and answers; a session is worn out after some hundred messages."""
        return self.client.shake().status == 200 and self.client.query("ping").status == 200


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("fuzz") / "hub")
    yield made
    made.hub.close()


@pytest.fixture(scope="module")
def served(fuzzed: World) -> Iterator[Asgi]:
    made = Asgi(fuzzed.hub)
    yield made
    made.close()


envelopes = st.fixed_dictionaries(
    {},
    optional={
        "client_id": st.just("fuzzed") | words | json_values,
        "client_public_key": st.just(wire.encode(bytes(32))) | st.just("A" * 43) | words | json_values,
        "payload": st.binary(max_size=200).map(wire.encode) | words | literals | json_values,
        "device_name": words | json_values,
        "more": json_values,
    },
).map(write)
bodies = (
    st.binary(max_size=300) | envelopes | st.tuples(envelopes, st.integers(0, 200)).map(lambda cut: cut[0][: cut[1]])
)


@MANY
@given(path=st.sampled_from(PATHS), body=bodies)
def test_any_body_is_refused_or_answered_and_a_refusal_stores_nothing(fuzzed: World, path: str, body: bytes) -> None:
    before = contents(fuzzed.hub.store)
    status = fuzzed.client.post(path, body).status
    assert status in ALLOWED
    if status != 200:
        assert contents(fuzzed.hub.store) == before
    assert fuzzed.lives()


@FEW
@given(path=st.sampled_from(PATHS), body=bodies, cuts=st.lists(st.integers(0, 300), max_size=3))
def test_any_body_in_any_pieces_gets_an_answer_over_asgi(served: Asgi, path: str, body: bytes, cuts: list[int]) -> None:
    ends = sorted({0, len(body), *(min(cut, len(body)) for cut in cuts)})
    pieces = [body[start:end] for start, end in pairwise(ends)]
    status, answer = served.send("POST", path, pieces)
    assert status in ALLOWED
    assert isinstance(msgspec.json.decode(answer), dict)
    assert served.send("GET", "/rpc/heartbeat")[0] == 200


@FEW
@given(data=st.data())
def test_a_tampered_message_is_refused_and_stores_nothing(fuzzed: World, data: st.DataObject) -> None:
    pushed = {"changes": {"patients": {"created": [row("patients", "never")]}}}
    inside = {"command": "sync_push", "data": pushed, "token": fuzzed.client.token}
    envelope = msgspec.json.decode(fuzzed.client.envelope(inside, Direction.COMMAND))
    sealed = wire.decode(envelope["payload"].encode())
    how = data.draw(st.sampled_from(["flip", "cut", "add", "swap"]))
    at = data.draw(st.integers(0, len(sealed) - 1))
    if how == "flip":
        sealed[at] ^= data.draw(st.integers(1, 255))
    elif how == "cut":
        del sealed[at:]
    elif how == "add":
        sealed += data.draw(st.binary(min_size=1, max_size=20))
    path = "/rpc/query" if how == "swap" else "/rpc/command"
    before = contents(fuzzed.hub.store)
    body = msgspec.json.encode({**envelope, "payload": wire.encode(bytes(sealed))})
    assert fuzzed.client.post(path, body).status == 401
    assert contents(fuzzed.hub.store) == before


@MANY
@given(
    kind=st.sampled_from(list(Direction)[::2]),
    inside=st.binary(max_size=200).map(lambda raw: b"{" + raw) | st.dictionaries(words, json_values).map(write),
)
def test_any_opened_message_gets_an_answer(fuzzed: World, kind: Direction, inside: bytes) -> None:
    before = contents(fuzzed.hub.store)
    status = _send(fuzzed.client, kind, inside)
    assert status in ALLOWED
    if status != 200:
        assert contents(fuzzed.hub.store) == before
    assert fuzzed.lives()


@MANY
@given(data=st.data())
def test_any_parameters_of_any_procedure_get_an_answer(fuzzed: World, data: st.DataObject) -> None:
    kind, name = data.draw(st.sampled_from([entry for entry in names() if entry[1] != "login"]))
    params = data.draw(
        json_values
        | st.dictionaries(st.sampled_from(_parameters(name)) | words, ids | json_values, max_size=8)
        | records()
    )
    token = data.draw(st.just(fuzzed.client.token) | st.none() | words)
    field = "params" if kind == "query" else "data"
    inside = write({kind: name, field: params, "token": token})
    before = contents(fuzzed.hub.store)
    status = _send(fuzzed.client, Direction(kind.encode()), inside)
    assert status in ALLOWED
    if status != 200:
        assert contents(fuzzed.hub.store) == before
    assert fuzzed.lives()


@FEW
@given(changes=change_sets())
def test_any_records_leave_the_good_one_beside_them_stored(fuzzed: World, changes: dict[str, Any]) -> None:
    fuzzed.pushes += 1
    good = row("patients", f"good-{fuzzed.pushes}")
    patients = changes.setdefault("patients", {"created": []})
    patients.setdefault("created", []).append(good)
    inside = write({"command": "sync_push", "data": {"changes": changes}, "token": fuzzed.client.token})
    before = contents(fuzzed.hub.store)
    status = _send(fuzzed.client, Direction.COMMAND, inside)
    # 400: a literal among them is no JSON at all, or too deep for the parser, and the message is refused whole.
    assert status in {200, 400}
    assert fuzzed.lives()
    if status == 400:
        assert contents(fuzzed.hub.store) == before
        return
    with fuzzed.hub.store.read() as db:
        assert db.execute("SELECT 1 FROM patients WHERE id = ?", [good["id"]]).fetchone()
    pulled = fuzzed.client.pull()
    assert pulled.status == 200
    for name, part in pulled.json["changes"].items():
        for record in (*part["created"], *part["updated"]):
            msgspec.convert(record, TABLES[name].shape)


def test_a_refused_handshake_pairs_nobody(fuzzed: World) -> None:
    before = contents(fuzzed.hub.store)
    for key in (bytes(32), b"\1" + bytes(31), b"\xff" * 31):
        asked = {"client_id": "a-stranger", "client_public_key": wire.encode(key)}
        assert fuzzed.client.post("/rpc/handshake", msgspec.json.encode(asked)).status == 400
    assert contents(fuzzed.hub.store) == before
    assert fuzzed.client.shake().status == 200


def _send(client: Client, kind: Direction, inside: bytes) -> int:
    return client.post(f"/rpc/{kind.value.decode()}", client.envelope(inside, kind)).status


def _parameters(name: str) -> list[str]:
    found = {"id", "patient_id"}
    for kind, other in names():
        if other == name:
            found |= set(_fields(kind, name))
    return sorted(found)


def _fields(kind: str, name: str) -> list[str]:
    params = next(entry.params for entry in every() if (entry.kind.value, entry.name) == (kind, name))
    info = msgspec.inspect.type_info(params)
    return [field.encode_name for field in info.fields] if isinstance(info, msgspec.inspect.StructType) else []
