"""The made-up clinic: the same for the same seed, and near the real sizes."""

import json
import unicodedata
from itertools import pairwise

import pytest

from hub.core.records.tables import PHONE_TABLES
from tests.simulated.fake_hub import START_MS, Clock, SharingHub, phone_of, seeded
from tests.simulator import rows
from tests.simulator.clinic import Clinic, Provider
from tests.simulator.comparison import differences
from tests.simulator.nurse import Nurse

BY = Provider("user-1", "Dr A")


def test_the_same_seed_makes_the_same_clinic() -> None:
    one, other = (list(Clinic(5).events(50, START_MS)) for _ in range(2))
    assert one == other
    assert one != list(Clinic(6).events(50, START_MS))


def test_events_are_as_large_as_real_ones() -> None:
    sizes = [len(json.dumps(event, ensure_ascii=False).encode()) for event in Clinic(1).events(500, START_MS)]
    assert min(sizes) > 700
    assert max(sizes) < 1600


def test_names_come_in_many_scripts() -> None:
    clinic = Clinic(1)
    letters = "".join(str(clinic.patient(START_MS, BY)["given_name"]) for _ in range(200))
    for script in ("ARABIC", "ETHIOPIC", "BENGALI", "CYRILLIC", "LATIN"):
        assert any(unicodedata.name(letter).startswith(script) for letter in letters), script
    assert any(not letter.isascii() and unicodedata.name(letter).startswith("LATIN") for letter in letters)


def test_reference_rows_are_complete_and_exactly_typed() -> None:
    reference = Clinic(1).reference(START_MS)
    assert set(reference) <= set(PHONE_TABLES)
    for table, records in reference.items():
        for record in records:
            again = rows.complete(table, record, row_id=str(record["id"]), status="synced")
            assert {name: again[name] for name in record} == record
            assert set(record) == {"id", *(column.name for column in PHONE_TABLES[table].columns)}


@pytest.mark.parametrize("seed", [1, 2])
def test_nurses_at_work_leave_all_phones_alike(seed: int) -> None:
    hub, clock, clinic = SharingHub(), Clock(), Clinic(seed)
    phones = [phone_of(hub, clock, seed=10 * seed + number) for number in range(3)]
    nurses = [Nurse(phone, clinic, BY, seeded(seed), clock) for phone in phones]
    done = set()
    for _ in range(60):
        for nurse in nurses:
            clock.tick(1000)
            done.add(nurse.act())
            assert nurse.phone.sync().ok
    assert len(done) >= 4
    for _ in range(2):
        for phone in phones:
            phone.sync()
    # A deletion here takes its patient alone: the fake hub deletes no children.
    assert all(not differences(one.store, other.store) for one, other in pairwise(phones))
    assert phones[0].holds() > 100
