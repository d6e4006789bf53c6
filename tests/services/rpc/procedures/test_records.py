"""The procedures beyond those that the app was seen to call: what each does to its records."""

from typing import Any

import msgspec
import pytest

from hub.core.records import codec
from hub.core.records.access import Permission
from hub.core.records.push_decision import Add
from hub.core.records.tables import TABLES
from hub.store.box import counters
from hub.store.people import users
from hub.store.records import record_rows, unsearched
from tests.hubs import NOW_MS
from tests.services.rpc.procedures.ward import DAY_MS, Ward, ok


def ids(listed: Any) -> list[str]:  # noqa: ANN401  any JSON
    return [row["id"] for row in listed["data"]]


def test_a_visit_is_corrected_and_given_whole(ward: Ward) -> None:
    row = ok(ward.client.command("visits.update", {"id": ward.visit, "provider_name": "Dr B", "metadata": {"a": 1}}))
    assert (row["provider_name"], row["metadata"], row["patient_id"]) == ("Dr B", {"a": 1}, ward.patient)


def test_an_event_with_an_id_is_entered_once(ward: Ward) -> None:
    event = {"id": "e1", "patient_id": ward.patient, "visit_id": ward.visit, "form_data": "[1]", "event_type": "x"}
    assert ok(ward.client.command("create_event", event)) == {"event_id": "e1"}
    again = {**event, "form_data": [2], "visit_id": ward.visit}
    assert ok(ward.client.command("create_event", again)) == {"event_id": "e1"}
    assert [each["form_data"] for each in ward.every("events")] == ["[2]"]


def test_a_visit_of_another_patient_is_refused(ward: Ward) -> None:
    other = ward.put("patients", given_name="B", primary_clinic_id=ward.hub.clinic_id)
    event = {"patient_id": other, "visit_id": ward.visit, "form_data": []}
    assert ward.client.command("events.create", event).status == 400
    assert ward.client.command("events.create", {**event, "visit_id": "unknown"}).status == 404


def test_vital_signs_are_corrected_and_cleared(ward: Ward) -> None:
    made = ok(ward.client.command("vitals.create", {"patient_id": ward.patient, "heart_rate": 70, "pain_level": 3}))
    change = {"id": made["id"], "heart_rate": 71, "pain_level": None}
    assert ok(ward.client.command("vitals.update", change)) == {"id": made["id"], "ok": True}
    row = ok(ward.client.query("vitals.list", {"patient_id": ward.patient}))[0]
    assert (row["heart_rate"], row["pain_level"]) == (71, None)


def test_a_deleted_patient_is_gone_with_all_that_is_theirs(ward: Ward) -> None:
    ok(ward.client.command("events.create", {"patient_id": ward.patient, "visit_id": ward.visit, "form_data": []}))
    answer = ok(ward.client.command("delete_patient", {"patient_id": ward.patient}))
    assert answer == {"deleted": True, "patient_id": ward.patient}
    assert (ward.every("events"), ward.every("visits")) == ([], [])
    assert ok(ward.client.query("get_patients"))["total"] == 0
    assert ok(ward.client.query("search_patients", {"filters": {"given_name": "leila"}}))["total"] == 0
    back = {"patient": {"id": ward.patient, "given_name": "Back"}}
    assert ward.client.command("register_patient", back).status == 409


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("search_patients", {"filters": {"given_name": "zibb"}}),
        ("check_government_id", {"government_id": "z-077"}),
        ("patients.similar", {"given_name": "Zibel"}),
        ("prescriptions.search", {"search_query": "zibbel"}),
        ("appointments.search", {"search_query": "zibbel", "date": NOW_MS}),
    ],
)
def test_patients_who_came_many_at_once_are_found_by_whoever_searches_next(
    ward: Ward, name: str, params: dict[str, Any]
) -> None:
    here, table = {"primary_clinic_id": ward.hub.clinic_id, "created_at": NOW_MS}, TABLES["patients"]
    given = [{"id": f"p{number}", "given_name": "Zibbel", "government_id": "Z077"} for number in range(unsearched.MANY)]
    many = [codec.build(table, {**here, **values}) for values in given]
    ward.put("prescriptions", patient_id="p7", prescribed_at=NOW_MS)
    ward.put("appointments", patient_id="p7", timestamp=NOW_MS, clinic_id=ward.hub.clinic_id)
    params = {**params, "clinic_id": ward.hub.clinic_id} if name.startswith("appointments") else params
    with ward.hub.store.write() as tx:
        record_rows.add(tx, table, [Add(each, *codec.write(each)) for each in many], device=1)
    found = ok(ward.client.query(name, params))
    assert found.get("exists") or len(found["data"]) >= 1


