"""What a phone is owed: no pull ever skips (P5), nothing is sent as something else than it is to the phone (P6)."""

import random
from typing import Any

import msgspec
import pytest

from hub.actions.phones import devices
from hub.actions.phones import pull as pulling
from hub.core.phone import sheets
from hub.core.records.tables import TABLES
from hub.store.phones import ledger
from hub.store.records import record_rows
from tests.hubs import NOW_MS, POLICY, Client, InProcessHub, changes, edit, row
from tests.simulator.comparison import held
from tests.simulator.phone import Phone
from tests.store.pulls import OTHER, hours_pass, ids, patients, pull, settled
from tests.store.pushes import kept, live, push

STRANGE_CURSORS: list[Any] = [1, 1_899_000_000_000, 2**53, 1e18, 1e300, -1, 0.5, "0", "x", None, True, [], {}]


def sync_to_the_end(phone: Phone, most: int = 2000) -> int:
    """Sync until nothing comes any more; returns how often something did."""
    for count in range(most):
        outcome = phone.sync()
        assert outcome.ok, outcome.error
        if not outcome.pulled:
            return count
    raise AssertionError(most)


# Created, updated, deleted


def test_p5_what_lives_again_reaches_a_phone_that_heard_of_its_end_and_never_had_it(hub: InProcessHub) -> None:
    """The cloud had moved it before it was deleted here. It went as ``updated``, which this phone ignored for ever."""
    phone = hub.phone()
    sync_to_the_end(phone)
    push(hub.store, patients("a"), device=OTHER)
    push(hub.store, changes("patients", deleted=["a"]), device=OTHER)
    sync_to_the_end(phone)
    with hub.store.write() as tx:
        record_rows.bring_back(tx, TABLES["patients"], [1])
    hours_pass(hub, 1)
    sync_to_the_end(phone)
    assert held(phone.store, "patients").keys() == {"a"}


def test_p6_a_new_phone_gets_everything_as_created(hub: InProcessHub) -> None:
    push(hub.store, patients("a", "b"), device=OTHER)
    answer = pull(hub.client())
    assert sorted(ids(answer, "patients", "created")) == ["a", "b"]
    assert ids(answer, "clinics", "created") == [hub.clinic_id]
    assert not any(part["updated"] or part["deleted"] for part in answer["changes"].values())


def test_p6_a_new_phone_hears_of_no_tombstones(hub: InProcessHub) -> None:
    push(hub.store, patients("a"), device=OTHER)
    push(hub.store, changes("patients", deleted=["a"]), device=OTHER)
    assert "patients" not in pull(hub.client())["changes"]


def test_p6_a_record_that_is_new_to_the_phone_is_created_and_one_that_it_holds_is_updated(hub: InProcessHub) -> None:
    base = row("patients", "a")
    push(hub.store, changes("patients", created=[base]), device=OTHER)
    client, cursor = settled(hub)
    push(hub.store, patients("b"), device=OTHER)
    push(hub.store, changes("patients", updated=[edit(base, phone="2")]), device=OTHER)
    answer = pull(client, cursor)
    assert (ids(answer, "patients", "created"), ids(answer, "patients", "updated")) == (["b"], ["a"])


def test_p6_a_deletion_is_an_object_with_the_id_and_nothing_else(hub: InProcessHub) -> None:
    push(hub.store, patients("a"), device=OTHER)
    client, cursor = settled(hub)
    push(hub.store, changes("patients", deleted=["a"]), device=OTHER)
    part = pull(client, cursor)["changes"]["patients"]
    assert part == {"created": [], "updated": [], "deleted": [{"id": "a"}]}


def test_p6_a_phones_own_push_is_not_echoed(hub: InProcessHub) -> None:
    client, cursor = settled(hub)
    client.push(patients("a"))
    client.push(changes("patients", updated=[edit(row("patients", "a"), phone="2")]))
    assert pull(client, cursor)["changes"] == {}


def test_p6_what_a_phone_made_itself_comes_back_as_updated_when_another_edits_it(hub: InProcessHub) -> None:
    client, cursor = settled(hub)
    client.push(patients("a"))
    push(hub.store, changes("patients", updated=[edit(row("patients", "a"), phone="2")]), device=OTHER)
    answer = pull(client, cursor)
    assert (ids(answer, "patients", "created"), ids(answer, "patients", "updated")) == ([], ["a"])


