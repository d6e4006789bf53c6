"""Records that were not accepted: listed, tried again each by itself, exported (P7)."""

import json
from collections.abc import Iterable
from unittest.mock import Mock

import pytest

from hub.actions import quarantine as actions
from hub.actions.box import facts
from hub.actions.quarantine import Retried
from hub.actions.records import refused
from hub.core.errors import OperatorError
from hub.core.reasons import Code
from hub.core.records.access import Permission
from hub.store.database import Store
from hub.store.people import audit
from hub.store.phones import callers
from hub.store.quarantine import Action, Refused
from tests.hubs import EMAIL, InProcessHub, add_clinic, add_user, changes, row
from tests.store import pushes


@pytest.fixture
def clinic(store: Store) -> str:
    return add_clinic(store, "Al Noor")


def nurse(store: Store, clinic: str, email: str = "n@test", without: Iterable[Permission] = ()) -> str:
    return add_user(store, clinic, email=email, without=without).id


def refuse(store: Store, record_id: str, *, user: str, clinic: str | None = None) -> int:
    """Put a sound patient into quarantine as if this user had not been allowed to register it."""
    with store.write() as tx:
        refused.keep(
            tx,
            Refused(
                table_name="patients",
                record_id=record_id,
                action=Action.KEEP,
                reason=Code.NOT_PERMITTED.of(table="patients", needs=[Permission.REGISTER]),
                raw=json.dumps(row("patients", record_id, primary_clinic_id=clinic)),
                device=1,
                user_id=user,
            ),
        )
    return actions.entries(store)[-1].num


def test_entries_are_listed_oldest_first_with_their_reasons_and_without_the_records(store: Store) -> None:
    for name in ("one", "two"):
        refuse(store, name, user="gone")
    listed = actions.entries(store)
    assert [entry.record_id for entry in listed] == ["one", "two"]
    reason = Code.NOT_PERMITTED.of(table="patients", needs=[Permission.REGISTER])
    assert [entry.reason for entry in listed] == [reason, reason]
    assert all(entry.age_s >= 0 and entry.size > 0 for entry in listed)


def test_what_is_set_aside_stays_and_calls_for_nobody(store: Store) -> None:
    num, other = refuse(store, "one", user="gone"), refuse(store, "two", user="gone")
    assert actions.set_aside(store, num, " a  double ")
    assert facts.gather(store).quarantined == 1
    assert {entry.num: entry.note for entry in actions.entries(store)} == {num: "a double", other: None}
    assert actions.retry_all(store).keys() == {other}
    lines: list[str] = []
    assert actions.export(store, lines.append) == 2
    assert refuse(store, "one", user="gone") == other  # the same one again stays set aside
    assert actions.take_back(store, num)
    assert facts.gather(store).quarantined == 2
    with store.read() as db:
        events = [entry["event"] for entry in audit.entries(db)]
    assert {"quarantine.set_aside", "quarantine.taken_back"} <= set(events)


@pytest.mark.parametrize("note", ["", " ", "x" * 501, "a\x07b"])
def test_why_must_be_said_in_a_line(store: Store, note: str) -> None:
    num = refuse(store, "one", user="gone")
    with pytest.raises(OperatorError):
        actions.set_aside(store, num, note)
    assert facts.gather(store).quarantined == 1


