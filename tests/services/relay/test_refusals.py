"""What the cloud will not take: found, held back with its reason, the rest gets through (R5; CLOUD.md 4.3-4.9)."""

import pytest

from hub.actions.cloud import queue
from hub.core.reasons import Code
from hub.services.relay.client import Cloud
from hub.store import quarantine
from tests.services.relay.test_guard import settle
from tests.services.relay.world import PASSWORD, Kind, World, changes, edited, row, uid
from tests.store import pushes


def unknown_there(world: World) -> str:
    """Return a user whom the hub knows and the cloud no more: nobody tells the hub, and the cloud fails at the name."""
    user = world.seed.user("Gone", "gone@test", PASSWORD, clinic=world.here)
    world.cycle()
    world.seed.remove("users", user)
    return user


def test_7_what_the_cloud_cannot_hold_is_named_without_asking_it(connected: World) -> None:
    visit = connected.visit(connected.patient())
    settle(connected)
    vitals = connected.vitals(visit, weight_kg=70.25, temperature_celsius=375)
    report = connected.cycle()
    assert report.traffic.requests == 2  # who are we, and what is new
    assert pushes.reasons(connected.store) == [
        Code.OUT_OF_RANGE.of(table="patient_vitals", column="temperature_celsius", limit=100)
    ]
    assert connected.here_is("patient_vitals", str(vitals["id"]))["temperature_celsius"] == 375
    connected.change("patient_vitals", vitals, temperature_celsius=37.5)
    settle(connected)
    assert connected.there_is("patient_vitals", str(vitals["id"]))["temperature_celsius"] == "37.50"
    assert pushes.reasons(connected.store) == []


def test_4_3_a_poison_record_is_isolated_and_everything_else_gets_through_in_the_same_cycle(connected: World) -> None:
    stranger = unknown_there(connected)
    patients = [connected.patient() for _ in range(30)]
    poison = connected.patient(last_modified_by=stranger)
    later = [connected.patient() for _ in range(30)]
    visit = connected.visit(later[0])
    report = connected.cycle()
    assert (report.pushed.stored, report.pushed.held) == (61, 1)
    assert all(connected.is_there("patients", str(made["id"])) for made in [*patients, *later])
    assert connected.is_there("visits", str(visit["id"]))
    assert connected.where("patients", poison) == "hub"
    [reason] = pushes.reasons(connected.store)
    assert reason.code is Code.REFUSED
    assert report.traffic.requests < 20


def test_4_3_two_poison_records_in_one_batch(connected: World) -> None:
    stranger = unknown_there(connected)
    poison = [connected.patient(last_modified_by=stranger) for _ in range(2)]
    good = [connected.patient() for _ in range(20)]
    report = connected.cycle()
    assert (report.pushed.stored, report.pushed.held) == (len(good), len(poison))


def test_4_3_the_fake_200_of_a_failing_item_is_a_failure(connected: World) -> None:
    prescription = connected.prescription(connected.visit(connected.patient()))
    bad = connected.item(prescription, drug_id=uid())
    good = connected.item(prescription)
    report = connected.cycle()
    assert report.pushed.held == 1
    assert connected.is_there("prescription_items", str(good["id"]))
    assert not connected.is_there("prescription_items", str(bad["id"]))
    assert pushes.reasons(connected.store) == [
        Code.REFUSED_REFERENCE.of(table="prescription_items", parents=["drug_catalogue"])
    ]


def test_4_3_children_of_a_poison_record_wait_for_it(connected: World) -> None:
    patient = connected.patient(last_modified_by=unknown_there(connected))
    visits = [connected.visit(patient) for _ in range(20)]
    other = connected.patient()
    report = connected.cycle()
    assert (report.pushed.stored, report.pushed.held) == (1, 1)
    assert connected.cycle().traffic.requests == 2  # nothing is tried again for nothing
    connected.change("patients", patient, last_modified_by=connected.nurse)
    settle(connected)
    assert all(connected.is_there("visits", str(made["id"])) for made in [*visits])
    assert connected.where("patients", other) == "cloud"
    assert pushes.reasons(connected.store) == []


