"""JSON that no phone writes is refused, or quarantined record by record, and never harms what stands beside it (P7)."""

from typing import Any

import msgspec
import pytest

from hub.core.phone.cipher import Direction
from hub.core.records import codec, column_types
from hub.core.records.tables import TABLES
from hub.store import quarantine
from hub.store.people import users
from hub.store.phones import callers
from hub.store.records import record_rows
from tests.adversary.hostile import DEPTH, LITERALS, SQL, contents, literal, write
from tests.hubs import Answer, Client, InProcessHub, changes, edit, row

DEEP = b"[" * DEPTH + b"]" * DEPTH
GOOD = row("patients", "good")
CARRIED = [text for text in LITERALS if text != b"NaN" and len(text) not in {1980, 4000}]
"""Those that are JSON, and flat enough for the parser."""
PATIENTS = TABLES["patients"]


@pytest.fixture
def client(hub: InProcessHub) -> Client:
    return hub.client()


def send(client: Client, changes_json: bytes) -> Answer:
    token = msgspec.json.encode(client.token)
    inside = b'{"command":"sync_push","data":{"changes":' + changes_json + b'},"token":' + token + b"}"
    return client.send("/rpc/command", client.envelope(inside, Direction.COMMAND), Direction.COMMAND_RESPONSE)


def push(client: Client, *patients: object) -> Answer:
    return send(client, write(changes("patients", created=patients)))


def push_raw(client: Client, *patients: bytes) -> Answer:
    return send(client, b'{"patients":{"created":[' + b",".join(patients) + b"]}}")


def stored(hub: InProcessHub, table: str = "patients") -> dict[str, Any]:
    with hub.store.read() as db:
        rows = db.execute(f"SELECT id, data FROM [{table}]").fetchall()
    return {row_id: msgspec.json.decode(data) for row_id, data in rows}


def refused(hub: InProcessHub) -> list[str]:
    with hub.store.read() as db:
        return [str(entry["reason"]) for entry in quarantine.entries(db)]


@pytest.mark.parametrize(
    "body", [DEEP, b'{"client_id":' + DEEP + b"}", b'{"client_id":"client-1","payload":' + DEEP + b"}"]
)
@pytest.mark.parametrize("path", ["/rpc/query", "/rpc/command", "/rpc/handshake"])
def test_an_envelope_100_000_levels_deep_is_malformed(client: Client, path: str, body: bytes) -> None:
    assert client.post(path, body).status == 400
    assert client.query("ping").status == 200


@pytest.mark.parametrize(
    "inside",
    [
        b'{"command":"sync_push","data":' + DEEP + b"}",
        b'{"command":"ping","data":{},"more":' + DEEP + b"}",
        b'{"command":' + DEEP + b"}",
    ],
)
def test_a_payload_100_000_levels_deep_is_malformed(client: Client, inside: bytes) -> None:
    body = client.envelope(inside, Direction.COMMAND)
    assert client.send("/rpc/command", body, Direction.COMMAND_RESPONSE).status == 400
    assert client.query("ping").status == 200


@pytest.mark.parametrize("column", ["metadata", "given_name", "created_at", "is_deleted", "unheard_of"])
@pytest.mark.parametrize("depth", [column_types.LEVELS - 1, column_types.LEVELS + 1, 900])
def test_a_deep_column_stops_only_its_record(hub: InProcessHub, client: Client, column: str, depth: int) -> None:
    deep = b'{"id":"deep","%s":%s}' % (column.encode(), b"[" * depth + b"]" * depth)
    edited = deep[:-1] + b',"phone":"1","_changed":"%s,phone"}' % column.encode()
    assert push_raw(client, deep, write(GOOD)).status == 200
    assert push_raw(client, edited, write(GOOD)).status == 200
    assert "good" in stored(hub)
    assert client.pull().status == 200


def test_a_column_too_deep_for_the_parser_stops_its_push_cleanly(hub: InProcessHub, client: Client) -> None:
    # Columns of a record are text, numbers and flags: no phone nests at all, and one that did would be refused whole.
    for depth in range(930, 1001, 3):
        before = contents(hub.store)
        good = f"good-{depth}"
        deep = b'{"id":"deep","metadata":%s}' % (b"[" * depth + b"]" * depth)
        answer = push_raw(client, deep, write(row("patients", good)))
        assert answer.status in {200, 400}, depth
        assert (good in stored(hub)) == (answer.status == 200), depth
        assert answer.status == 200 or contents(hub.store) == before, depth


@pytest.mark.parametrize("column", ["metadata", "given_name", "created_at", "updated_at", "is_deleted", "new"])
def test_odd_values_stop_only_their_records(hub: InProcessHub, client: Client, column: str) -> None:
    for number, value in enumerate(CARRIED):
        odd = {**row("patients", f"odd-{number}"), column: literal(value)}
        assert push(client, odd, row("patients", f"good-{number}")).status == 200, value
        assert push(client, {**odd, "_changed": f"{column},phone", "phone": "1"}).status == 200, value
    assert {f"good-{number}" for number in range(len(CARRIED))} <= set(stored(hub))
    pulled = hub.client("client-2").pull()
    assert pulled.status == 200
    for patient in pulled.json["changes"]["patients"]["created"]:
        msgspec.convert(patient, PATIENTS.shape)  # raises if a column is not exactly what a phone takes


