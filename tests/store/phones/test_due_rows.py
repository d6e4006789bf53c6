"""Reading what a phone is owed, page by page (P5, P6)."""

import random
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Any

import msgspec
import pytest

from hub.core.phone.cipher import Direction
from hub.core.records.access import Permission
from hub.core.records.tables import TABLES
from hub.store.people import users
from hub.store.phones import backlog as backlogs
from tests.hubs import EMAIL, NOW_MS, POLICY, Client, InProcessHub, add_clinic, add_user, changes, edit, row
from tests.simulator.phone import Phone
from tests.store.pulls import OTHER, backlog, hours_pass, ids, patients, pull, pull_all, settled
from tests.store.pushes import live, push

SMALL = msgspec.structs.replace(POLICY, page_bytes=20_000)
HIDDEN_USER = "blind@clinic.example"


def restarted(hub: InProcessHub, client_id: str = "client-1") -> Client:
    """Return a signed-in client of a hub with small pages."""
    hub.restart(policy=SMALL)
    return hub.client(client_id)


def plain_bytes(client: Client, cursor: object) -> int:
    inside = {"query": "sync_pull", "params": {"lastPulledAt": cursor}, "token": client.token}
    _, body = client.transport.post("/rpc/query", client.envelope(inside, Direction.QUERY))
    return len(msgspec.json.decode(body)["payload"]) * 3 // 4


# Budget and order


def test_p5_page_by_page_every_record_comes_once_and_in_order(hub: InProcessHub) -> None:
    wanted = backlog(hub, "visits", 300)
    got = [name for answer in pull_all(restarted(hub)) for name in ids(answer, "visits")]
    assert got == wanted[::-1]


def test_p6_a_page_keeps_to_its_budget(hub: InProcessHub) -> None:
    backlog(hub, "visits", 300)
    client, cursor = restarted(hub), 0
    for answer in pull_all(hub.client("other-phone")):
        assert plain_bytes(client, cursor) < SMALL.page_bytes * 1.05
        cursor = answer["timestamp"]


def test_p6_a_page_uses_its_budget(hub: InProcessHub) -> None:
    backlog(hub, "visits", 300)
    assert plain_bytes(restarted(hub), 0) > SMALL.page_bytes * 0.9


def test_p6_a_record_larger_than_a_page_comes_alone(hub: InProcessHub) -> None:
    push(hub.store, patients("small-1", "small-2"), device=OTHER)
    push(hub.store, patients("big", given_name="x" * 50_000), device=OTHER)
    answers = [ids(answer, "patients") for answer in pull_all(restarted(hub)) if "patients" in answer["changes"]]
    assert ["big"] in answers
    assert sorted(chain(*answers)) == ["big", "small-1", "small-2"]


def test_what_a_phone_needs_first_comes_first(hub: InProcessHub) -> None:
    for table in reversed(list(TABLES)):
        if TABLES[table].push.value != "reference":
            push(hub.store, changes(table, created=[row(table, "x")]), device=OTHER)
    assert list(pull(hub.client())["changes"]) == [
        name
        for name, table in TABLES.items()
        if not table.is_next and (table.push.value != "reference" or name[:4] in {"clin", "user"})
    ]


@pytest.mark.parametrize("table", ["patients", "visits", "events"])
def test_the_newest_records_come_first(hub: InProcessHub, table: str) -> None:
    rows = [row(table, str(made), created_at=made) for made in random.Random(1).sample(range(1000), 50)]
    push(hub.store, changes(table, created=rows), device=OTHER)
    got = [int(name) for name in ids(pull(hub.client()), table)]
    assert got == sorted(got, reverse=True)


# Whole patients


