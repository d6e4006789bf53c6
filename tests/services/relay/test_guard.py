"""The cloud's guard and what others write there: edits of different columns both survive (R3; CLOUD.md 4.5)."""

import datetime as dt
import time

import pytest

from tests.services.relay.world import Kind, World, changes
from tests.store import pushes

HOUR_MS = 3_600_000
BASE_MS = 1_795_000_000_000


def settle(world: World) -> None:
    """Run cycles until nothing waits and nothing is unproven."""
    for _ in range(8):
        world.cycle()
        if not world.waiting()["waiting"] and not world.waiting()["sent"]:
            return
    raise AssertionError(world.waiting())


def test_4_5_an_edit_by_a_slow_clock_is_not_refused(connected: World) -> None:
    """The cloud stores NOW for a visit: an edit stamped earlier would be dropped with success."""
    visit = connected.visit(connected.patient(), provider_name="A", updated_at=BASE_MS)
    settle(connected)
    connected.change("visits", visit, provider_name="B", updated_at=BASE_MS + 1)
    settle(connected)
    connected.change("visits", visit, provider_name="C", updated_at=BASE_MS + 2)
    settle(connected)
    assert connected.there_is("visits", str(visit["id"]))["provider_name"] == "C"
    assert connected.here_is("visits", str(visit["id"]))["provider_name"] == "C"


def test_4_5_a_clock_that_is_ahead_does_not_lock_the_record(connected: World) -> None:
    patient = connected.patient(updated_at=4_000_000_000_000)  # the year 2096
    settle(connected)
    assert str(connected.there_is("patients", str(patient["id"]))["updated_at"]) < "2090"
    theirs = {**connected.there_is("patients", str(patient["id"])), "phone": "other"}
    connected.seed.push_as(
        connected.hub, changes("patients", updated=[{**theirs, "updated_at": "2090-01-01T00:00:00Z"}])
    )
    assert connected.there_is("patients", str(patient["id"]))["phone"] == "other"


def test_4_5_a_row_that_was_locked_in_the_future_can_still_be_edited_from_here(connected: World) -> None:
    patient = connected.patient()
    settle(connected)
    connected.seed.edit("patients", str(patient["id"]), updated_at="2096-01-01T00:00:00.000Z", hometown="Homs")
    settle(connected)
    connected.change("patients", patient, phone="2")
    settle(connected)
    there = connected.there_is("patients", str(patient["id"]))
    assert (there["phone"], there["hometown"]) == ("2", "Homs")


def test_3_edits_of_different_columns_here_and_there_both_survive(connected: World) -> None:
    patient = connected.patient(phone="1", hometown="Aleppo")
    settle(connected)
    connected.change("patients", patient, phone="2")
    connected.seed.edit("patients", str(patient["id"]), hometown="Homs")
    settle(connected)
    for held in (connected.here_is("patients", str(patient["id"])), connected.there_is("patients", str(patient["id"]))):
        assert (held["phone"], held["hometown"]) == ("2", "Homs")


def test_3_the_clouds_later_edit_stands(connected: World) -> None:
    patient = connected.patient(phone="1")
    settle(connected)
    connected.seed.edit("patients", str(patient["id"]), phone="3")
    settle(connected)
    assert connected.here_is("patients", str(patient["id"]))["phone"] == "3"


def test_3_what_changed_here_wins_for_its_columns(connected: World) -> None:
    patient = connected.patient(phone="1")
    settle(connected)
    connected.seed.edit("patients", str(patient["id"]), phone="3")
    connected.change("patients", patient, phone="2")
    settle(connected)
    assert connected.there_is("patients", str(patient["id"]))["phone"] == "2"


def test_4_5_an_edit_that_was_refused_between_pull_and_push_is_noticed_and_sent_again(connected: World) -> None:
    """The cloud says success; the row that comes back does not hold the edit."""
    visit = connected.visit(connected.patient(), provider_name="A")
    settle(connected)
    connected.change("visits", visit, provider_name="B")
    connected.cycle()
    # Someone who had not seen the edit overwrote the whole row after it.
    connected.seed.edit("visits", str(visit["id"]), provider_name="A")
    settle(connected)
    assert connected.there_is("visits", str(visit["id"]))["provider_name"] == "B"
    assert connected.here_is("visits", str(visit["id"]))["provider_name"] == "B"


def test_4_5_a_later_edit_of_the_same_column_there_is_not_overwritten_by_a_sent_one(connected: World) -> None:
    """The line was down between push and proof: what someone entered meanwhile, knowing ours, stands."""
    visit = connected.visit(connected.patient(), provider_name="A")
    settle(connected)
    connected.change("visits", visit, provider_name="B")
    connected.cycle()
    connected.seed.edit("visits", str(visit["id"]), provider_name="C")
    settle(connected)
    assert connected.there_is("visits", str(visit["id"]))["provider_name"] == "C"
    assert connected.here_is("visits", str(visit["id"]))["provider_name"] == "C"


def test_4_5_no_echo_storm_of_problems_and_vitals(connected: World) -> None:
    """R4: the cloud resets their times with every push."""
    visit = connected.visit(connected.patient())
    problem, vitals = connected.problem(visit), connected.vitals(visit)
    settle(connected)
    connected.change("patient_problems", problem, clinical_status="inactive")
    connected.change("patient_vitals", vitals, systolic_bp=130)
    settle(connected)
    before = connected.revisions()
    assert [connected.cycle().pushed.stored for _ in range(4)] == [0, 0, 0, 0]
    assert connected.revisions() == before
    assert connected.here_is("patient_problems", str(problem["id"]))["created_at"] == problem["created_at"]