@pytest.mark.parametrize("value", [b"1" + b"0" * 400, b"1e400"])
def test_a_number_that_no_phone_can_hold_is_quarantined(hub: InProcessHub, client: Client, value: bytes) -> None:
    assert push_raw(client, b'{"id":"odd","created_at":%s}' % value).status == 200
    assert not stored(hub)
    assert len(refused(hub)) == 1


def test_an_odd_cursor_is_read_as_none_or_refused(client: Client) -> None:
    token = msgspec.json.encode(client.token)
    for cursor in (*LITERALS, b"[]", b"{}", b'"now"', b"true", b"1e300", b"-5", DEEP):
        inside = b'{"query":"sync_pull","params":{"lastPulledAt":' + cursor + b'},"token":' + token + b"}"
        answer = client.send("/rpc/query", client.envelope(inside, Direction.QUERY), Direction.QUERY_RESPONSE)
        assert answer.status in {200, 400}, cursor
        if answer.status == 200:
            assert isinstance(answer.json["timestamp"], int | float)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (rb"\ud83d", "\ufffd"),
        (rb"\ude00", "\ufffd"),
        (
            rb"half \ud83d, whole \ud83d\ude00, half \ude00 and more text after it",
            "half \ufffd, whole 😀, half \ufffd and more text after it",
        ),
        (rb"\ud83d\ud83d\ude00", "\ufffd😀"),
        (rb"\\ud83d", "\\ud83d"),
        (rb"\\\ud83d", "\\\ufffd"),
    ],
)
def test_half_an_emoji_becomes_a_replacement_character(
    hub: InProcessHub, client: Client, text: bytes, kept: str
) -> None:
    assert push_raw(client, b'{"id":"p","given_name":"' + text + b'","note":"' + text + b'"}').status == 200
    assert not refused(hub)
    assert stored(hub)["p"]["given_name"] == kept
    assert stored(hub)["p"]["note"] == kept


def test_half_an_emoji_anywhere_in_a_message_does_not_stop_it(client: Client) -> None:
    inside = rb'{"command":"ping","data":{"a\ud800":"\udc00"},"token":null}'
    body = client.envelope(inside, Direction.COMMAND)
    assert client.send("/rpc/command", body, Direction.COMMAND_RESPONSE).status == 200


def test_invalid_utf_8_stops_only_its_record(hub: InProcessHub, client: Client) -> None:
    assert push_raw(client, b'{"id":"bad","given_name":"\xff\xfe"}', write(GOOD)).status == 200
    assert list(stored(hub)) == ["good"]
    assert len(refused(hub)) == 1


@pytest.mark.parametrize(
    "inside",
    [
        b"\xff",
        b'{"command":"\xff","data":{}}',
        b'{"command":"sync_push","data":{"changes":{"\xff":{}}}}',
        b'{"command":"login","data":{"email":"\xff","password":"x"}}',
    ],
)
def test_invalid_utf_8_elsewhere_is_refused(client: Client, inside: bytes) -> None:
    body = client.envelope(inside, Direction.COMMAND)
    assert client.send("/rpc/command", body, Direction.COMMAND_RESPONSE).status in {400, 401, 404}
    assert client.query("ping").status == 200


@pytest.mark.parametrize("bad", [1, -0.0, None, True, [], [GOOD], "text", {}, {"id": None}, {"id": 7}, {"id": ""}])
def test_what_is_no_record_is_quarantined_and_the_rest_kept(hub: InProcessHub, client: Client, bad: object) -> None:
    assert push(client, bad, GOOD, bad).status == 200
    assert list(stored(hub)) == ["good"]
    assert len(refused(hub)) == 1


@pytest.mark.parametrize("bad", ["a\0b", "x" * 256])
def test_an_id_that_no_table_could_hold_is_quarantined(hub: InProcessHub, client: Client, bad: str) -> None:
    answer = client.push(changes("patients", created=[row("patients", bad), GOOD], deleted=[bad, {"id": bad}]))
    assert answer.status == 200
    assert list(stored(hub)) == ["good"]


def test_nul_in_a_parent_does_not_reach_the_parent_before_it(hub: InProcessHub, client: Client) -> None:
    client.push(changes("patients", created=[row("patients", "p")]))
    client.push(changes("patients", deleted=["p"]))
    visit = row("visits", "v", patient_id="p\0x")
    assert client.push(changes("visits", created=[visit])).status == 200
    with hub.store.read() as db:
        assert record_rows.find(db, TABLES["visits"], ["v"])["v"].deleted is None


