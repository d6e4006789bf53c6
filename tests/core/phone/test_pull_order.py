"""In which order a phone gets what is due to it: what it shows is whole, names alone run ahead (P11)."""

from collections import defaultdict
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import FrozenBitMap

from hub.core.phone import pull_page
from hub.core.phone.open_ledger import OpenLedger
from hub.core.phone.pull_order import Sighting, apart_ms, most_urgent_first
from hub.core.phone.pull_page import PullPage
from hub.core.phone.sheets import Delivered, Head, Sheet
from hub.core.records.tables import TABLES
from tests.core.phone.model import Due, ModelBacklog
from tests.draws import drawn

NOW = 10**12
DAY = 24 * 3_600_000
CHILDREN = ("patient_additional_attributes", "visits", "events", "patient_vitals", "appointments", "prescriptions")


class Clinic:
    """Patients with their records, of so many bytes each, and a phone that gets them page by page."""

    def __init__(self, patients: Sequence[Sequence[int]], names: int = 20) -> None:
        self.records = [self._due("clinics", 1, "", 10, 0)]
        for number, sizes in enumerate(patients, 1):
            self.records.append(self._due("patients", number, f"p{number}", names, number * DAY))
            for place, size in enumerate(sizes):
                table, num = CHILDREN[place % len(CHILDREN)], number * 100 + place
                self.records.append(self._due(table, num, f"p{number}", size, number * DAY + place))
        due: dict[str, list[int]] = defaultdict(list)
        for each in self.records:
            due[each.table.name].append(each.row[0])
        self.sheets = {name: Sheet(due=FrozenBitMap(due[name])) for name in TABLES}
        self.has: set[tuple[str, int]] = set()

    @staticmethod
    def _due(table: str, num: int, patient_id: str, size: int, made_ms: int) -> Due:
        return Due(TABLES[table], (num, 0, b"x" * size), made_ms, patient_id=patient_id or None)

    def page(self, most_bytes: int) -> PullPage:
        ledger = OpenLedger(
            device=1, cursor=0, head=Head(), sheets=self.sheets, outdated={}, stored=self.sheets, starts_over=False
        )
        backlog = ModelBacklog(self.records, self.sheets, NOW)
        page, ledger = pull_page.fill(ledger, ledger.sheets, backlog, most_bytes=most_bytes, sees=lambda *_: True)
        for name, part in page.delivered.items():
            self.settle(name, part)
        return page

    def settle(self, name: str, part: Delivered) -> None:
        assert not {(name, num) for num in part.nums} & self.has
        self.sheets = {**self.sheets, name: self.sheets[name].settle(part)}
        self.has |= {(name, num) for num in part.nums}

    def of(self, number: int, *, names: bool = True) -> set[tuple[str, int]]:
        return {
            (each.table.name, each.row[0])
            for each in self.records
            if each.patient_id == f"p{number}" and (names or each.table.name != "patients")
        }


some_patients = st.lists(st.lists(st.integers(5, 60), max_size=8), min_size=1, max_size=12)


@drawn(200)
@given(some_patients, st.integers(700, 2000))
def test_p11_after_every_page_who_is_shown_is_whole_or_a_name_alone(patients: list[list[int]], most: int) -> None:
    clinic = Clinic(patients)
    for _ in range(100):
        if not clinic.page(most).delivered:
            break
        for number in range(1, len(patients) + 1):
            rest = clinic.of(number, names=False)
            assert rest & clinic.has in (set(), rest)
            assert ("patients", number) in clinic.has or not rest & clinic.has
    assert clinic.has == {(each.table.name, each.row[0]) for each in clinic.records}


@drawn(200)
@given(some_patients, st.integers(60, 300))
def test_p11_who_is_too_much_for_a_page_shows_last_unless_the_name_ran_ahead(
    patients: list[list[int]], most: int
) -> None:
    clinic = Clinic(patients)
    pages = 0
    while clinic.page(most).delivered:
        pages += 1
        assert pages < 200
    assert clinic.has == {(each.table.name, each.row[0]) for each in clinic.records}


@drawn(100)
@given(some_patients)
def test_p11_who_was_seen_last_comes_first(patients: list[list[int]]) -> None:
    clinic, came = Clinic(patients), []
    for _ in range(100):
        before = set(clinic.has)
        clinic.page(700)
        whole = [n for n in range(1, len(patients) + 1) if clinic.of(n) <= clinic.has and not clinic.of(n) <= before]
        came += sorted((n for n in whole if clinic.of(n, names=False)), reverse=True)
    assert came == sorted(came, reverse=True)


def test_p11_names_come_before_the_history_of_those_seen_long_ago() -> None:
    clinic = Clinic([[50] * 6] * 20)
    page = clinic.page(1500)
    assert clinic.of(20) <= clinic.has
    assert list(page.delivered["patients"].nums) == list(range(1, 21))
    assert not clinic.of(1, names=False) & clinic.has


def test_p6_reference_data_comes_before_everything() -> None:
    clinic = Clinic([[50] * 6] * 20)
    assert list(clinic.page(30).delivered) == ["clinics"]


streams = st.lists(st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abcdef")), max_size=20), max_size=4)


@given(streams)
def test_p11_every_patient_is_met_once_and_the_most_urgent_first(drawn: list[list[tuple[int, str]]]) -> None:
    given_streams = [[Sighting(*each) for each in sorted(stream)] for stream in drawn]
    met = list(most_urgent_first(given_streams))
    best: dict[str, int] = {}
    for apart, patient in (each for stream in drawn for each in stream):
        best[patient] = min(apart, best.get(patient, apart))
    assert {each.patient_id: each.apart_ms for each in met} == best
    assert [each.apart_ms for each in met] == sorted(best.values())


def test_p11_who_is_due_tomorrow_comes_before_who_was_seen_last_week() -> None:
    tomorrow, last_week = apart_ms(NOW, NOW - 300 * DAY, NOW + DAY), apart_ms(NOW, NOW - 7 * DAY)
    assert tomorrow < last_week < apart_ms(NOW, NOW - 300 * DAY, NOW + 30 * DAY)


def test_p11_who_was_to_come_this_morning_is_still_awaited_and_who_was_half_a_day_ago_is_not() -> None:
    assert apart_ms(NOW, NOW - 300 * DAY, NOW - DAY // 2 + 1) == 0
    assert apart_ms(NOW, NOW - 300 * DAY, NOW - DAY // 2) == 300 * DAY


def test_p11_a_phone_whose_clock_is_ahead_made_its_records_just_now() -> None:
    assert apart_ms(NOW, NOW + DAY) == 0
