"""What phones may ask for, sealed and opened through the real Rpc."""

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.actions.phones import pairing
from hub.core.phone.cipher import Direction
from hub.core.records import codec
from hub.core.records.access import Permission
from hub.core.records.table import PushRule
from hub.core.records.tables import TABLES
from hub.services.rpc import procedures
from hub.services.rpc.procedures import CallKind, registry
from hub.services.rpc.procedures.sync import SyncPull
from hub.store.people import audit, users
from hub.store.records import record_rows
from tests.hubs import EMAIL, PASSWORD, POLICY, InProcessHub, add_user, changes, edit, row

SCHEMA: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "phone_schema_v9.json").read_text("utf-8")
)["tables"]
SAMPLES = Path(__file__).parents[2] / "vectors" / "phone"
WRITABLE = [name for name, table in TABLES.items() if table.push is not PushRule.REFERENCE]


def is_exact(value: object, phone_type: str) -> bool:
    """Return whether the phone takes a value as it is (PROTOCOL.md): strictly typed, finite, null only where it may."""
    if value is None:
        return phone_type.endswith("?")
    match phone_type.rstrip("?"):
        case "string":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case _:
            return isinstance(value, bool)


def faults(answer: dict[str, Any]) -> list[str]:
    """Name whatever in an answer to a pull the phone would not take as it is."""
    found = []
    for table, part in answer["changes"].items():
        if part.keys() != {"created", "updated", "deleted"} or table not in SCHEMA:
            found.append(f"{table}: {part.keys()}")
            continue
        for record in (*part["created"], *part["updated"]):
            wanted = {"id": "string", **SCHEMA[table]}
            # What the phone lacks may leave out what it fills in by itself.
            nulls = {name for name, kind in wanted.items() if kind.endswith("?") and record in part["created"]}
            found += [f"{table}.{name}" for name in (record.keys() ^ wanted.keys()) - (nulls - record.keys())]
            found += [
                f"{table}.{name}={record.get(name)!r}"
                for name, kind in wanted.items()
                if not is_exact(record.get(name), kind)
            ]
        found += [f"{table} deleted {gone}" for gone in part["deleted"] if gone.keys() != {"id"} or not gone["id"]]
        for part_name in ("created", "updated"):
            ids = [record["id"] for record in part[part_name]]
            found += [f"{table} twice" for _ in range(len(ids) - len(set(ids)))]
    return found + ([] if is_exact(answer["timestamp"], "number") else ["timestamp"])


# Login


def test_login_answers_what_the_app_needs(hub: InProcessHub) -> None:
    answer = hub.client(email=None).login()
    assert answer.json == {
        "token": answer.json["token"],
        "user_id": hub.user.id,
        "clinic_id": hub.clinic_id,
        "role": "provider",
        "provider_name": hub.user.name,
        "email": EMAIL,
    }
    assert all(isinstance(value, str) and value for value in answer.json.values())


def test_login_takes_the_email_in_any_case(hub: InProcessHub) -> None:
    assert hub.client(email=None).login(EMAIL.upper()).status == 200


def test_a_user_without_a_name_is_shown_by_the_email(hub: InProcessHub) -> None:
    with hub.store.write() as tx:
        users.put(tx, msgspec.structs.replace(hub.user, name=""))
    assert hub.client(email=None).login().json["provider_name"] == EMAIL


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "wrong"), (EMAIL, ""), ("nobody@x.example", PASSWORD), ("nobody@x.example", "nobody"), ("", "nobody"),
     (EMAIL, "\0"), ("' OR 1=1 --", PASSWORD), (EMAIL, PASSWORD + "x")],
)  # fmt: skip
def test_s4_a_wrong_login_is_unauthorised(hub: InProcessHub, email: str, password: str) -> None:
    assert hub.client(email=None).login(email, password).status == 401


@pytest.mark.parametrize(
    "data", [{}, {"email": EMAIL}, {"email": 7, "password": "x"}, [], None, {"email": EMAIL, "password": "x" * 2000}]
)
def test_a_login_that_is_none_is_malformed(hub: InProcessHub, data: object) -> None:
    client = hub.client(email=None)
    inside = {"command": "login", "data": data, "token": None}
    assert client.post("/rpc/command", client.envelope(inside, Direction.COMMAND)).status == 400


@pytest.mark.parametrize("same", ["account", "device"])
def test_s4_guessing_is_bounded_and_the_count_survives_a_restart(hub: InProcessHub, same: str) -> None:
    add_user(hub.store, hub.clinic_id, email="other@x.example")
    for _ in range(POLICY.attempts.free):
        assert hub.client("guesser", email=None).login(EMAIL, "wrong").status == 401
    hub.restart()
    if same == "account":
        assert hub.client("another-phone", email=None).login(EMAIL).status == 429
    else:
        assert hub.client("guesser", email=None).login("other@x.example").status == 429


