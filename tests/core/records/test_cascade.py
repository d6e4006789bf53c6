"""What goes with a deleted patient, visit or allergy (P4): planned over any tangle of records."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from hub.core.records import cascade
from hub.core.records.table import Cascade, Table
from hub.core.records.tables import DELETES_WITH, TABLES

PATIENTS, VISITS = TABLES["patients"], TABLES["visits"]
CHILDREN = sorted({table.name for pairs in DELETES_WITH.values() for table, _ in pairs})
ALLERGIES = TABLES["patient_allergies"]
IDS = st.sampled_from(["p1", "p2", "v1", "v2", "v3", "patient_allergies-0", "patient_allergies-1"])


class Row(NamedTuple):
    """A live record: which parents it names, by column."""

    table: str
    num: int
    record_id: str
    named: dict[str, str]


@st.composite
def clinics(draw: st.DrawFn) -> list[Row]:
    rows = [
        Row("visits", num, f"v{num}", {"patient_id": draw(st.sampled_from(["p1", "p2", ""]))}) for num in range(1, 4)
    ]
    for num in range(draw(st.integers(0, 12))):
        table = draw(st.sampled_from([name for name in CHILDREN if name != "visits"]))
        columns = [column.value for column in TABLES[table].goes_with]
        rows.append(Row(table, num, f"{table}-{num}", {column: draw(IDS) for column in columns}))
    return rows


def plan(rows: list[Row], parent: Table, record_id: str) -> set[tuple[str, int]]:
    def live_children(table: Table, column: Cascade, ids: Sequence[str]) -> Iterable[tuple[int, str]]:
        return [
            (row.num, row.record_id) for row in rows if row.table == table.name and row.named.get(column.value) in ids
        ]

    planned = [(part.table.name, num) for part in cascade.plan(parent, record_id, live_children) for num in part.nums]
    assert len(planned) == len(set(planned)), "a record is named twice"
    return set(planned)


def goes(row: Row, patient: str | None, visits: set[str], allergies: set[str]) -> bool:
    by_patient = patient is not None and row.named.get("patient_id") == patient
    by_visit = any(row.named.get(column) in visits for column in ("visit_id", "current_visit_id"))
    return by_patient or by_visit or row.named.get("allergy_id") in allergies


@given(clinics())
def test_p4_with_a_patient_goes_what_names_it_or_one_of_its_visits_or_allergies(rows: list[Row]) -> None:
    own = [row for row in rows if row.named.get("patient_id") == "p1"]
    visits = {row.record_id for row in own if row.table == "visits"}
    allergies = {row.record_id for row in own if row.table == "patient_allergies"}
    assert plan(rows, PATIENTS, "p1") == {(row.table, row.num) for row in rows if goes(row, "p1", visits, allergies)}


@given(clinics())
def test_p4_with_a_visit_goes_what_names_it_and_nothing_else(rows: list[Row]) -> None:
    assert plan(rows, VISITS, "v1") == {(row.table, row.num) for row in rows if goes(row, None, {"v1"}, set())}


@given(clinics())
def test_p4_with_an_allergy_go_its_reactions_and_nothing_else(rows: list[Row]) -> None:
    gone = {(row.table, row.num) for row in rows if goes(row, None, set(), {"patient_allergies-1"})}
    assert plan(rows, ALLERGIES, "patient_allergies-1") == gone


@given(clinics(), st.sampled_from([name for name in TABLES if name not in DELETES_WITH]))
def test_with_no_other_record_anything_goes(rows: list[Row], table: str) -> None:
    assert plan(rows, TABLES[table], "p1") == set()


@given(clinics())
def test_p4_once_carried_out_a_plan_leaves_nothing_to_do(rows: list[Row]) -> None:
    gone = plan(rows, PATIENTS, "p1")
    left = [row for row in rows if (row.table, row.num) not in gone]
    assert plan(left, PATIENTS, "p1") == set()
