"""The page of records to check: tried again, set aside, narrowed, taken away as a file, and who sees whom."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions import quarantine as actions
from hub.core.reasons import Code
from hub.core.records.access import Permission
from hub.store import quarantine
from hub.store.people import users
from hub.store.quarantine import Refused
from tests.hubs import EMAIL, PASSWORD, InProcessHub, add_user, changes, row
from tests.store.pushes import push
from tests.web.site import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, Site

PATIENT = "Amina-Zahra"


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Site]:
    """Return pages of a hub that did not accept one patient, seen by its administrator."""
    prepared = InProcessHub(tmp_path / "data")
    prepared.client().push(changes("patients", created=[{"id": 7}]))
    prepared.close()
    with Site(tmp_path / "data") as made:
        made.set_up()
        made.sign_in()
        yield made


@pytest.fixture
def wrong_vitals(tmp_path: Path) -> Iterator[Site]:
    """Return pages of a hub that did not accept vital signs of a patient."""
    prepared = InProcessHub(tmp_path / "data")
    client = prepared.client()
    client.push(changes("patients", created=[row("patients", "p", given_name=PATIENT)]))
    client.push(changes("patient_vitals", created=[{"id": 7, "patient_id": "p"}]))
    prepared.close()
    with Site(tmp_path / "data") as made:
        made.set_up()
        yield made


def test_a_record_is_taken_in_when_its_reason_is_mended(inside: Site) -> None:
    with inside.store.read() as db:
        clinic = next(iter(users.clinics(db)))["id"]
    user = add_user(inside.store, clinic, email="new@clinic.example", without=[Permission.REGISTER])
    with inside.store.write() as tx:
        quarantine.add(
            tx,
            Refused(
                table_name="patients",
                record_id="q",
                action=quarantine.Action.KEEP,
                reason=Code.NOT_PERMITTED.of(table="patients", needs=[Permission.REGISTER]),
                raw=json.dumps(row("patients", "q", primary_clinic_id=clinic)),
                device=2,  # a phone on which nobody else signed in, whose rights could count
                user_id=user.id,
            ),
        )
    assert "does not have permission to register patients" in inside.get("/quarantine").text
    assert inside.submit("/quarantine/retry", {"num": "2"}, page="/quarantine").headers["location"].endswith("refused")
    with inside.store.read() as db:
        num = str(max(entry["num"] for entry in quarantine.entries(db)))
    with inside.store.write() as tx:
        users.grant(tx, user.id, clinic, set(Permission))
    assert inside.submit("/quarantine/retry", {"num": num}, page="/quarantine").headers["location"].endswith("taken")


@pytest.mark.parametrize("num", ["", "999", "x", "-1", "9" * 30])
def test_a_retry_of_what_is_not_there_changes_nothing(inside: Site, num: str) -> None:
    assert inside.submit("/quarantine/retry", {"num": num}, page="/quarantine").headers["location"].endswith("gone")


def test_the_quarantine_is_exported_whole_and_noted(inside: Site) -> None:
    answer = inside.submit("/quarantine/export", {}, page="/quarantine")
    assert "attachment" in answer.headers["content-disposition"]
    assert [json.loads(line)["raw"] for line in answer.text.splitlines()] == ['{"id":7}']
    assert ("quarantine.exported", f"administrator:{ADMINISTRATOR}") in inside.noted()


def test_a_record_to_check_is_set_aside_with_a_note_and_taken_back(inside: Site) -> None:
    with inside.store.read() as db:
        num = str(next(iter(quarantine.entries(db)))["num"])
    for note, done in (("", "unfit_note"), ("a double", "set_aside")):
        answer = inside.submit("/quarantine/set-aside", {"num": num, "note": note}, page="/quarantine")
        assert answer.headers["location"].endswith(f"done={done}")
    text = inside.get("/quarantine").text
    assert "There are no records to check." in text
    assert "a double" in text
    log = inside.get("/log").text
    assert "A record to check was set aside: Patient" in log
    assert "None" not in log
    assert (
        inside.submit("/quarantine/take-back", {"num": num}, page="/quarantine")
        .headers["location"]
        .endswith("done=taken_back")
    )
    assert "a double" not in inside.get("/quarantine").text
    for path in ("set-aside", "take-back", "retry", "accept"):
        answer = inside.submit(f"/quarantine/{path}", {"num": "٧٧", "note": "x"}, page="/quarantine")
        assert answer.headers["location"].endswith("done=gone")


def test_a_record_that_was_tried_again_is_marked(inside: Site) -> None:
    with inside.store.read() as db:
        num = str(next(iter(quarantine.entries(db)))["num"])
    for path, form in (("retry", {"num": num}), ("retry-all", {})):
        where = inside.submit(f"/quarantine/{path}", form, page="/quarantine").headers["location"]
        assert "tried again, still not accepted" in inside.get(where).text
    assert "tried again" not in inside.get("/quarantine").text


def test_records_to_check_are_narrowed_by_reason_and_phone_and_set_aside_at_once(inside: Site) -> None:
    push(inside.store, changes("visits", created=["x", "y"]))
    before = len(actions.entries(inside.store))
    assert "Set all 2 aside" in inside.get("/quarantine?reason=not_an_object").text
    answer = inside.submit(
        "/quarantine/set-aside", {"reason": "not_an_object", "note": "by a tool"}, page="/quarantine"
    )
    assert answer.headers["location"] == "/quarantine?reason=not_an_object&done=set_aside"
    assert [entry.note for entry in actions.entries(inside.store)].count("by a tool") == 2
    assert "Records to check were set aside: 2" in inside.get("/log").text
    assert len(actions.entries(inside.store)) == before
    assert "There are no records to check." in inside.get("/quarantine?phone=none+such").text


@pytest.mark.parametrize(
    ("name", "password", "is_shown"), [(EMAIL, PASSWORD, True), (ADMINISTRATOR, ADMINISTRATOR_PASSWORD, False)]
)
def test_the_patient_of_a_record_to_check_is_named_to_somebody_of_the_clinic_alone(
    wrong_vitals: Site, name: str, password: str, *, is_shown: bool
) -> None:
    wrong_vitals.sign_in(name, password)
    text = wrong_vitals.get("/quarantine").text
    assert "Vital signs" in text
    assert (PATIENT in text) is is_shown


def test_a_patient_whom_somebody_may_not_see_is_not_named(wrong_vitals: Site) -> None:
    with wrong_vitals.store.write() as tx:
        tx.db.execute("UPDATE user_clinic_permissions SET data = json_set(data, '$.can_view_history', json('false'))")
    wrong_vitals.sign_in(EMAIL, PASSWORD)
    assert PATIENT not in wrong_vitals.get("/quarantine").text
