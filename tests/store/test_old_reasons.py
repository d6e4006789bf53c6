"""The sentences that earlier releases stored as reasons become codes, and nothing of them is lost."""

from pathlib import Path

import msgspec
import pytest

from hub.core.reasons import Code, Form, Reason, from_json
from hub.store.database import Store
from hub.store.migrations import old_reasons
from tests.store import schemas

WRITTEN = {
    ("wards", "the hub does not know this table"): Code.UNKNOWN_TABLE.of(table="wards"),
    ("clinics", "a phone cannot delete reference data"): Code.REFERENCE_DELETED.of(table="clinics"),
    ("clinics", "clinics comes from the organisation; a phone cannot change it"): Code.REFERENCE_CHANGED.of(
        table="clinics"
    ),
    ("visits", "the user does not work in this record's clinic"): Code.NOT_IN_CLINIC.of(table="visits"),
    ("prescriptions", "the user lacks can_prescribe_medications or can_dispense_medications"): Code.NOT_PERMITTED.of(
        table="prescriptions", needs=["can_prescribe_medications", "can_dispense_medications"]
    ),
    ("patients", "not readable as JSON"): Code.NOT_JSON.of(table="patients"),
    ("patients", "not an object"): Code.NOT_AN_OBJECT.of(table="patients"),
    ("patients", "holds a value that JSON cannot carry"): Code.NOT_WRITABLE.of(table="patients"),
    ("events", "my extra column is nested deeper than 32 levels"): Code.TOO_DEEP.of(
        table="events", column="my extra column", limit=32
    ),
    ("events", "larger than 16777216 bytes"): Code.TOO_LARGE.of(table="events", limit=16777216),
    ("events", "larger than 16777216 characters"): Code.TOO_LARGE.of(table="events", limit=16777216),
    ("events", "_changed is longer than 65536 characters"): Code.TOO_MANY_CHANGES.of(table="events", limit=65536),
    ("events", "more than 100 unknown columns"): Code.TOO_MANY_COLUMNS.of(table="events", limit=100),
    ("patients", "id is not a text of 1 to 255 characters"): Code.INVALID_ID.of(table="patients", limit=255),
    ("patients", "id is no text"): Code.INVALID_ID.of(table="patients", limit=255),
    ("events", "form_id is no uuid"): Code.NOT_A_UUID.of(table="events", column="form_id"),
    ("patients", "date_of_birth is not a date (YYYY-MM-DD)"): Code.NOT_A_DATE.of(
        table="patients", column="date_of_birth"
    ),
    ("patients", "date_of_birth should be a date, YYYY-MM-DD"): Code.NOT_A_DATE.of(
        table="patients", column="date_of_birth"
    ),
    ("patient_vitals", "weight_kg should be a number that a phone can hold, is int"): Code.TOO_GREAT.of(
        table="patient_vitals", column="weight_kg"
    ),
    ("patients", "created_at should be a time, is str"): Code.WRONG_TYPE.of(
        table="patients", column="created_at", wanted=Form.TIME, found=Form.TEXT
    ),
    ("patients", "is_deleted should be true or false, is dict"): Code.WRONG_TYPE.of(
        table="patients", column="is_deleted", wanted=Form.FLAG, found=Form.OBJECT
    ),
    ("visits", "its patient or visit was deleted"): Code.PARENT_DELETED.of(table="visits"),
    ("events", "the cloud's row does not fit: Expected `int`, got `str` - at `$.x`"): Code.CLOUD_ROW.of(
        table="events", detail="Expected `int`, got `str` - at `$.x`"
    ),
    ("visits", "it was deleted in the cloud before this was sent"): Code.DELETED_IN_CLOUD.of(table="visits"),
    ("visits", "its patient was deleted in the cloud before this was sent"): Code.PARENT_DELETED_IN_CLOUD.of(
        table="visits", parent="patients"
    ),
    ("visits", "the cloud says that it took this, and does not keep metadata, provider_name"): Code.NOT_KEPT.of(
        table="visits", columns=["metadata", "provider_name"]
    ),
    ("patients", "it names no clinic: the cloud keeps such records and sends them to no hub"): Code.CLINIC_MISSING.of(
        table="patients", column="primary_clinic_id"
    ),
    ("events", "the cloud refused or changed it and did not say so; look it up there"): Code.NOT_SHOWN.of(
        table="events"
    ),
    (
        "dispensing_records",
        "it waits for its prescription item, which the cloud does not have yet",
    ): Code.WAITS_FOR.of(parent="prescription_items"),
    (
        "prescriptions",
        "its clinic is none of this hub's in the cloud, which would pass it over in silence",
    ): Code.CLINIC_ELSEWHERE.of(table="prescriptions", column="pickup_clinic_id"),
    ("events", "its visit is not on this hub; the cloud would make one up in another clinic"): Code.VISIT_UNKNOWN.of(
        table="events", column="visit_id"
    ),
    ("events", "its visit is not named; the cloud would make one up in another clinic"): Code.VISIT_MISSING.of(
        table="events", column="visit_id"
    ),
    (
        "prescription_items",
        "the cloud refuses it, perhaps because of its drug catalogue, user, which this hub does not know",
    ): Code.REFUSED_REFERENCE.of(table="prescription_items", parents=["drug_catalogue", "users"]),
    (
        "patients",
        "the cloud refuses it and does not say why; perhaps a value is too long or of the wrong kind",
    ): Code.REFUSED.of(table="patients"),
    (
        "visits",
        "the cloud does not delete it, perhaps because another record there names it",
    ): Code.DELETE_REFUSED.of(table="visits"),
    (
        "visits",
        "the cloud has no user n@test; make one with this email there, or say who it is with ...",
    ): Code.NO_USER.of(email="n@test"),
    (
        "visits",
        'the cloud has no clinic called "Queen\'s"; give a clinic of this hub this name there, or say which ...',
    ): Code.NO_CLINIC.of(name="Queen's"),
    ("visits", "a sentence that nobody knows"): Code.OTHER.of(text="a sentence that nobody knows"),
}


