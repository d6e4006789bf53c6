"""Ids that earlier releases stored in capitals or braces become those of the cloud, and nothing of a record is lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.core.cloud.outbox import Entry
from hub.store.cloud import outbox
from hub.store.database import Store
from tests.hubs import InProcessHub, changes, row
from tests.store import pushes

PATIENT = "722ec9fb-c976-5da8-9803-ada1362fa54c"
VISIT = "1a1b2c3d-c976-5da8-9803-ada1362fa54c"
EVENT = "2a1b2c3d-c976-5da8-9803-ada1362fa54c"
FORMS: list[Callable[[str], str]] = [str.upper, lambda text: f"{{{text}}}", lambda text: text.replace("-", "")]


def stored_otherwise(store: Store, *ids: str, form: Callable[[str], str] = str.upper) -> None:
    """Let the database hold these ids as an earlier release stored them."""
    with store.write() as tx:
        for table in ("patients", "visits", "events"):
            keys = {"patients": (), "visits": ("patient_id",), "events": ("patient_id", "visit_id")}[table]
            for old in ids:
                for column in ("id", "data", *keys):
                    tx.db.execute(f"UPDATE [{table}] SET {column} = replace({column}, ?, ?)", [old, form(old)])


def forget_the_step(store: Store) -> None:
    """Let the database be one that an earlier release left."""
    with store.write() as tx:
        tx.db.execute("DELETE FROM _sqlite_migrations WHERE name = 'one_id'")


def updated(store: Store) -> Store:
    """Open the database anew, as after an update."""
    forget_the_step(store)
    store.close()
    return Store(store.path.parent)


def chart(store: Store) -> None:
    pushes.push(store, changes("patients", created=[row("patients", PATIENT, given_name="Amal", metadata='{"a":1}')]))
    pushes.push(store, changes("visits", created=[row("visits", VISIT, patient_id=PATIENT)]))
    pushes.push(store, changes("events", created=[row("events", EVENT, patient_id=PATIENT, visit_id=VISIT)]))


def entry(store: Store, table: str, row_id: str) -> Entry | None:
    with store.read() as db:
        found = outbox.find(db, table, row_id)
    return found[1] if found else None


@pytest.mark.parametrize("form", FORMS)
def test_ids_and_all_references_have_one_form_after_an_update(store: Store, form: Callable[[str], str]) -> None:
    chart(store)
    before = {table: pushes.kept(store, table, row_id) for table, row_id in IDS.items()}
    stored_otherwise(store, PATIENT, VISIT, EVENT, form=form)
    after = updated(store)
    for table, row_id in IDS.items():
        assert pushes.live(after, table) == {row_id}
        assert pushes.kept(after, table, row_id) == before[table]
        assert entry(after, table, row_id) is not None, "it still waits for the cloud"
    with after.read() as db:
        assert db.execute("SELECT patient_id, visit_id FROM events WHERE id = ?", [EVENT]).fetchone() == (
            PATIENT,
            VISIT,
        )
    after.close()


IDS = {"patients": PATIENT, "visits": VISIT, "events": EVENT}


def test_what_phones_push_after_an_update_in_either_form_is_the_same_record(store: Store) -> None:
    chart(store)
    stored_otherwise(store, PATIENT)
    after = updated(store)
    for row_id, phone in ((PATIENT.upper(), "1"), (PATIENT, "2")):
        edited = row("patients", row_id, phone=phone, updated_at=10**13 + int(phone), _changed="phone")
        pushes.push(after, changes("patients", updated=[edited]))
        assert pushes.kept(after, "patients", PATIENT)["phone"] == phone
    assert pushes.live(after, "patients") == {PATIENT}
    after.close()


def test_what_is_among_the_records_to_check_is_named_in_the_usual_form(store: Store) -> None:
    refused = [{**row("visits", row_id), "check_in_timestamp": "yesterday"} for row_id in (VISIT, EVENT)]
    pushes.push(store, changes("visits", created=refused))
    with store.write() as tx:
        named = [VISIT.upper(), f"patients/{PATIENT.upper()}", VISIT]
        tx.db.execute("UPDATE quarantine SET record_id = ?, parent = ? WHERE record_id = ?", named)
    after = updated(store)
    with after.read() as db:
        found = db.execute("SELECT record_id, parent FROM quarantine ORDER BY num").fetchall()
    after.close()
    assert found == [(VISIT, f"patients/{PATIENT}"), (EVENT, None)]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ({"phone": "1", "updated_at": 2}, {"phone": "2", "camp": "C", "updated_at": 1}, ("1", "C")),
        ({"phone": "1", "camp": "C", "updated_at": 1}, {"phone": "2", "updated_at": 2}, ("2", "C")),
    ],
)
def test_of_two_forms_of_a_record_one_is_left_with_the_newer_values(
    store: Store, old: dict[str, Any], new: dict[str, Any], wanted: tuple[str, str]
) -> None:
    pushes.push(store, changes("patients", created=[row("patients", PATIENT, **old)]))
    stored_otherwise(store, PATIENT)
    pushes.push(store, changes("patients", created=[row("patients", PATIENT, **new)]))
    after = updated(store)
    kept = pushes.kept(after, "patients", PATIENT)
    assert (kept["phone"], kept["camp"]) == wanted
    assert pushes.live(after, "patients") == {PATIENT}
    after.close()


def test_of_two_forms_of_a_record_of_which_one_was_deleted_the_other_stays(store: Store) -> None:
    pushes.push(store, changes("patients", created=[row("patients", PATIENT, phone="old form")]))
    stored_otherwise(store, PATIENT)
    pushes.push(store, changes("patients", created=[row("patients", PATIENT, phone="usual form")]))
    pushes.push(store, changes("patients", deleted=[PATIENT]))
    after = updated(store)
    assert pushes.live(after, "patients") == {PATIENT}
    assert pushes.kept(after, "patients", PATIENT)["phone"] == "old form"
    after.close()


def test_what_was_deleted_in_another_form_stays_deleted(store: Store) -> None:
    pushes.push(store, changes("patients", created=[row("patients", PATIENT)]))
    pushes.push(store, changes("patients", deleted=[PATIENT]))
    stored_otherwise(store, PATIENT)
    after = updated(store)
    pushes.push(after, changes("patients", created=[row("patients", PATIENT)]))
    assert pushes.live(after, "patients") == set()
    after.close()


def test_a_phone_gets_the_record_in_its_usual_form_and_keeps_what_it_has_yet_to_push(tmp_path: Path) -> None:
    hub = InProcessHub(tmp_path / "data")
    chart(hub.store)
    stored_otherwise(hub.store, PATIENT, VISIT)
    phone = hub.phone()
    while phone.sync().pulled:
        pass
    phone.edit("patients", PATIENT.upper(), {"phone": "entered during the update"})
    forget_the_step(hub.store)
    hub.restart()
    while phone.sync().pulled:
        pass
    assert phone.store.find("patients", PATIENT)
    assert pushes.kept(hub.store, "patients", PATIENT)["phone"] == "entered during the update"
    assert {event["patient_id"] for event in phone.store.rows("events")} == {PATIENT}
    hub.store.close()