def test_4_3_a_held_record_is_tried_again_when_someone_says_so(connected: World) -> None:
    visit = connected.visit(connected.patient(), provider_id=(doctor := uid()))
    connected.cycle()
    assert connected.waiting()["held"] == 1
    connected.seed.add("users", id=doctor, name="D", email="d@test", role="provider", hashed_password="x")
    assert connected.cycle().pushed.stored == 0
    with connected.store.write() as tx:
        [entry] = quarantine.entries(tx.db)
        assert queue.retry(tx, entry)
    settle(connected)
    assert connected.is_there("visits", str(visit["id"]))


def test_4_3_a_held_record_is_tried_again_once_a_day(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    visit = connected.visit(connected.patient(), provider_id=(doctor := uid()))
    connected.cycle()
    connected.seed.add("users", id=doctor, name="D", email="d@test", role="provider", hashed_password="x")
    connected.cycle()
    assert connected.cycle().pushed.stored == 0
    monkeypatch.setattr("hub.services.relay.cycle.RETRY_EVERY_MS", 0)
    settle(connected)
    assert connected.is_there("visits", str(visit["id"]))
    assert pushes.reasons(connected.store) == []


def test_4_3_a_cloud_that_stumbles_at_just_this_record_holds_nothing_back(connected: World) -> None:
    connected.patient()
    connected.patient()
    connected.fail(Kind.ERROR_500, times=3, on="push")
    report = connected.cycle()
    assert (report.pushed.stored, report.pushed.held) == (2, 0)


def test_4_3_a_cloud_that_fails_at_everything_costs_no_record_its_place(connected: World) -> None:
    made = [connected.patient() for _ in range(40)]
    connected.fail(Kind.ERROR_500, times=1000, on="push")
    report = connected.try_cycle()
    assert report.outcome.word == "cloud_failing"
    assert report.traffic.requests < 15
    assert connected.waiting()["held"] == 0
    connected.heal()
    assert connected.cycle().pushed.stored == len(made)


def test_4_3_a_cloud_that_takes_nothing_though_it_takes_an_empty_push(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk may be full: forty records are not all poison."""
    real = Cloud.push

    def push(self: Cloud, content: bytes, **how: bool) -> object:
        return real(self, content if content == b"{}" else b"null", **how)

    monkeypatch.setattr(Cloud, "push", push)
    for _ in range(40):
        connected.patient()
    assert connected.try_cycle().outcome.word == "cloud_failing"
    assert connected.waiting() == {"waiting": 40, "sent": 0, "missed": 0, "held": 0}


def test_4_3_one_stumble_of_the_cloud_holds_nothing_back(connected: World) -> None:
    for _ in range(9):
        connected.patient()
    connected.fail(Kind.ERROR_500, times=3, on="push")
    report = connected.cycle()
    assert (report.pushed.stored, report.pushed.held) == (9, 0)


def test_4_3_a_web_page_with_status_200_is_a_failure(connected: World) -> None:
    patient = connected.patient()
    connected.fail(Kind.HTML, on="push")
    assert connected.try_cycle().outcome.word == "not_the_cloud"
    assert connected.where("patients", patient) == "hub"


def test_4_5_a_prescription_without_a_visit_goes_by_itself(connected: World) -> None:
    """The cloud makes up a visit for it each time it is sent: it must not be sent along with what may fail."""
    patient = connected.patient()
    bare = {"id": "", "patient_id": patient["id"]}
    lonely = connected.prescription(bare, visit_id=None)
    connected.prescription({**bare, "id": connected.visit(patient)["id"]}, provider_id=uid())
    connected.cycle()
    visits = [row["id"] for row in connected.seed.rows("visits") if row["provider_name"] != "Pia"]
    assert len(visits) == 1
    assert connected.is_there("prescriptions", str(lonely["id"]))
    settle(connected)
    assert connected.here_is("prescriptions", str(lonely["id"]))["visit_id"] == visits[0]


def test_4_7_an_event_without_a_visit_stays_here_and_says_why(connected: World) -> None:
    patient = connected.patient()
    connected.event({"id": "", "patient_id": patient["id"]})
    connected.event({"id": uid(), "patient_id": patient["id"]})
    report = connected.cycle()
    assert report.pushed.held == 2
    assert connected.seed.rows("events") == []
    assert connected.seed.rows("visits") == []
    codes = {reason.code for reason in connected.reasons()}
    assert codes == {Code.VISIT_MISSING, Code.VISIT_UNKNOWN}


def test_4_7_events_that_are_held_for_their_visit_are_in_records_to_check_and_leave_it_with_the_visit(
    connected: World,
) -> None:
    patient = connected.patient()
    visit = connected.visit(patient, id=(visit_id := uid()))
    connected.remove("visits", visit_id)
    event = connected.event({"id": (lost := uid()), "patient_id": patient["id"]})
    connected.cycle()
    assert [reason.code for reason in pushes.reasons(connected.store)] == [Code.VISIT_UNKNOWN]
    assert connected.waiting()["held"] == 1
    connected.seed.add("visits", id=lost, patient_id=patient["id"], clinic_id=connected.here, metadata={})
    settle(connected)
    assert connected.is_there("events", str(event["id"]))
    assert pushes.reasons(connected.store) == []
    assert not connected.is_there("visits", str(visit["id"]))


def test_4_7_events_go_when_their_visit_has_come(connected: World) -> None:
    patient = connected.patient()
    visit_id = uid()
    event = connected.event({"id": visit_id, "patient_id": patient["id"]})
    connected.cycle()
    connected.visit(patient, id=visit_id)
    settle(connected)
    assert connected.is_there("events", str(event["id"]))
    assert connected.there_is("visits", visit_id)["clinic_id"] == connected.here


def test_4_8_stock_is_pulled_and_never_pushed(connected: World) -> None:
    item = connected.item(connected.prescription(connected.visit(connected.patient())))
    with connected.store.read() as db:
        stock_id = db.execute("SELECT id FROM clinic_inventory").fetchone()[0]
    stock = connected.here_is("clinic_inventory", stock_id)
    record = row("dispensing_records", uid(), patient_id=item["patient_id"], prescription_item_id=item["id"])
    record |= {"clinic_id": connected.here, "drug_id": connected.drug, "batch_id": connected.batch, "metadata": "{}"}
    record |= {"dispensed_by": connected.nurse, "quantity_dispensed": 5, "dispensed_at": 1_800_000_000_000}
    figure = edited(stock, quantity_available=195)
    both = {**changes("clinic_inventory", updated=[figure]), **changes("dispensing_records", created=[record])}
    pushes.push(connected.store, both)
    assert connected.here_is("clinic_inventory", stock_id)["quantity_available"] == 195
    connected.cycle()  # the old row comes once more, in the overlap: it changes nothing
    assert connected.here_is("clinic_inventory", stock_id)["quantity_available"] == 195
    settle(connected)
    assert connected.there_is("clinic_inventory", stock_id)["quantity_available"] == 195
    assert connected.here_is("clinic_inventory", stock_id)["quantity_available"] == 195


def test_4_9_a_record_of_a_clinic_that_is_not_the_hubs_is_not_passed_over_in_silence(connected: World) -> None:
    visit = connected.visit(connected.patient(), clinic_id=connected.elsewhere)
    event = connected.event(visit)
    report = connected.cycle()
    assert report.pushed.held == 1
    [reason] = pushes.reasons(connected.store)
    assert reason == Code.CLINIC_ELSEWHERE.of(table="visits", column="clinic_id")
    assert not connected.is_there("events", str(event["id"]))  # its visit would have been made up (4.7)


def test_4_9_what_was_held_for_its_clinic_goes_when_the_hub_gets_the_clinic(connected: World) -> None:
    patient = connected.patient(primary_clinic_id=connected.elsewhere)
    connected.cycle()
    connected.seed.edit("devices", connected.hub.id, clinic_ids=[connected.here, connected.elsewhere])
    settle(connected)
    assert connected.is_there("patients", str(patient["id"]))
    assert pushes.reasons(connected.store) == []


def test_4_9_a_patient_without_a_clinic_is_stored_and_no_proof_is_waited_for(connected: World) -> None:
    patient = connected.patient(primary_clinic_id=None)
    connected.cycle()
    assert connected.is_there("patients", str(patient["id"]))
    assert connected.where("patients", patient) == "cloud"


def test_a_date_that_is_none_is_named(connected: World) -> None:
    connected.patient(date_of_birth="about 1960")
    connected.cycle()
    assert pushes.reasons(connected.store) == [Code.NOT_A_DATE.of(table="patients", column="date_of_birth")]


def test_a_record_that_the_cloud_passes_over_is_sent_again_and_then_given_to_a_person(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Success alone is not believed."""
    real = Cloud.push
    monkeypatch.setattr(Cloud, "push", lambda self, _content, **_how: real(self, b"{}"))
    patient = connected.patient()
    pushed = [connected.cycle().pushed.stored for _ in range(10)]
    assert sum(pushed) == 3
    assert connected.waiting() == {"waiting": 0, "sent": 0, "missed": 0, "held": 1}
    assert pushes.reasons(connected.store) == [Code.NOT_SHOWN.of(table="patients")]
    monkeypatch.undo()
    connected.change("patients", patient, phone="2")
    settle(connected)
    assert connected.where("patients", patient) == "cloud"


def test_quarantine_that_is_full_holds_up_nothing_and_shows_the_rest_when_there_is_room(connected: World) -> None:
    room, connected.store.quarantine_max = connected.store.quarantine_max, 1
    for _ in range(3):
        connected.patient(date_of_birth="never")
    sound = connected.patient()
    for _ in range(2):
        connected.cycle()
    assert connected.where("patients", sound) == "cloud"
    assert connected.waiting() == {"waiting": 0, "sent": 0, "missed": 0, "held": 3}
    assert len(pushes.reasons(connected.store)) == 1
    connected.store.quarantine_max = room
    connected.cycle()
    assert pushes.reasons(connected.store) == [Code.NOT_A_DATE.of(table="patients", column="date_of_birth")] * 3


def test_what_the_cloud_passes_over_is_on_hold_with_its_reason_though_quarantine_is_full(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, connected.store.quarantine_max = connected.store.quarantine_max, 0
    real = Cloud.push
    monkeypatch.setattr(Cloud, "push", lambda self, _content, **_how: real(self, b"{}"))
    connected.patient()
    for _ in range(10):
        connected.cycle()
    assert connected.waiting() == {"waiting": 0, "sent": 0, "missed": 0, "held": 1}
    assert connected.reasons() == [Code.NOT_SHOWN.of(table="patients")]
    connected.store.quarantine_max = room
    connected.cycle()
    assert pushes.reasons(connected.store) == [Code.NOT_SHOWN.of(table="patients")]


def test_4_5_a_record_without_a_visit_is_not_repeated_when_its_answer_was_lost(connected: World) -> None:
    """The cloud makes up another visit with every repetition; the next pull shows that it has the record."""
    patient = connected.patient()
    settle(connected)
    prescription = connected.prescription({"id": None, "patient_id": patient["id"]})
    connected.fail(Kind.LOSE, on="push")
    connected.try_cycle()
    settle(connected)
    assert connected.is_there("prescriptions", str(prescription["id"]))
    assert len(connected.seed.rows("visits")) == 1


def test_p7_many_poison_records_at_the_front_hold_up_nothing_behind_them(connected: World) -> None:
    """Records of one day may all share a mistake; the hub took the cloud for broken and tried nothing else."""
    patient = connected.patient()
    visit = connected.visit(patient)
    settle(connected)
    for _ in range(25):
        connected.event(visit, form_id=uid())  # a form that the cloud does not have
    vitals = connected.vitals(visit)
    report = connected.cycle()
    assert (report.pushed.stored, report.pushed.held) == (1, 25)
    assert connected.is_there("patient_vitals", str(vitals["id"]))
