"""Several people on one phone, and people who moved: a record is judged by who wrote it and what they might do then."""

from dataclasses import dataclass
from typing import Any

import pytest

from hub.actions import quarantine
from hub.actions.quarantine import Retried
from hub.core.people.users import User
from hub.core.reasons import Code
from hub.core.records.access import Permission, Rights
from hub.core.records.tables import TABLES
from hub.store.database import Store
from hub.store.people import users
from hub.store.phones import callers, sessions
from hub.store.records import record_rows
from tests.hubs import add_clinic, add_user, row
from tests.store import pushes

PHONE, OTHER_PHONE = 1, 2
PERMISSIONS = "user_clinic_permissions"


@dataclass
class Ward:
    """Two clinics: a nurse and a registrar of Alpha, a nurse of Beta."""

    store: Store

    def __post_init__(self) -> None:
        self.alpha, self.beta = add_clinic(self.store, "Alpha"), add_clinic(self.store, "Beta")
        self.anna = add_user(self.store, self.alpha, email="anna@test")
        self.clerk = add_user(self.store, self.alpha, email="clerk@test", without=[Permission.PRESCRIBE])
        self.ben = add_user(self.store, self.beta, email="ben@test")

    def sign_in(self, user: User, device: int = PHONE) -> int:
        """Sign somebody in on a phone; returns the hub time."""
        with self.store.write() as tx:
            sessions.issue_token(tx, device=device, user_id=user.id, days=30)
            return tx.now_ms

    def rights(self, user: User) -> Rights:
        with self.store.read() as db:
            return callers.rights(db, user.id, user.role)

    def chart(self, author: User, at_ms: int = 0, **rows: str) -> dict[str, Any]:
        """Return what somebody of Alpha entered offline: a patient with all that a visit brings."""
        times: dict[str, Any] = {"created_at": at_ms, "updated_at": at_ms} if at_ms else {}
        clinic = rows.get("clinic", self.alpha)
        made = {
            "patients": row("patients", "p", primary_clinic_id=clinic, **times),
            "visits": row("visits", "v", patient_id="p", clinic_id=clinic, provider_id=author.id, **times),
            "events": row("events", "e", patient_id="p", visit_id="v", recorded_by_user_id=author.id, **times),
            "prescriptions": row(
                "prescriptions",
                "r",
                patient_id="p",
                visit_id="v",
                pickup_clinic_id=clinic,
                provider_id=author.id,
                **times,
            ),
        }
        return {table: {"created": [each]} for table, each in made.items()}

    def push(self, pushed: dict[str, Any], who: User, device: int = PHONE) -> list[Code]:
        """Push as who is signed in now; returns why records are in quarantine."""
        pushes.push(self.store, pushed, device=device, rights=self.rights(who))
        return [reason.code for reason in pushes.reasons(self.store)]

    def live(self) -> set[str]:
        return set().union(
            *(pushes.live(self.store, table) for table in ("patients", "visits", "events", "prescriptions"))
        )

    def held(self) -> dict[str, Code]:
        """Return what is in quarantine, and why."""
        return {entry.record_id or "": entry.reason.code for entry in quarantine.entries(self.store)}

    def entry(self, table: str) -> int:
        """Return the number of a table's entry in quarantine."""
        return next(entry.num for entry in quarantine.entries(self.store) if entry.table_name == table)

    def store_clerk_without(self, permission: Permission) -> None:
        """Let the clerk have all but one permission, and sign in."""
        with self.store.write() as tx:
            users.grant(tx, self.clerk.id, self.alpha, set(Permission) - {permission})
        self.sign_in(self.clerk)

    def take_away(self, user: User) -> int:
        """Let the cloud take a user's permissions away; returns the hub time."""
        with self.store.write() as tx:
            rows = tx.db.execute(f"SELECT num FROM {PERMISSIONS} WHERE user_id = ?", [user.id]).fetchall()
            record_rows.delete(tx, TABLES[PERMISSIONS], [num for (num,) in rows])
            return tx.now_ms


