"""Counters through the whole hub (P12): what phones hand out adds up, whoever syncs when."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.actions.box import facts
from hub.core.phone import doubt
from hub.core.records import codec
from hub.core.records.tables import TABLES
from hub.store.records import record_rows
from hub.words import status, words
from tests.hubs import RpcTransport
from tests.journeys.books import state
from tests.journeys.clinic import CLINICS, Box, Clinic, PhoneClock, Station
from tests.journeys.line import Fault
from tests.simulator.phone import Phone
from tests.simulator.rows import Value

DRUG, BATCH, STOCK = "drug-1", "batch-1", "stock-1"


@dataclass
class Pharmacy:
    """A clinic with one batch of a drug in stock, and an item of 10 that every phone holds."""

    clinic: Clinic
    stock: int = 100
    prescribed: int = 10
    item: str = field(init=False)

    def __post_init__(self) -> None:
        """Fill the stock, prescribe, and let all phones have it."""
        values = {"clinic_id": CLINICS[0], "drug_id": DRUG, "batch_id": BATCH, "quantity_available": self.stock}
        with self.clinic.box.store.write() as tx:
            drug = codec.build(TABLES["drug_catalogue"], {"id": DRUG, "generic_name": "Morphine"})
            record_rows.put(tx, TABLES["drug_catalogue"], drug)
            row = codec.build(TABLES["clinic_inventory"], {"id": STOCK, "updated_at": 1, **values})
            record_rows.put(tx, TABLES["clinic_inventory"], row)
        phone = self.clinic.stations[0].phone
        self.patient = phone.create("patients", {"given_name": "Amal", "primary_clinic_id": CLINICS[0]})["id"]
        of: dict[str, Value] = {"patient_id": self.patient}
        prescription = phone.create("prescriptions", {**of, "pickup_clinic_id": CLINICS[0], "status": "pending"})["id"]
        self.of: dict[str, Value] = {**of, "clinic_id": CLINICS[0], "drug_id": DRUG}
        item = {**self.of, "prescription_id": prescription, "quantity_prescribed": self.prescribed}
        self.item = str(phone.create("prescription_items", item)["id"])
        self.clinic.settle()

    def hand_out(self, station: "Station | Copy", quantity: int) -> None:
        """Hand out as the app does: a record, and absolute figures on the item and in stock."""
        record: dict[str, Value] = {
            **self.of,
            "batch_id": BATCH,
            "prescription_item_id": self.item,
            "quantity_dispensed": quantity,
            "dispensed_by": f"user-{station.email}",
        }
        station.phone.create("dispensing_records", record)
        self.add(station, "prescription_items", self.item, "quantity_dispensed", quantity)
        self.add(station, "clinic_inventory", STOCK, "quantity_available", -quantity)

    def add(self, station: "Station | Copy", table: str, row_id: str, column: str, step: int) -> None:
        """Write another figure over that of a row."""
        row = station.phone.store.find(table, row_id)
        assert row is not None
        station.phone.edit(table, row_id, {column: int(str(row[column])) + step})

    def figures(self) -> set[tuple[Value, Value]]:
        """Return what is dispensed and what is in stock, as the hub and every phone say."""
        self.clinic.settle()
        rows = state(self.clinic.box.store).rows
        found = {
            (
                rows["prescription_items", self.item].data["quantity_dispensed"],
                rows["clinic_inventory", STOCK].data["quantity_available"],
            )
        }
        for station in self.clinic.stations:
            item = station.phone.store.find("prescription_items", self.item)
            stock = station.phone.store.find("clinic_inventory", STOCK)
            assert item
            assert stock
            found.add((item["quantity_dispensed"], stock["quantity_available"]))
        return found


class Copy:
    """A further phone onto which a backup of a station's phone was put: both are used under one id."""

    email: str
    box: Box
    phone: Phone

    def __init__(self, station: "Station | Copy", number: int) -> None:
        self.email, self.box = station.email, station.box
        line = RpcTransport(self.box)
        self.phone = station.phone.copied(
            rng=random.Random(number), now_ms=PhoneClock(number), connect=lambda _url: line, name=f"copy-{number}"
        )


@pytest.fixture
def pharmacy() -> Iterator[Pharmacy]:
    with Clinic(3, 100_000) as clinic:
        yield Pharmacy(clinic)


def test_p12_three_and_five_of_ten_handed_out_on_two_phones_are_eight_everywhere(pharmacy: Pharmacy) -> None:
    one, other, _ = pharmacy.clinic.stations
    pharmacy.hand_out(one, 3)
    pharmacy.hand_out(other, 5)
    assert pharmacy.figures() == {(8, 92)}


def test_p12_the_rest_is_what_is_left_after_both(pharmacy: Pharmacy) -> None:
    one, other, _ = pharmacy.clinic.stations
    pharmacy.hand_out(one, 3)
    pharmacy.hand_out(other, 5)
    pharmacy.clinic.settle()
    answer = one.phone.command("prescription_items.dispense", {"id": pharmacy.item})
    assert answer["total_dispensed"] == 2
    assert pharmacy.figures() == {(10, 90)}