def test_patients_with_like_names_are_found_the_likest_first(ward: Ward) -> None:
    alike = ward.put("patients", given_name="Layla", surname="Hadad", primary_clinic_id=ward.hub.clinic_id)
    found = ok(ward.client.query("patients.similar", {"given_name": "Leila", "surname": "Haddad"}))
    assert ids(found) == [ward.patient, alike]


def test_an_attribute_that_was_deleted_is_made_anew(ward: Ward) -> None:
    asked = {"patient": {"id": ward.patient}, "additional_attributes": [{"attribute_id": "f1", "string_value": "A"}]}
    ok(ward.client.command("register_patient", asked))
    first = ward.every("patient_additional_attributes")[0]["id"]
    ok(ward.client.push({"patient_additional_attributes": {"created": [], "updated": [], "deleted": [first]}}))
    ok(ward.client.command("register_patient", asked))
    assert [each["id"] == first for each in ward.every("patient_additional_attributes")] == [False]


def test_an_answer_replaces_the_one_before(ward: Ward) -> None:
    for value in ({"string_value": "A"}, {"number_value": 5}):
        answer = {"attribute_id": "f1", "attribute": "x", **value}
        ok(
            ward.client.command(
                "register_patient", {"patient": {"id": ward.patient}, "additional_attributes": [answer]}
            )
        )
    [stored] = ward.every("patient_additional_attributes")
    assert (stored["string_value"], stored["number_value"]) == (None, 5)


@pytest.mark.parametrize("before", ["", "old"])
def test_s8_ten_times_the_answers_take_ten_times_the_work(ward: Ward, before: str) -> None:
    """3,000 held the one writer for 62 seconds: each read all of those before."""

    def register(count: int, value: str) -> int:
        answers = [{"attribute_id": f"f{number}", "string_value": value} for number in range(count)]
        asked = {"patient": {"id": f"patient-{count}", "given_name": "X"}, "additional_attributes": answers}
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1

        ward.hub.store._writer.conn.set_progress_handler(step, 1000)
        assert ok(ward.client.command("register_patient", asked))["attributes_count"] == count
        ward.hub.store._writer.conn.set_progress_handler(None, 0)
        return steps

    if before:
        register(150, before)
        register(1500, before)
    assert register(1500, "new") < 20 * register(150, "new") + 20
    stored = [each["string_value"] for each in ward.every("patient_additional_attributes")]
    assert (len(stored), set(stored)) == (1650, {"new"})


def test_what_is_written_online_counts_as_entered(ward: Ward) -> None:
    answers = [{"attribute_id": f"f{number}"} for number in range(3)]
    ok(ward.client.command("register_patient", {"patient": {"given_name": "X"}, "additional_attributes": answers}))
    ok(ward.client.command("delete_patient", {"patient_id": ward.patient}))
    with ward.hub.store.read() as db:
        assert sum(bucket.entered for bucket in counters.since(db, 0)) == 5


def test_the_latest_visit_comes_first(ward: Ward) -> None:
    of = {"patient_id": ward.patient, "clinic_id": ward.hub.clinic_id}
    later, earlier = (ward.put("visits", **of, check_in_timestamp=NOW_MS + step) for step in (2, 1))
    assert ids(ok(ward.client.query("get_visits", {"patient_id": ward.patient}))) == [later, earlier, ward.visit]


def test_who_may_do_all_and_works_nowhere_registers_in_a_clinic_of_the_hub(ward: Ward) -> None:
    chief = msgspec.structs.replace(
        ward.hub.user, id="chief", email="chief@clinic.example", role="super_admin", clinic_id=None
    )
    with ward.hub.store.write() as tx:
        users.put(tx, chief)
    client = ward.hub.client("client-chief", email=chief.email)
    made = ok(client.command("register_patient", {"patient": {"given_name": "X"}}))
    stored = ward.stored("patients", made["patient_id"])
    assert stored is not None
    assert stored["primary_clinic_id"] in {ward.hub.clinic_id, ward.other_clinic}


