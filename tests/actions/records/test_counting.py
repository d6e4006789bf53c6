"""What phones push of prescriptions' items and of stock, beside what they hand out (P12)."""

from typing import Any

import pytest

from hub.actions.cloud import incoming
from hub.actions.records import counting
from hub.core.cloud.forms import Row
from hub.core.cloud.pull_tally import PullTally
from hub.core.records import codec
from hub.core.records.counters import DISPENSED
from hub.core.records.tables import TABLES
from hub.store.database import Store
from hub.store.records import record_rows
from hub.store.records.record_rows import HUB
from tests.hubs import InProcessHub, changes, edit, row
from tests.store import pushes
from tests.store.pulls import ids, pull, settled

ONE, OTHER = 1, 2
_ITEMS = TABLES["prescription_items"]
NOTED = ("outbox", "cloud_seen")
"""Where the hub notes what it is to send, and how the cloud had it."""
CLINIC, DRUG, BATCH = "clinic", "drug", "batch"
ITEM = row("prescription_items", "item", patient_id="patient", prescription_id="p", quantity_prescribed=10)
STOCK: dict[str, Any] = {"clinic_id": CLINIC, "drug_id": DRUG, "batch_id": BATCH, "quantity_available": 100}


@pytest.fixture
def pharmacy(store: Store) -> Store:
    """Return a hub with a batch of 100 in stock, and an item of 10 that both phones hold."""
    fill(store)
    return store


def fill(store: Store) -> None:
    with store.write() as tx:
        record_rows.put(
            tx, TABLES["clinic_inventory"], codec.build(TABLES["clinic_inventory"], {"id": "stock", **STOCK})
        )
    pushes.push(store, changes("patients", created=[row("patients", "patient")]))
    pushes.push(store, changes("prescriptions", created=[row("prescriptions", "p", patient_id="patient")]))
    pushes.push(store, changes("prescription_items", created=[ITEM]))


def handed_out(record_id: str, quantity: int) -> dict[str, Any]:
    of = {"patient_id": "patient", "clinic_id": CLINIC, "drug_id": DRUG, "batch_id": BATCH}
    made = row("dispensing_records", record_id, prescription_item_id="item", quantity_dispensed=quantity, **of)
    return changes("dispensing_records", created=[made])


def hand_out(store: Store, *, is_in_cloud: bool = False) -> dict[str, Any]:
    """Hand 3 out on a phone; returns the record."""
    pushed = handed_out("r", 3)
    pushes.push(store, pushed)
    if is_in_cloud:
        with store.write() as tx:
            tx.db.execute("DELETE FROM outbox WHERE table_name = 'dispensing_records'")
    made: dict[str, Any] = pushed["dispensing_records"]["created"][0]
    return made


def sums(store: Store) -> tuple[float, float]:
    item, stock = (pushes.kept(store, *key) for key in (("prescription_items", "item"), ("clinic_inventory", "stock")))
    return item["quantity_dispensed"], stock["quantity_available"]


def test_p12_what_two_phones_hand_out_is_added_up_on_the_item_and_taken_from_stock(pharmacy: Store) -> None:
    for phone, quantity in ((ONE, 3), (OTHER, 5)):
        item = edit(ITEM, quantity_dispensed=quantity)
        pushed = handed_out(f"by {phone}", quantity) | changes("prescription_items", updated=[item])
        assert pushes.push(pharmacy, pushed, device=phone).quarantined == 0
    assert sums(pharmacy) == (8, 92)


def test_p12_a_restock_on_a_phone_counts_beside_what_another_one_hands_out(pharmacy: Store) -> None:
    stock = edit(row("clinic_inventory", "stock", **STOCK), quantity_available=150)
    pushes.push(pharmacy, changes("clinic_inventory", updated=[stock]), device=ONE)
    pushes.push(pharmacy, handed_out("r", 2), device=OTHER)
    assert sums(pharmacy) == (2, 148)


def test_p12_an_item_that_comes_with_what_was_handed_out_of_it_is_counted_once(pharmacy: Store) -> None:
    late = {**ITEM, "id": "late", "quantity_dispensed": 3}
    record = {**handed_out("r", 3)["dispensing_records"]["created"][0], "prescription_item_id": "late"}
    new = changes("prescription_items", created=[late]) | changes("dispensing_records", created=[record])
    pushes.push(pharmacy, new, device=OTHER)
    assert pushes.kept(pharmacy, "prescription_items", "late")["quantity_dispensed"] == 3


