"""CLOUD.md 4, 4.1, 4.3, 4.4 and 4.9: what a push answers, and what it stored by then."""

import gzip
import uuid

import pytest

from tests.simulated.cloud.world import World, basic, bearer, new, vector

SYNC = "/api/v2/sync"
HUB = {"peerType": "sync_hub"}


def ids(world: World, table: str) -> set[object]:
    return {row["id"] for row in world.seed.rows(table)}


def is_generic_500(answer: object) -> bool:
    status, body = getattr(answer, "status_code", None), getattr(answer, "text", "")
    return (status, body) == (500, '{"status":500,"unhandled":true,"message":"HTTPError"}')


@pytest.mark.parametrize(
    "body", ["{}", "[]", "7", '{"patients":null}', '{"patients":[]}', '{"patients":{"created":null}}']
)
def test_an_empty_push_succeeds(world: World, body: str) -> None:
    answer = world.http.post(SYNC, params=HUB, headers=bearer(world.hub), content=body)
    assert (answer.status_code, answer.json()) == (200, vector("push_ok_response.json"))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "{",
        '{"patients":{"created":{}}}',
        '{"patients":{"created":[null]}}',
        '{"patients":{"deleted":[{"id":"x"}]}}',
        '{"patients":{"deleted":["x"]}}',
        '{"patients":{"deleted":[""]}}',
    ],
)
def test_a_malformed_push_is_500(world: World, body: str) -> None:
    assert is_generic_500(world.http.post(SYNC, params=HUB, headers=bearer(world.hub), content=body))


def test_a_gzip_body_is_500(world: World) -> None:
    headers = {**bearer(world.hub), "content-encoding": "gzip"}
    assert is_generic_500(world.http.post(SYNC, params=HUB, headers=headers, content=gzip.compress(b"{}")))


def test_the_content_type_is_not_checked(world: World) -> None:
    headers = {**bearer(world.hub), "content-type": "text/plain"}
    assert world.http.post(SYNC, params=HUB, headers=headers, content="{}").status_code == 200


def test_a_wrong_key_is_401(world: World) -> None:
    answer = world.http.post(SYNC, params=HUB, headers={"Authorization": "Bearer x"}, json={})
    assert (answer.status_code, answer.json()) == (401, vector("error_401_sync.json"))


def test_the_query_time_of_a_push_is_ignored(world: World) -> None:
    query = {**HUB, "lastPulledAt": "rubbish"}
    assert world.http.post(SYNC, params=query, headers=bearer(world.hub), json={}).status_code == 200


def test_a_wrapped_body_answers_success_and_stores_nothing(world: World) -> None:
    answer = world.push({"changes": {"patients": {"created": [world.patient()]}}})
    assert (answer.json(), ids(world, "patients")) == ({"success": True}, set())


def test_created_and_updated_are_treated_alike(world: World) -> None:
    record = world.patient()
    assert world.push({"patients": {"updated": [record]}}).json() == {"success": True}
    assert ids(world, "patients") == {record["id"]}


def test_tables_are_worked_in_the_fixed_order_whatever_the_bodys(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient["id"])
    event = new(patient_id=patient["id"], visit_id=visit["id"])
    body = {name: {"created": [row]} for name, row in (("events", event), ("visits", visit), ("patients", patient))}
    assert world.push(body).json() == {"success": True}
    assert world.row("visits", visit["id"])["metadata"] == {}


@pytest.mark.parametrize(
    "table",
    [
        "users",
        "clinics",
        "event_forms",
        "registration_forms",
        "patient_registration_forms",
        "clinic_inventory",
        "user_clinic_permissions",
        "devices",
        "undefined",
        "app_config",
        "patient_observations",
        "drug_batches",
        "event_logs",
        "nonsense",
        "drug_catalogue",
        "device_pin_codes",
    ],
)
def test_ignored_tables_answer_success_and_store_nothing(world: World, table: str) -> None:
    before = {name: ids(world, name) for name in ("users", "clinics", "event_forms", "drug_catalogue", "devices")}
    answer = world.push({table: {"created": [{"id": str(uuid.uuid4()), "name": "x"}, None], "deleted": ["garbage"]}})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert {name: ids(world, name) for name in before} == before