@pytest.fixture
def ward(store: Store) -> Ward:
    return Ward(store)


def test_what_a_nurse_left_on_the_phone_is_taken_in_when_a_colleague_of_less_rights_syncs_it(ward: Ward) -> None:
    ward.sign_in(ward.anna)
    ward.sign_in(ward.clerk)
    assert ward.push(ward.chart(ward.anna), ward.clerk) == []
    assert ward.live() == {"p", "v", "e", "r"}


def test_what_a_nurse_left_on_the_phone_is_taken_in_when_one_of_another_clinic_syncs_it(ward: Ward) -> None:
    at = ward.sign_in(ward.anna)
    ward.sign_in(ward.ben)
    assert ward.push(ward.chart(ward.anna, at), ward.ben) == []
    assert ward.live() == {"p", "v", "e", "r"}
    with ward.store.read() as db:
        assert db.execute("SELECT author FROM patients").fetchone()[0] == ward.anna.id


def test_what_a_record_says_of_its_author_counts_only_for_people_of_this_phone(ward: Ward) -> None:
    at = ward.sign_in(ward.anna, OTHER_PHONE)
    ward.sign_in(ward.ben)
    assert ward.push(ward.chart(ward.anna, at), ward.ben) == [Code.NOT_IN_CLINIC, *[Code.PARENT_HELD] * 3]
    assert ward.live() == set()


def test_who_was_signed_out_by_the_hub_answers_for_nothing_any_more(ward: Ward) -> None:
    at = ward.sign_in(ward.anna)
    ward.sign_in(ward.ben)
    with ward.store.write() as tx:
        users.disable(tx, ward.anna)
    assert ward.push(ward.chart(ward.anna, at), ward.ben)[0] is Code.NOT_IN_CLINIC


def test_a_claim_gives_nobody_more_than_they_may(ward: Ward) -> None:
    ward.sign_in(ward.clerk)
    ward.sign_in(ward.anna)
    held = ward.push(ward.chart(ward.clerk), ward.anna)
    assert held == [Code.PART_NOT_ALLOWED, Code.PARENT_HELD, Code.NOT_PERMITTED]
    assert ward.live() == {"p"}


@pytest.mark.parametrize("tried", ["visits", "events", "prescriptions"])
def test_a_visit_of_which_a_part_is_not_allowed_is_held_and_taken_in_whole(ward: Ward, tried: str) -> None:
    ward.sign_in(ward.clerk)
    ward.push(ward.chart(ward.clerk), ward.clerk)
    assert ward.live() == {"p"}
    assert quarantine.retry(ward.store, ward.entry(tried)) is Retried.REFUSED
    assert set(quarantine.retry_all(ward.store).values()) == {Retried.REFUSED}
    assert ward.live() == {"p"}
    assert ward.held() == {"v": Code.PART_NOT_ALLOWED, "e": Code.PARENT_HELD, "r": Code.NOT_PERMITTED}
    assert quarantine.accept(ward.store, ward.entry(tried)) is Retried.ACCEPTED
    assert ward.live() == {"p", "v", "e", "r"}
    assert ward.held() == {}


def test_a_visit_that_was_held_whole_comes_in_when_its_author_may_enter_all_of_it(ward: Ward) -> None:
    ward.sign_in(ward.clerk)
    ward.push(ward.chart(ward.clerk), ward.clerk)
    with ward.store.write() as tx:
        users.grant(tx, ward.clerk.id, ward.alpha, list(Permission))
    assert set(quarantine.retry_all(ward.store).values()) == {Retried.ACCEPTED}
    assert ward.live() == {"p", "v", "e", "r"}


