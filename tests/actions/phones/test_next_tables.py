"""Tables of a later app are kept as data, and go only to phones that have them."""

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.actions.phones import devices
from hub.core.records.access import Permission
from hub.core.records.tables import NEXT_TABLES
from hub.store import quarantine
from tests.hubs import InProcessHub, add_clinic, add_user, changes
from tests.store import pushes

NAMES = [table.name for table in NEXT_TABLES]
PATIENT = {"given_name": "Layla", "surname": "Haddad", "additional_data": "{}", "metadata": "{}"}
EVENTS = st.sampled_from(["patient_allergies", "patient_allergy_reactions", "pull", "pull again", "new", "elsewhere"])
ALLERGY = {"id": "a", "patient_id": "p", "allergen_label": "Penicillin", "onset_date": 7, "metadata": "{}"}


@pytest.mark.parametrize("name", NAMES)
def test_a_record_of_a_later_app_is_kept_as_it_came_and_is_no_fault(hub: InProcessHub, name: str) -> None:
    with hub.store.write() as tx:
        tx.db.execute("UPDATE users SET role = 'super_admin'")
    client = hub.client()
    sent = {"id": "n", "any": {"thing": [1, None]}, "_status": "created", "_changed": ""}
    assert client.push(changes(name, created=[sent])).status == 200
    kept = pushes.kept(hub.store, name, "n")
    assert (kept["id"], kept["any"]) == ("n", {"thing": [1, None]})
    with hub.store.read() as db:
        assert list(quarantine.entries(db)) == []


def test_phones_of_the_next_app_share_its_tables_and_todays_phones_never_see_them(hub: InProcessHub) -> None:
    one, other = hub.phone(1, next_app=True), hub.phone(2, next_app=True)
    today, old = hub.phone(3), hub.phone(4)
    patient = today.create("patients", {**PATIENT, "primary_clinic_id": hub.clinic_id})
    assert today.sync().ok
    for phone in (one, other, old):
        assert phone.sync().ok
    allergy = one.create("patient_allergies", {"patient_id": patient["id"]})
    reaction = one.create("patient_allergy_reactions", {"allergy_id": allergy["id"]})
    other.create("patient_allergies", {"patient_id": patient["id"]})
    other.create("patient_allergy_reactions", {"allergy_id": allergy["id"]})
    for _ in range(3):
        for phone in (one, other, today, old):
            outcome = phone.sync()
            assert outcome.ok, outcome.error
    assert other.store.find("patient_allergies", allergy["id"]) is not None
    assert other.store.find("patient_allergy_reactions", reaction["id"]) is not None
    assert [listed.behind for listed in devices.every(hub.store)] == [0, 0, 0, 0]
    today.edit("patients", str(patient["id"]), {"phone": "1"})
    one.edit("patient_allergies", str(allergy["id"]), {"is_deleted": True})
    for _ in range(2):
        for phone in (one, other, today, old):
            assert phone.sync().ok
    assert other.store.find("patient_allergies", allergy["id"]) is None
    assert other.store.find("patient_allergy_reactions", reaction["id"]) is None, "it goes with its allergy"


def test_a_phone_that_begins_anew_gets_them_once_it_shows_again_that_it_has_them(hub: InProcessHub) -> None:
    writer, reader = hub.client("writer"), hub.client("reader")
    empty = changes("patient_allergies")
    patient = {"id": "p", **PATIENT, "primary_clinic_id": hub.clinic_id}
    writer.pull(0)
    writer.push({**changes("patients", created=[patient]), **changes("patient_allergies", created=[ALLERGY])})
    cursor = reader.pull(0).json["timestamp"]
    for _ in range(2):
        assert reader.push(empty).status == 200
        answer = reader.pull(cursor).json
        [got] = answer["changes"]["patient_allergies"]["created"]
        assert {name: got[name] for name in ALLERGY} == ALLERGY  # whole, with what the hub does not know of it
        assert "patient_allergies" not in reader.pull(answer["timestamp"]).json["changes"]
        first = reader.pull(0).json
        assert "patient_allergies" not in first["changes"]
        cursor = first["timestamp"]


