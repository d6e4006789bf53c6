"""A phone put back from a backup, and two that take turns under one id: each gets what it lacks, and no more."""

import copy
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import FrozenBitMap

from hub.actions.phones import devices
from hub.core.phone.sheets import Delivered, Fork, Shared
from hub.store.phones import ledger, twins
from tests.hubs import Client, InProcessHub, changes, edit, row
from tests.simulator.comparison import held
from tests.simulator.phone import Phone
from tests.store.pulls import OTHER, hours_pass, ids, patients, pull, settled
from tests.store.pushes import live, push

PATIENTS = "patients"
STEPS = ("sync", "sync", "lost", "add", "edit", "hub")


def clone(phone: Phone) -> Phone:
    """Return what a phone is after its backup was put back: on the same device, or on another one."""
    twin = copy.copy(phone)
    twin.store = copy.copy(phone.store)
    twin.store._tables = copy.deepcopy(phone.store._tables)
    return twin


def settle(hub: InProcessHub, *phones: Phone, rounds: int = 12) -> int:
    """Let phones sync in turn; returns how many syncs failed."""
    failed = 0
    for _ in range(rounds):
        for phone in phones:
            failed += not phone.sync().ok
        hours_pass(hub, 50)
    return failed


def carried(answer: Any) -> dict[str, dict[str, list[str]]]:  # noqa: ANN401  any JSON
    """Return what an answer carries: table -> list -> ids."""
    return {
        table: {part: sorted(record["id"] for record in records) for part, records in lists.items() if records}
        for table, lists in answer["changes"].items()
    }


def confirmed(hub: InProcessHub, client: Client, cursor: float, *names: str) -> float:
    """Let another phone make patients and this one get them; returns its cursor."""
    push(hub.store, patients(*names), device=OTHER)
    return float(pull(client, pull(client, cursor)["timestamp"])["timestamp"])


def test_a_phone_put_back_from_a_backup_gets_what_was_delivered_since_and_only_that(hub: InProcessHub) -> None:
    base = row(PATIENTS, "a")
    push(hub.store, changes(PATIENTS, created=[base]), device=OTHER)
    client, cursor = settled(hub)
    backup = confirmed(hub, client, cursor, "b")
    push(hub.store, changes(PATIENTS, updated=[edit(base, phone="2")]), device=OTHER)
    confirmed(hub, client, confirmed(hub, client, backup, "c"), "d")
    push(hub.store, patients("e"), device=OTHER)
    assert carried(pull(client, backup)) == {PATIENTS: {"created": ["c", "d", "e"], "updated": ["a"]}}
    with hub.store.read() as db:
        assert twins.is_shared(db, 1)


def test_a_phone_put_back_from_a_backup_gets_its_own_pushes_of_since(hub: InProcessHub) -> None:
    client, backup = settled(hub)
    client.push(patients("kept"))
    cursor = pull(client, backup)["timestamp"]
    first = cursor
    cursor = pull(client, cursor)["timestamp"]
    client.push(patients("lost"))
    client.push(changes(PATIENTS, updated=[edit(row(PATIENTS, "kept"), phone="2")]))
    pull(client, pull(client, cursor)["timestamp"])
    assert carried(pull(client, first)) == {PATIENTS: {"created": ["lost"], "updated": ["kept"]}}


def test_a_phone_put_back_by_one_sync_gets_what_it_pushed_in_it(hub: InProcessHub) -> None:
    client, backup = settled(hub)
    pull(client, backup)
    client.push(patients("lost"))
    cursor, came = backup, list[str]()
    for _ in range(4):
        answer = pull(client, cursor)
        cursor, came = answer["timestamp"], [*came, *ids(answer, PATIENTS)]
        hours_pass(hub, 1)
    assert came == ["lost"]


def test_a_cursor_of_nobody_is_taken_for_none_of_several_phones(hub: InProcessHub) -> None:
    one = hub.phone()
    settle(hub, one, rounds=2)
    other = clone(one)
    for name, phone in (("one", one), ("other", other)):
        phone.create(PATIENTS, {"id": name, "primary_clinic_id": hub.clinic_id})
    settle(hub, one, other, rounds=1)
    push(hub.store, patients("hub"), device=OTHER)
    one.cursor = float(one.cursor or 0) + 0.5
    assert settle(hub, one, other) == 0
    assert set(held(one.store, PATIENTS)) == set(held(other.store, PATIENTS)) == {"one", "other", "hub"}