def cared_for(hub: InProcessHub, count: int, children: int = 12) -> None:
    """Push patients with visits, attributes and events; p0 was seen first, and has an appointment to come."""
    for number in range(count):
        made = NOW_MS + number * 86_400_000
        of: dict[str, Any] = {"patient_id": f"p{number}", "created_at": made}
        new = changes("patients", created=[row("patients", f"p{number}", created_at=made)])
        for table in ("visits", "patient_additional_attributes", "events"):
            rows = [row(table, f"{table}-{number}-{place}", **of) for place in range(children // 3)]
            new |= changes(table, created=rows)
        push(hub.store, new, device=OTHER)
    soon = row("appointments", "soon", patient_id="p0", timestamp=NOW_MS + 10**13)
    push(hub.store, changes("appointments", created=[soon]), device=OTHER)


def histories(answers: Iterable[Any]) -> list[Counter[str]]:
    """Return after each answer how many records of each patient the phone has, the names apart."""
    has: Counter[str] = Counter()
    found = []
    for answer in answers:
        for name, part in answer["changes"].items():
            has.update(record["patient_id"] for record in part["created"] if "patient_id" in record and name)
        found.append(has.copy())
    return found


@pytest.mark.parametrize("few", [backlogs._FEW, 3])
def test_p11_after_every_page_each_patient_is_whole_or_a_name(
    hub: InProcessHub, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(backlogs, "_FEW", few)
    cared_for(hub, 30)
    answers = pull_all(restarted(hub))
    assert len(answers) > 4
    for after in histories(answers)[:-1]:
        assert set((after - Counter(p0=1)).values()) == {12}
    assert sorted(chain(*(ids(answer, "patients") for answer in answers))) == sorted(f"p{n}" for n in range(30))


@pytest.mark.parametrize("few", [backlogs._FEW, 3])
def test_p11_who_is_due_next_and_who_was_seen_last_come_first_and_all_names_soon(
    hub: InProcessHub, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(backlogs, "_FEW", few)
    cared_for(hub, 40)
    answers = pull_all(restarted(hub))
    first = histories(answers)[0]
    assert first.keys() >= {"p39", "p38"}
    assert "p1" not in first
    assert len(ids(answers[0], "patients")) > len(first) + 10


def test_p11_what_is_followed_along_the_index_comes_in_the_same_order_as_what_is_sorted(
    hub: InProcessHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    cared_for(hub, 40)
    push(hub.store, changes("visits", created=[row("visits", f"at once {n}", patient_id=f"p{n}") for n in range(9)]))
    push(hub.store, changes("patients", updated=[edit(row("patients", "p7"), phone="1")], deleted=["p3"]))
    hub.restart(policy=SMALL)
    by_sorting = [answer["changes"] for answer in pull_all(hub.client("a"))]
    monkeypatch.setattr(backlogs, "_HANDFUL", 0)
    assert [answer["changes"] for answer in pull_all(hub.client("b"))] == by_sorting


# Long backlogs, read along the index


def test_p5_a_long_backlog_comes_whole_also_when_records_come_and_change_meanwhile(hub: InProcessHub) -> None:
    count = backlogs._FEW + 300
    wanted = set(backlog(hub, "visits", count))
    hub.restart(policy=msgspec.structs.replace(POLICY, page_bytes=400_000))
    client, cursor, got = hub.client(), 0, []
    for step in range(100):
        answer = pull(client, cursor)
        if not answer["changes"]:
            break
        got += ids(answer, "visits") + ids(answer, "visits", "updated")
        cursor = answer["timestamp"]
        made = row("visits", f"late-{step}", created_at=step * 1_000)  # above and below where the pages are
        changed = edit(
            row("visits", f"visits-{(step * 997) % count:05}", created_at=(step * 997) % count), metadata="{}2"
        )
        if step < 5:
            push(hub.store, changes("visits", created=[made], updated=[changed]), device=OTHER)
            wanted.add(str(made["id"]))
    assert set(got) == wanted
    assert len(got) <= len(wanted) + 5  # those that changed after they came, again


def test_p5_a_lost_page_of_a_long_backlog_is_given_again(hub: InProcessHub) -> None:
    wanted = backlog(hub, "visits", backlogs._FEW + 300)
    hub.restart(policy=msgspec.structs.replace(POLICY, page_bytes=600_000))
    client = hub.client()
    cursor = pull(client)["timestamp"]
    lost = ids(pull(client, cursor), "visits")
    rest = [name for answer in pull_all(client, cursor) for name in ids(answer, "visits")]
    assert set(lost) <= set(rest)
    assert len(rest) < len(wanted)


# Pages that do not arrive


def carried(hub: InProcessHub, times: int) -> list[int]:
    client = hub.client()
    return [sum(len(part["created"]) for part in pull(client)["changes"].values()) for _ in range(times)]


def test_p10_after_two_pages_that_do_not_arrive_the_next_holds_what_cannot_fail(hub: InProcessHub) -> None:
    backlog(hub, "visits", 600)
    assert carried(hub, 4) == [602, 602, 2, 2]


def test_p5_what_did_not_arrive_comes_when_the_phone_confirms_again(hub: InProcessHub) -> None:
    backlog(hub, "visits", 600)
    client = hub.client()
    cursor = [pull(client)["timestamp"] for _ in range(4)][-1]
    hours_pass(hub, 1)
    assert sum(len(part["created"]) for part in pull(client, cursor)["changes"].values()) == 600


def deleting_phone(hub: InProcessHub) -> Phone:
    """Return a phone that waits for two records of which its user has deleted one."""
    phone = hub.phone()
    phone.sync()
    phone.create("patients", {"id": "p"})
    phone.delete_locally("patients", "p")
    push(hub.store, patients("p", "q"), device=OTHER)
    return phone


def test_p10_a_phone_whose_user_deleted_a_record_that_is_sent_as_created_pushes_with_its_third_sync(
    hub: InProcessHub,
) -> None:
    phone = deleting_phone(hub)
    made = phone.create("visits", {})
    assert [phone.sync().ok for _ in range(3)] == [False, False, True]
    assert made["id"] in live(hub.store, "visits")


def test_p10_the_others_come_though_a_record_cannot_be_created(hub: InProcessHub) -> None:
    phone = deleting_phone(hub)
    for _ in range(8):
        phone.sync()
        hours_pass(hub, 1)
    hours_pass(hub, 48)
    for _ in range(3):
        phone.sync()
        hours_pass(hub, 1)
    assert phone.store.find("patients", "q")


def test_p5_a_record_whose_answers_were_all_lost_still_comes(hub: InProcessHub) -> None:
    phone = hub.phone()
    assert phone.sync().ok
    push(hub.store, patients("late"), device=OTHER)
    client = hub.client(phone.client_id)
    for _ in range(9):
        pull(client, phone.cursor)  # the phone never sees these
    for _ in range(3):
        assert phone.sync().ok
        hours_pass(hub, 1)
    hours_pass(hub, 48)
    assert phone.sync().ok
    assert phone.store.find("patients", "late")
    hours_pass(hub, 1000)
    assert phone.sync().pulled == 0


def test_p10_manual_sync_which_syncs_twice_asks_nothing_the_second_time(hub: InProcessHub) -> None:
    phone = deleting_phone(hub)
    phone.cursor = 1_700_000_000_000  # another hub's
    results = []
    for _ in range(10):
        first = phone.sync().ok
        results.append(not first or phone.sync().ok)  # it stops after a failing first
        hours_pass(hub, 1)
    assert all(results)


def test_p5_the_retry_of_a_record_that_its_user_deleted_costs_one_sync_and_comes_more_and_more_seldom(
    hub: InProcessHub,
) -> None:
    phone = hub.phone()
    phone.sync()
    phone.create("patients", {"id": "p"})
    phone.delete_locally("patients", "p")
    push(hub.store, patients("p"), device=OTHER)
    for _ in range(5):
        phone.sync()
    waited = []
    for _ in range(3):
        hours = 0
        while phone.sync().ok:
            hours += 1
            hours_pass(hub, 1)
        waited.append(hours)
    assert waited == sorted(set(waited))
    assert phone.sync().ok


# What a user may not see


def blind(hub: InProcessHub) -> Client:
    """Return a client whose user may not view the patients of the clinic."""
    add_user(hub.store, hub.clinic_id, email=HIDDEN_USER, without=[Permission.VIEW])
    return hub.client("blind-phone", email=HIDDEN_USER)


def grant(hub: InProcessHub, clinic_id: str, *permissions: Permission, email: str = HIDDEN_USER) -> None:
    with hub.store.write() as tx:
        users.grant(tx, f"user-{email}", clinic_id, permissions)


def test_s5_patients_that_the_user_may_not_view_are_not_sent_nor_is_what_is_theirs(hub: InProcessHub) -> None:
    push(hub.store, patients("secret", primary_clinic_id=hub.clinic_id), device=OTHER)
    push(hub.store, changes("events", created=[row("events", "e", patient_id="secret")]), device=OTHER)
    answer = pull(blind(hub))
    assert "patients" not in answer["changes"]
    assert "events" not in answer["changes"]


def test_p5_hidden_records_come_when_the_permission_does(hub: InProcessHub) -> None:
    push(hub.store, patients("secret", primary_clinic_id=hub.clinic_id), device=OTHER)
    push(hub.store, changes("events", created=[row("events", "e", patient_id="secret")]), device=OTHER)
    client = blind(hub)
    cursor = pull(client)["timestamp"]
    assert pull(client, cursor)["changes"] == {}
    grant(hub, hub.clinic_id, Permission.VIEW)
    answer = pull(client, cursor)
    assert (ids(answer, "patients"), ids(answer, "events")) == (["secret"], ["e"])


def test_p5_a_hidden_record_that_changes_stays_hidden_and_still_comes_with_the_permission(hub: InProcessHub) -> None:
    base = row("patients", "secret", primary_clinic_id=hub.clinic_id)
    push(hub.store, changes("patients", created=[base]), device=OTHER)
    client = blind(hub)
    cursor = pull(client)["timestamp"]
    push(hub.store, changes("patients", updated=[edit(base, phone="2")]), device=OTHER)
    assert pull(client, cursor)["changes"] == {}
    grant(hub, hub.clinic_id, Permission.VIEW)
    assert ids(pull(client, cursor), "patients") == ["secret"]


def test_p5_what_a_user_loses_sight_of_and_regains_is_brought_up_to_date(hub: InProcessHub) -> None:
    base = row("patients", "p", primary_clinic_id=hub.clinic_id)
    push(hub.store, changes("patients", created=[base]), device=OTHER)
    client, cursor = settled(hub)
    everything = set(Permission)
    grant(hub, hub.clinic_id, *(everything - {Permission.VIEW}), email=EMAIL)
    cursor = pull(client, cursor)["timestamp"]
    push(hub.store, changes("patients", updated=[edit(base, phone="2")]), device=OTHER)
    hidden = pull(client, cursor)
    assert "patients" not in hidden["changes"]
    grant(hub, hub.clinic_id, *everything, email=EMAIL)
    answer = pull(client, hidden["timestamp"])
    assert [record["phone"] for record in answer["changes"]["patients"]["updated"]] == ["2"]


def test_s5_what_an_answer_carried_that_nobody_confirmed_is_made_blank_when_it_is_out_of_sight(
    hub: InProcessHub,
) -> None:
    """The phone may have stored it."""
    client, cursor = settled(hub)
    push(hub.store, patients("p", primary_clinic_id=hub.clinic_id, given_name="Amal"), device=OTHER)
    assert ids(pull(client, cursor), "patients") == ["p"]
    grant(hub, hub.clinic_id, *(set(Permission) - {Permission.VIEW}), email=EMAIL)
    [blank] = pull(client, cursor)["changes"]["patients"]["updated"]
    assert (blank["id"], blank["given_name"]) == ("p", "")


def test_p5_a_patient_who_moves_into_sight_comes_with_all_that_is_theirs(hub: InProcessHub) -> None:
    other = add_clinic(hub.store, "Other clinic")
    base = row("patients", "p", primary_clinic_id=other)
    push(hub.store, changes("patients", created=[base]), device=OTHER)
    push(hub.store, changes("events", created=[row("events", "e", patient_id="p")]), device=OTHER)
    client, cursor = settled(hub)
    push(hub.store, changes("patients", updated=[edit(base, primary_clinic_id=hub.clinic_id)]), device=OTHER)
    answer = pull(client, cursor)
    assert (ids(answer, "patients"), ids(answer, "events")) == (["p"], ["e"])


def test_p5_what_came_before_its_patient_comes_to_others_with_the_patient(hub: InProcessHub) -> None:
    email = "other@clinic.example"
    add_user(hub.store, hub.clinic_id, email=email)
    client = hub.client("other-phone", email=email)
    push(hub.store, changes("events", created=[row("events", "e", patient_id="p")]), device=OTHER)
    cursor = pull(client, pull(client)["timestamp"])["timestamp"]
    push(hub.store, patients("p", primary_clinic_id=hub.clinic_id), device=OTHER)
    answer = pull(client, cursor)
    assert (ids(answer, "patients"), ids(answer, "events")) == (["p"], ["e"])


def test_p4_a_deletion_is_told_also_of_what_the_user_may_no_longer_see(hub: InProcessHub) -> None:
    push(hub.store, patients("p", primary_clinic_id=hub.clinic_id), device=OTHER)
    client, cursor = settled(hub)
    grant(hub, hub.clinic_id, email=EMAIL)
    push(hub.store, changes("patients", deleted=["p"]), device=OTHER)
    assert ids(pull(client, cursor), "patients", "deleted") == ["p"]


def test_s5_another_user_of_the_same_phone_sees_by_their_own_permissions(hub: InProcessHub) -> None:
    push(hub.store, patients("secret", primary_clinic_id=hub.clinic_id), device=OTHER)
    add_user(hub.store, hub.clinic_id, email=HIDDEN_USER, without=[Permission.VIEW])
    client = hub.client(email=HIDDEN_USER)
    cursor = pull(client)["timestamp"]
    client.login(EMAIL)
    assert ids(pull(client, cursor), "patients") == ["secret"]