@pytest.mark.parametrize(("is_in_cloud", "in_stock"), [(False, 95), (True, 97)])
def test_p12_a_record_that_is_corrected_counts_as_it_is_now_but_in_stock_where_the_cloud_changes_nothing(
    pharmacy: Store, in_stock: int, *, is_in_cloud: bool
) -> None:
    made = hand_out(pharmacy, is_in_cloud=is_in_cloud)
    pushes.push(pharmacy, changes("dispensing_records", updated=[edit(made, quantity_dispensed=5)]))
    assert sums(pharmacy) == (5, in_stock)


def test_p12_a_record_whose_notes_are_corrected_changes_no_sum(pharmacy: Store) -> None:
    made, before = hand_out(pharmacy), pushes.dump(pharmacy)
    pushes.push(pharmacy, changes("dispensing_records", updated=[edit(made, notes="at noon")]))
    after = pushes.dump(pharmacy)
    assert pushes.kept(pharmacy, "dispensing_records", "r")["notes"] == "at noon"
    assert all(after[name] == before[name] for name in ("prescription_items", "clinic_inventory"))


@pytest.mark.parametrize(("is_in_cloud", "in_stock"), [(False, 100), (True, 97)])
def test_p12_a_record_that_is_deleted_counts_no_more_but_in_stock_where_the_cloud_gives_nothing_back(
    pharmacy: Store, in_stock: int, *, is_in_cloud: bool
) -> None:
    hand_out(pharmacy, is_in_cloud=is_in_cloud)
    pushes.push(pharmacy, changes("dispensing_records", deleted=["r"]))
    assert sums(pharmacy) == (0, in_stock)


def test_p12_a_phone_is_sent_a_sum_that_is_not_the_one_that_it_says(hub: InProcessHub) -> None:
    fill(hub.store)
    client, cursor = settled(hub)
    pushes.push(hub.store, handed_out("r", 5), device=OTHER)
    client.push(handed_out("own", 3) | changes("prescription_items", updated=[edit(ITEM, quantity_dispensed=3)]))
    answer = pull(client, cursor)
    assert [each["quantity_dispensed"] for each in answer["changes"]["prescription_items"]["updated"]] == [8]
    client.push(handed_out("more", 1) | changes("prescription_items", updated=[edit(ITEM, quantity_dispensed=9)]))
    assert ids(pull(client, answer["timestamp"]), "prescription_items", "updated") == []


def test_p12_what_the_cloud_says_is_in_stock_lacks_what_it_has_not_heard_of(pharmacy: Store) -> None:
    stock = edit(row("clinic_inventory", "stock", **STOCK), quantity_available=150)
    pushes.push(pharmacy, changes("clinic_inventory", updated=[stock]), device=ONE)
    pushes.push(pharmacy, handed_out("r", 2), device=OTHER)
    theirs = codec.build(TABLES["clinic_inventory"], {"id": "stock", **STOCK, "quantity_available": 90})
    incoming.count_stock(pharmacy, [theirs], PullTally())
    assert sums(pharmacy) == (2, 90 + 50 - 2)


@pytest.mark.parametrize(("is_counted", "dispensed"), [(True, 3), (False, 1)])
def test_p12_the_clouds_sum_of_an_item_holds_where_nobody_here_counted_it(
    pharmacy: Store, dispensed: float, *, is_counted: bool
) -> None:
    if is_counted:
        pushes.push(pharmacy, handed_out("r", 3))
    ours = codec.build(_ITEMS, pushes.kept(pharmacy, _ITEMS.name, "item"))
    theirs = Row(codec.replaced(_ITEMS, ours, {DISPENSED: 1}), cleared=frozenset())
    with pharmacy.write() as tx:
        assert counting.without_figures(tx, _ITEMS, ours, theirs).record.get(DISPENSED) == dispensed


