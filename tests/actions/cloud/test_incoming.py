"""What the cloud's rows and deletions do to the hub's records and to the outbox, without a cloud (R3, R4, R8)."""

import json
from typing import Any

import msgspec
import pytest

from hub.actions.cloud import deletions, incoming
from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.outbox import GIVE_UP, Entry, OutboxState
from hub.core.cloud.pull_tally import PullTally
from hub.core.cloud.shown import Shown
from hub.core.reasons import Code
from hub.core.records import codec
from hub.core.records.tables import TABLES
from hub.store.cloud import outbox
from hub.store.database import Store
from tests.hubs import changes, edit, row
from tests.store import pushes

PATIENT = "722ec9fb-c976-5da8-9803-ada1362fa54c"
OTHER = "0a1b2c3d-c976-5da8-9803-ada1362fa54c"
VISIT = "1a1b2c3d-c976-5da8-9803-ada1362fa54c"
ATTRIBUTES = "patient_additional_attributes"


def shown(table: str, row_id: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a row as the cloud sends it."""
    record = codec.build(TABLES[table], {"id": row_id, "created_at": 10**12, "updated_at": 10**12, **values})
    sent: dict[str, Any] = json.loads(cloud_forms.write(TABLES[table], record, updated_ms=10**12, names={}))
    return {**sent, "created_at": "2026-01-01T00:00:00.000Z"}


def merge(store: Store, table: str, *rows: dict[str, Any], updated: bool = False) -> PullTally:
    tally = PullTally()
    incoming.merge(store, TABLES[table], rows, tally, updated=updated)
    return tally


def pull_all(store: Store, table: str, row_id: str, updated_at: str, **values: Any) -> PullTally:  # noqa: ANN401
    """Let a full pull bring a row that says it was updated then; it is no news."""
    told = shown(table, row_id, **values) | {"updated_at": updated_at, "last_modified": "2026-01-01T00:00:00.000Z"}
    tally = PullTally()
    incoming.merge(store, TABLES[table], [told], tally, shown=Shown(until_ms=2 * 10**12))
    return tally


def delete(store: Store, table: str, *ids: str, full: bool = True) -> PullTally:
    tally = PullTally()
    stays = deletions.delete(store, TABLES[table], ids, tally, full=full)
    assert not stays
    return tally


def entry(store: Store, table: str, row_id: str) -> Entry | None:
    with store.read() as db:
        found = outbox.find(db, table, row_id)
    assert found is not None
    return found[1]


def confirm(store: Store, table: str, row_id: str, *, tries: int = 0) -> None:
    """Let the cloud have said success to a record as it is."""
    with store.write() as tx:
        num, kept = outbox.find(tx.db, table, row_id) or (0, None)
        assert kept is not None
        sent = kept.confirmed(kept.revision, pulls=0, shown=True)
        assert sent is not None
        outbox.put(tx, TABLES[table], {num: msgspec.structs.replace(sent, tries=tries)})


def enter(store: Store, table: str, row_id: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401
    made: dict[str, Any] = row(table, row_id, **values)
    pushes.push(store, changes(table, created=[made]))
    return made


def test_a_row_comes_as_new_then_as_known_and_waits_for_no_cloud(store: Store) -> None:
    assert merge(store, "patients", shown("patients", PATIENT)).created == 1
    assert merge(store, "patients", shown("patients", PATIENT)).unchanged == 1
    assert merge(store, "patients", shown("patients", PATIENT, phone="1")).updated == 1
    assert entry(store, "patients", PATIENT) is None


def test_records_of_patients_whom_the_hub_does_not_have_are_passed_over(store: Store) -> None:
    assert merge(store, "visits", shown("visits", VISIT, patient_id=PATIENT)).foreign == 1
    merge(store, "patients", shown("patients", PATIENT))
    assert merge(store, "visits", shown("visits", VISIT, patient_id=PATIENT)).created == 1


def test_a_patient_whom_the_cloud_thinks_the_hub_has_came_from_another_clinic(store: Store) -> None:
    assert merge(store, "patients", shown("patients", PATIENT), updated=True).moved_in == 1
    assert merge(store, "patients", shown("patients", PATIENT, phone="1"), updated=True).moved_in == 0


def test_what_is_shown_as_it_was_sent_leaves_the_outbox_and_an_edit_made_since_does_not(store: Store) -> None:
    made = enter(store, "patients", PATIENT)
    confirm(store, "patients", PATIENT)
    pushes.push(store, changes("patients", updated=[edit(made, phone="mine")]))
    assert merge(store, "patients", shown("patients", PATIENT)).seen == 0
    assert pushes.kept(store, "patients", PATIENT)["phone"] == "mine"
    kept = entry(store, "patients", PATIENT)
    assert kept is not None
    assert (kept.state(), kept.columns) == (OutboxState.WAITING, frozenset({"phone"}))
    confirm(store, "patients", PATIENT)
    assert merge(store, "patients", shown("patients", PATIENT, phone="mine")).seen == 1
    assert entry(store, "patients", PATIENT) is None


@pytest.mark.parametrize(("tries", "wanted"), [(0, OutboxState.WAITING), (GIVE_UP, OutboxState.ON_HOLD)])
def test_an_edit_that_the_cloud_did_not_keep_goes_again_until_it_is_given_up(
    store: Store, tries: int, wanted: OutboxState
) -> None:
    merge(store, "patients", shown("patients", PATIENT, phone="old"))
    made = row("patients", PATIENT, phone="old")
    pushes.push(store, changes("patients", updated=[edit(made, phone="mine", updated_at=2 * 10**12)]))
    confirm(store, "patients", PATIENT, tries=tries)
    merge(store, "patients", shown("patients", PATIENT, phone="old"))
    kept = entry(store, "patients", PATIENT)
    assert kept is not None
    assert kept.state() is wanted
    held = [Code.NOT_KEPT.of(table="patients", columns=["phone"])]
    assert pushes.reasons(store) == (held if wanted is OutboxState.ON_HOLD else [])
    assert merge(store, "patients", shown("patients", PATIENT, phone="mine")).restored == 0


def test_what_was_deleted_here_stays_deleted_and_the_cloud_is_told_again(store: Store) -> None:
    merge(store, "patients", shown("patients", PATIENT))
    pushes.push(store, changes("patients", deleted=[PATIENT]))
    with store.write() as tx:
        tx.db.execute("DELETE FROM outbox")
    assert merge(store, "patients", shown("patients", PATIENT)).unchanged == 1
    assert pushes.tombstones(store, "patients") == {PATIENT}
    assert entry(store, "patients", PATIENT) is not None


def test_a_deletion_takes_children_along_and_what_was_never_sent_is_kept_for_people(store: Store) -> None:
    merge(store, "patients", shown("patients", PATIENT))
    enter(store, "visits", VISIT, patient_id=PATIENT)
    assert delete(store, "patients", PATIENT).deleted == 2
    assert pushes.tombstones(store, "visits") == {VISIT}
    assert entry(store, "visits", VISIT) is None
    assert pushes.reasons(store) == [Code.PARENT_DELETED_IN_CLOUD.of(table="visits", parent="patients")]


def test_9_a_child_that_the_cloud_has_is_removed_here_and_nowhere_else(store: Store) -> None:
    merge(store, "patients", shown("patients", PATIENT))
    enter(store, "visits", VISIT, patient_id=PATIENT)
    confirm(store, "visits", VISIT)
    delete(store, "patients", PATIENT)
    assert pushes.tombstones(store, "visits") == {VISIT}
    assert entry(store, "visits", VISIT) is None
    assert pushes.reasons(store) == []


def test_9_without_a_full_pull_a_deletion_waits_that_would_take_along_what_the_cloud_has(store: Store) -> None:
    merge(store, "patients", shown("patients", PATIENT))
    merge(store, "visits", shown("visits", VISIT, patient_id=PATIENT))
    assert deletions.delete(store, TABLES["patients"], [PATIENT], PullTally(), full=False)
    assert pushes.live(store, "patients") == {PATIENT}
    assert pushes.live(store, "visits") == {VISIT}


def test_9_what_went_along_comes_back_where_it_stands_elsewhere_now(store: Store) -> None:
    merge(store, "patients", shown("patients", PATIENT), shown("patients", OTHER))
    merge(store, "visits", shown("visits", VISIT, patient_id=PATIENT))
    delete(store, "patients", PATIENT)
    merge(store, "visits", shown("visits", VISIT, patient_id=PATIENT))
    assert pushes.tombstones(store, "visits") == {VISIT}
    assert entry(store, "visits", VISIT) is None
    assert merge(store, "visits", shown("visits", VISIT, patient_id=OTHER)).updated == 1
    assert pushes.kept(store, "visits", VISIT)["patient_id"] == OTHER
    assert entry(store, "visits", VISIT) is None


def test_9_what_went_along_with_what_was_deleted_here_comes_back_where_it_stands_elsewhere(store: Store) -> None:
    merge(store, "patients", shown("patients", PATIENT), shown("patients", OTHER))
    merge(store, "visits", shown("visits", VISIT, patient_id=PATIENT))
    pushes.push(store, changes("patients", deleted=[PATIENT]))
    assert pushes.tombstones(store, "visits") == {VISIT}
    merge(store, "visits", shown("visits", VISIT, patient_id=OTHER))
    assert pushes.kept(store, "visits", VISIT)["patient_id"] == OTHER
    assert entry(store, "visits", VISIT) is None


def test_9_an_unsent_edit_of_what_the_cloud_deletes_is_kept_for_people(store: Store) -> None:
    for table, row_id, parent in (("patients", PATIENT, None), ("visits", VISIT, PATIENT)):
        values = {"patient_id": parent} if parent else {}
        merge(store, table, shown(table, row_id, **values))
        column = "provider_name" if parent else "phone"
        pushes.push(store, changes(table, updated=[edit(row(table, row_id, **values), **{column: "mine"})]))
    assert delete(store, "patients", PATIENT).deleted == 2
    assert pushes.reasons(store) == [
        Code.DELETED_IN_CLOUD.of(table="patients"),
        Code.PARENT_DELETED_IN_CLOUD.of(table="visits", parent="patients"),
    ]


def test_9_what_a_phone_enters_for_what_the_cloud_deleted_is_kept_for_people(store: Store) -> None:
    """It cannot know of that yet."""
    merge(store, "patients", shown("patients", PATIENT))
    delete(store, "patients", PATIENT)
    pushes.push(store, changes("patients", updated=[edit(row("patients", PATIENT), phone="mine")]))
    assert pushes.tombstones(store, "patients") == {PATIENT}
    assert pushes.reasons(store) == [Code.DELETED_IN_CLOUD.of(table="patients")]


def test_9_an_unsent_edit_comes_back_with_what_went_along_and_waits_again(store: Store) -> None:
    merge(store, "patients", shown("patients", PATIENT), shown("patients", OTHER))
    merge(store, "visits", shown("visits", VISIT, patient_id=PATIENT, provider_name="old"))
    visit = row("visits", VISIT, patient_id=PATIENT, provider_name="old")
    pushes.push(store, changes("visits", updated=[edit(visit, provider_name="mine")]))
    delete(store, "patients", PATIENT)
    merge(store, "visits", shown("visits", VISIT, patient_id=OTHER, provider_name="old"))
    kept = pushes.kept(store, "visits", VISIT)
    assert (kept["patient_id"], kept["provider_name"]) == (OTHER, "mine")
    waits = entry(store, "visits", VISIT)
    assert waits is not None
    assert (waits.state(), waits.columns) == (OutboxState.WAITING, frozenset({"provider_name"}))
    assert pushes.reasons(store) == []


BEFORE, AFTER = "2001-01-01T00:00:00.000Z", "2002-01-01T00:00:00.000Z"
"""Around the time at which the rows of ``shown`` say that they were updated."""


def test_9_what_a_full_pull_brings_for_the_first_time_was_shown_and_so_not_lost_there(store: Store) -> None:
    seen = Shown(until_ms=2 * 10**12)
    incoming.merge(store, TABLES["patients"], [shown("patients", PATIENT)], PullTally(), shown=seen)
    assert seen.has("patients", 1)


def test_9_what_the_cloud_was_put_back_from_stays_as_it_is_here_and_goes_again(store: Store) -> None:
    merge(store, "patients", shown("patients", PATIENT, phone="new", portrait="new"))
    pull_all(store, "patients", PATIENT, BEFORE, phone="old", portrait="old")
    kept = pushes.kept(store, "patients", PATIENT)
    assert (kept["phone"], kept["portrait"]) == ("new", "new")
    waits = entry(store, "patients", PATIENT)
    assert waits is not None
    assert (waits.state(), waits.columns) == (OutboxState.WAITING, frozenset({"phone"}))
    assert pull_all(store, "patients", PATIENT, AFTER, phone="new", portrait="new").restored == 1
    assert entry(store, "patients", PATIENT) is None


def test_9_what_the_cloud_was_put_back_from_stays_with_its_patient_where_the_other_one_is_not_here(
    store: Store,
) -> None:
    merge(store, "patients", shown("patients", OTHER))
    merge(store, "visits", shown("visits", VISIT, patient_id=OTHER))
    assert pull_all(store, "visits", VISIT, BEFORE, patient_id=PATIENT).foreign == 0
    assert pushes.kept(store, "visits", VISIT)["patient_id"] == OTHER
    waits = entry(store, "visits", VISIT)
    assert waits is not None
    assert waits.columns == frozenset({"patient_id"})


def test_9_what_was_deleted_here_is_foreign_where_the_cloud_was_put_back_to_a_patient_who_is_not(store: Store) -> None:
    merge(store, "patients", shown("patients", OTHER))
    merge(store, "visits", shown("visits", VISIT, patient_id=OTHER))
    pushes.push(store, changes("visits", deleted=[VISIT]))
    assert pull_all(store, "visits", VISIT, BEFORE, patient_id=PATIENT).foreign == 1
    assert pushes.tombstones(store, "visits") == {VISIT}


def test_9_a_row_that_is_older_than_an_edit_made_here_is_not_one_that_was_put_back(store: Store) -> None:
    merge(store, "patients", shown("patients", PATIENT))
    pushes.push(store, changes("patients", updated=[edit(row("patients", PATIENT), phone="mine")]))
    pull_all(store, "patients", PATIENT, AFTER, hometown="theirs")
    kept = pushes.kept(store, "patients", PATIENT)
    assert (kept["phone"], kept["hometown"]) == ("mine", "theirs")


def test_a_row_that_cannot_be_read_goes_to_quarantine_and_the_next_one_is_merged(store: Store) -> None:
    bad = shown("patients", PATIENT) | {"created_at": "yesterday"}
    tally = merge(store, "patients", bad, {"id": 7}, shown("patients", OTHER))
    assert (tally.refused, tally.created) == (2, 1)
    assert {reason.code for reason in pushes.reasons(store)} == {Code.WRONG_TYPE, Code.INVALID_ID}


def test_two_rows_of_one_field_become_the_row_that_the_cloud_shows_with_the_newer_value(store: Store) -> None:
    merge(store, "patients", shown("patients", PATIENT))
    field = {"patient_id": PATIENT, "attribute_id": "insurance", "attribute": "insurance"}
    enter(store, ATTRIBUTES, OTHER, **field, string_value="newer", metadata="{}", updated_at=2 * 10**12)
    merge(store, ATTRIBUTES, shown(ATTRIBUTES, VISIT, **field, string_value="older"))
    assert pushes.live(store, ATTRIBUTES) == {VISIT}
    assert pushes.kept(store, ATTRIBUTES, VISIT)["string_value"] == "newer"
    kept = entry(store, ATTRIBUTES, VISIT)
    assert kept is not None
    assert kept.columns == frozenset({"string_value"})
    assert entry(store, ATTRIBUTES, OTHER) is None


def test_two_rows_of_one_field_keep_the_clouds_value_where_it_is_newer_or_ours_was_sent(store: Store) -> None:
    merge(store, "patients", shown("patients", PATIENT))
    field = {"patient_id": PATIENT, "attribute_id": "insurance", "attribute": "insurance"}
    enter(store, ATTRIBUTES, OTHER, **field, string_value="sent", updated_at=2 * 10**12)
    confirm(store, ATTRIBUTES, OTHER)
    assert merge(store, ATTRIBUTES, shown(ATTRIBUTES, VISIT, **field, string_value="cloud")).seen == 1
    assert pushes.live(store, ATTRIBUTES) == {VISIT}
    assert pushes.kept(store, ATTRIBUTES, VISIT)["string_value"] == "cloud"