def test_s6_every_sign_in_and_refusal_is_in_the_audit_log_without_the_email(hub: InProcessHub) -> None:
    client = hub.client(email=None)
    client.login(EMAIL, "wrong")
    client.login("nobody@x.example", "wrong")
    client.login()
    with hub.store.read() as db:
        entries = list(audit.entries(db))
    assert [entry["event"] for entry in entries][:4] == ["login", "device.paired", "login.refused", "login.refused"]
    assert "nobody@x.example" not in str(entries)


# Pull


def test_p6_every_pulled_record_is_exact_by_the_phones_schema(hub: InProcessHub) -> None:
    client = hub.client()
    for table in WRITABLE:
        client.push(changes(table, created=[{"id": "bare"}, row(table, "whole")]))
        strange = {"id": "strange", "new_column": {"a": 1}, "created_at": "2026-11-20", "is_deleted": 0, "metadata": {}}
        client.push(changes(table, created=[strange]))
    for name in ("sync_push_created", "sync_push_updated", "force_upload"):
        pushed = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))["data"]["changes"]
        client.push(pushed)
    with hub.store.write() as tx:
        for name in TABLES.keys() - set(WRITABLE):
            reference = TABLES[name]
            record_rows.put(tx, reference, codec.build(reference, {"id": f"reference-{name}", "from_the_cloud": 1}))
    answer = hub.client("reader").pull().json
    assert faults(answer) == []
    assert set(answer["changes"]) == {name for name, table in TABLES.items() if not table.is_next}


def test_the_check_of_answers_finds_faults() -> None:
    wrong = {"created": [{"id": 7}], "updated": [], "deleted": ["x"]}
    with pytest.raises(AttributeError):
        faults({"changes": {"patients": wrong}, "timestamp": 1})
    sample = json.loads((SAMPLES / "sync_pull_response_valid.json").read_text("utf-8"))
    sample["changes"]["patients"]["created"][0]["created_at"] = "2026"
    assert "patients.created_at='2026'" in faults(sample)


def test_p6_users_are_never_sent(hub: InProcessHub) -> None:
    client = hub.client()
    client.push(changes("users", created=[row("users", "u", status="synced")]))
    assert "users" not in client.pull().json["changes"]
    assert "hashed_password" not in str(hub.client("other").pull())


@pytest.mark.parametrize("name", ["lastPulledAt", "last_pulled_at"])
def test_the_cursor_is_read_under_both_names(hub: InProcessHub, name: str) -> None:
    client = hub.client()
    cursor = client.pull().json["timestamp"]
    assert client.query("sync_pull", {name: cursor}).json["changes"] == {}


@pytest.mark.parametrize("params", [{}, {"lastPulledAt": None}, {"other": 1}])
def test_a_pull_without_a_cursor_asks_from_the_beginning(hub: InProcessHub, params: dict[str, object]) -> None:
    assert "clinics" in hub.client().query("sync_pull", params).json["changes"]


@pytest.mark.parametrize(
    ("given", "cursor"),
    [(5, 5), (5.5, 5.5), (-3, -3), (1e300, 1e300), (2**70, 2.0**70), ("5", 0), (True, 0), (None, 0), ([], 0), ({}, 0)],
)
def test_a_cursor_is_any_finite_number_and_anything_else_is_none(given: object, cursor: float) -> None:
    assert msgspec.convert({"lastPulledAt": given}, SyncPull).cursor == cursor


def test_a_pull_marks_the_phone_as_synced(hub: InProcessHub) -> None:
    client = hub.client()
    client.pull()
    with hub.store.read() as db:
        assert db.execute("SELECT last_sync = last_seen FROM devices").fetchone()[0] == 1


# Push


def test_p1_an_acknowledged_push_is_there_after_a_restart(hub: InProcessHub) -> None:
    client = hub.client()
    assert client.push(changes("patients", created=[row("patients", "p")])).json == {"success": True}
    hub.restart()
    assert "patients" in hub.client("other").pull().json["changes"]