def test_p12_what_is_taken_from_stock_goes_to_the_cloud_as_the_record_and_on_the_item_alone(pharmacy: Store) -> None:
    with pharmacy.write() as tx:
        tx.db.execute("DELETE FROM outbox")
    pushes.push(pharmacy, handed_out("r", 3), device=ONE)
    with pharmacy.read() as db:
        waiting, seen = ({name for (name,) in db.execute(f"SELECT table_name FROM {of}")} for of in NOTED)
    assert (waiting, seen) == ({"prescription_items", "dispensing_records"}, {"prescription_items"})


@pytest.mark.parametrize(("first", "second", "in_stock"), [(ONE, OTHER, 107), (HUB, OTHER, 147), (ONE, HUB, 150)])
def test_p12_of_a_phone_that_brings_as_new_what_another_one_brought_a_figure_in_stock_counts_for_nothing(
    pharmacy: Store, first: int, second: int, in_stock: int
) -> None:
    """They are copies of one phone; what the hub brings or brought shows none."""
    restocked = edit(row("clinic_inventory", "stock", **STOCK), quantity_available=110)
    pushes.push(pharmacy, changes("clinic_inventory", updated=[restocked]), device=second)
    pushes.push(pharmacy, handed_out("r", 3), device=first)
    again = changes("clinic_inventory", updated=[edit(restocked, quantity_available=150)])
    pushes.push(pharmacy, handed_out("r", 3) | again, device=second)
    assert sums(pharmacy) == (3, in_stock)


@pytest.mark.parametrize(("repeated", "in_stock"), [(["r", "s"], 142), (["s"], 92), ([], 92)])
def test_p12_a_phone_whose_answer_was_lost_repeats_all_that_it_handed_out_and_who_does_not_is_a_copy_of_it(
    hub: InProcessHub, repeated: list[str], in_stock: int
) -> None:
    """A figure of the one counts in stock, and of the other for nothing."""
    fill(hub.store)
    client, cursor = settled(hub)
    pull(client, cursor)
    records = {name: handed_out(name, 4)["dispensing_records"]["created"][0] for name in ("r", "s")}
    pushes.push(hub.store, changes("dispensing_records", created=records.values()), cursor=cursor)
    stock = edit(row("clinic_inventory", "stock", **STOCK), quantity_available=142)
    again = changes("dispensing_records", created=[records[name] for name in repeated])
    pushes.push(hub.store, again | changes("clinic_inventory", updated=[stock]), cursor=cursor)
    assert sums(hub.store) == (8, in_stock)


@pytest.mark.parametrize(("goes_on", "in_stock"), [(False, 150), (True, 100)])
def test_p12_of_an_emptied_phone_a_figure_in_stock_counts_unless_another_one_goes_on_under_its_id(
    hub: InProcessHub, in_stock: int, *, goes_on: bool
) -> None:
    fill(hub.store)
    client, cursor = settled(hub)
    emptied = pull(client)["timestamp"]
    pull(client, emptied)
    if goes_on:
        pull(client, cursor)
    stock = edit(row("clinic_inventory", "stock", **STOCK), quantity_available=150)
    pushes.push(hub.store, changes("clinic_inventory", updated=[stock]), cursor=emptied)
    assert sums(hub.store) == (0, in_stock)


def test_p12_of_a_phone_that_was_seen_to_have_copies_a_figure_in_stock_counts_for_nothing_for_ever(
    pharmacy: Store,
) -> None:
    stock = row("clinic_inventory", "stock", **STOCK)
    figures = [changes("clinic_inventory", updated=[edit(stock, quantity_available=n)]) for n in (110, 120, 130)]
    pushes.push(pharmacy, figures[0], device=OTHER)
    pushes.push(pharmacy, handed_out("r", 3), device=ONE)
    pushes.push(pharmacy, handed_out("r", 3) | figures[1], device=OTHER)
    pushes.push(pharmacy, figures[2], device=OTHER)
    assert sums(pharmacy) == (3, 107)


def test_p12_a_figure_of_an_item_that_is_deleted_here_changes_nothing(pharmacy: Store) -> None:
    pushes.push(pharmacy, changes("prescription_items", deleted=["item"]))
    before = pushes.dump(pharmacy)
    pushes.push(pharmacy, changes("prescription_items", updated=[edit(ITEM, quantity_dispensed=3)]), device=OTHER)
    after = pushes.dump(pharmacy)
    assert [after[name] for name in ("prescription_items", "outbox")] == [
        before[name] for name in ("prescription_items", "outbox")
    ]