def test_many_are_set_aside_in_one_write_with_one_line_in_the_activity_log(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    nums = [refuse(store, name, user="gone") for name in ("one", "two", "three")]
    write = Mock(wraps=store.write)
    monkeypatch.setattr(store, "write", write)
    assert actions.set_all_aside(store, [*nums[:2], 99], "double") == 2
    assert write.call_count == 1
    assert [entry.note for entry in actions.entries(store)] == ["double", "double", None]
    assert actions.set_all_aside(store, [99], "double") == 0
    with store.read() as db:
        noted = [entry["detail"] for entry in audit.entries(db) if entry["event"] == "quarantine.all_set_aside"]
    assert noted == ["2"]


def test_what_is_gone_cannot_be_set_aside(store: Store) -> None:
    assert not actions.set_aside(store, 99, "why")
    assert not actions.take_back(store, 99)


def test_an_entry_names_who_entered_it_and_on_which_phone(hub: InProcessHub) -> None:
    hub.client().push(changes("patients", created=[{"id": 7}]))
    (entry,) = actions.entries(hub.store)
    assert (entry.user, entry.phone) == (f"Dr {EMAIL}", "Phone 1")


def test_an_entry_is_shown_whole_with_its_reason_as_sentence_code_and_parameters(store: Store) -> None:
    shown = actions.show(store, refuse(store, "one", user="gone"))
    assert shown is not None
    assert json.loads(shown["raw"])["id"] == "one"
    assert (shown["code"], shown["params"]) == (
        "not_permitted",
        {"table": "patients", "needs": ("can_register_patients",)},
    )
    assert shown["reason"] == "The person does not have permission to register patients (patients)."
    assert json.loads(json.dumps(shown))["params"]["needs"] == ["can_register_patients"]


def test_what_is_not_there_is_neither_shown_nor_tried(store: Store) -> None:
    assert actions.show(store, 7) is None
    assert actions.retry(store, 7) is Retried.GONE


def test_an_entry_that_is_allowed_now_becomes_a_record(store: Store, clinic: str) -> None:
    num = refuse(store, "one", user=nurse(store, clinic), clinic=clinic)
    assert actions.retry(store, num) is Retried.ACCEPTED
    assert pushes.live(store, "patients") == {"one"}
    assert actions.entries(store) == []


def test_an_entry_that_is_refused_again_stays(store: Store, clinic: str) -> None:
    user = nurse(store, clinic, without=[Permission.REGISTER])
    num = refuse(store, "one", user=user, clinic=clinic)
    assert actions.retry(store, num) is Retried.REFUSED
    assert [entry.record_id for entry in actions.entries(store)] == ["one"]


def test_trying_all_goes_on_behind_an_entry_whose_user_is_gone(store: Store, clinic: str) -> None:
    orphan = refuse(store, "orphan", user="gone")
    sound = refuse(store, "sound", user=nurse(store, clinic), clinic=clinic)
    assert actions.retry_all(store) == {orphan: Retried.NO_USER, sound: Retried.ACCEPTED}
    assert [entry.record_id for entry in actions.entries(store)] == ["orphan"]


def test_trying_all_goes_on_behind_an_entry_that_cannot_be_stored(store: Store, clinic: str) -> None:
    limited, allowed = nurse(store, clinic, "limited@test", [Permission.REGISTER]), nurse(store, clinic)
    stuck = refuse(store, "stuck", user=limited, clinic=clinic)
    sound = refuse(store, "sound", user=allowed, clinic=clinic)
    store.quarantine_max = 0
    assert actions.retry_all(store) == {stuck: Retried.FAILED, sound: Retried.ACCEPTED}
    assert [entry.num for entry in actions.entries(store)] == [stuck]


def test_only_the_named_entries_are_tried(store: Store, clinic: str) -> None:
    user = nurse(store, clinic)
    first, second = (refuse(store, name, user=user, clinic=clinic) for name in ("one", "two"))
    assert actions.retry_all(store, [second]) == {second: Retried.ACCEPTED}
    assert [entry.num for entry in actions.entries(store)] == [first]


def test_s6_an_export_is_one_line_for_each_entry_and_noted(store: Store) -> None:
    nums = [refuse(store, name, user="gone") for name in ("one", "two")]
    lines: list[str] = []
    assert actions.export(store, lines.append) == len(nums)
    assert [json.loads(line)["num"] for line in lines] == nums
    assert all(line.endswith("\n") and "given_name" in json.loads(line)["raw"] for line in lines)
    with store.read() as db:
        assert next(iter(audit.entries(db)))["event"] == "quarantine.exported"


def test_an_administrator_takes_in_what_its_author_may_not_enter_with_all_that_belongs_to_it(
    store: Store, clinic: str
) -> None:
    elsewhere = add_clinic(store, "Elsewhere")
    user = add_user(store, clinic, email="n@test")
    with store.read() as db:
        rights = callers.rights(db, user.id, user.role)
    pushed = {
        "patients": {"created": [row("patients", "p", primary_clinic_id=elsewhere)]},
        "visits": {"created": [row("visits", "v", patient_id="p", clinic_id=elsewhere)]},
        "events": {"created": [row("events", "e", patient_id="p", visit_id="v")]},
    }
    assert pushes.push(store, pushed, rights=rights).quarantined == 3
    patient, visit, _ = actions.entries(store)
    assert actions.retry(store, patient.num) is Retried.REFUSED
    with audit.by("administrator:Amal"):
        patient = next(entry for entry in actions.entries(store) if entry.table_name == "patients")
        assert actions.accept(store, patient.num) is Retried.ACCEPTED
    assert [pushes.live(store, table) for table in ("patients", "visits", "events")] == [{"p"}, {"v"}, {"e"}]
    assert actions.entries(store) == []
    assert actions.accept(store, visit.num) is Retried.GONE
    with store.read() as db:
        noted = [entry for entry in audit.entries(db) if entry["event"] == "quarantine.accepted"]
    assert [(entry["actor"], entry["detail"], entry["user_id"]) for entry in noted] == [
        ("administrator:Amal", "patients p", user.id)
    ]


def test_an_administrator_cannot_take_in_what_is_no_record(store: Store, clinic: str) -> None:
    user = add_user(store, clinic, email="n@test")
    with store.read() as db:
        rights = callers.rights(db, user.id, user.role)
    pushes.push(store, {"patients": {"created": [{"id": "p", "created_at": "some day"}]}}, rights=rights)
    assert actions.accept(store, actions.entries(store)[0].num) is Retried.REFUSED
    assert len(actions.entries(store)) == 1