def test_4_5_an_edit_of_an_item_is_believed_because_no_pull_ever_shows_it(connected: World) -> None:
    item = connected.item(connected.prescription(connected.visit(connected.patient())))
    settle(connected)
    connected.change("prescription_items", item, quantity_dispensed=7)
    assert connected.cycle().pushed.stored == 1
    assert connected.where("prescription_items", item) == "cloud"
    assert connected.there_is("prescription_items", str(item["id"]))["quantity_dispensed"] == 7
    assert [connected.cycle().pushed.stored for _ in range(3)] == [0, 0, 0]
    assert connected.here_is("prescription_items", str(item["id"]))["quantity_dispensed"] == 7


def test_4_5_two_phones_entries_for_one_field_become_one_row(connected: World) -> None:
    """The cloud's key is the patient and the field; the first id stays."""
    patient = connected.patient()
    first = connected.attribute(patient, string_value="gold", updated_at=BASE_MS)
    second = connected.attribute(patient, string_value="silver", updated_at=BASE_MS + HOUR_MS)
    settle(connected)
    with connected.store.read() as db:
        live = db.execute(
            "SELECT id FROM patient_additional_attributes WHERE local_server_deleted_at IS NULL"
        ).fetchall()
    assert live == [(first["id"],)]
    assert connected.here_is("patient_additional_attributes", str(first["id"]))["string_value"] == "silver"
    assert connected.there_is("patient_additional_attributes", str(first["id"]))["string_value"] == "silver"
    assert not connected.is_there("patient_additional_attributes", str(second["id"]))


def test_4_5_an_entry_for_a_field_that_the_cloud_has_already_goes_into_its_row(connected: World) -> None:
    patient = connected.patient()
    settle(connected)
    theirs = connected.seed.add(
        "patient_additional_attributes",
        patient_id=patient["id"],
        attribute_id="insurance",
        attribute="insurance",
        string_value="old",
        updated_at="2020-01-01T00:00:00.000Z",
    )
    connected.attribute(patient, string_value="new")
    settle(connected)
    assert connected.there_is("patient_additional_attributes", theirs)["string_value"] == "new"
    assert connected.here_is("patient_additional_attributes", theirs)["string_value"] == "new"


def test_3_a_pull_that_keeps_failing_does_not_hold_back_new_records(connected: World) -> None:
    connected.fail(Kind.ERROR_500, times=100, on="pull")
    patient = connected.patient()
    assert connected.try_cycle().pushed.stored == 1
    assert connected.is_there("patients", str(patient["id"]))


def test_3_a_pull_that_keeps_failing_does_not_hold_back_edits_for_ever(connected: World) -> None:
    patient = connected.patient(phone="1")
    settle(connected)
    connected.fail(Kind.ERROR_500, times=100, on="pull")
    connected.change("patients", patient, phone="2")
    assert [connected.try_cycle().pushed.stored for _ in range(4)] == [0, 0, 0, 0]
    connected.let_pulls_have_failed_for(dt.timedelta(days=1))
    assert [connected.try_cycle().pushed.stored for _ in range(2)] == [1, 0]
    assert connected.there_is("patients", str(patient["id"]))["phone"] == "2"


def test_3_after_a_few_pulls_that_failed_an_edit_undoes_no_merge_of_duplicates(connected: World) -> None:
    """The whole row of an edit would move the record back: the cloud's merge gave it no new time."""
    duplicate, twin = connected.patient(), connected.patient()
    visit = connected.visit(duplicate)
    event = connected.event(visit)
    settle(connected)
    connected.fail(Kind.DROP, times=8, on="pull")
    connected.seed.merge(str(duplicate["id"]), str(twin["id"]), announced=False)
    connected.change("visits", visit, provider_name="Eva")
    for _ in range(4):
        connected.try_cycle()
    connected.heal()
    for _ in range(2):
        settle(connected)
    for table, row in {"visits": visit, "events": event}.items():
        assert connected.here_is(table, str(row["id"]))["patient_id"] == twin["id"]
        assert connected.there_is(table, str(row["id"]))["patient_id"] == twin["id"]
    assert connected.there_is("visits", str(visit["id"]))["provider_name"] == "Eva"


@pytest.mark.parametrize("newest", [0, 1])
def test_4_5_of_two_rows_for_one_field_what_was_entered_last_stays(connected: World, newest: int) -> None:
    """The cloud keeps one row of them, and takes what comes last where the phones' clocks are ahead of its own."""
    connected.limit(batch_records=1)
    patient = connected.patient()
    now_ms = time.time_ns() // 1_000_000
    times = [now_ms + (2 * HOUR_MS if which == newest else HOUR_MS) for which in range(2)]
    rows = [connected.attribute(patient, string_value=f"B{which}", updated_at=at) for which, at in enumerate(times)]
    for _ in range(4):
        connected.want_everything()
        settle(connected)
    there = [row for row in connected.seed.rows("patient_additional_attributes") if row["patient_id"] == patient["id"]]
    assert [(row["string_value"], row["is_deleted"]) for row in there] == [(f"B{newest}", False)]
    live = pushes.live(connected.store, "patient_additional_attributes") & {str(row["id"]) for row in rows}
    assert [connected.here_is("patient_additional_attributes", one)["string_value"] for one in live] == [f"B{newest}"]
    assert not any(connected.waiting().values())