@pytest.mark.parametrize(("stored", "reason"), WRITTEN.items(), ids=str)
def test_a_stored_sentence_becomes_a_code_with_what_it_names(stored: tuple[str, str], reason: Reason) -> None:
    assert from_json(old_reasons.why(*stored), "") == reason


NEWER = {
    Code.MOVED_IN_CLOUD,
    Code.NOTHING_THERE,
    Code.NOT_SEEN,
    Code.NOT_WHOLE,
    Code.NO_TIME,
    Code.NUL,
    Code.OTHER_CALENDAR,
    Code.OUT_OF_RANGE,
    Code.TABLE_UNTAKEN,
    Code.PARENT_HELD,
    Code.PART_NOT_ALLOWED,
    Code.TIME_OUT_OF_RANGE,
    Code.TOO_LONG,
    Code.TOO_NESTED,
}
"""Codes that were never stored as a sentence."""


def test_every_code_has_sentences_that_became_it() -> None:
    assert {reason.code for reason in WRITTEN.values()} == set(Code) - NEWER


def test_every_reason_in_a_database_of_the_first_release_is_known_after_the_upgrade(data_of_v1: Store) -> None:
    with data_of_v1.read() as db:
        rows = [
            row
            for table in ("quarantine", "outbox")
            for row in db.execute(f"SELECT table_name, reason, why FROM [{table}] WHERE reason IS NOT NULL")
        ]
    assert rows
    for table, sentence, why in rows:
        code = from_json(why, sentence).code
        assert code is not Code.OTHER, sentence
        assert msgspec.json.decode(why)["params"].get("table", table) == table


@pytest.fixture
def data_of_v1(tmp_path: Path) -> Store:
    return Store(schemas.put("hub_v1", tmp_path))