def test_p3_a_phone_whose_edit_lost_gets_the_hubs_version(hub: InProcessHub) -> None:
    base = row("patients", "a", phone="1")
    push(hub.store, changes("patients", created=[base]), device=OTHER)
    client, cursor = settled(hub)
    push(hub.store, changes("patients", updated=[edit(base, phone="hub")]), device=OTHER)
    client.push(changes("patients", updated=[edit(base, phone="lost", updated_at=1)]))
    (record,) = pull(client, cursor)["changes"]["patients"]["updated"]
    assert record["phone"] == "hub"


def test_p3_an_edit_of_what_a_phone_had_read_counts_though_an_answer_with_something_newer_was_lost(
    hub: InProcessHub,
) -> None:
    """By its clock, which is behind, it would be the older one."""
    base = row("patients", "a")
    read = edit(base, phone="1", updated_at=2 * NOW_MS)
    push(hub.store, changes("patients", created=[base]), device=OTHER)
    push(hub.store, changes("patients", updated=[read]), device=OTHER)
    client, cursor = settled(hub)
    push(hub.store, changes("patients", updated=[edit(read, hometown="newer")]), device=OTHER)
    pull(client, cursor)
    client.push(changes("patients", updated=[edit(base, phone="2")]))
    stored = kept(hub.store, "patients", "a")
    assert (stored["phone"], stored["hometown"]) == ("2", "newer")


@pytest.mark.parametrize("confirm", [True, False])
def test_p4_a_phone_that_pushes_a_record_deleted_meanwhile_is_told(hub: InProcessHub, confirm: bool) -> None:  # noqa: FBT001
    base = row("patients", "a")
    push(hub.store, changes("patients", created=[base]), device=OTHER)
    client, cursor = settled(hub)
    push(hub.store, changes("patients", deleted=["a"]), device=OTHER)
    if confirm:
        cursor = pull(client, cursor)["timestamp"]
    client.push(changes("patients", updated=[edit(base, phone="2")]))
    assert ids(pull(client, cursor), "patients", "deleted") == ["a"]


def test_nothing_new_is_an_empty_answer_with_a_new_timestamp_which_the_phone_shows_as_its_last_sync(
    hub: InProcessHub,
) -> None:
    client, cursor = settled(hub)
    answer = pull(client, cursor)
    assert not answer["changes"]
    assert answer["timestamp"] > cursor


# Cursors


def test_p5_a_lost_answer_is_given_again(hub: InProcessHub) -> None:
    client, cursor = settled(hub)
    push(hub.store, patients("a", "b"), device=OTHER)
    lost = pull(client, cursor)
    again = pull(client, cursor)
    assert again["changes"] == lost["changes"]


def test_p5_a_lost_first_answer_is_given_again(hub: InProcessHub) -> None:
    push(hub.store, patients("a"), device=OTHER)
    client = hub.client()
    assert pull(client)["changes"] == pull(client)["changes"]


def test_p5_any_answer_that_arrived_late_is_written_off_and_no_other(hub: InProcessHub) -> None:
    client, cursor = settled(hub)
    push(hub.store, patients("a"), device=OTHER)
    first = pull(client, cursor)
    push(hub.store, patients("b"), device=OTHER)
    pull(client, cursor)  # carried a and b, and was lost
    assert ids(pull(client, first["timestamp"]), "patients", "created") == ["b"]


@pytest.mark.parametrize("arrived", [0, 1])
def test_p5_of_two_parallel_pulls_either_may_be_the_one_that_counts(hub: InProcessHub, arrived: int) -> None:
    client, cursor = settled(hub)
    push(hub.store, patients("a"), device=OTHER)
    answers = [pull(client, cursor), pull(client, cursor)]
    push(hub.store, patients("b"), device=OTHER)
    assert ids(pull(client, answers[arrived]["timestamp"]), "patients", "created") == ["b"]