def test_s8_a_registration_has_a_bound(ward: Ward) -> None:
    answers = [{"attribute_id": f"f{number}"} for number in range(5001)]
    asked = {"patient": {"given_name": "X"}, "additional_attributes": answers}
    assert ward.client.command("register_patient", asked).status == 400


def test_two_answers_to_one_question_are_one(ward: Ward) -> None:
    answers = [{"attribute_id": "f1", "string_value": "A"}, {"attribute_id": "f1", "string_value": "B"}]
    ok(ward.client.command("register_patient", {"patient": {"id": ward.patient}, "additional_attributes": answers}))
    assert [each["string_value"] for each in ward.every("patient_additional_attributes")] == ["B"]


def test_an_answer_without_its_name_keeps_it(ward: Ward) -> None:
    for answer in ({"attribute": "blood_group", "string_value": "A"}, {"string_value": "B"}):
        asked = {"patient": {"id": ward.patient}, "additional_attributes": [{"attribute_id": "f1", **answer}]}
        ok(ward.client.command("register_patient", asked))
    [stored] = ward.every("patient_additional_attributes")
    assert (stored["attribute"], stored["string_value"]) == ("blood_group", "B")


def test_a_record_that_comes_again_keeps_its_author_and_its_patient(ward: Ward) -> None:
    event = {"id": "e1", "patient_id": ward.patient, "visit_id": ward.visit, "form_data": [1]}
    ok(ward.client.command("create_event", event))
    other = ward.user("other", set(Permission))
    ok(other.command("create_event", {**event, "form_data": [2]}))
    [stored] = ward.every("events")
    assert (stored["form_data"], stored["recorded_by_user_id"]) == ("[2]", ward.hub.user.id)
    second = ward.put("patients", given_name="B", primary_clinic_id=ward.hub.clinic_id)
    assert ward.client.command("vitals.create", {"id": "v1", "patient_id": ward.patient}).status == 200
    assert ward.client.command("vitals.create", {"id": "v1", "patient_id": second}).status == 400


def test_columns_nobody_knows_survive(ward: Ward) -> None:
    patient = {"given_name": "New", "shoe_size": {"eu": 40}}
    made = ok(ward.client.command("register_patient", {"patient": patient}))
    stored = ward.stored("patients", made["patient_id"])
    assert stored is not None
    assert stored["shoe_size"] == {"eu": 40}


def test_appointments_are_made_changed_kept_and_cancelled(ward: Ward) -> None:
    asked = {"patient_id": ward.patient, "timestamp": NOW_MS, "departments": [{"id": "dep-1"}], "is_walk_in": 1}
    made = ok(ward.client.command("appointments.create", asked))["appointment_id"]
    row = ok(ward.client.query("appointments.get", {"id": made}))
    assert (row["status"], row["is_walk_in"], row["departments"]) == ("pending", True, [{"id": "dep-1"}])
    assert (row["clinic_id"], row["user_id"]) == (ward.hub.clinic_id, ward.hub.user.id)
    assert ok(ward.client.command("appointments.update", {"id": made, "notes": "n"}))["notes"] == "n"
    assert ok(ward.client.command("appointments.complete", {"id": made, "visit_id": ward.visit})) == {"completed": True}
    row = ok(ward.client.query("appointments.get", {"id": made}))
    assert (row["status"], row["fulfilled_visit_id"]) == ("completed", ward.visit)
    assert ok(ward.client.command("appointments.cancel", {"id": made})) == {"cancelled": True}
    assert ids(ok(ward.client.query("appointments.by_patient", {"patient_id": ward.patient}))) == [made]