def test_p12_a_hundred_less_three_times_ten_is_seventy_without_any_internet_connection(pharmacy: Pharmacy) -> None:
    for station in pharmacy.clinic.stations:
        pharmacy.hand_out(station, 10)
    assert pharmacy.figures() == {(30, 70)}


def test_p12_a_restock_on_a_phone_counts_beside_what_others_hand_out(pharmacy: Pharmacy) -> None:
    one, other, _ = pharmacy.clinic.stations
    pharmacy.hand_out(one, 4)
    pharmacy.add(one, "clinic_inventory", STOCK, "quantity_available", 50)
    pharmacy.hand_out(other, 2)
    assert pharmacy.figures() == {(6, 144)}


def test_p12_refills_used_on_two_phones_add_up(pharmacy: Pharmacy) -> None:
    one, other, _ = pharmacy.clinic.stations
    for station in (one, other):
        pharmacy.add(station, "prescription_items", pharmacy.item, "refills_used", 1)
    pharmacy.clinic.settle()
    assert state(pharmacy.clinic.box.store).rows["prescription_items", pharmacy.item].data["refills_used"] == 2


def test_p12_reserved_on_two_phones_adds_up(pharmacy: Pharmacy) -> None:
    one, other, _ = pharmacy.clinic.stations
    for station in (one, other):
        pharmacy.add(station, "clinic_inventory", STOCK, "reserved_quantity", 3)
    pharmacy.clinic.settle()
    assert state(pharmacy.clinic.box.store).rows["clinic_inventory", STOCK].data["reserved_quantity"] == 6


def test_p12_a_forced_upload_of_old_figures_changes_nothing(pharmacy: Pharmacy) -> None:
    one, other, third = pharmacy.clinic.stations
    pharmacy.hand_out(one, 3)
    assert one.sync().ok
    assert third.force_upload().ok
    pharmacy.hand_out(other, 5)
    assert pharmacy.figures() == {(8, 92)}


@pytest.mark.parametrize("fault", [Fault.PUSH_ANSWER_LOST, Fault.PUSH_REQUEST_LOST])
def test_p12_an_answer_that_was_lost_counts_nothing_twice(pharmacy: Pharmacy, fault: Fault) -> None:
    one, other, _ = pharmacy.clinic.stations
    pharmacy.hand_out(one, 3)
    pharmacy.add(one, "clinic_inventory", STOCK, "quantity_available", 20)
    one.sync(fault)
    pharmacy.hand_out(other, 1)
    pharmacy.hand_out(one, 2)
    assert pharmacy.figures() == {(6, 114)}


def test_p12_an_item_that_was_made_and_handed_out_before_the_first_sync_is_counted_once(pharmacy: Pharmacy) -> None:
    one = pharmacy.clinic.stations[0]
    prescription = one.phone.create("prescriptions", {"patient_id": pharmacy.patient, "status": "pending"})["id"]
    item = {**pharmacy.of, "prescription_id": prescription, "quantity_prescribed": 10}
    pharmacy.item = str(one.phone.create("prescription_items", item)["id"])
    pharmacy.hand_out(one, 3)
    pharmacy.hand_out(one, 4)
    assert pharmacy.figures() == {(7, 93)}


def test_p12_a_phone_does_not_hear_its_own_figures_again(pharmacy: Pharmacy) -> None:
    one = pharmacy.clinic.stations[0]
    pharmacy.hand_out(one, 3)
    assert one.sync().ok
    assert one.sync().pulled == 0


ACTS = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from(["hand out", "restock", "sync", "lost", "cut", "force"]), st.integers(1, 5)
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(ACTS)
def test_p12_whoever_syncs_when_the_sums_are_right(acts: list[tuple[int, str, int]]) -> None:
    check(acts)


def check(acts: list[tuple[int, str, int]]) -> None:
    with Clinic(3, 100_000) as clinic:
        pharmacy = Pharmacy(clinic)
        handed_out = restocked = 0
        for who, act, quantity in acts:
            station = clinic.stations[who]
            match act:
                case "hand out":
                    pharmacy.hand_out(station, quantity)
                    handed_out += quantity
                case "restock":
                    pharmacy.add(station, "clinic_inventory", STOCK, "quantity_available", quantity)
                    restocked += quantity
                case "sync":
                    station.sync()
                case "lost":
                    station.sync(Fault.PUSH_ANSWER_LOST)
                case "cut":
                    station.sync(Fault.PULL_ANSWER_LOST)
                case _:
                    station.force_upload()
        assert pharmacy.figures() == {(handed_out, 100 - handed_out + restocked)}


BY_COPIES = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["hand out", "hand out", "copy", "sync", "sync"]), st.integers(1, 5)),
    max_size=14,
)


