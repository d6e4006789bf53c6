"""What phones push of prescriptions' items and of stock, beside what they hand out (P12)."""

from typing import Any

import pytest

from hub.core.records import codec
from hub.core.records.tables import TABLES
from hub.store.database import Store
from hub.store.records import record_rows
from hub.store.records.record_rows import HUB
from tests.hubs import changes, edit, row
from tests.store import pushes

ONE, OTHER = 1, 2
NOTED = ("outbox", "cloud_seen")
"""Where the hub notes what it is to send, and how the cloud had it."""
CLINIC, DRUG, BATCH = "clinic", "drug", "batch"
ITEM = row("prescription_items", "item", patient_id="patient", prescription_id="p", quantity_prescribed=10)
STOCK: dict[str, Any] = {"clinic_id": CLINIC, "drug_id": DRUG, "batch_id": BATCH, "quantity_available": 100}


@pytest.fixture
def pharmacy(store: Store) -> Store:
    """Return a hub with a batch of 100 in stock, and an item of 10 that both phones hold."""
    with store.write() as tx:
        record_rows.put(
            tx, TABLES["clinic_inventory"], codec.build(TABLES["clinic_inventory"], {"id": "stock", **STOCK})
        )
    pushes.push(store, changes("patients", created=[row("patients", "patient")]))
    pushes.push(store, changes("prescriptions", created=[row("prescriptions", "p", patient_id="patient")]))
    pushes.push(store, changes("prescription_items", created=[ITEM]))
    return store


def handed_out(record_id: str, quantity: int) -> dict[str, Any]:
    of = {"patient_id": "patient", "clinic_id": CLINIC, "drug_id": DRUG, "batch_id": BATCH}
    made = row("dispensing_records", record_id, prescription_item_id="item", quantity_dispensed=quantity, **of)
    return changes("dispensing_records", created=[made])


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


def test_p12_a_figure_of_an_item_that_is_deleted_here_changes_nothing(pharmacy: Store) -> None:
    pushes.push(pharmacy, changes("prescription_items", deleted=["item"]))
    before = pushes.dump(pharmacy)
    pushes.push(pharmacy, changes("prescription_items", updated=[edit(ITEM, quantity_dispensed=3)]), device=OTHER)
    after = pushes.dump(pharmacy)
    assert [after[name] for name in ("prescription_items", "outbox")] == [
        before[name] for name in ("prescription_items", "outbox")
    ]