def test_appointments_are_listed_by_time_and_searched_by_name(ward: Ward) -> None:
    for number in range(3):
        ward.put(
            "appointments",
            f"a{number}",
            patient_id=ward.patient,
            clinic_id=ward.hub.clinic_id,
            timestamp=NOW_MS + number * DAY_MS,
            status="pending",
            departments='[{"id": "opd"}]' if number else "[]",
        )
    span = {"start_date": NOW_MS, "end_date": NOW_MS + DAY_MS}
    assert ids(ok(ward.client.query("appointments.list", span))) == ["a1", "a0"]
    page = ok(ward.client.query("appointments.list", {**span, "limit": 1, "offset": 1, "status": "pending"}))
    assert (ids(page), page["total"]) == (["a0"], 2)
    asked = {"clinic_id": ward.hub.clinic_id, "date": NOW_MS + DAY_MS, "search_query": "hadd lei"}
    assert ids(ok(ward.client.query("appointments.search", asked))) == ["a1"]
    assert ids(ok(ward.client.query("appointments.search", {**asked, "department_ids": ["opd"]}))) == ["a1"]
    assert ids(ok(ward.client.query("appointments.search", {**asked, "department_ids": ["lab"]}))) == []
    assert ids(ok(ward.client.query("appointments.search", {**asked, "status": ["cancelled"]}))) == []
    assert ids(ok(ward.client.query("appointments.search", {**asked, "search_query": "omar"}))) == []


def test_prescriptions_are_written_handled_and_found(ward: Ward) -> None:
    asked = {"patient_id": ward.patient, "visit_id": ward.visit}
    made = ok(ward.client.command("prescriptions.create", asked))["prescription_id"]
    found = ok(ward.client.query("prescriptions.by_patient_visit", asked))["data"][0]
    assert (found["status"], found["items"], found["pickup_clinic_id"]) == ("pending", [], ward.hub.clinic_id)
    assert ok(ward.client.command("prescriptions.update", {"id": made, "notes": "n"}))["notes"] == "n"
    assert ok(ward.client.command("prescriptions.update_status", {"id": made, "status": "prepared"})) == {"ok": True}
    assert ok(ward.client.command("prescriptions.pickup", {"id": made, "provider_id": "u9"})) == {"ok": True}
    stored = ward.stored("prescriptions", made)
    assert stored is not None
    assert (stored["status"], stored["filled_by"], stored["filled_at"] > 0) == ("picked-up", "u9", True)
    for query in ({}, {"search_query": "leila"}, {"status": ["picked-up"]}, {"date": found["prescribed_at"]}):
        assert ids(ok(ward.client.query("prescriptions.search", query))) == [made], query
    for query in ({"search_query": "omar"}, {"status": ["pending"]}, {"clinic_id": "x"}, {"date": "2020-01-01"}):
        assert ids(ok(ward.client.query("prescriptions.search", query))) == [], query


def test_items_belong_to_their_prescription(ward: Ward) -> None:
    prescription = ok(ward.client.command("prescriptions.create", {"patient_id": ward.patient}))["prescription_id"]
    asked = {"prescription_id": prescription, "drug_id": ward.drug, "quantity_prescribed": 5}
    item = ok(ward.client.command("prescription_items.create", asked))["id"]
    [row] = ok(ward.client.query("prescription_items.by_prescription", {"prescription_id": prescription}))["data"]
    assert (row["id"], row["patient_id"], row["clinic_id"]) == (item, ward.patient, ward.hub.clinic_id)
    assert (row["item_status"], row["quantity_dispensed"]) == ("active", 0)
    assert ids(ok(ward.client.query("prescription_items.by_patient", {"patient_id": ward.patient}))) == [item]
    assert ok(ward.client.command("prescription_items.update", {"id": item, "notes": "n"}))["notes"] == "n"
    assert ward.client.command("prescription_items.create", {**asked, "patient_id": ward.stranger}).status == 400


def test_drugs_are_found_by_parts_of_name_and_barcode(ward: Ward) -> None:
    ward.put("drug_catalogue", "drug-2", generic_name="Paracétamol", brand_name="Doliprane", form="tablet")
    found = {
        text: ids(ok(ward.client.query("drugs.search", {"search_term": text})))
        for text in ("amoxi", "PARACETAMOL", "prane", "40063", "", "nothing")
    }
    assert found == {
        "amoxi": ["drug-1"],
        "PARACETAMOL": ["drug-2"],
        "prane": ["drug-2"],
        "40063": ["drug-1"],
        "": ["drug-1", "drug-2"],
        "nothing": [],
    }
    assert ids(ok(ward.client.query("drugs.search", {"form": "tablet", "is_active": False}))) == ["drug-2"]
    assert ok(ward.client.query("drugs.get", {"id": "drug-1"}))["generic_name"] == "Amoxicillin"
    assert ok(ward.client.query("drugs.by_barcode", {"barcode": "4006381333931"}))["id"] == "drug-1"