def test_a_phone_put_back_twice_gets_it_twice(hub: InProcessHub) -> None:
    client, backup = settled(hub)
    for _ in range(3):
        confirmed(hub, client, backup, "a")
        answer = pull(client, backup)
        assert ids(answer, PATIENTS) == ["a"]
        assert pull(client, answer["timestamp"])["changes"] == {}


def test_what_was_withheld_and_deleted_meanwhile_is_right_after_a_backup_was_put_back(hub: InProcessHub) -> None:
    client, cursor = settled(hub)
    backup = confirmed(hub, client, cursor, "a", "b")
    push(hub.store, changes(PATIENTS, deleted=["a"]), device=OTHER)
    confirmed(hub, client, backup, "c")
    assert carried(pull(client, backup)) == {PATIENTS: {"created": ["c"], "deleted": ["a"]}}


def test_two_phones_that_take_turns_under_one_id_both_have_everything_in_the_end(hub: InProcessHub) -> None:
    one = hub.phone()
    settle(hub, one, rounds=2)
    other = clone(one)
    for turn in range(6):
        for phone, name in ((one, "one"), (other, "other")):
            phone.create(PATIENTS, {"id": f"{name}-{turn}", "primary_clinic_id": hub.clinic_id})
            assert phone.sync().ok
        push(hub.store, patients(f"hub-{turn}"), device=OTHER)
    assert settle(hub, one, other) == 0
    assert set(held(one.store, PATIENTS)) == set(held(other.store, PATIENTS)) == live(hub.store, PATIENTS)
    assert len(live(hub.store, PATIENTS)) == 18


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["sync", "lost", "add", "edit", "hub", "sync"])), max_size=30)
)
def test_whoever_takes_turns_however_under_one_id_has_everything_in_the_end(
    tmp_path: Path, steps: list[tuple[int, str]]
) -> None:
    hub = InProcessHub(tmp_path / str(uuid.uuid4()))
    phones = [first := hub.phone()]
    settle(hub, first, rounds=2)
    phones += [clone(first), clone(first)]
    for number, (who, what) in enumerate(steps):
        take(hub, phones[who], what, number)
    settle(hub, *phones, rounds=8)
    assert [set(held(phone.store, PATIENTS)) for phone in phones] == 3 * [live(hub.store, PATIENTS)]
    hub.close()


def take(hub: InProcessHub, phone: Phone, what: str, number: int) -> None:
    """Let a phone do something, or another one add a patient."""
    match what:
        case "sync":
            phone.sync()
        case "lost":
            clone(phone).sync()
        case "add":
            phone.create(PATIENTS, {"id": f"own-{number}", "primary_clinic_id": hub.clinic_id})
        case "edit":
            for record in list(phone.store.rows(PATIENTS))[:1]:
                phone.edit(PATIENTS, str(record["id"]), {"phone": str(number)})
        case _:
            push(hub.store, patients(f"hub-{number}"), device=OTHER)


def test_two_phones_under_one_id_read_each_others_edits(hub: InProcessHub) -> None:
    push(hub.store, patients("a"), device=OTHER)
    one = hub.phone()
    settle(hub, one, rounds=2)
    other = clone(one)
    for turn in range(3):
        one.edit(PATIENTS, "a", {"phone": f"one {turn}"})
        other.edit(PATIENTS, "a", {"camp": f"other {turn}"})
        settle(hub, one, other, rounds=2)
    settle(hub, one, other)
    for phone in (one, other):
        record = phone.store.find(PATIENTS, "a")
        assert record is not None
        assert (record["phone"], record["camp"]) == ("one 2", "other 2")


