"""What goes up, in which order and form (R1, R2; CLOUD.md 4.1 to 4.4)."""

import json
from typing import Any

import pytest

from hub.core.cloud.tables import PUSH_ORDER
from hub.core.reasons import Code
from hub.services.relay.client import Cloud
from tests.services.relay.world import World, uid
from tests.store import pushes


def everything(world: World) -> dict[str, str]:
    """Enter one record of every table that goes up; returns table -> id."""
    patient = world.patient()
    visit = world.visit(patient)
    prescription = world.prescription(visit)
    item = world.item(prescription)
    made = {
        "patients": patient,
        "patient_additional_attributes": world.attribute(patient, string_value="gold"),
        "visits": visit,
        "events": world.event(visit),
        "appointments": world.appointment(visit),
        "prescriptions": prescription,
        "patient_vitals": world.vitals(visit),
        "patient_problems": world.problem(visit, onset_date=1_704_153_600_000),
        "prescription_items": item,
        "dispensing_records": world.dispensing(item, batch_id=world.batch),
    }
    return {table: str(made_row["id"]) for table, made_row in made.items()}


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return the bodies of all pushes, in order."""
    seen: list[dict[str, Any]] = []
    real = Cloud.push

    def push(self: Cloud, content: bytes, **how: bool) -> object:
        seen.append(json.loads(content))
        return real(self, content, **how)

    monkeypatch.setattr(Cloud, "push", push)
    return seen


def test_everything_entered_reaches_the_cloud_in_one_cycle(connected: World) -> None:
    made = everything(connected)
    report = connected.cycle()
    assert (report.pushed.stored, report.pushed.held) == (len(made), 0)
    for table, row_id in made.items():
        assert connected.is_there(table, row_id), table
    assert connected.waiting() == {"waiting": 0, "sent": len(made), "missed": 0, "held": 0}


def test_the_next_pull_proves_it_and_no_phone_hears_of_it(connected: World) -> None:
    """R4, and the three states of a record."""
    made = everything(connected)
    connected.cycle()
    before = connected.revisions()
    report = connected.cycle()
    after = connected.revisions()
    changed = {table for (table, row_id), revision in after.items() if before[table, row_id] != revision}
    assert changed == set()  # what the cloud took from its stock (CLOUD.md 4.8) was missing here already
    assert report.pulled.seen == len(made)
    assert connected.waiting() == {"waiting": 0, "sent": 0, "missed": 0, "held": 0}
    assert connected.cycle().pushed.stored == 0


def test_three_states(connected: World) -> None:
    patient = connected.patient()
    assert connected.where("patients", patient) == "hub"
    connected.cycle()
    assert connected.where("patients", patient) == "sent"
    connected.cycle()
    assert connected.where("patients", patient) == "cloud"


def test_4_1_the_tables_lie_at_the_top_of_the_body(connected: World, bodies: list[dict[str, Any]]) -> None:
    connected.patient()
    connected.cycle()
    assert [set(body) for body in bodies] == [{"patients"}]
    assert set(bodies[0]["patients"]) == {"created", "updated", "deleted"}


def test_4_1_what_the_cloud_takes_from_nobody_is_not_pushed(connected: World, bodies: list[dict[str, Any]]) -> None:
    """clinic_departments would be inserted anew each time, drug_catalogue ignored with success."""
    connected.enter("clinic_departments", {"id": uid(), "clinic_id": connected.here, "name": "Lab"})
    connected.enter("drug_catalogue", {"id": uid(), "generic_name": "Aspirin"})
    connected.cycle()
    assert bodies == []


def test_4_2_times_are_iso_text_also_before_2001(connected: World) -> None:
    patient = connected.patient(created_at=631_152_000_000)
    dated = connected.attribute(patient, date_value=631_152_000_000)
    connected.cycle()
    there = connected.there_is("patient_additional_attributes", str(dated["id"]))
    assert there["date_value"] == "1990-01-01T00:00:00.000Z"
    assert connected.there_is("patients", str(patient["id"]))["created_at"] == "1990-01-01T00:00:00.000Z"


def test_4_2_rows_are_complete(connected: World) -> None:
    """An upsert replaces the whole row: a column that is left out of an update becomes null."""
    patient = connected.patient(surname="Haddad", phone="1")
    connected.cycle()
    connected.cycle()
    connected.change("patients", patient, phone="2")
    connected.cycle()
    there = connected.there_is("patients", str(patient["id"]))
    assert (there["phone"], there["surname"], there["primary_clinic_id"]) == ("2", "Haddad", connected.here)


def test_4_2_a_column_that_only_the_cloud_has_survives_an_edit(connected: World) -> None:
    """P8: an upsert without it would null it."""
    patient = connected.patient()
    connected.cycle()
    connected.seed.edit("patients", str(patient["id"]), image_timestamp="2026-09-21T06:30:05.784Z")
    before = connected.revisions()
    connected.cycle()
    assert connected.revisions() == before  # no phone has the column
    connected.change("patients", patient, phone="2")
    connected.cycle()
    there = connected.there_is("patients", str(patient["id"]))
    assert (there["phone"], there["image_timestamp"]) == ("2", "2026-09-21T06:30:05.784Z")


def test_4_2_a_fraction_in_an_integer_column_is_held_and_never_rounded(connected: World) -> None:
    vitals = connected.vitals(connected.visit(connected.patient()), diastolic_bp=80.5)
    connected.cycle()
    assert pushes.reasons(connected.store) == [Code.NOT_WHOLE.of(table="patient_vitals", column="diastolic_bp")]
    assert not connected.is_there("patient_vitals", str(vitals["id"]))
    assert connected.here_is("patient_vitals", str(vitals["id"]))["diastolic_bp"] == 80.5


def test_4_2_an_appointment_without_duration_goes_without_it(connected: World) -> None:
    """Null would fail the request; the cloud puts in what it likes, which then stands."""
    appointment = connected.appointment(connected.visit(connected.patient()), duration=None)
    connected.cycle()
    assert connected.is_there("appointments", str(appointment["id"]))


def test_4_2_ids_in_capitals_are_the_same_record(connected: World) -> None:
    row_id = uid().upper()
    patient = connected.patient(id=row_id, primary_clinic_id=connected.here.upper())
    connected.cycle()
    connected.cycle()
    assert connected.is_there("patients", row_id.lower())
    assert connected.where("patients", {**patient, "id": row_id.lower()}) == "cloud"
    with connected.store.read() as db:
        assert db.execute("SELECT count(*) FROM patients").fetchone()[0] == 1


def test_4_2_json_that_the_app_encodes_twice_goes_as_json_and_stays_as_the_phone_has_it(connected: World) -> None:
    twice = json.dumps(json.dumps({"providerId": "x"}))
    visit = connected.visit(connected.patient())
    event = connected.event(visit, metadata=twice)
    connected.cycle()
    connected.cycle()
    assert connected.there_is("events", str(event["id"]))["metadata"] == {"providerId": "x"}
    assert connected.here_is("events", str(event["id"]))["metadata"] == twice
    assert connected.where("events", event) == "cloud"


def test_4_2_metadata_that_is_no_object_is_wrapped_not_lost(connected: World) -> None:
    visit = connected.visit(connected.patient(), metadata="[1,2]")
    connected.cycle()
    connected.cycle()
    assert connected.there_is("visits", str(visit["id"]))["metadata"] == {"value": [1, 2]}
    assert connected.here_is("visits", str(visit["id"]))["metadata"] == "[1,2]"
    assert connected.where("visits", visit) == "cloud"


def test_6_false_in_a_nullable_column_stays_false(connected: World) -> None:
    attribute = connected.attribute(connected.patient(), boolean_value=False)
    connected.cycle()
    assert connected.there_is("patient_additional_attributes", str(attribute["id"]))["boolean_value"] is False


@pytest.mark.parametrize("day", ["1369-02-22", "0990-05-12", "2190-01-01", "١٣٦٩/٠٢/٢٢"])
def test_7_a_birth_date_of_any_year_arrives_as_it_was_entered(connected: World, day: str) -> None:
    """The cloud made it today, and today came back over the entry."""
    patient = connected.patient(date_of_birth=day)
    connected.cycle()
    connected.cycle()
    kept = "1369-02-22" if not day.isascii() else day
    assert str(connected.there_is("patients", str(patient["id"]))["date_of_birth"])[:10] == kept
    assert connected.here_is("patients", str(patient["id"]))["date_of_birth"] == kept
    assert connected.where("patients", patient) == "cloud"


def test_7_vitals_without_a_time_are_held_and_stay_as_they_were_entered(connected: World) -> None:
    vitals = connected.vitals(connected.visit(connected.patient()), timestamp=0)
    connected.cycle()
    connected.cycle()
    assert not connected.is_there("patient_vitals", str(vitals["id"]))
    assert connected.here_is("patient_vitals", str(vitals["id"]))["timestamp"] == 0
    assert connected.waiting()["held"] == 1


def test_7_an_answer_of_0_is_0_there_and_here(connected: World) -> None:
    attribute = connected.attribute(connected.patient(), number_value=0)
    connected.cycle()
    connected.cycle()
    assert connected.there_is("patient_additional_attributes", str(attribute["id"]))["number_value"] == 0
    assert connected.here_is("patient_additional_attributes", str(attribute["id"]))["number_value"] == 0
    assert connected.where("patient_additional_attributes", attribute) == "cloud"


def test_6_what_the_cloud_drops_stays_here(connected: World) -> None:
    visit = connected.visit(connected.patient())
    prescription = connected.prescription(visit, metadata='{"colour":"red"}', filled_at=1_800_000_000_000)
    item = connected.item(prescription, recorded_by_user_id=connected.nurse, metadata='{"a":1}')
    connected.cycle()
    connected.cycle()
    assert connected.there_is("prescriptions", str(prescription["id"]))["metadata"] == {}
    assert connected.here_is("prescriptions", str(prescription["id"]))["metadata"] == '{"colour":"red"}'
    assert connected.here_is("prescription_items", str(item["id"]))["recorded_by_user_id"] == connected.nurse
    assert connected.waiting()["sent"] == 0


def test_6_an_edit_that_the_cloud_cannot_hold_is_not_sent_for_ever(connected: World) -> None:
    """filled_at is stored when a prescription is new, never by an update."""
    prescription = connected.prescription(connected.visit(connected.patient()))
    connected.cycle()
    connected.cycle()
    connected.change("prescriptions", prescription, filled_at=1_800_000_000_000)
    pushed = [connected.cycle().pushed.stored for _ in range(5)]
    assert sum(pushed) <= 1
    assert connected.here_is("prescriptions", str(prescription["id"]))["filled_at"] == 1_800_000_000_000


def test_4_4_items_go_in_an_earlier_request_than_what_was_dispensed(
    connected: World, bodies: list[dict[str, Any]]
) -> None:
    made = everything(connected)
    connected.cycle()
    where = {table: number for number, body in enumerate(bodies) for table in body}
    assert where["prescription_items"] < where["dispensing_records"]
    assert connected.is_there("dispensing_records", made["dispensing_records"])


def test_4_4_what_is_named_goes_before_what_names_it(connected: World, bodies: list[dict[str, Any]]) -> None:
    connected.limit(batch_records=1)
    everything(connected)
    connected.cycle()
    assert [table for body in bodies for table in body] == [table.name for table in PUSH_ORDER]


def test_a_batch_is_bounded_in_records(connected: World, bodies: list[dict[str, Any]]) -> None:
    connected.limit(batch_records=10)
    for _ in range(25):
        connected.patient()
    connected.cycle()
    assert [len(body["patients"]["created"]) for body in bodies] == [10, 10, 5]


def test_a_batch_is_bounded_in_bytes_and_a_larger_record_goes_by_itself(connected: World) -> None:
    connected.limit(batch_bytes=32 * 1024)
    visit = connected.visit(connected.patient())
    events = [
        connected.event(visit, form_data=json.dumps([{"value": "x" * size}])) for size in (20_000, 20_000, 90_000)
    ]
    report = connected.cycle()
    assert report.pushed.batches == 3
    assert all(connected.is_there("events", str(event["id"])) for event in events)


def test_an_edit_made_while_its_record_was_sent_goes_again(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """R1: only the revision that was sent is confirmed."""
    patient = connected.patient(phone="1")
    real = Cloud.push

    def push(self: Cloud, content: bytes, **how: bool) -> object:
        monkeypatch.undo()
        connected.change("patients", patient, phone="2")
        return real(self, content, **how)

    monkeypatch.setattr(Cloud, "push", push)
    connected.cycle()
    assert connected.there_is("patients", str(patient["id"]))["phone"] == "1"
    assert connected.where("patients", patient) == "hub"
    connected.cycle()
    assert connected.there_is("patients", str(patient["id"]))["phone"] == "2"


def test_a_record_that_comes_during_a_push_does_not_overtake_its_visit(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLOUD.md 4.7: the cloud would make up a visit for it."""
    connected.patient()
    made: list[Any] = []
    real = Cloud.push

    def push(self: Cloud, content: bytes, **how: bool) -> object:
        monkeypatch.undo()
        made.append(connected.event(connected.visit(connected.patient())))
        return real(self, content, **how)

    monkeypatch.setattr(Cloud, "push", push)
    connected.cycle()
    assert not connected.is_there("events", str(made[0]["id"]))
    connected.cycle()
    there = connected.there_is("visits", str(made[0]["visit_id"]))
    assert (there["clinic_id"], there["metadata"]) == (connected.here, {})