def test_stock_is_listed_and_searched(ward: Ward) -> None:
    ward.stock(5, batch="LOT-7")
    ward.stock(5, batch="LOT-8", clinic=ward.other_clinic)
    mine = {"clinic_id": ward.hub.clinic_id}
    assert ids(ok(ward.client.query("inventory.by_clinic", mine))) == ["stock-LOT-7"]
    assert ids(ok(ward.client.query("inventory.search", {**mine, "search_term": "lot 7"}))) == ["stock-LOT-7"]
    assert ids(ok(ward.client.query("inventory.search", {**mine, "search_term": "amox"}))) == ["stock-LOT-7"]
    assert ids(ok(ward.client.query("inventory.search", {**mine, "search_term": "zinc"}))) == []


def test_forms_and_clinics_are_given(ward: Ward) -> None:
    ward.put("registration_forms", "r-old", name="Old", fields="[]", updated_at=NOW_MS)
    fields = '[{"id": "f-name", "column": "given_name", "baseField": true}]'
    ward.put("registration_forms", "r-new", name="New", fields=fields, updated_at=NOW_MS + 1)
    ward.put("event_forms", "e-all", name="B", language="en", clinic_ids="[]", form_fields='[{"id": "x"}]')
    ward.put("event_forms", "e-mine", name="A", language="ar", clinic_ids=f'["{ward.hub.clinic_id}"]')
    ward.put("clinic_departments", "d1", clinic_id=ward.hub.clinic_id, name="Pharmacy")
    for name in ("registration_form.get", "get_patient_registration_form"):
        assert ok(ward.client.query(name))["id"] == "r-new"
    assert len(ok(ward.client.query("get_all_registration_forms"))["data"]) == 2
    assert ids(ok(ward.client.query("get_event_forms"))) == ["e-mine", "e-all"]
    assert ids(ok(ward.client.query("event_forms.list", {"language": "en"}))) == ["e-all"]
    assert ids(ok(ward.client.query("event_forms.list", {"clinic_id": "other"}))) == ["e-all"]
    assert ok(ward.client.query("get_event_form", {"form_id": "e-all"}))["form_fields"] == [{"id": "x"}]
    assert len(ok(ward.client.query("clinics.list"))["data"]) == 2
    assert ids(ok(ward.client.query("clinic_departments.list", {"clinic_id": ward.hub.clinic_id}))) == ["d1"]
    form = ok(ward.client.query("get_patient", {"patient_id": ward.patient}))
    assert {"id": "f-name", "column": "given_name", "baseField": True} in form["fields"]
    assert form["values"]["f-name"] == "Leila"


NOT_THERE = {
    "problems.get": {"id": "x"},
    "appointments.get": {"id": "x"},
    "appointments.by_patient": {"patient_id": "x"},
    "get_visits": {"patient_id": "x"},
    "get_event_form": {"form_id": "x"},
    "registration_form.get": {},
    "drugs.get": {"id": "x"},
    "drugs.by_barcode": {"barcode": "x"},
    "prescription_items.by_prescription": {"prescription_id": "x"},
    "inventory.by_clinic": {"clinic_id": "x"},
}


@pytest.mark.parametrize("name", NOT_THERE)
def test_what_is_not_there_is_404(ward: Ward, name: str) -> None:
    assert ward.client.query(name, NOT_THERE[name]).status == 404


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("visits.create", {}, "patient_id"),
    ("visits.create", {"patient_id": 5}, "patient_id"),
    ("visits.create", {"patient_id": "P", "check_in_timestamp": "noon"}, "check_in_timestamp"),
    ("events.create", {"patient_id": "P", "metadata": 5}, "metadata"),
    ("vitals.create", {"patient_id": "P", "heart_rate": "fast"}, "heart_rate"),
    ("problems.create", {"patient_id": "P"}, "problem_code_system"),
    ("appointments.create", {"patient_id": "P", "timestamp": "soon"}, "timestamp"),
    ("dispensing.create", {"patient_id": "P", "drug_id": "d", "quantity_dispensed": 0}, "quantity_dispensed"),
    ("dispensing.create", {"patient_id": "P", "drug_id": "d", "quantity_dispensed": 1.5}, "quantity_dispensed"),
    ("register_patient", {"patient": {"given_name": ["x"]}}, "given_name"),
    ("register_patient", {"patient": {"date_of_birth": "31.12.1990"}}, "date_of_birth"),
    ("register_patient", {"patient": {"date_of_birth": "1990-13-31"}}, "date_of_birth"),
    ("register_patient", {"patient": {"id": "\u0000"}}, "id"),
    ("register_patient", {"patient": {"id": {"a": 1}}}, "id"),
    ("register_patient", {"patient": {}, "additional_attributes": [{"attribute": "x"}]}, "attribute_id"),
]