def test_a_clone_whose_user_deleted_what_both_had_is_not_stuck(hub: InProcessHub) -> None:
    one = hub.phone()
    settle(hub, one, rounds=2)
    other = clone(one)
    one.create(PATIENTS, {"id": "a", "primary_clinic_id": hub.clinic_id})
    assert one.sync().ok
    settle(hub, one, other, rounds=3)
    one.delete_locally(PATIENTS, "a")
    push(hub.store, patients("b"), device=OTHER)
    settle(hub, one, other, rounds=20)
    assert "b" in held(one.store, PATIENTS)
    assert set(held(other.store, PATIENTS)) == {"a", "b"}


def test_two_phones_under_one_id_are_shown_and_one_that_was_put_back_is_not(hub: InProcessHub) -> None:
    one = hub.phone()
    settle(hub, one, rounds=2)
    backup = clone(one)
    settle(hub, one, rounds=2)
    settle(hub, backup, rounds=2)
    assert [found.twins for found in devices.every(hub.store)] == [0]
    settle(hub, one, backup, rounds=2)
    assert [found.twins for found in devices.every(hub.store)] == [2]


def test_what_another_phone_under_its_id_takes_from_a_ledger_is_gone_from_it(hub: InProcessHub) -> None:
    client, cursor = settled(hub)
    confirmed(hub, client, cursor, "a", "b")
    with hub.store.write() as tx:
        before = ledger.read(tx.db, 1)
        sheet = before.sheets[PATIENTS]._replace(has=FrozenBitMap([1]), due=FrozenBitMap([2]), unsure=FrozenBitMap([2]))
        answer = ledger.answers(tx.db, 1)[-1]
        part = Delivered(FrozenBitMap([1]), None)
        expected = answer._replace(tables=dict.fromkeys(answer.tables, part))
        twins.begin(tx, 1, Fork(1, shared=[Shared(1, {PATIENTS: sheet}, [expected])]))
        now_ms = tx.now_ms
    with hub.store.read() as db:
        after = ledger.read(db, 1)
        assert (after.sheets[PATIENTS], after.head and after.head.since) == (sheet, now_ms)
        [kept] = [each for each in ledger.answers(db, 1) if each.timestamp == answer.timestamp]
    assert kept.tables[PATIENTS].nums == FrozenBitMap([1]) != answer.tables[PATIENTS].nums


def test_an_emptied_phone_and_one_that_goes_on_under_its_id_both_get_everything(hub: InProcessHub) -> None:
    push(hub.store, patients("a"), device=OTHER)
    one = hub.phone()
    settle(hub, one, rounds=2)
    other = clone(one)
    other.store._tables = {name: {} for name in other.store._tables}
    other.cursor = None
    push(hub.store, patients("b"), device=OTHER)
    assert settle(hub, other, one, rounds=4) == 0
    assert set(held(one.store, PATIENTS)) == set(held(other.store, PATIENTS)) == {"a", "b"}


@pytest.mark.parametrize("count", [3, twins.LEDGERS, 9])
def test_however_many_phones_share_an_id_the_hub_keeps_few_ledgers_of_it(hub: InProcessHub, count: int) -> None:
    one = hub.phone()
    settle(hub, one, rounds=2)
    clones = [one, *(clone(one) for _ in range(count - 1))]
    for turn in range(4):
        push(hub.store, patients(f"hub-{turn}"), device=OTHER)
        settle(hub, *clones, rounds=1)
    with hub.store.read() as db:
        assert db.execute("SELECT count(*) FROM twins").fetchone()[0] <= twins.LEDGERS
    if count <= twins.LEDGERS:
        settle(hub, *clones)
        assert all(set(held(phone.store, PATIENTS)) == live(hub.store, PATIENTS) for phone in clones)


def test_forgetting_a_phone_forgets_every_ledger_of_its_id_and_no_other(hub: InProcessHub) -> None:
    one, kept = hub.phone(), hub.phone(2)
    for phone in (one, kept):
        settle(hub, phone, rounds=2)
        twin = clone(phone)
        settle(hub, phone, twin, rounds=2)
    devices.forget(hub.store, one.client_id)
    with hub.store.read() as db:
        assert db.execute("SELECT count(*) FROM twins").fetchone()[0] == 1
        assert db.execute("SELECT count(DISTINCT device) FROM ledger_heads").fetchone()[0] == 2
        assert db.execute("SELECT count(DISTINCT device) FROM deliveries").fetchone()[0] == 2
