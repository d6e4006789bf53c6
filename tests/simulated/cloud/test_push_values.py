"""CLOUD.md 4.2 and 6: what becomes of a pushed value."""

import datetime as dt
import json
import uuid
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.simulated.cloud.world import World, bearer, new, vector
from tests.simulator.cloud import Seed, create_app
from tests.simulator.cloud.store import CloudStore


def stored(world: World, table: str, record: dict[str, Any], column: str) -> object:
    """Push one record and return what its column holds then."""
    world.put(table, record)
    return world.row(table, record["id"])[column]


def patient(world: World, **given: object) -> dict[str, Any]:
    return world.patient(**given)


def refused(world: World, table: str, record: dict[str, Any]) -> bool:
    """Return whether the record's push fails as the real cloud's does."""
    answer = world.push({table: {"created": [record]}})
    if answer.status_code == 200:
        return False
    assert (answer.status_code, answer.json()) == (500, vector("error_500_push_or_pull.json"))
    return True


def is_now(text: object) -> bool:
    moment = dt.datetime.fromisoformat(str(text))
    return abs(dt.datetime.now(dt.UTC) - moment) < dt.timedelta(minutes=1)


def test_unknown_columns_are_dropped(world: World) -> None:
    record = patient(world, _status="created", _changed="", surprise=1)
    world.put("patients", record)
    assert set(world.row("patients", record["id"])) == set(
        vector("hub_pull_full.json")["changes"]["patients"]["created"][0]
    )


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ("2026-11-20T05:19:04.258Z", "2026-11-20T05:19:04.258Z"),
        ("2026-11-20T05:19:04.258999Z", "2026-11-20T05:19:04.258Z"),
        ("2026-11-20T08:19:04+03:00", "2026-11-20T05:19:04.000Z"),
        ("2026-11-20T05:19:04", "2026-11-20T05:19:04.000Z"),
        ("2026-11-20", "2026-11-20T00:00:00.000Z"),
        (1795151944258, "2026-11-20T05:19:04.258Z"),
        (1795151944258.7, "2026-11-20T05:19:04.258Z"),
        ("1795151944258", "2026-11-20T05:19:04.258Z"),
        (1795151944, "2026-11-20T05:19:04.000Z"),
        (-86400000, "1969-12-31T00:00:00.000Z"),
        (1_000_000_000_000, "2001-09-09T01:46:40.000Z"),
        (0, None),
        ("0", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_read_in_many_forms(world: World, given: object, held: object) -> None:
    visit = world.visit(world.known_patient(), check_in_timestamp=given)
    assert stored(world, "visits", visit, "check_in_timestamp") == held


@pytest.mark.parametrize("given", [631152000000, 1_000_000_000 * 10, 999_999_999_999])
def test_epoch_ms_before_september_2001_become_now(world: World, given: int) -> None:
    record = patient(world, created_at=given)
    assert is_now(stored(world, "patients", record, "created_at"))


def test_a_birth_date_of_1990_in_epoch_ms_is_stored_as_today(world: World) -> None:
    held = str(stored(world, "patients", patient(world, date_of_birth=631152000000), "date_of_birth"))
    assert dt.date.fromisoformat(held[:10]) == dt.datetime.now(dt.UTC).date()


@pytest.mark.parametrize("given", ["rubbish", "2026-13-40", True, {}, "1700-01-01T00:00:00Z", "2500-01-01T00:00:00Z"])
def test_lenient_garbage_becomes_now(world: World, given: object) -> None:
    assert is_now(
        stored(world, "visits", world.visit(world.known_patient(), check_in_timestamp=given), "check_in_timestamp")
    )


@pytest.mark.parametrize("given", [None, "", 0, "rubbish"])
def test_a_missing_updated_at_is_now_and_wins(world: World, given: object) -> None:
    record = patient(world, updated_at="2027-01-01T00:00:00Z")
    world.put("patients", record)
    world.seed.edit("patients", record["id"], updated_at="2026-01-01T00:00:00Z")
    assert is_now(stored(world, "patients", {**record, "updated_at": given, "surname": "New"}, "updated_at"))
    assert world.row("patients", record["id"])["surname"] == "New"


def test_a_strict_time_refuses_garbage(world: World) -> None:
    assert refused(world, "patients", patient(world, image_timestamp="rubbish"))
    assert stored(world, "patients", patient(world, image_timestamp=0), "image_timestamp") is None
    assert stored(world, "patients", patient(world, image_timestamp=""), "image_timestamp") is None


@pytest.mark.parametrize(
    ("given", "held"),
    [("1984-02-29", "1984-02-29"), ("1984-02-29T22:00:00Z", "1984-02-29"), (None, None), ("", None), (0, None)],
)
def test_a_birth_date_takes_a_day(world: World, given: object, held: object) -> None:
    got = stored(world, "patients", patient(world, date_of_birth=given), "date_of_birth")
    assert (str(got)[:10] if got else got) == held


def test_a_birth_date_refuses_garbage_and_an_onset_date_also_the_empty_text(world: World) -> None:
    assert refused(world, "patients", patient(world, date_of_birth="yesterday"))
    known = world.known_patient()
    assert refused(world, "patient_problems", world.problem(known, onset_date=""))
    assert refused(world, "patient_problems", world.problem(known, onset_date="yesterday"))
    assert stored(world, "patient_problems", world.problem(known, onset_date=0), "onset_date") is None


@pytest.mark.parametrize("column", ["additional_data", "metadata"])
@pytest.mark.parametrize(
    ("given", "held"),
    [({"a": 1}, {"a": 1}), ('{"a":1}', {"a": 1}), ([1], {}), ("[1]", [1]), ("rubbish", {}), (None, {}), ("null", None)],
)
def test_a_wrong_json_shape_becomes_empty(world: World, column: str, given: object, held: object) -> None:
    assert stored(world, "patients", patient(world, **{column: given}), column) == held


def test_form_data_takes_arrays_and_garbage_becomes_empty(world: World) -> None:
    visit = world.known_visit(world.known_patient())
    for given, held in (([1], [1]), ("[1]", [1]), ({"a": 1}, {"a": 1}), ("rubbish", []), (None, [])):
        assert stored(world, "events", new(visit_id=visit, form_data=given), "form_data") == held


def test_7_a_visits_metadata_refuses_null_as_text_and_takes_an_array_as_text(world: World) -> None:
    known = world.known_patient()
    assert refused(world, "visits", world.visit(known, metadata="null"))
    assert stored(world, "visits", world.visit(known, metadata="[]"), "metadata") == []
    assert stored(world, "visits", world.visit(known, metadata=[1]), "metadata") == {}


def test_a_problems_metadata_refuses_an_array_but_takes_it_as_text(world: World) -> None:
    known = world.known_patient()
    assert refused(world, "patient_problems", world.problem(known, metadata=[1]))
    assert refused(world, "patient_problems", world.problem(known, metadata="rubbish"))
    assert stored(world, "patient_problems", world.problem(known, metadata="[1]"), "metadata") == [1]


@pytest.mark.parametrize("given", [None, [1], "rubbish"])
def test_a_dispensing_records_metadata_refuses_everything_odd(world: World, given: object) -> None:
    assert refused(world, "dispensing_records", world.dispensing(world.known_patient(), metadata=given))


@pytest.mark.parametrize(
    ("given", "held"),
    [(True, True), (1, True), ("1", True), ("true", True), ("t", True), ("yes", True), (0, False), ("0", False)],
)
def test_booleans_are_read_in_many_forms(world: World, given: object, held: object) -> None:
    record = world.appointment(world.known_patient(), is_walk_in=given)
    assert stored(world, "appointments", record, "is_walk_in") is held


@pytest.mark.parametrize("given", ["", 2, None])
def test_a_boolean_that_is_none_is_refused(world: World, given: object) -> None:
    assert refused(world, "appointments", world.appointment(world.known_patient(), is_walk_in=given))


def test_a_null_is_deleted_is_stored_where_the_column_allows_it(world: World) -> None:
    assert stored(world, "patients", patient(world, is_deleted=None), "is_deleted") is None
    assert refused(world, "patient_vitals", new(patient_id=world.known_patient(), is_deleted=None))


@pytest.mark.parametrize("given", [30, 30.0, "30"])
def test_whole_numbers_are_taken_as_ints(world: World, given: object) -> None:
    assert stored(world, "appointments", world.appointment(world.known_patient(), duration=given), "duration") == 30


@pytest.mark.parametrize("given", [30.5, "", "x", True, 40_000])
def test_what_is_no_int_is_refused(world: World, given: object) -> None:
    assert refused(world, "appointments", world.appointment(world.known_patient(), duration=given))


@pytest.mark.parametrize(
    "columns",
    [
        {"sex": "x" * 25},
        {"camp": "x" * 51},
        {"government_id": "x" * 101},
        {"given_name": "a\0b"},
        {"metadata": {"a": "a\0b"}},
        {"primary_clinic_id": ""},
        {"last_modified_by": ""},
        {"last_modified_by": str(uuid.uuid4())},
    ],
)
def test_a_value_that_the_database_cannot_take_is_refused(world: World, columns: dict[str, object]) -> None:
    assert refused(world, "patients", patient(world, **columns))


@pytest.mark.parametrize(
    "columns",
    [
        {"height_cm": 1000},
        {"height_cm": 999.996},
        {"height_cm": 1e300},
        {"weight_kg": "1_0"},
        {"bmi": 100},
        {"temperature_celsius": "abc"},
        {"pain_level": 1.5},
        {"visit_id": ""},
    ],
)
def test_vitals_out_of_bounds_are_refused(world: World, columns: dict[str, object]) -> None:
    assert refused(world, "patient_vitals", new(patient_id=world.known_patient(), **columns))


def test_a_vitals_event_is_dropped(world: World) -> None:
    record = new(patient_id=world.known_patient(), event_id=str(uuid.uuid4()))
    assert stored(world, "patient_vitals", record, "event_id") is None


def test_an_upper_case_id_is_stored_in_lower_case(world: World) -> None:
    record = patient(world)
    world.put("patients", {**record, "id": record["id"].upper()})
    assert world.seed.row("patients", record["id"]) is not None


def test_zero_and_false_attributes_become_null(world: World) -> None:
    known = world.known_patient()
    for column, given, held in (
        ("number_value", 0, None),
        ("number_value", "4.5", 4.5),
        ("number_value", 4.0, 4),
        ("string_value", "", None),
        ("boolean_value", True, True),
        ("boolean_value", False, None),
        ("boolean_value", "false", False),
    ):
        record = new(patient_id=known, attribute_id=str(uuid.uuid4()), **{column: given})
        assert stored(world, "patient_additional_attributes", record, column) == held, (column, given)


def test_7_a_number_0_as_text_is_0(world: World) -> None:
    record = new(patient_id=world.known_patient(), attribute_id="children", number_value="0")
    assert stored(world, "patient_additional_attributes", record, "number_value") == 0


@pytest.mark.parametrize("given", ["", 0, False])
def test_7_nothing_of_a_photo_or_a_text_answer_is_null(world: World, given: object) -> None:
    assert stored(world, "patients", patient(world, photo_url=given), "photo_url") is None
    answer = new(patient_id=world.known_patient(), attribute_id="a", string_value=given)
    assert stored(world, "patient_additional_attributes", answer, "string_value") is None


def test_7_what_is_left_out_has_a_default(world: World) -> None:
    known = world.known_patient()
    visit = world.appointment(known, duration=None)
    assert stored(world, "appointments", visit, "duration") == 60
    assert stored(world, "appointments", {**visit, "id": str(uuid.uuid4())}, "duration") == 60


@pytest.mark.parametrize("day", ["0001-01-01", "0990-05-12", "1369-02-22", "1849-01-01", "2121-01-01", "2533-05-12"])
def test_7_a_date_as_text_is_stored_as_it_is_in_every_year(world: World, day: str) -> None:
    assert str(stored(world, "patients", patient(world, date_of_birth=day), "date_of_birth"))[:10] == day
    problem = world.problem(world.known_patient(), onset_date=day, end_date=day)
    assert str(stored(world, "patient_problems", problem, "onset_date"))[:10] == day


@pytest.mark.parametrize("given", [-18_950_000_000_000, 32_503_680_000_000, 0, None])
def test_7_a_time_that_is_none_or_too_far_off_becomes_now(world: World, given: object) -> None:
    vitals = new(patient_id=world.known_patient(), timestamp=given)
    assert is_now(stored(world, "patient_vitals", vitals, "timestamp"))


def test_7_a_29th_of_february_too_many_is_the_first_of_march(world: World) -> None:
    visit = world.visit(world.known_patient(), check_in_timestamp="2001-02-29T10:00:00Z")
    assert stored(world, "visits", visit, "check_in_timestamp") == "2001-03-01T10:00:00.000Z"


@pytest.mark.parametrize("table", ["patient_vitals", "patient_problems"])
@pytest.mark.parametrize("given", ["", "rubbish"])
def test_7_some_deleted_at_are_strict(world: World, table: str, given: str) -> None:
    known = world.known_patient()
    record = world.problem(known) if table == "patient_problems" else new(patient_id=known)
    assert refused(world, table, {**record, "deleted_at": given})


@pytest.mark.parametrize("given", ["NaN", "Infinity"])
def test_7_what_is_no_number_is_taken_as_text(world: World, given: str) -> None:
    vitals = new(patient_id=world.known_patient(), weight_kg="NaN")
    assert stored(world, "patient_vitals", vitals, "weight_kg") == "NaN"
    answer = new(patient_id=world.known_patient(), attribute_id="a", number_value=given)
    assert stored(world, "patient_additional_attributes", answer, "number_value") is None


def test_7_ids_have_many_forms_and_the_nil_one_is_none(world: World) -> None:
    record = patient(world)
    plain = record["id"].replace("-", "")
    for given in (plain, plain.upper(), f"{{{record['id']}}}", record["id"].upper()):
        world.put("patients", {**record, "id": given, "given_name": given, "updated_at": None})
        assert world.row("patients", record["id"])["given_name"] == given
    assert refused(world, "visits", world.visit(world.known_patient(), id=str(uuid.UUID(int=0))))


def test_7_an_answer_of_a_patient_whom_the_cloud_does_not_know_is_stored(world: World) -> None:
    answer = new(patient_id=str(uuid.uuid4()), attribute_id="a", string_value="x")
    assert stored(world, "patient_additional_attributes", answer, "string_value") == "x"


def test_7_half_an_emoji_in_a_text_is_taken(world: World) -> None:
    record = patient(world, given_name="half")
    body = json.dumps({"patients": {"created": [record]}}).encode().replace(b"half", rb"\ud83d")
    assert world.push_raw(body).status_code == 200
    assert world.row("patients", record["id"])["given_name"] == "\ufffd"


def test_7_a_list_in_a_text_column_is_an_array_of_sql(world: World) -> None:
    assert stored(world, "patients", patient(world, camp=[]), "camp") == "{}"


def test_an_update_replaces_the_whole_row(world: World) -> None:
    record = patient(world, phone="079", metadata={"a": 1})
    world.put("patients", record)
    world.put("patients", {"id": record["id"], "given_name": "Only", "updated_at": "2026-02-01T00:00:00Z"})
    row = world.row("patients", record["id"])
    assert [row[name] for name in ("given_name", "surname", "phone", "primary_clinic_id", "metadata")] == [
        "Only",
        None,
        None,
        None,
        {},
    ]


def test_a_record_without_a_valid_id_gets_a_new_one_each_time(world: World) -> None:
    for _ in range(2):
        world.put("patients", {"given_name": "Nobody", "id": "x"})
    assert len(world.seed.rows("patients")) == 2
    assert refused(world, "visits", {"id": "x"})


def test_columns_that_the_cloud_drops_are_empty(world: World) -> None:
    known = world.known_patient()
    prescription = world.prescription(known, items=[{"x": 1}], metadata={"a": 1}, notes=None, is_deleted=True)
    world.put("prescriptions", prescription)
    row = world.row("prescriptions", prescription["id"])
    assert [row[name] for name in ("items", "metadata", "notes", "is_deleted")] == [[], {}, "", False]
    item = world.item(known, prescription["id"], metadata={"a": 1}, recorded_by_user_id=world.provider)
    world.put("prescription_items", item)
    row = world.row("prescription_items", item["id"])
    assert [
        row[name] for name in ("metadata", "recorded_by_user_id", "dosage_instructions", "quantity_prescribed")
    ] == [
        {},
        None,
        "",
        0,
    ]


def test_the_clouds_own_times_cannot_be_pushed(world: World) -> None:
    record = patient(world, server_created_at="2020-01-01T00:00:00Z", last_modified="2020-01-01T00:00:00Z")
    world.put("patients", record)
    row = world.row("patients", record["id"])
    assert is_now(row["server_created_at"])
    assert is_now(row["last_modified"])


def test_a_time_without_a_zone_is_the_servers_local_time(store: CloudStore) -> None:
    seed = Seed(store)
    hub = seed.hub("hub")
    visit = str(uuid.uuid4())
    body = {"visits": {"created": [{"id": visit, "check_in_timestamp": "2026-01-01T12:00:00"}]}}
    with TestClient(create_app(store, time_zone="Asia/Tokyo")) as http:
        http.post("/api/v2/sync", params={"peerType": "sync_hub"}, headers=bearer(hub), json=body)
    row = seed.row("visits", visit)
    assert row is not None
    assert row["check_in_timestamp"] == "2026-01-01T03:00:00.000Z"
