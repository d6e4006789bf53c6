"""A push to a cloud that is a list in this process: what fails is found, the rest gets through (R1, R2, R5)."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.actions.cloud import queue
from hub.core.cloud.outbox import OutboxState
from hub.core.cloud.tables import PUSH_ORDER
from hub.core.errors import CloudFailing, NoLine
from hub.core.reasons import Code
from hub.core.records.tables import TABLES
from hub.services.relay.client import Verdict
from hub.services.relay.push import DOUBTFUL_MAX, SUSPECTS_MAX, BatchSize, Push, Terms
from hub.store.cloud import outbox
from hub.store.database import Store
from tests.hubs import changes, edit, row
from tests.store import pushes

CLINIC = "c0000000-0000-4000-8000-000000000000"
NOW_MS = 1_800_000_000_000
PARENTS = {"visits": "patient_id", "patient_vitals": "visit_id"}


class ListCloud:
    """Stores record by record until one fails, as the cloud does (CLOUD.md 4.3), and checks foreign keys."""

    def __init__(self, poison: set[str] | None = None) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.poison = poison or set()
        self.requests = 0
        self.is_broken = False
        self.breaks_after: int | None = None

    def now_ms(self) -> int:
        return NOW_MS

    def push(self, content: bytes, *, repeatable: bool = True) -> Verdict:
        del repeatable
        self.requests += 1
        if self.is_broken:
            return Verdict.REFUSED
        if self.breaks_after is not None and self.requests > self.breaks_after:
            raise NoLine("it broke")
        body = json.loads(content)
        for table in PUSH_ORDER:
            for part in ("created", "updated"):
                for each in body.get(table.name, {}).get(part, ()):
                    if not self._store(table.name, each):
                        return Verdict.REFUSED
            for each in body.get(table.name, {}).get("deleted", ()):
                if each in self.poison:
                    return Verdict.REFUSED
                self.rows.pop(each, None)
        return Verdict.STORED

    def _store(self, table: str, each: dict[str, Any]) -> bool:
        parent = PARENTS.get(table)
        if each["id"] in self.poison or (parent and each[parent] not in self.rows):
            return False
        self.rows[each["id"]] = each
        return True


def push(store: Store, cloud: ListCloud, *, only_new: bool = False, most: int = 500) -> Push:
    terms = Terms(frozenset({CLINIC}), pulls=3, only_new=only_new, most_records=most)
    made = Push(store, cloud, terms, BatchSize(0, 1024 * 1024), lambda: None)  # type: ignore[arg-type]
    made.run()
    return made


def uid(kind: int, number: int) -> str:
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def enter(store: Store, table: str, row_id: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401
    made: dict[str, Any] = row(table, row_id, **values)
    pushes.push(store, changes(table, created=[made]))
    return made


def patients(store: Store, count: int) -> list[str]:
    ids = [uid(1, number) for number in range(count)]
    pushes.push(store, changes("patients", created=[row("patients", key, primary_clinic_id=CLINIC) for key in ids]))
    return ids


def state(store: Store, table: str, row_id: str) -> OutboxState:
    with store.read() as db:
        found = outbox.find(db, table, row_id)
    assert found is not None
    return found[1].state() if found[1] else OutboxState.PROVEN


@given(
    count=st.integers(1, 12),
    poison=st.sets(st.integers(0, 11), max_size=4),
    children=st.lists(st.tuples(st.sampled_from(["visits", "patient_vitals"]), st.integers(0, 11)), max_size=12),
    sick=st.sets(st.integers(0, 11), max_size=2),
    most=st.integers(1, 20),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_cloud_refuses_everything_else_gets_there_in_one_push(
    store: Store,
    count: int,
    poison: set[int],
    children: list[tuple[str, int]],
    sick: set[int],
    most: int,
) -> None:
    with store.write() as tx:
        for table in PUSH_ORDER:
            tx.db.execute(f"DELETE FROM [{table.name}]")
        tx.db.execute("DELETE FROM outbox")
        tx.db.execute("DELETE FROM quarantine")
    known = uid(9, 0)
    enter(store, "patients", known, primary_clinic_id=CLINIC)
    with store.write() as tx:
        tx.db.execute("DELETE FROM outbox")  # the cloud has one patient
    ids = patients(store, count)
    visits = [uid(2, number) for number in range(count)]
    pushes.push(
        store,
        changes(
            "visits",
            created=[
                row("visits", visit, patient_id=patient, clinic_id=CLINIC)
                for visit, patient in zip(visits, ids, strict=True)
            ],
        ),
    )
    vitals = {uid(3, place): visits[number % count] for place, (_, number) in enumerate(children)}
    pushes.push(
        store,
        changes(
            "patient_vitals",
            created=[
                row("patient_vitals", key, patient_id=known, visit_id=v, timestamp=1_700_000_000_000)
                for key, v in vitals.items()
            ],
        ),
    )
    bad = {ids[number] for number in poison if number < count} | {visits[number] for number in sick if number < count}
    cloud = ListCloud(bad)
    pushed = push(store, cloud, most=most)
    reachable = {ids[number] for number in range(count)} - bad
    reachable |= {visits[number] for number in range(count) if ids[number] in reachable} - bad
    reachable |= {key for key, visit in vitals.items() if visit in reachable}
    assert reachable == cloud.rows.keys() - {known}
    assert pushed.sent.stored == len(reachable)
    held = {key for key in bad if key in ids or ids[visits.index(key)] not in bad}
    assert pushed.sent.held == len(held)
    for name, keys in (("patients", ids), ("visits", visits), ("patient_vitals", list(vitals))):
        for key in keys:
            wanted = (
                OutboxState.SENT if key in reachable else OutboxState.ON_HOLD if key in held else OutboxState.WAITING
            )
            assert state(store, name, key) is wanted


def test_what_was_confirmed_before_the_line_broke_is_not_sent_again(store: Store) -> None:
    patients(store, 10)
    cloud = ListCloud()
    cloud.breaks_after = 2
    with pytest.raises(NoLine):
        push(store, cloud, most=3)
    assert len(cloud.rows) == 6
    cloud.breaks_after = None
    assert push(store, cloud, most=3).sent.stored == 4


def test_a_cloud_that_fails_at_everything_puts_nothing_on_hold(store: Store) -> None:
    ids = patients(store, 3)
    cloud = ListCloud()
    cloud.is_broken = True
    with pytest.raises(CloudFailing):
        push(store, cloud)
    assert {state(store, "patients", key) for key in ids} == {OutboxState.WAITING}
    assert pushes.reasons(store) == []


def test_many_records_that_fail_one_by_one_where_none_succeeds_mean_that_the_cloud_is_broken(store: Store) -> None:
    ids = patients(store, SUSPECTS_MAX + 1)
    with pytest.raises(CloudFailing, match="one by one"):
        push(store, ListCloud(set(ids)), most=1)
    assert {state(store, "patients", key) for key in ids} == {OutboxState.WAITING}


def test_edits_and_deletes_wait_for_a_pull_and_new_records_do_not(store: Store) -> None:
    [old, gone] = patients(store, 2)
    push(store, ListCloud())
    with store.write() as tx:
        tx.db.execute("DELETE FROM outbox")
    edited = edit(row("patients", old, primary_clinic_id=CLINIC), phone="1")
    pushes.push(store, changes("patients", updated=[edited], deleted=[gone], created=[row("patients", uid(4, 1))]))
    cloud = ListCloud()
    assert push(store, cloud, only_new=True).sent.stored == 1
    assert cloud.rows.keys() == {uid(4, 1)}
    assert push(store, cloud).sent.stored == 2
    assert state(store, "patients", gone) is OutboxState.SENT


def test_a_delete_that_the_cloud_refuses_says_so(store: Store) -> None:
    [kept, gone] = patients(store, 2)
    cloud = ListCloud()
    push(store, cloud)
    with store.write() as tx:
        outbox.remove(tx, TABLES["patients"], [1, 2])
    pushes.push(store, changes("patients", deleted=[gone]))
    cloud.poison = {gone}
    assert push(store, cloud).sent.held == 1
    assert kept in cloud.rows
    assert pushes.reasons(store) == [Code.DELETE_REFUSED.of(table="patients")]


def known_patient(store: Store) -> str:
    """Enter a patient whom the cloud has."""
    enter(store, "patients", uid(9, 0), primary_clinic_id=CLINIC)
    with store.write() as tx:
        tx.db.execute("DELETE FROM outbox")
    return uid(9, 0)


def push_until_quiet(store: Store, cloud: ListCloud) -> list[int]:
    """Push until nothing goes any more; returns the requests of each push."""
    requests: list[int] = []
    while not requests or requests[-1]:
        before = cloud.requests
        push(store, cloud)
        requests.append(cloud.requests - before)
    return requests


def held(store: Store) -> int:
    with store.read() as db:
        return outbox.counts(db, 0)["held"]


def test_49_records_that_the_cloud_refuses_cost_two_requests_each_over_a_few_pushes(store: Store) -> None:
    known_patient(store)
    cloud = ListCloud(set(patients(store, 49)))
    requests = push_until_quiet(store, cloud)
    assert held(store) == 49
    assert sum(requests) <= 2 * 49 + 25  # 244 before
    assert max(requests) <= 49 + 20 + DOUBTFUL_MAX


def test_records_that_were_refused_before_go_alone_and_a_few_at_a_time(store: Store) -> None:
    """A change of the clinics lets all of them go again."""
    known = known_patient(store)
    ids = patients(store, 49)
    cloud = ListCloud(set(ids))
    push_until_quiet(store, cloud)
    with store.write() as tx:
        assert queue.release_all(tx) == 49
    good = enter(store, "visits", uid(2, 0), patient_id=known, clinic_id=CLINIC)
    cloud.rows[known] = {}
    cloud.poison.discard(ids[7])
    requests = push_until_quiet(store, cloud)
    assert sum(requests) <= 49 + 20
    assert max(requests) <= DOUBTFUL_MAX + 10
    assert held(store) == 48
    assert cloud.rows.keys() == {known, good["id"], ids[7]}


def test_records_that_name_the_same_stranger_are_judged_by_two_of_them(store: Store) -> None:
    patient = known_patient(store)
    visits = [uid(2, number) for number in range(49)]
    strangers = [row("visits", key, patient_id=patient, clinic_id=CLINIC, provider_id=uid(7, 7)) for key in visits]
    pushes.push(store, changes("visits", created=strangers))
    cloud = ListCloud(set(visits))
    cloud.rows[patient] = {}
    assert sum(push_until_quiet(store, cloud)) <= 5
    assert held(store) == 49
    assert pushes.reasons(store) == [Code.REFUSED_REFERENCE.of(table="visits", parents=["users"])] * 49


def test_records_that_name_a_stranger_whom_the_cloud_knows_go_in_one_push(store: Store) -> None:
    patient = known_patient(store)
    visits = [uid(2, number) for number in range(49)]
    rows = [row("visits", key, patient_id=patient, clinic_id=CLINIC, provider_id=uid(7, 7)) for key in visits]
    pushes.push(store, changes("visits", created=rows))
    cloud = ListCloud()
    cloud.rows[patient] = {}
    assert push(store, cloud, most=10).sent.stored == 49
    assert cloud.requests == 6


def test_a_reason_goes_when_the_record_does(store: Store) -> None:
    patient = enter(store, "patients", uid(1, 1), primary_clinic_id=uid(8, 8))
    enter(store, "visits", uid(2, 1), patient_id=patient["id"])
    assert push(store, ListCloud()).sent.waiting == 1
    with store.read() as db:
        assert {cause.reason.code for cause in outbox.causes(db)} == {Code.CLINIC_ELSEWHERE, Code.WAITS_FOR}
    pushes.push(store, changes("patients", updated=[edit(patient, primary_clinic_id=CLINIC)]))
    assert push(store, ListCloud()).sent.stored == 2
    with store.read() as db:
        assert list(outbox.causes(db)) == []
    assert pushes.reasons(store) == []