@pytest.mark.parametrize(("name", "data", "field"), WRONG)
def test_a_wrong_field_is_named_and_changes_nothing(ward: Ward, name: str, data: dict[str, Any], field: str) -> None:
    before = len(ward.every("patients"))
    answer = ward.client.command(name, {**data, "patient_id": ward.patient} if data.get("patient_id") == "P" else data)
    assert answer.status == 400
    assert field in answer.json["error"]
    assert len(ward.every("patients")) == before


@pytest.mark.parametrize(
    ("name", "params", "field"),
    [
        ("get_patients", {"limit": 0}, "limit"),
        ("get_patients", {"limit": 10_000}, "limit"),
        ("get_patients", {"offset": -1}, "offset"),
        ("search_patients", {"filters": {"password": "x"}}, "filters.password"),
        ("search_patients", {"filters": {"given_name": ["x"]}}, "filters"),
        ("appointments.list", {"start_date": "now", "end_date": 1}, "start_date"),
        ("get_event_form", {}, "form_id"),
    ],
)
def test_a_wrong_parameter_is_named(ward: Ward, name: str, params: dict[str, Any], field: str) -> None:
    answer = ward.client.query(name, params)
    assert answer.status == 400
    assert field in answer.json["error"]


def test_what_is_written_online_waits_for_the_cloud(ward: Ward) -> None:
    ok(
        ward.client.command(
            "register_patient", {"patient": {"given_name": "N"}, "additional_attributes": [{"id": "f"}]}
        )
    )
    ok(ward.client.command("events.create", {"patient_id": ward.patient, "form_data": []}))
    assert ward.waiting() == {"patients", "patient_additional_attributes", "visits", "events"}


def test_what_is_written_online_reaches_the_phone_it_was_written_on_too(ward: Ward) -> None:
    phone = ward.phone()
    assert phone.sync().ok
    made = phone.command("vitals.create", {"patient_id": ward.patient, "heart_rate": 70})
    assert phone.store.find("patient_vitals", made["id"]) is None
    assert phone.sync().ok
    row = phone.store.find("patient_vitals", made["id"])
    assert row is not None
    assert (row["heart_rate"], row["metadata"]) == (70, "{}")


def test_an_online_edit_beats_a_phone_whose_clock_ran_ahead(ward: Ward) -> None:
    ward.put("visits", "v9", patient_id=ward.patient, clinic_id=ward.hub.clinic_id, updated_at=4_000_000_000_000)
    row = ok(ward.client.command("visits.update", {"id": "v9", "provider_name": "Dr B"}))
    assert row["provider_name"] == "Dr B"
    stored = ward.stored("visits", "v9")
    assert stored is not None
    assert stored["updated_at"] == 4_000_000_000_001


def test_edits_of_different_fields_online_and_offline_both_survive(ward: Ward) -> None:
    phone = ward.phone()
    assert phone.sync().ok
    phone.edit("patients", ward.patient, {"phone": "0123"})
    ok(ward.client.command("register_patient", {"patient": {"id": ward.patient, "hometown": "Tyre"}}))
    assert phone.sync().ok
    stored = ward.stored("patients", ward.patient)
    assert stored is not None
    assert (stored["phone"], stored["hometown"]) == ("0123", "Tyre")


def test_the_same_edit_again_changes_nothing(ward: Ward) -> None:
    change = {"patient": {"id": ward.patient, "hometown": "Tyre"}}
    ok(ward.client.command("register_patient", change))
    before = ward.stored("patients", ward.patient)
    ok(ward.client.command("register_patient", change))
    assert ward.stored("patients", ward.patient) == before