def test_sql_in_any_value_is_only_text(hub: InProcessHub, client: Client) -> None:
    for number, word in enumerate(SQL):
        patient_id = f"p-{number}"
        patient = {**row("patients", patient_id, given_name=word), f"new {word}": word}
        visit = row("visits", word, patient_id=word)
        pushed = {**changes("patients", created=[patient, row("patients", word)]), **changes("visits", created=[visit])}
        assert client.push({**pushed, word: {"created": [patient]}}).status == 200
        assert stored(hub)[patient_id]["given_name"] == word
        assert client.push(changes("visits", deleted=[word, {"id": word}])).status == 200
        assert client.query(word).status == 404
        with hub.store.read() as db:
            assert users.find_by_email(db, word) is None
            assert callers.find(db, word) is None
    assert hub.store.check(full=True) == []


@pytest.mark.parametrize(
    "name", ["__class__", "__struct_fields__", "__init__", "__dict__", "id", "_status", "row", "x" * 1000]
)
def test_a_changed_column_that_is_none_changes_nothing(hub: InProcessHub, client: Client, name: str) -> None:
    client.push(changes("patients", created=[GOOD]))
    before = stored(hub)
    edited = {**GOOD, "_changed": name, "_status": "updated"}
    assert client.push(changes("patients", updated=[edited])).status == 200
    assert stored(hub) == before
    assert not refused(hub)


def test_thousands_of_changed_columns_are_only_looked_up(hub: InProcessHub, client: Client) -> None:
    client.push(changes("patients", created=[GOOD]))
    many = ",".join(f"column_{number}" for number in range(4000))
    edited = {**edit(GOOD, phone="1"), "_changed": f"{many},phone,updated_at"}
    assert client.push(changes("patients", updated=[edited])).status == 200
    assert stored(hub)["good"]["phone"] == "1"


def test_a_list_of_changed_columns_beyond_its_bound_is_quarantined(hub: InProcessHub, client: Client) -> None:
    client.push(changes("patients", created=[GOOD]))
    edited = {**GOOD, "phone": "1", "_changed": "phone," * codec.CHANGED_CHARS, "_status": "updated"}
    assert client.push(changes("patients", updated=[edited])).status == 200
    assert len(refused(hub)) == 1


def test_100_unknown_columns_are_kept_and_101_quarantined(hub: InProcessHub, client: Client) -> None:
    def wide(row_id: str, columns: int) -> dict[str, Any]:
        return {**row("patients", row_id), **{f"new_{number}": number for number in range(columns)}}

    assert push(client, wide("a", 100), wide("b", 101)).status == 200
    assert list(stored(hub)) == ["a"]
    assert stored(hub)["a"]["new_99"] == 99


def test_unknown_columns_stay_bounded_over_many_edits(hub: InProcessHub, client: Client) -> None:
    push(client, GOOD)
    for start in range(0, 300, 50):
        new = {f"new_{number}": number for number in range(start, start + 50)}
        assert client.push(changes("patients", updated=[{**edit(GOOD, **new), "updated_at": start}])).status == 200
    extra = set(stored(hub)["good"]) - PATIENTS.names
    assert len(extra) <= codec.UNKNOWN_COLUMNS


@pytest.mark.parametrize(
    "given", [b"[]", b"7", b'"x"', b"null", b'{"patients":[]}', b'{"patients":7}', b'{"patients":{"created":{}}}']
)
def test_changes_of_the_wrong_shape_are_refused_whole(hub: InProcessHub, client: Client, given: bytes) -> None:
    before = contents(hub.store)
    assert send(client, given).status == 400
    assert contents(hub.store) == before


def test_a_table_that_is_null_is_passed_over(hub: InProcessHub, client: Client) -> None:
    assert send(client, b'{"visits":null,"nonsense":null,"patients":{"created":[{"id":"good"}]}}').status == 200
    assert list(stored(hub)) == ["good"]


def test_an_id_many_times_in_one_push_is_one_record(hub: InProcessHub, client: Client) -> None:
    one, two = row("patients", "p", phone="1"), row("patients", "p", phone="2", updated_at=1_900_000_000_000)
    pushed = {"patients": {"created": [one, one, two], "updated": [one, two, one], "deleted": []}}
    for _ in range(2):
        assert client.push(pushed).status == 200
        assert list(stored(hub)) == ["p"]
        assert stored(hub)["p"]["phone"] == "2"


def test_an_id_that_is_also_deleted_in_the_push_is_a_tombstone(hub: InProcessHub, client: Client) -> None:
    one = row("patients", "p")
    pushed = {"patients": {"created": [one], "updated": [one], "deleted": ["p", {"id": "p"}, one, "p"]}}
    for _ in range(2):
        assert client.push(pushed).status == 200
        with hub.store.read() as db:
            assert record_rows.find(db, PATIENTS, ["p"])["p"].deleted is not None


def test_of_a_key_written_twice_the_last_one_counts(hub: InProcessHub, client: Client) -> None:
    assert push_raw(client, b'{"id":"a","id":"b","phone":"1","phone":"2"}').status == 200
    assert stored(hub)["b"]["phone"] == "2"


def test_a_record_beyond_its_bound_is_quarantined(hub: InProcessHub, client: Client) -> None:
    large = b'{"id":"large","note":"' + b"x" * codec.RECORD_BYTES + b'"}'
    assert push_raw(client, large, write(GOOD)).status == 200
    assert list(stored(hub)) == ["good"]