@pytest.mark.parametrize("cursor", STRANGE_CURSORS)
def test_p10_with_a_cursor_that_the_hub_never_gave_a_phone_keeps_what_it_has(hub: InProcessHub, cursor: object) -> None:
    push(hub.store, patients("a", "b"), device=OTHER)
    client, _ = settled(hub)
    push(hub.store, patients("c"), device=OTHER)
    is_none = isinstance(cursor, bool) or not isinstance(cursor, int | float)
    assert sorted(ids(pull(client, cursor), "patients")) == (["a", "b", "c"] if is_none else ["c"])


def test_p10_of_a_phone_that_comes_from_another_hub_it_is_shown_that_the_hub_has_to_ask_what_it_has(
    hub: InProcessHub,
) -> None:
    push(hub.store, patients("a"), device=OTHER)
    client, cursor = settled(hub)
    assert [phone.asks for phone in devices.every(hub.store)] == [0]
    cursor = pull(client, 1_795_000_000_000)["timestamp"]
    hours_pass(hub, 1)
    assert [phone.asks for phone in devices.every(hub.store)] == [1]
    for _ in range(2):
        cursor = pull(client, cursor)["timestamp"]
    assert [phone.asks for phone in devices.every(hub.store)] == [0]


@pytest.mark.parametrize("cursor", [1_795_000_000_000, 2**60])
def test_p10_a_phone_that_comes_from_another_hub_pushes_first_and_hears_of_every_tombstone(
    hub: InProcessHub, cursor: int
) -> None:
    push(hub.store, patients("a", "gone", created_at=1_790_000_000_000), device=OTHER)
    push(hub.store, changes("patients", deleted=["gone"]), device=OTHER)
    client = hub.client("other-hubs-phone")
    answer = pull(client, cursor)
    assert (ids(answer, "patients", "created"), ids(answer, "patients", "deleted")) == ([], ["gone"])
    assert ids(answer, "clinics") == [hub.clinic_id]
    hours_pass(hub, 1)
    assert ids(pull(client, answer["timestamp"]), "patients", "created") == ["a"]


def test_p5_a_phone_put_back_from_a_backup_gets_again_what_came_since(hub: InProcessHub) -> None:
    push(hub.store, patients("a"), device=OTHER)
    client = hub.client()
    old = pull(client)["timestamp"]
    new = pull(client, old)["timestamp"]
    push(hub.store, patients("b"), device=OTHER)
    new = pull(client, new)["timestamp"]
    pull(client, new)
    first = pull(client, old)
    hours_pass(hub, 1)
    assert "b" in ids(first, "patients") + ids(pull(client, first["timestamp"]), "patients")


def test_p5_a_cursor_may_come_twice(hub: InProcessHub) -> None:
    client, cursor = settled(hub)
    push(hub.store, patients("a"), device=OTHER)
    for _ in range(2):
        assert ids(pull(client, cursor), "patients", "created") == ["a"]


def test_p5_a_reinstalled_phone_that_kept_its_client_id_gets_everything_as_created(hub: InProcessHub) -> None:
    client, _ = settled(hub)
    client.push(patients("own"))
    push(hub.store, patients("a"), device=OTHER)
    answer = pull(client, 0)
    assert sorted(ids(answer, "patients", "created")) == ["a", "own"]


def test_p9_cursors_outlive_a_restart(hub: InProcessHub) -> None:
    push(hub.store, patients("a"), device=OTHER)
    client, cursor = settled(hub)
    hub.restart()
    push(hub.store, patients("b"), device=OTHER)
    client.shake()
    assert ids(pull(client, cursor), "patients", "created") == ["b"]


def test_s8_answers_are_remembered_up_to_a_bound(hub: InProcessHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "ANSWERS", 20)
    monkeypatch.setattr(ledger, "TRIM_EVERY", 1)
    client, cursor = settled(hub)
    push(hub.store, patients("a"), device=OTHER)
    for number in range(60):
        timestamp = pull(client, cursor)["timestamp"]
        cursor = timestamp if number % 3 else cursor
    with hub.store.read() as db:
        assert db.execute("SELECT count(DISTINCT timestamp) FROM deliveries").fetchone()[0] == 20
        assert len(ledger.answers(db, 1)) == 20


