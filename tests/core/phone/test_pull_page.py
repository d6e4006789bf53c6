"""What goes into the answer to a pull, and where (P5, P6)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pytest
from pyroaring import FrozenBitMap

from hub.core.phone import pull_page
from hub.core.phone.open_ledger import OpenLedger
from hub.core.phone.pull_page import PullPage, Row
from hub.core.phone.sheets import Head, Sheet, SuspectRecord
from hub.core.records.access import Owner
from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from tests.core.phone.model import Due, ModelBacklog

BUDGET = 100


def ledger(attempts: int = 0, **sheets: Sheet) -> OpenLedger:
    return OpenLedger(
        device=1, cursor=0, head=Head(attempts=attempts), sheets=sheets, outdated={}, stored=sheets, starts_over=False
    )


class Given(NamedTuple):
    """A row, the clinic that owns it, and whose it is."""

    row: Row
    clinic: str | None = None
    patient_id: str | None = None


def row(num: int, *, size: int = 10, is_deleted: bool = False, clinic: str | None = None) -> Given:
    return Given((num, int(is_deleted), b"%d" % num * size), clinic)


def fill(
    found: OpenLedger,
    *rows: Given,
    withheld: Sequence[str] = (),
    suspect: SuspectRecord | None = None,
    waiting: Sequence[SuspectRecord] = (),
) -> tuple[PullPage, OpenLedger]:
    def sees(_table: Table, owner: Owner) -> bool:
        return owner.clinic not in withheld

    records = [
        Due(table, each.row, 1000 - each.row[0], Owner(each.clinic), each.patient_id)
        for table in TABLES.values()
        for each in rows
    ]
    backlog = ModelBacklog(records, found.sheets)
    return pull_page.fill(found, found.sheets, backlog, most_bytes=BUDGET, sees=sees, suspect=suspect, waiting=waiting)


def due(*nums: int, has: Iterable[int] = ()) -> Sheet:
    return Sheet(has=FrozenBitMap(has), due=FrozenBitMap(nums))


def nums(page: PullPage, table: str = "patients") -> list[int]:
    return list(page.delivered[table].nums) if table in page.delivered else []


def test_p6_a_record_goes_where_the_phone_can_store_it() -> None:
    page, _ = fill(ledger(patients=due(1, 2, 3, has=[2, 3])), row(1), row(2), row(3, is_deleted=True))
    part = page.parts["patients"]
    assert [[text[:1] for text in texts] for texts in part] == [[b"1"], [b"2"], [b"3"]]


def test_p6_a_page_stops_where_the_next_record_would_not_fit() -> None:
    page, _ = fill(ledger(patients=due(1, 2, 3)), row(1, size=60), row(2, size=60), row(3, size=5))
    assert nums(page) == [1]


def test_p6_a_record_larger_than_a_page_comes_alone_when_nothing_else_is_left() -> None:
    rows = (row(1, size=10 * BUDGET), row(2))
    page, left = fill(ledger(patients=due(1, 2)), *rows)
    assert (nums(page), page.suspect, list(left.sheets["patients"].due)) == ([2], None, [1, 2])
    page, _ = fill(ledger(patients=due(1)), *rows)
    assert (nums(page), page.suspect, page.is_retry) == ([1], SuspectRecord("patients", 1), True)


def test_p10_a_record_larger_than_a_page_that_did_not_arrive_waits_and_stays_due() -> None:
    page, left = fill(ledger(patients=due(1)), row(1, size=10 * BUDGET), waiting=[SuspectRecord("patients", 1)])
    assert (page.parts, page.delivered, list(left.sheets["patients"].due)) == ({}, {}, [1])


def test_p6_a_full_page_has_nothing_of_the_tables_after_it() -> None:
    page, _ = fill(ledger(patients=due(1), visits=due(2)), row(1, size=BUDGET), row(2))
    assert list(page.parts) == ["patients"]


def test_p6_of_a_patient_who_is_too_much_for_a_page_nothing_comes_twice_in_it() -> None:
    rows = [row(num, size=size)._replace(patient_id="p1") for num, size in ((1, 60), (2, 80), (3, 30))]
    page, _ = fill(ledger(events=due(1, 2, 3)), *rows)
    assert [len(page.parts["events"].created), nums(page, "events")] == [1, [3]]


def test_p5_where_a_page_ended_is_remembered_only_while_something_is_left() -> None:
    rows = (row(1, size=60)._replace(patient_id="p1"), row(2, size=60)._replace(patient_id="p2"))
    page, _ = fill(ledger(patients=due(1, 2)), *rows)
    assert page.delivered["patients"].frontier == 999
    page, _ = fill(ledger(patients=due(1)), *rows)
    assert page.delivered["patients"].frontier is None


def test_s5_what_a_user_may_not_see_is_put_aside_but_for_tombstones() -> None:
    rows = (row(1, clinic="other"), row(2, clinic="own"), row(3, clinic="other", is_deleted=True))
    page, left = fill(ledger(patients=due(1, 2, 3)), *rows, withheld=["other"])
    assert nums(page) == [2, 3]
    assert (list(left.sheets["patients"].due), list(left.sheets["patients"].withheld)) == ([2, 3], [1])


def test_a_number_that_is_no_record_is_due_no_more() -> None:
    _, left = fill(ledger(patients=due(1, 7)), row(1))
    assert list(left.sheets["patients"].due) == [1]


@pytest.mark.parametrize(("attempts", "most"), [(0, 20), (2, 20), (3, 20), (5, 8), (6, 1), (20, 1)])
def test_p5_pages_that_are_not_confirmed_get_smaller(attempts: int, most: int) -> None:
    page, _ = fill(ledger(attempts, patients=due(*range(1, 21))), *(row(num, size=1) for num in range(1, 21)))
    assert len(nums(page)) == most


def test_p5_a_suspect_is_tried_again_alone_and_as_created() -> None:
    suspect = SuspectRecord("visits", 9)
    page, left = fill(ledger(patients=due(1)), row(1), row(9), suspect=suspect)
    assert (page.suspect, page.is_retry, len(page.parts["visits"].created)) == (suspect, True, 1)
    assert list(page.parts) == ["visits"]
    assert left.deliver({}, is_retry=True).head.attempts == 0


def test_a_suspect_that_is_there_no_more_does_not_hold_the_others_up() -> None:
    page, _ = fill(ledger(patients=due(1)), row(1), suspect=SuspectRecord("visits", 9))
    assert (page.suspect, page.is_retry, nums(page)) == (None, False, [1])


def test_p6_columns_without_a_value_do_not_travel_to_a_phone_that_lacks_the_record() -> None:
    text = b'{"id":1,"camp":null,"x":",\\"a\\":null"}'
    rows = [Given((num, 0, text)) for num in (1, 2)]
    page, _ = fill(ledger(patients=due(1, 2, has=[2])), *rows)
    part = page.parts["patients"]
    assert part.created == [b'{"id":1,"x":",\\"a\\":null"}']
    assert part.updated == [text]