def test_a_visit_is_held_whole_also_for_what_belongs_to_a_part_of_it(ward: Ward) -> None:
    ward.store_clerk_without(Permission.DISPENSE)
    pushed = ward.chart(ward.clerk)
    item = row("prescription_items", "i", prescription_id="r", patient_id="p", clinic_id=ward.alpha)
    handed_out = row("dispensing_records", "d", prescription_item_id="i", patient_id="p", clinic_id=ward.alpha)
    pushed |= {"prescription_items": {"created": [item]}, "dispensing_records": {"created": [handed_out]}}
    ward.push(pushed, ward.clerk)
    assert ward.live() == {"p"}
    assert ward.held() == {
        "v": Code.PART_NOT_ALLOWED,
        **dict.fromkeys(("e", "r", "i"), Code.PARENT_HELD),
        "d": Code.NOT_PERMITTED,
    }
    assert quarantine.accept(ward.store, ward.entry("dispensing_records")) is Retried.ACCEPTED
    assert ward.live() == {"p", "v", "e", "r"}
    assert ward.held() == {}


def test_other_visits_in_the_same_push_are_taken_in(ward: Ward) -> None:
    ward.sign_in(ward.clerk)
    pushed = ward.chart(ward.clerk)
    pushed["visits"]["created"].append(row("visits", "v2", patient_id="p", clinic_id=ward.alpha))
    pushed["events"]["created"].append(row("events", "e2", patient_id="p", visit_id="v2"))
    ward.push(pushed, ward.clerk)
    assert ward.live() == {"p", "v2", "e2"}


def test_what_is_refused_of_a_visit_that_the_hub_has_is_held_alone(ward: Ward) -> None:
    ward.sign_in(ward.clerk)
    pushed = ward.chart(ward.clerk)
    late = pushed.pop("prescriptions")
    assert ward.push(pushed, ward.clerk) == []
    assert ward.push({"prescriptions": late}, ward.clerk) == [Code.NOT_PERMITTED]
    assert ward.live() == {"p", "v", "e"}


def test_a_part_that_cannot_be_read_is_held_alone(ward: Ward) -> None:
    ward.sign_in(ward.anna)
    pushed = ward.chart(ward.anna)
    pushed["prescriptions"]["created"][0]["prescribed_at"] = {}
    assert ward.push(pushed, ward.anna) == [Code.WRONG_TYPE]
    assert ward.live() == {"p", "v", "e"}


def test_what_is_refused_again_is_still_judged_by_who_entered_it_on_which_phone(ward: Ward) -> None:
    at = ward.sign_in(ward.anna)
    ward.sign_in(ward.ben)
    with ward.store.write() as tx:
        users.disable(tx, ward.anna)
    ward.push(ward.chart(ward.anna, at), ward.ben)
    assert quarantine.retry(ward.store, ward.entry("patients")) is Retried.REFUSED
    assert [entry.device for entry in quarantine.entries(ward.store)] == [PHONE] * 4


def test_a_nurse_who_was_transferred_while_offline_brings_what_she_entered_before(ward: Ward) -> None:
    at = ward.sign_in(ward.anna)
    gone = ward.take_away(ward.anna)
    with ward.store.write() as tx:
        users.grant(tx, ward.anna.id, ward.beta, list(Permission))
    assert gone > at
    assert ward.push(ward.chart(ward.anna, at), ward.anna) == []
    assert ward.live() == {"p", "v", "e", "r"}


def test_a_nurse_who_was_transferred_enters_nothing_there_afterwards(ward: Ward) -> None:
    ward.sign_in(ward.anna)
    gone = ward.take_away(ward.anna)
    with ward.store.write() as tx:
        users.grant(tx, ward.anna.id, ward.beta, list(Permission))
    assert ward.push(ward.chart(ward.anna, gone + 1), ward.anna)[0] is Code.NOT_IN_CLINIC
    assert ward.live() == set()


def test_no_time_that_a_phone_says_reaches_back_before_the_first_sign_in_there(ward: Ward) -> None:
    ward.take_away(ward.anna)
    ward.sign_in(ward.anna)
    assert ward.push(ward.chart(ward.anna, 1), ward.anna)[0] is Code.NOT_IN_CLINIC