def test_a_phone_that_is_up_to_date_is_not_behind(hub: InProcessHub) -> None:
    push(hub.store, patients("a"), device=OTHER)
    client, cursor = settled(hub)
    push(hub.store, patients("b", "c"), device=OTHER)
    with hub.store.read() as db:
        assert pulling.behind(db, 1) == 2
    pull(client, pull(client, cursor)["timestamp"])
    with hub.store.read() as db:
        assert pulling.behind(db, 1) == 0


# Whole phones


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("page_bytes", [600, 4000, 1_000_000])
def test_p5_a_phone_that_keeps_syncing_holds_what_the_hub_holds(hub: InProcessHub, seed: int, page_bytes: int) -> None:
    hub.restart(policy=msgspec.structs.replace(POLICY, page_bytes=page_bytes))
    rng = random.Random(seed)
    phones = [hub.phone(10 * seed + number) for number in range(3)]
    for _ in range(12):
        phone = rng.choice(phones)
        visible = list(held(phone.store, "patients"))
        if visible and rng.random() < 0.5:
            phone.edit("patients", rng.choice(visible), {rng.choice(["phone", "hometown"]): str(rng.random())})
        elif visible and rng.random() < 0.3:
            phone.soft_delete("patients", rng.choice(visible))
        else:
            made = phone.create("patients", {"given_name": "x" * rng.randrange(400)})
            phone.create("visits", {"patient_id": made["id"], "clinic_id": hub.clinic_id})
        if rng.random() < 0.7:
            assert phone.sync().ok
    for phone in phones * 2:
        sync_to_the_end(phone)
    for phone in phones:
        for table in ("patients", "visits", "clinics"):
            assert set(held(phone.store, table)) == live(hub.store, table)


def test_p5_a_forced_upload_that_sets_the_cursor_to_the_phones_clock_skips_nothing(hub: InProcessHub) -> None:
    phone = hub.phone()
    sync_to_the_end(phone)
    push(hub.store, patients("a"), device=OTHER)
    phone.create("patients", {"id": "own"})
    assert phone.force_upload().ok
    sync_to_the_end(phone)
    assert set(held(phone.store, "patients")) == {"a", "own"}


# After a backup was put back


def trusting(hub: InProcessHub) -> Client:
    """Return a phone that synced with a hub that died since this one's backup, and holds what was in it."""
    push(hub.store, patients("a"), device=OTHER)
    client, _ = settled(hub)
    with hub.store.write() as tx:
        tx.db.execute("UPDATE ledger_heads SET settled = ?", [sheets.ANY_CURSOR])
    return client


def test_o4_a_phone_that_synced_after_the_backup_is_sent_what_is_new_and_nothing_old(hub: InProcessHub) -> None:
    client = trusting(hub)
    dead_hubs = 1_900_000_000_000
    assert pull(client, dead_hubs)["changes"] == {}
    push(hub.store, patients("b"), device=OTHER)
    answer = pull(client, dead_hubs)
    assert ids(answer, "patients") == ["b"]
    assert pull(client, answer["timestamp"])["changes"] == {}


def test_o4_a_phone_that_synced_after_the_backup_is_named_and_one_that_did_not_is_not(hub: InProcessHub) -> None:
    client = trusting(hub)
    other, cursor = settled(hub, "client-2")
    with hub.store.write() as tx:
        tx.db.execute("UPDATE ledger_heads SET settled = ?", [sheets.ANY_CURSOR])
    pull(client, 1_900_000_000_000)
    pull(other, cursor)
    assert [found.is_ahead for found in devices.every(hub.store)] == [True, False]
    hours_pass(hub, 24 * 31)
    assert [found.is_ahead for found in devices.every(hub.store)] == [False, False]


def test_a_phone_that_confirms_nothing_is_named_and_one_whose_answer_was_lost_is_not(hub: InProcessHub) -> None:
    push(hub.store, patients("a"), device=OTHER)
    client, cursor = settled(hub)
    for answers in (0, 0, 3, 4):
        pull(client, cursor)
        [found] = devices.every(hub.store)
        assert found.unconfirmed == answers
    pull(client, pull(client, cursor)["timestamp"])
    assert devices.every(hub.store)[0].unconfirmed == 0


def test_o4_an_emptied_phone_gets_everything_after_a_backup_too(hub: InProcessHub) -> None:
    assert ids(pull(trusting(hub), 0), "patients") == ["a"]
