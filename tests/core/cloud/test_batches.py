"""Tests which records go to the cloud together: parents first, nothing forgotten, nothing twice (R2)."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.cloud import batches
from hub.core.cloud.batches import (
    Batches,
    Candidates,
    Conditions,
    Decision,
    Drop,
    Hold,
    Item,
    Queued,
    Send,
    Wait,
    doubts,
    without,
)
from hub.core.cloud.outbox import Entry, OutboxRecord
from hub.core.cloud.tables import OWN_REQUEST, PUSH_ORDER
from hub.core.reasons import Code
from hub.core.records import codec
from hub.core.records.tables import TABLES

CLINIC = "c0000000-0000-4000-8000-000000000000"
OTHER_CLINIC = "d0000000-0000-4000-8000-000000000000"
NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
LARGE = 1024 * 1024

PARENTS = {
    "patients": {},
    "visits": {"patient_id": "patients"},
    "events": {"visit_id": "visits", "patient_id": "patients"},
    "prescriptions": {"visit_id": "visits", "patient_id": "patients"},
    "patient_vitals": {"visit_id": "visits"},
    "prescription_items": {"prescription_id": "prescriptions"},
    "dispensing_records": {"prescription_item_id": "prescription_items"},
}


def uid(table: str, number: int) -> str:
    return f"{list(PARENTS).index(table):08x}-0000-4000-8000-{number:012x}"


def record(table: str, number: int, *, entry: Entry | None = None, **values: Any) -> OutboxRecord:  # noqa: ANN401
    given = {"id": uid(table, number), "updated_at": NOW_MS, **values}
    return OutboxRecord(TABLES[table], number, entry or Entry(1), codec.build(TABLES[table], given))


def with_parents(table: str, number: int, of: int, **values: Any) -> OutboxRecord:  # noqa: ANN401
    parents: dict[str, Any] = {column: uid(parent, of) for column, parent in PARENTS[table].items()}
    return record(table, number, **parents, **values)


def queue(clinics: Sequence[str] = (CLINIC,), most_records: int = 500) -> Batches:
    return Batches(Conditions(frozenset(clinics), most_records=most_records))


def rest(of: Batches, size_bytes: int = LARGE) -> list[tuple[Item, ...]]:
    """Return all requests that remain."""
    return [request.items for request in iter(lambda: of.rest(size_bytes), None)]


def add(of: Batches, *records: OutboxRecord, cloud_ms: int | None = NOW_MS, **known: Any) -> list[Any]:  # noqa: ANN401
    return of.add(Candidates(records, **known), cloud_ms)


class Outbox(msgspec.Struct):
    """What waits in a made-up outbox, as the store would hand it out."""

    live: list[OutboxRecord]
    deleted: list[OutboxRecord]
    confirmed: set[tuple[str, str]] = set()

    def candidates(self, most: int) -> Iterator[Candidates]:
        for table in PUSH_ORDER:
            rows = [each for each in self.live if each.table is table]
            for place in range(0, len(rows), most):
                named = {key for row in rows[place : place + most] for key in row.names()}
                dead = [each for each in self.deleted if each.key in named]
                named |= {key for each in dead for key in each.names()}
                new = {each.key for each in self.live if each.is_new}
                yield Candidates(
                    rows[place : place + most],
                    not_in_cloud_yet=frozenset(named & new - self.confirmed),
                    tombstones=dead,
                )
        for table in reversed(PUSH_ORDER):
            rows = [each for each in self.deleted if each.table is table]
            if rows:
                yield Candidates(rows, deleted=True)


@st.composite
def outboxes(draw: st.DrawFn) -> Outbox:
    """Draw records that wait; each names one of the table above it, which waits too, is deleted, or is in the cloud."""
    live: list[OutboxRecord] = []
    deleted: list[OutboxRecord] = []
    for table in PARENTS:
        for number in range(draw(st.integers(0, 4))):
            values: dict[str, Any] = {}
            if table == "events" and draw(st.booleans()):
                values["form_data"] = json.dumps([{"name": "text", "value": "x" * draw(st.integers(0, 900))}])
            if table == "patients":
                values["primary_clinic_id"] = draw(st.sampled_from([CLINIC, CLINIC, OTHER_CLINIC, None]))
            made = with_parents(table, number, draw(st.integers(0, 4)), **values)
            if table == "prescriptions" and draw(st.booleans()):
                made = record(table, number, patient_id=uid("patients", 0))  # without a visit: goes alone
            columns = draw(st.sampled_from([None, None, frozenset({"notes"})]))
            made = msgspec.structs.replace(made, entry=Entry(1, columns))
            (deleted if draw(st.integers(0, 5)) == 0 else live).append(made)
    return Outbox(live, deleted)


class Pushed(msgspec.Struct):
    """What came of a whole push."""

    decisions: list[Decision] = []
    requests: list[Send] = []


def push(outbox: Outbox, most: int, page: int, size_bytes: int) -> Pushed:
    """Send everything to a cloud that takes all."""
    pushed, batching = Pushed(), queue(most_records=most)

    def send(request: Send) -> None:
        pushed.requests.append(request)
        outbox.confirmed |= {item.of.key for item in request.items if item.body is not None}

    for candidates in outbox.candidates(page):
        pushed.decisions += batching.add(candidates, NOW_MS)
        while request := batching.full(size_bytes):
            send(request)
    while request := batching.rest(size_bytes):
        send(request)
    return pushed


pushes = given(outboxes(), st.integers(1, 6), st.integers(1, 4), st.sampled_from([200, 1500, LARGE]))


@pushes
def test_every_waiting_record_is_sent_put_on_hold_or_waits_and_only_one_of_these(
    outbox: Outbox, most: int, page: int, size_bytes: int
) -> None:
    pushed = push(outbox, most, page, size_bytes)
    decided = Counter((each.of.key, each.of in outbox.deleted) for each in pushed.decisions)
    assert decided == Counter((each.key, each in outbox.deleted) for each in [*outbox.live, *outbox.deleted])
    queued = Counter(each.of.key for each in pushed.decisions if isinstance(each, Queued))
    assert queued == Counter(item.of.key for each in pushed.requests for item in each.items if not item.for_others)


@pushes
def test_what_is_named_comes_before_what_names_it(outbox: Outbox, most: int, page: int, size_bytes: int) -> None:
    sent = [item for request in push(outbox, most, page, size_bytes).requests for item in request.items]
    absent = {each.key for each in outbox.live if each.is_new}
    for place, item in enumerate(sent):
        if item.body is not None:
            before = {each.of.key for each in sent[:place] if each.body is not None}
            assert {key for key in item.of.names() if key in absent} <= before


@pushes
def test_a_deleted_record_that_a_live_one_names_goes_first_and_once(
    outbox: Outbox, most: int, page: int, size_bytes: int
) -> None:
    sent = [item for request in push(outbox, most, page, size_bytes).requests for item in request.items]
    dead = {each.key for each in outbox.deleted}
    raised = [item.of.key for item in sent if item.for_others]
    assert len(raised) == len(set(raised))
    for place, item in enumerate(sent):
        if item.body is not None and not item.for_others:
            before = {each.of.key for each in sent[:place] if each.for_others}
            assert {key for key in item.of.names() if key in dead} <= before


@pushes
def test_a_request_keeps_its_bounds(outbox: Outbox, most: int, page: int, size_bytes: int) -> None:
    for request in push(outbox, most, page, size_bytes).requests:
        assert 0 < len(request.items) <= most
        assert len(request.items) == 1 or sum(item.size for item in request.items) <= size_bytes


@pushes
def test_what_would_make_a_further_visit_when_repeated_goes_alone(
    outbox: Outbox, most: int, page: int, size_bytes: int
) -> None:
    for request in push(outbox, most, page, size_bytes).requests:
        assert len(request.items) == 1 or not any(item.goes_alone for item in request.items)


@pushes
def test_dispensing_goes_in_a_later_request_than_the_items_that_it_names(
    outbox: Outbox, most: int, page: int, size_bytes: int
) -> None:
    for request in push(outbox, most, page, size_bytes).requests:
        tables = [item.of.table.name for item in request.items if item.body is not None]
        if OWN_REQUEST in tables:
            assert set(tables[: tables.index(OWN_REQUEST)]) <= {OWN_REQUEST}


@pushes
def test_deletes_go_after_all_records_and_children_first(outbox: Outbox, most: int, page: int, size_bytes: int) -> None:
    sent = [item for request in push(outbox, most, page, size_bytes).requests for item in request.items]
    deletes = [place for place, item in enumerate(sent) if item.body is None]
    assert not deletes or deletes == list(range(deletes[0], len(sent)))
    order = [PUSH_ORDER.index(sent[place].of.table) for place in deletes]
    assert order == sorted(order, reverse=True)


def test_a_record_waits_for_what_the_cloud_does_not_have_and_says_for_what() -> None:
    child = with_parents("visits", 1, of=2)
    [decision] = add(queue(), child, not_in_cloud_yet=frozenset({("patients", uid("patients", 2))}))
    assert isinstance(decision, Wait)
    assert decision == Wait(child, Code.WAITS_FOR.of(parent="patients"))


def test_a_record_goes_in_one_request_with_the_parent_that_is_queued_before_it() -> None:
    parent, child = record("patients", 2, primary_clinic_id=CLINIC), with_parents("visits", 1, of=2)
    batching = queue()
    add(batching, parent)
    add(batching, child, not_in_cloud_yet=frozenset({parent.key}))
    assert [[item.of for item in request] for request in rest(batching)] == [[parent, child]]


def test_a_record_of_another_clinic_is_put_on_hold_and_one_of_none_is_sent() -> None:
    elsewhere, nowhere = (record("patients", n, primary_clinic_id=c) for n, c in enumerate([OTHER_CLINIC, None]))
    held, queued = add(queue(), elsewhere, nowhere)
    assert isinstance(held, Hold)
    assert queued == Queued(nowhere)


def test_a_clinic_made_here_counts_as_the_clinic_that_it_is_in_the_cloud() -> None:
    batching = Batches(Conditions(frozenset({CLINIC}), names={OTHER_CLINIC: CLINIC}))
    [decision] = add(batching, record("patients", 1, primary_clinic_id=OTHER_CLINIC))
    assert isinstance(decision, Queued)
    [[item]] = rest(batching)
    assert json.loads(item.body or b"")["primary_clinic_id"] == CLINIC


def test_a_clinic_of_the_hub_counts_in_capitals_too() -> None:
    [decision] = add(queue(), record("patients", 1, primary_clinic_id=CLINIC.upper()))
    assert isinstance(decision, Queued)


def test_a_record_waits_for_a_user_whom_the_cloud_does_not_know() -> None:
    why = Code.NO_USER.of(email="a@b")
    batching = Batches(Conditions(frozenset({CLINIC}), unmatched={uid("patients", 9): why}))
    mine = record("visits", 1, provider_id=uid("patients", 9))
    assert add(batching, mine) == [Wait(mine, why)]


@pytest.mark.parametrize("visit", ["", "known", "missing"])
def test_an_event_without_its_visit_is_held(visit: str) -> None:
    event = record("events", 1, visit_id=uid("visits", 1) if visit else "")
    unknown = frozenset({("visits", uid("visits", 1))} if visit == "missing" else ())
    [decision] = add(queue(), event, unknown=unknown)
    assert isinstance(decision, Queued if visit == "known" else Hold)


def test_what_names_somebody_unknown_goes_behind_all_others_and_together() -> None:
    batching, stranger = queue(), ("users", uid("visits", 7))
    doubtful = [record("visits", number, provider_id=stranger[1]) for number in (1, 3)]
    add(batching, doubtful[0], record("visits", 2), doubtful[1], unknown=frozenset({stranger}))
    send = batching.rest(10_000)
    assert send is not None
    assert [item.of.num for item in send.items] == [2]
    assert [[item.of for item in alike] for alike in batching.doubtful()] == [doubtful]
    assert batching.doubtful() == []


def test_an_edit_of_something_else_puts_no_doubt_on_whom_a_record_names() -> None:
    stranger = ("users", uid("visits", 7))
    visit = record("visits", 1, provider_id=stranger[1])
    edited = msgspec.structs.replace(visit, entry=Entry(1, frozenset({"provider_name"})))
    assert doubts(visit, frozenset({stranger})) == {stranger}
    assert doubts(edited, frozenset({stranger})) == frozenset()


def test_what_the_cloud_refused_is_doubtful_until_it_changes() -> None:
    entry = Entry(1).refused(1, Code.REFUSED.of(table="visits")).released()
    visit = msgspec.structs.replace(record("visits", 1), entry=entry)
    assert doubts(visit, frozenset()) == {visit.key}
    changed = msgspec.structs.replace(visit, entry=entry.changed(2, {"provider_name"}))
    assert doubts(changed, frozenset()) == frozenset()


def test_a_deleted_record_that_the_cloud_can_never_have_had_is_not_sent() -> None:
    local = msgspec.structs.replace(record("patients", 1), record=codec.build(TABLES["patients"], {"id": "p1"}))
    batching = queue()
    assert add(batching, local, deleted=True) == [Drop(local)]
    assert batching.rest(LARGE) is None


def test_a_request_is_full_only_when_nothing_can_join_it() -> None:
    batching = queue(most_records=2)
    add(batching, record("patients", 1), record("patients", 2))
    assert batching.full(LARGE) is None
    add(batching, record("patients", 3))
    full = batching.full(LARGE)
    assert full is not None
    assert [item.of.num for item in full.items] == [1, 2]
    assert [[item.of.num for item in request] for request in rest(batching)] == [[3]]


def test_what_names_a_record_that_failed_waits() -> None:
    parent, child, other = record("patients", 1), with_parents("visits", 1, of=1), with_parents("visits", 2, of=2)
    items = [Item(child, b"{}"), Item(other, b"{}")]
    failed = {parent.key}
    assert without(items, failed) == ([items[1]], [Wait(child, Code.WAITS_FOR.of(parent="patients"))])


def test_what_names_a_new_record_that_waits_waits_with_it_in_this_request_and_in_later_ones() -> None:
    prescription, item = record("prescriptions", 1), with_parents("prescription_items", 2, of=1)
    dispensing, later = (with_parents("dispensing_records", number, of=2) for number in (3, 4))
    failed = {prescription.key}
    going, waits = without([Item(item, b"{}"), Item(dispensing, b"{}")], failed)
    assert (going, [wait.of for wait in waits]) == ([], [item, dispensing])
    assert without([Item(later, b"{}")], failed)[0] == []


def test_what_names_a_record_that_the_cloud_has_does_not_wait_for_an_edit_of_it() -> None:
    known = msgspec.structs.replace(with_parents("visits", 1, of=1), entry=Entry(1, frozenset({"patient_id"})))
    child = record("patient_vitals", 2, visit_id=known.id)
    failed = {("patients", uid("patients", 1))}
    assert [item.of for item in without([Item(known, b"{}"), Item(child, b"{}")], failed)[0]] == [child]


# What the guard lets pass (CLOUD.md 4.5)


EDIT = frozenset({"phone"})
TIME = st.floats(NOW_MS - 400 * DAY_MS, NOW_MS + 400 * DAY_MS)


def edited(entry: Entry, updated_at: float, seen_ms: float | None = None) -> OutboxRecord:
    return msgspec.structs.replace(record("patients", 1, entry=entry, updated_at=updated_at), seen_ms=seen_ms)


def test_a_new_record_keeps_its_time_unless_it_lies_ahead() -> None:
    assert batches.updated_ms(edited(Entry(1), NOW_MS - DAY_MS), NOW_MS) == NOW_MS - DAY_MS
    assert batches.updated_ms(edited(Entry(1), NOW_MS + 5), NOW_MS) == NOW_MS
    assert batches.updated_ms(edited(Entry(1), NOW_MS + 5), None) == NOW_MS + 5


@given(TIME, TIME, st.none() | st.integers(NOW_MS, NOW_MS + DAY_MS), st.sampled_from([{}, None]), st.integers(0, 6))
def test_9_an_edit_passes_the_guard_over_what_was_seen_and_over_nothing_newer(
    seen_ms: float, own_ms: float, cloud_ms: int | None, known: dict[str, tuple[int, ...]] | None, tries: int
) -> None:
    """Whatever the clocks of phone and cloud: what the cloud has held since refuses it (CLOUD.md 4.5)."""
    for columns in (EDIT, None) if known is not None else (EDIT,):
        sent = batches.updated_ms(edited(Entry(1, columns, known=known, tries=tries), own_ms, seen_ms), cloud_ms)
        assert seen_ms < sent <= seen_ms + 1


@given(TIME, st.none() | st.integers(NOW_MS, NOW_MS + DAY_MS), st.integers(0, 6))
def test_9_nothing_is_overwritten_that_was_never_seen_or_is_only_sent_again(
    own_ms: float, cloud_ms: int | None, tries: int
) -> None:
    assert batches.updated_ms(edited(Entry(1, EDIT, tries=tries), own_ms), cloud_ms) == batches.OLDEST_MS
    assert batches.updated_ms(edited(Entry(1, tries=tries), own_ms, NOW_MS), cloud_ms) == batches.OLDEST_MS
    assert batches.updated_ms(edited(Entry(1, tries=tries), own_ms), cloud_ms) <= own_ms


def test_4_7_a_visit_that_the_cloud_made_up_is_replaced_by_the_real_one_when_it_is_sent_again() -> None:
    visit = record("visits", 1, entry=Entry(1, tries=1), updated_at=NOW_MS - DAY_MS)
    assert batches.updated_ms(visit, NOW_MS) == NOW_MS


def test_a_request_says_what_is_new_what_is_changed_and_what_is_deleted() -> None:
    new, old, dead = record("patients", 1), edited(Entry(1, frozenset({"phone"})), NOW_MS), record("visits", 3)
    content = json.loads(batches.body_of([Item(new, b'{"a":1}'), Item(old, b'{"b":2}'), Item(dead)]))
    assert content == {
        "patients": {"created": [{"a": 1}], "updated": [{"b": 2}], "deleted": []},
        "visits": {"created": [], "updated": [], "deleted": [dead.id]},
    }