def test_clinic_departments_are_duplicated_by_every_push_and_never_deleted(world: World) -> None:
    record = new(clinic_id=world.here, name="Pharmacy")
    world.put("clinic_departments", record)
    assert world.push({"clinic_departments": {"updated": [record]}}).json() == {"success": True}
    world.delete("clinic_departments", record["id"])
    assert len(ids(world, "clinic_departments")) == 2
    assert record["id"] not in ids(world, "clinic_departments")


def test_the_first_bad_record_stops_the_rest_and_keeps_what_came_before(world: World) -> None:
    good, bad, late = world.patient(), world.patient(sex="x" * 25), world.patient()
    visit = world.visit(good["id"])
    answer = world.push({"patients": {"created": [good, bad, late]}, "visits": {"created": [visit]}})
    assert is_generic_500(answer)
    assert (ids(world, "patients"), ids(world, "visits")) == ({good["id"]}, set())


def test_a_poison_record_blocks_every_retry(world: World) -> None:
    good, bad, late = world.patient(), world.patient(sex="x" * 25), world.patient()
    for _ in range(2):
        assert is_generic_500(world.push({"patients": {"created": [good, bad, late]}}))
    assert late["id"] not in ids(world, "patients")


def test_a_failing_prescription_item_answers_200_with_object_object(world: World) -> None:
    patient = world.known_patient()
    prescription = world.prescription(patient)
    world.put("prescriptions", prescription)
    good, late = (world.item(patient, prescription["id"]) for _ in range(2))
    bad = world.item(patient, str(uuid.uuid4()))
    department = new(clinic_id=world.here, name="Lab")
    answer = world.push(
        {"prescription_items": {"created": [good, bad, late]}, "clinic_departments": {"created": [department]}}
    )
    assert (answer.status_code, answer.text, answer.headers["content-type"].split(";")[0]) == (
        200,
        "[object Object]",
        "text/plain",
    )
    assert ids(world, "prescription_items") == {good["id"]}
    assert ids(world, "clinic_departments") == set()


def test_a_bad_id_in_deleted_items_is_the_same_false_success(world: World) -> None:
    assert world.push({"prescription_items": {"deleted": ["x"]}}).text == "[object Object]"


def test_a_dispensing_record_cannot_name_an_item_of_the_same_request(world: World) -> None:
    patient = world.known_patient()
    prescription = world.prescription(patient)
    item = world.item(patient, prescription["id"])
    dispensing = world.dispensing(patient, prescription_item_id=item["id"])
    body = {"prescription_items": {"created": [item]}, "dispensing_records": {"created": [dispensing]}}
    world.put("prescriptions", prescription)
    for _ in range(2):
        assert is_generic_500(world.push(body))
    world.put("prescription_items", item)
    world.put("dispensing_records", dispensing)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("visits", "patient_id"),
        ("visits", "provider_id"),
        ("events", "patient_id"),
        ("events", "form_id"),
        ("events", "recorded_by_user_id"),
        ("patient_vitals", "visit_id"),
        ("patient_problems", "recorded_by_user_id"),
        ("appointments", "provider_id"),
        ("appointments", "current_visit_id"),
        ("prescriptions", "visit_id"),
        ("dispensing_records", "drug_id"),
        ("dispensing_records", "batch_id"),
    ],
)
def test_an_unknown_reference_is_500(world: World, table: str, column: str) -> None:
    patient = world.known_patient()
    makers = {
        "visits": world.visit,
        "appointments": world.appointment,
        "prescriptions": world.prescription,
        "dispensing_records": world.dispensing,
        "patient_problems": world.problem,
    }
    record = makers[table](patient) if table in makers else new(patient_id=patient, attribute_id="x")
    assert is_generic_500(world.push({table: {"created": [{**record, column: str(uuid.uuid4())}]}}))