def test_p12_a_restock_counts_on_one_phone_whose_answer_was_lost_in_whatever_form_its_ids_are(
    pharmacy: Pharmacy,
) -> None:
    """Under its usual form the hub itself has such a record first, which shows no second phone."""
    one = pharmacy.clinic.stations[0]
    pharmacy.hand_out(one, 3)
    [made] = one.phone.store.rows("dispensing_records")
    table = one.phone.store.table("dispensing_records")
    table[str(made["id"]).upper()] = {**table.pop(str(made["id"])), "id": str(made["id"]).upper()}
    one.sync(Fault.PUSH_ANSWER_LOST)
    pharmacy.add(one, "clinic_inventory", STOCK, "quantity_available", 50)
    assert one.phone.sync().ok
    assert state(pharmacy.clinic.box.store).rows["clinic_inventory", STOCK].data["quantity_available"] == 147


@pytest.mark.parametrize(
    "acts",
    [
        # The copy repeats one of two records; it repeats none; it was told of what the first one pushed; it is told
        # with an answer that carries what it made itself; copies of copies take turns.
        [(0, "hand out", 4), (0, "copy", 0), (0, "hand out", 3)],
        [(0, "copy", 0), (0, "hand out", 4), (2, "hand out", 3)],
        [(1, "copy", 0), (2, "sync", 0), (1, "hand out", 1), (2, "hand out", 5)],
        [(0, "hand out", 1), (0, "copy", 0), (0, "sync", 0)],
        [(0, "hand out", 1), (0, "copy", 0), (0, "hand out", 2), (0, "copy", 0), (2, "sync", 0), (2, "hand out", 3)],
    ],
)
def test_p12_what_copies_of_a_phone_hand_out_adds_up(acts: list[tuple[int, str, int]]) -> None:
    check_copies(acts)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(BY_COPIES)
def test_p12_whichever_copies_sync_when_the_sums_are_right(acts: list[tuple[int, str, int]]) -> None:
    check_copies(acts)


def check_copies(acts: list[tuple[int, str, int]]) -> None:
    """Let two phones and at most two copies of them act; what was handed out before a copy was made is in it."""
    with pytest.MonkeyPatch.context() as patch, Clinic(2, 100_000) as clinic:
        patch.setattr(doubt, "QUIET_MS", 0)
        pharmacy = Pharmacy(clinic)
        stations: list[Station | Copy] = [*clinic.stations]
        handed_out = 0
        for who, act, quantity in acts:
            station = stations[who % len(stations)]
            if act == "hand out":
                pharmacy.hand_out(station, quantity)
                handed_out += quantity
            elif act == "sync":
                station.phone.sync()
            elif len(stations) < 4:
                stations.append(Copy(station, len(stations)))
        for _ in range(14):
            for station in stations:
                station.phone.sync()
        rows = state(clinic.box.store).rows
        dispensed = rows["prescription_items", pharmacy.item].data["quantity_dispensed"]
        in_stock = rows["clinic_inventory", STOCK].data["quantity_available"]
        assert (dispensed, in_stock) == (handed_out, 100 - handed_out)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[:3])
def test_p12_phones_that_hand_out_day_after_day_agree(pharmacy: Pharmacy, order: tuple[int, ...]) -> None:
    """A phone that always has an edit of its own when it syncs never takes a figure from the hub."""
    for _day in range(3):
        for who in order:
            pharmacy.hand_out(pharmacy.clinic.stations[who], 1)
            assert pharmacy.clinic.stations[who].sync().ok
    assert pharmacy.figures() == {(9, 91)}


def test_p12_what_was_handed_out_beyond_prescription_and_stock_is_shown(pharmacy: Pharmacy) -> None:
    for station in pharmacy.clinic.stations:
        pharmacy.hand_out(station, 40)
    assert pharmacy.figures() == {(120, -20)}
    now = facts.gather(pharmacy.clinic.box.store)
    assert (now.over_prescribed, now.over_stock) == (1, 1)
    said = dict(status.summary(words("en"), now))
    assert (said["Handed out beyond prescription"], said["Batches with stock below zero"]) == ("1", "1")
    pharmacy.add(pharmacy.clinic.stations[0], "clinic_inventory", STOCK, "quantity_available", 100)
    assert pharmacy.figures() == {(120, 80)}
    assert facts.gather(pharmacy.clinic.box.store).over_stock == 0


def test_p12_a_record_that_is_deleted_counts_no_more(pharmacy: Pharmacy) -> None:
    one, other, _ = pharmacy.clinic.stations
    pharmacy.hand_out(one, 3)
    pharmacy.hand_out(other, 5)
    pharmacy.clinic.settle()
    record = next(row for row in other.phone.store.rows("dispensing_records") if row["quantity_dispensed"] == 5)
    other.phone.soft_delete("dispensing_records", str(record["id"]))
    assert pharmacy.figures() == {(3, 97)}