def test_another_clinics_patient_has_no_allergy_for_a_nurse_who_may_not_see_him(hub: InProcessHub) -> None:
    theirs = add_clinic(hub.store, "Theirs")
    add_user(hub.store, theirs, email="other@clinic.example", without=[Permission.ADMIN])
    writer = hub.client("writer")
    patient = {"id": "p", **PATIENT, "primary_clinic_id": hub.clinic_id}
    reaction = {"id": "r", "allergy_id": "a", "reaction_manifestation_label": "Rash"}
    writer.push({**changes("patients", created=[patient]), **changes("patient_allergies", created=[ALLERGY])})
    writer.push(changes("patient_allergy_reactions", created=[reaction]))
    both = {**changes("patient_allergies"), **changes("patient_allergy_reactions")}
    for email, sees in (("other@clinic.example", False), (hub.user.email, True)):
        reader = hub.client(f"reader of {email}", email=email)
        cursor = reader.pull(0).json["timestamp"]
        reader.push(both)
        got = reader.pull(cursor).json["changes"]
        assert both.keys() <= got.keys() if sees else not both.keys() & got.keys()
    stranger = hub.client("third", email="other@clinic.example")
    stranger.push(changes("patient_allergies", created=[{**ALLERGY, "id": "b"}]))
    stranger.push(changes("patient_allergy_reactions", created=[{**reaction, "id": "s"}]))
    assert pushes.live(hub.store, "patient_allergies") == {"a"}
    assert pushes.live(hub.store, "patient_allergy_reactions") == {"r"}


def test_edits_of_its_columns_by_two_phones_both_survive(hub: InProcessHub) -> None:
    one, other = hub.client("one"), hub.client("other")
    patient = {"id": "p", **PATIENT, "primary_clinic_id": hub.clinic_id}
    one.push({**changes("patients", created=[patient]), **changes("patient_allergies", created=[ALLERGY])})
    for client, edited in ((one, {"severity": "mild"}), (other, {"allergen_label": "Amoxicillin"})):
        row = {**ALLERGY, **edited, "_status": "updated", "_changed": ",".join(edited)}
        assert client.push(changes("patient_allergies", updated=[row])).status == 200
    kept = pushes.kept(hub.store, "patient_allergies", "a")
    assert (kept["severity"], kept["allergen_label"], kept["onset_date"]) == ("mild", "Amoxicillin", 7)
    assert msgspec.json.encode(kept)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), EVENTS), max_size=14))
def test_whatever_happens_a_phone_gets_no_table_that_it_did_not_send_since_it_was_empty(
    happens: list[tuple[int, str]],
) -> None:
    """A cursor of 0 is an empty phone; "elsewhere" is one of another hub, "pull again" an answer that was lost."""
    with tempfile.TemporaryDirectory() as folder:
        hub = InProcessHub(Path(folder) / "data")
        writer = hub.client("writer")
        writer.pull(0)
        patient = {"id": "p", **PATIENT, "primary_clinic_id": hub.clinic_id}
        reaction = {"id": "r", "allergy_id": "a"}
        writer.push({**changes("patients", created=[patient]), **changes("patient_allergies", created=[ALLERGY])})
        writer.push(changes("patient_allergy_reactions", created=[reaction]))
        phones = [hub.client(f"phone {number}") for number in range(3)]
        cursors, sent = [0.0] * 3, [set[str]() for _ in range(3)]
        for number, event in [*happens, *((number, "pull") for number in range(3))]:
            if event in NAMES:
                assert phones[number].push(changes(event)).status == 200
                sent[number].add(event)
                continue
            asked = {"new": 0.0, "elsewhere": 1_700_000_000_000.0}.get(event, cursors[number])
            if not asked:
                sent[number].clear()
            answer = phones[number].pull(asked).json
            assert answer["changes"].keys() & set(NAMES) <= sent[number]
            cursors[number] = cursors[number] if event == "pull again" else answer["timestamp"]
        hub.close()