def test_p3_two_phones_that_edit_different_fields_of_a_record_both_keep_their_edit(hub: InProcessHub) -> None:
    one, other = hub.phone(1), hub.phone(2)
    one.create("patients", {"id": "p", "phone": "1", "hometown": "old"})
    for phone in (one, other):
        phone.sync()
    one.edit("patients", "p", {"phone": "2"})
    other.edit("patients", "p", {"hometown": "new"})
    for phone in (one, other, one, other):
        assert phone.sync().ok
    for phone in (one, other):
        found = phone.store.find("patients", "p")
        assert found is not None
        assert (found["phone"], found["hometown"]) == ("2", "new")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"changes": None},
        {"changes": []},
        {"changes": {"patients": 7}},
        {"changes": {"patients": {"created": {}}}},
        [],
    ],
)
def test_a_push_that_is_none_is_malformed_and_never_answered_with_success(hub: InProcessHub, data: object) -> None:
    client = hub.client()
    inside = {"command": "sync_push", "data": data, "token": client.token}
    assert client.post("/rpc/command", client.envelope(inside, Direction.COMMAND)).status == 400


def test_p7_a_push_with_a_bad_record_is_accepted(hub: InProcessHub) -> None:
    client = hub.client()
    assert client.push(changes("patients", created=[{"id": 7}, row("patients", "p")])).json == {"success": True}


def test_s10_a_phone_that_fills_the_quarantine_keeps_no_other_one_waiting(hub: InProcessHub) -> None:
    hub.store.quarantine_max = 10
    junk, others = hub.client("junk"), [hub.client(f"phone-{number}") for number in range(3)]
    bad = [{"id": number} for number in range(1, 20)]
    assert junk.push(changes("patients", created=bad)).status == 503
    assert junk.push(changes("patients", created=bad[:5])).status == 200
    assert junk.push(changes("patients", created=bad[5:6])).status == 503
    for number, phone in enumerate(others):
        mixed = changes("patients", created=[{"id": 100 + number}, row("patients", f"p{number}")])
        assert phone.push(mixed).status == 200
    assert junk.push(changes("patients", created=[row("patients", "good")])).status == 200


def test_a_push_into_a_full_quarantine_is_unavailable(hub: InProcessHub) -> None:
    hub.store.quarantine_max = 1
    client = hub.client()
    assert client.push(changes("patients", created=[{"id": 1}, row("patients", "p"), {"id": 2}])).status == 503
    assert "patients" not in hub.client("other").pull().json["changes"]


@pytest.mark.parametrize(
    "name", ["sync_push_created", "sync_push_updated", "force_upload", "force_upload_with_soft_deleted"]
)
def test_what_the_app_was_seen_to_push_is_accepted(hub: InProcessHub, name: str) -> None:
    pushed = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))["data"]
    client = hub.client()
    assert client.command("sync_push", pushed).json == {"success": True}
    with hub.store.read() as db:
        assert db.execute("SELECT count(*) FROM quarantine").fetchone()[0] == 0


def test_p2_a_push_whose_answer_was_lost_is_taken_once(hub: InProcessHub) -> None:
    client = hub.client()
    base = row("patients", "p")
    for _ in range(3):
        client.shake()
        assert client.push(changes("patients", created=[base])).status == 200
    assert len(hub.client("other").pull().json["changes"]["patients"]["created"]) == 1


def test_s5_what_the_user_may_not_change_is_kept_in_quarantine(hub: InProcessHub) -> None:
    add_user(hub.store, hub.clinic_id, email="reader@x.example", without=[Permission.EDIT])
    base = row("patients", "p", phone="1", primary_clinic_id=hub.clinic_id)
    hub.client().push(changes("patients", created=[base]))
    reader = hub.client("reader", email="reader@x.example")
    assert reader.push(changes("patients", updated=[edit(base, phone="2")])).status == 200
    with hub.store.read() as db:
        assert json.loads(db.execute("SELECT data FROM patients").fetchone()[0])["phone"] == "1"
        assert "can_edit_records" in db.execute("SELECT why FROM quarantine").fetchone()[0]


# The registry


def test_every_procedure_but_login_and_the_pulse_asks_for_a_sign_in() -> None:
    public = {(procedure.kind, procedure.name) for procedure in registry.every() if procedure.public}
    assert public == {
        (CallKind.COMMAND, "login"),
        *((kind, name) for kind in CallKind for name in ("ping", "heartbeat")),
    }


@pytest.mark.parametrize(
    ("kind", "name"), [(CallKind.QUERY, "sync_pull"), (CallKind.COMMAND, "sync_push"), (CallKind.COMMAND, "login")]
)
def test_the_procedures_of_the_sync_are_there(kind: CallKind, name: str) -> None:
    assert procedures.PROCEDURES[kind, name].name == name


def test_pairing_is_not_closed_by_a_sign_in(hub: InProcessHub) -> None:
    hub.client()
    assert pairing.left_s(hub.store) > 0
