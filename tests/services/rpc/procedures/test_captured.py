"""Every request that the app was seen to send in online mode, answered as the app reads it."""

import json
from pathlib import Path

import pytest

from tests.hubs import Answer
from tests.services.rpc.procedures.ward import Ward, ok

CAPTURED = json.loads((Path(__file__).parents[3] / "vectors/phone/online_requests.json").read_text("utf-8"))
PATIENT = "bb971f8e-f9c5-45ec-b9a5-51892e521445"


def sent(ward: Ward, name: str, number: int = 0, **changed: object) -> Answer:
    """Send a captured request; ``changed`` stands for the ids that are the hub's and for the user's clinic."""
    request = CAPTURED[name][number]
    params = {**request["params"], **changed}
    return ward.client.command(name, params) if request["kind"] == "command" else ward.client.query(name, params)


@pytest.fixture
def registered(ward: Ward) -> Ward:
    """Return a ward with the captured patient."""
    ok(sent(ward, "register_patient"))
    return ward


@pytest.fixture
def visit(registered: Ward) -> str:
    """Return the id of a visit of the captured patient."""
    made = ok(sent(registered, "visits.create", clinic_id=registered.hub.clinic_id, provider_id=registered.hub.user.id))
    return str(made["id"])


def test_a_patient_is_registered_with_every_attribute(ward: Ward) -> None:
    assert ok(sent(ward, "register_patient")) == {"patient_id": PATIENT, "attributes_count": 4}
    attributes = ward.every("patient_additional_attributes")
    assert {(each["patient_id"], each["attribute_id"]) for each in attributes} == {
        (PATIENT, "attr-form-field-1"),
        (PATIENT, "ff2"),
        (PATIENT, "ff3"),
        (PATIENT, "ff4"),
    }
    assert not {each["id"] for each in attributes} & {"attr-form-field-1", "ff2", "ff3", "ff4"}
    assert next(each for each in attributes if each["attribute"] == "since")["date_value"] == 1_577_836_800_000


def test_who_registers_without_a_clinic_registers_in_their_own(registered: Ward) -> None:
    stored = registered.stored("patients", PATIENT)
    assert stored is not None
    assert stored["primary_clinic_id"] == registered.hub.clinic_id
    assert stored["last_modified_by"] == registered.hub.user.id


def test_a_correction_keeps_clinic_and_making_and_whatever_comes_empty(registered: Ward) -> None:
    before = registered.stored("patients", PATIENT)
    ok(sent(registered, "register_patient", 1))
    after = registered.stored("patients", PATIENT)
    assert before is not None
    assert after is not None
    assert after["given_name"] == "Online2"
    assert {name for name in after if after[name] != before[name]} == {"given_name", "updated_at"}
    assert len(registered.every("patient_additional_attributes")) == 4


def test_patients_are_listed_newest_first_and_in_pages(registered: Ward) -> None:
    registered.put("patients", "old", created_at=1, primary_clinic_id=registered.hub.clinic_id)
    page = ok(sent(registered, "get_patients"))
    assert (page["total"], page["limit"], page["offset"]) == (3, 20, 0)
    assert page["data"][-1]["id"] == "old"
    assert [row["id"] for row in ok(sent(registered, "get_patients", offset=2))["data"]] == ["old"]


def test_rows_have_json_iso_times_and_null_for_what_is_absent(registered: Ward) -> None:
    row = next(each for each in ok(sent(registered, "get_patients"))["data"] if each["id"] == PATIENT)
    assert row["created_at"] == "2026-11-20T06:27:22.788Z"
    assert (row["additional_data"], row["metadata"]) == ({}, {})
    assert (row["is_deleted"], row["deleted_at"], row["camp"], row["date_of_birth"]) == (
        False,
        None,
        None,
        "1991-02-03",
    )


def test_the_search_box_finds_the_patient(registered: Ward) -> None:
    page = ok(sent(registered, "search_patients"))
    assert [row["id"] for row in page["data"]] == [PATIENT]
    assert page["total"] == 1


