"""Counters between hub and cloud (P12, R4): the cloud takes every dispensing record from its stock by itself."""

from pathlib import Path

import pytest

from hub.core.records.tables import TABLES
from hub.store.cloud import outbox
from tests.services.relay.test_guard import settle
from tests.services.relay.world import World, world


@pytest.fixture
def stock(connected: World) -> str:
    """Return the id of the batch, of which there are 200."""
    connected.cycle()
    with connected.store.read() as db:
        return str(db.execute("SELECT id FROM clinic_inventory").fetchone()[0])


def available(connected: World, stock: str) -> tuple[object, object]:
    """Return what is in stock here, and in the cloud."""
    here, there = connected.here_is("clinic_inventory", stock), connected.there_is("clinic_inventory", stock)
    return here["quantity_available"], there["quantity_available"]


def test_p12_what_was_handed_out_is_missing_here_at_once_and_in_the_cloud_after_a_cycle(
    connected: World, stock: str
) -> None:
    item = connected.item(connected.prescription(connected.visit(connected.patient())))
    for quantity in (3, 5):
        connected.dispensing(item, batch_id=connected.batch, quantity_dispensed=quantity)
    assert available(connected, stock) == (192, 200)
    for _ in range(3):
        connected.cycle()
    assert available(connected, stock) == (192, 192)
    assert connected.here_is("prescription_items", str(item["id"]))["quantity_dispensed"] == 8
    assert connected.there_is("prescription_items", str(item["id"]))["quantity_dispensed"] == 8


def test_r4_the_clouds_own_sums_are_no_news(connected: World, stock: str) -> None:
    item = connected.item(connected.prescription(connected.visit(connected.patient())))
    connected.dispensing(item, batch_id=connected.batch, quantity_dispensed=3)
    for _ in range(3):
        connected.cycle()
    before = connected.revisions()
    for _ in range(2):
        connected.cycle()
    assert connected.revisions() == before
    assert not any(connected.waiting().values())
    assert available(connected, stock) == (197, 197)


def test_p12_a_restock_in_the_cloud_counts_beside_what_it_has_not_heard_of(connected: World, stock: str) -> None:
    connected.seed.edit("clinic_inventory", stock, quantity_available=300)
    item = connected.item(connected.prescription(connected.visit(connected.patient())))
    connected.dispensing(item, batch_id=connected.batch, quantity_dispensed=20)
    with connected.store.write() as tx:  # it waits: the cloud has not heard of it when the figure comes
        (num,) = tx.db.execute("SELECT num FROM dispensing_records").fetchone()
        assert outbox.entries(tx.db, TABLES["dispensing_records"], [num])
    for _ in range(3):
        connected.cycle()
        assert available(connected, stock)[0] == 280
    assert available(connected, stock) == (280, 280)


def test_p12_a_restock_on_a_phone_stays_beside_the_clouds_figures(connected: World, stock: str) -> None:
    row = connected.here_is("clinic_inventory", stock)
    connected.change("clinic_inventory", row, quantity_available=250)
    item = connected.item(connected.prescription(connected.visit(connected.patient())))
    connected.dispensing(item, batch_id=connected.batch, quantity_dispensed=10)
    for _ in range(3):
        connected.cycle()
    assert available(connected, stock) == (240, 190)


def test_p12_a_count_in_the_cloud_ends_what_phones_entered_before(connected: World, stock: str) -> None:
    row = connected.here_is("clinic_inventory", stock)
    connected.change("clinic_inventory", row, quantity_available=250)
    connected.seed.edit("clinic_inventory", stock, quantity_available=245, last_counted_at="2026-11-28T12:00:00.000Z")
    connected.cycle()
    assert available(connected, stock) == (245, 245)
    connected.cycle()
    assert available(connected, stock) == (245, 245)


def test_p12_two_hubs_of_a_clinic_agree_on_an_item(tmp_path: Path) -> None:
    """What a second phone hands out by itself in the cloud comes as a record, and counts."""
    with world(tmp_path) as connected:
        connected.cycle()
        item = connected.item(connected.prescription(connected.visit(connected.patient())))
        connected.dispensing(item, batch_id=connected.batch, quantity_dispensed=3)
        for _ in range(3):
            connected.cycle()
        connected.seed.add(
            "dispensing_records",
            clinic_id=connected.here,
            drug_id=connected.drug,
            batch_id=connected.batch,
            prescription_item_id=item["id"],
            patient_id=item["patient_id"],
            quantity_dispensed=2,
            dispensed_by=connected.nurse,
        )
        for _ in range(3):
            connected.cycle()
        assert connected.here_is("prescription_items", str(item["id"]))["quantity_dispensed"] == 5
        assert connected.there_is("prescription_items", str(item["id"]))["quantity_dispensed"] == 5


def test_9_what_was_handed_out_of_an_item_that_the_cloud_moved_to_another_patient_is_counted(connected: World) -> None:
    """The record names the patient of before; the cloud's figure, which knows nothing of it, was taken for the sum."""
    gone, stays = connected.patient(), connected.patient()
    item = connected.item(connected.prescription(connected.visit(gone)))
    settle(connected)
    connected.seed.merge(str(gone["id"]), str(stays["id"]))
    connected.dispensing(item, batch_id=connected.batch, quantity_dispensed=6)
    settle(connected)
    connected.seed.edit("prescription_items", str(item["id"]), quantity_dispensed=0)
    settle(connected)
    here, there = (at("prescription_items", str(item["id"])) for at in (connected.here_is, connected.there_is))
    assert [row["patient_id"] for row in (here, there)] == [stays["id"]] * 2
    assert [row["quantity_dispensed"] for row in (here, there)] == [6, 6]
    assert not any(connected.waiting().values())