@pytest.mark.parametrize(
    "table", ["patients", "visits", "appointments", "prescriptions", "prescription_items", "dispensing_records"]
)
def test_a_record_of_another_clinic_is_skipped_with_success(world: World, table: str) -> None:
    patient = world.known_patient()
    before = ids(world, table)
    records = {
        "patients": world.patient(primary_clinic_id=world.elsewhere),
        "visits": world.visit(patient, clinic_id=world.elsewhere),
        "appointments": world.appointment(patient, clinic_id=world.elsewhere),
        "prescriptions": world.prescription(patient, pickup_clinic_id=world.elsewhere),
        "prescription_items": world.item(patient, str(uuid.uuid4()), clinic_id=world.elsewhere),
        "dispensing_records": world.dispensing(patient, clinic_id=world.elsewhere),
    }
    world.put(table, records[table])
    assert ids(world, table) == before


def test_an_upper_case_clinic_counts_as_another(world: World) -> None:
    world.put("patients", world.patient(primary_clinic_id=world.here.upper()))
    assert ids(world, "patients") == set()


def test_a_record_without_a_clinic_is_stored_but_reaches_no_hub(world: World) -> None:
    patient = world.known_patient(primary_clinic_id=None)
    assert ids(world, "patients") == {patient}
    assert world.ids("patients") == set()


def test_a_hub_writes_and_deletes_other_clinics_unscoped_rows(world: World) -> None:
    foreign = world.seed.add("patients", primary_clinic_id=world.elsewhere)
    world.put("patient_vitals", new(patient_id=foreign))
    world.delete("patients", foreign)
    assert world.row("patients", foreign)["is_deleted"] is True


def test_a_hub_takes_over_another_clinics_patient(world: World) -> None:
    foreign = world.seed.add("patients", primary_clinic_id=world.elsewhere, updated_at="2026-01-01T00:00:00Z")
    world.put("patients", world.patient(id=foreign, updated_at="2026-02-01T00:00:00Z"))
    assert world.row("patients", foreign)["primary_clinic_id"] == world.here


def test_a_hub_without_clinics_stores_only_records_without_a_clinic(world: World) -> None:
    free = world.seed.hub("free")
    with_clinic, without = world.patient(), world.patient(primary_clinic_id=None)
    world.put("patients", with_clinic, without, hub=free)
    assert ids(world, "patients") == {without["id"]}


@pytest.mark.parametrize("status", ["suspended", "inactive", "decommissioned"])
def test_a_hub_that_should_be_locked_out_can_push(world: World, status: str) -> None:
    record = world.patient()
    world.put("patients", record, hub=world.seed.hub("locked", world.here, status=status))
    assert ids(world, "patients") == {record["id"]}


def test_a_phone_pushes_any_clinics_records_but_no_departments(world: World) -> None:
    record = world.patient(primary_clinic_id=world.elsewhere)
    department = new(clinic_id=world.elsewhere, name="Lab")
    body = {"patients": {"created": [record]}, "clinic_departments": {"created": [department]}}
    assert world.http.post(SYNC, headers=basic("pia@test"), json=body).json() == {"success": True}
    assert (ids(world, "patients"), ids(world, "clinic_departments")) == ({record["id"]}, set())


def test_a_phones_appointment_takes_the_callers_clinic_and_id(world: World) -> None:
    record = new(patient_id=world.known_patient())
    body = {"appointments": {"created": [record]}}
    assert world.http.post(SYNC, headers=basic("pia@test"), json=body).json() == {"success": True}
    row = world.row("appointments", record["id"])
    assert (row["clinic_id"], row["user_id"]) == (world.here, world.provider)
    assert is_generic_500(world.push(body | {"appointments": {"created": [{**record, "id": str(uuid.uuid4())}]}}))