def test_a_patient_is_given_as_a_filled_in_form(registered: Ward) -> None:
    form = ok(sent(registered, "get_patient"))
    base = {field["column"]: field["id"] for field in form["fields"] if field["baseField"]}
    assert form["values"][base["given_name"]] == "Online"
    assert form["values"][base["id"]] == PATIENT
    assert form["values"]["ff2"] == 2
    assert form["values"]["ff3"] is True


def test_a_patient_that_is_not_there_is_404(registered: Ward) -> None:
    assert sent(registered, "get_patient", 1).status == 404


def test_a_visit_is_begun_and_listed(registered: Ward, visit: str) -> None:
    listed = ok(sent(registered, "get_visits"))["data"]
    assert [row["id"] for row in listed] == [visit]
    assert listed[0]["check_in_timestamp"] == "2026-11-20T06:27:22.938Z"
    assert listed[0]["provider_name"] == "Dr O1"


def test_an_event_is_entered_into_its_visit(registered: Ward, visit: str) -> None:
    made = ok(sent(registered, "events.create", visit_id=visit))
    assert made["visit_id"] == visit
    listed = ok(sent(registered, "get_visit_events", visit_id=visit))["data"]
    assert listed[0]["form_data"] == CAPTURED["events.create"][0]["params"]["form_data"]
    assert listed[0]["recorded_by_user_id"] == "user-O1"
    assert ok(sent(registered, "events.by_form")) == listed


def test_for_an_event_without_a_visit_the_hub_begins_one(registered: Ward) -> None:
    made = ok(sent(registered, "events.create", 1))
    visit = registered.stored("visits", made["visit_id"])
    assert visit is not None
    assert (visit["patient_id"], visit["clinic_id"]) == (PATIENT, registered.hub.clinic_id)
    assert (visit["provider_id"], visit["provider_name"]) == (registered.hub.user.id, registered.hub.user.name)
    assert visit["check_in_timestamp"] == visit["created_at"] > 0
    event = registered.stored("events", made["id"])
    assert event is not None
    assert event["recorded_by_user_id"] == registered.hub.user.id


def test_an_event_is_corrected_and_given_whole(registered: Ward) -> None:
    event = ok(sent(registered, "events.create", 1))
    row = ok(sent(registered, "events.update", id=event["id"]))
    assert row["metadata"] == {"edited": 1}
    assert row["form_id"] == "form-1"
    assert [each["fieldId"] for each in row["form_data"]] == ["fld-1"]


def test_an_event_is_deleted(registered: Ward) -> None:
    event = ok(sent(registered, "events.create", 1))
    ok(sent(registered, "events.delete", id=event["id"]))
    assert ok(sent(registered, "events.by_form")) == []
    assert sent(registered, "events.update", id=event["id"]).status == 404


def test_vital_signs_are_entered_and_listed(registered: Ward, visit: str) -> None:
    made = ok(sent(registered, "vitals.create", visit_id=visit))
    listed = ok(sent(registered, "vitals.list"))
    assert [row["id"] for row in listed] == [made["id"]]
    assert (listed[0]["diastolic_bp"], listed[0]["timestamp"]) == (80.5, "2026-11-20T06:27:22.991Z")
    assert listed[0]["pulse_rate"] is None
    assert listed[0]["pain_level"] == 0


def test_a_problem_is_entered_found_and_resolved(registered: Ward, visit: str) -> None:
    made = ok(sent(registered, "problems.create", visit_id=visit))
    assert [row["id"] for row in ok(sent(registered, "problems.list"))] == [made["id"]]
    before = ok(sent(registered, "problems.get", id=made["id"]))
    assert (before["onset_date"], before["end_date"]) == ("2024-01-02T00:00:00.000Z", None)
    after = ok(sent(registered, "problems.update", id=made["id"]))
    assert (after["clinical_status"], after["problem_code"]) == ("resolved", "I10")
    assert after["end_date"] == "2026-11-20T06:27:23.028Z"
    cleared = registered.client.command("problems.update", {"id": made["id"], "end_date": None})
    assert ok(cleared)["end_date"] is None


def test_a_problem_that_is_not_there_is_404(registered: Ward) -> None:
    assert sent(registered, "problems.get").status == 404
