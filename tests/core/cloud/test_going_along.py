"""What waited of a record that went along with a deleted one waits again when the record comes back (R9)."""

import pytest

from hub.core.cloud import going_along
from hub.core.cloud.outbox import Entry, OutboxState
from hub.core.reasons import Code
from hub.core.records.tables import TABLES

PHONE = frozenset({"phone"})
REFUSED = Code.REFUSED.of(table="visits")


@pytest.mark.parametrize("entry", [Entry(1, PHONE), Entry(2, PHONE, sent=1, tries=3, known={"phone": (1,)})])
def test_9_an_edit_that_waited_waits_for_just_the_same(entry: Entry) -> None:
    assert going_along.brought_back(entry) == entry


def test_9_an_edit_that_was_sent_is_still_to_be_shown() -> None:
    back = going_along.brought_back(Entry(1, PHONE, sent=1, sent_pull=7))
    assert back is not None
    assert (back.state(), back.sent_pull) == (OutboxState.SENT, 7)


def test_9_of_a_new_record_what_was_edited_since_waits_and_of_one_that_was_not_nothing_does() -> None:
    back = going_along.brought_back(Entry(2, None, sent=1, known={"phone": (1,)}))
    assert back is not None
    assert (back.state(), back.columns) == (OutboxState.WAITING, PHONE)
    assert going_along.brought_back(Entry(1)) is None
    assert going_along.brought_back(Entry(1, None, sent=1)) is None


def test_9_what_was_on_hold_is_tried_again() -> None:
    back = going_along.brought_back(Entry(1, PHONE, held=1, reason=REFUSED))
    assert back is not None
    assert back.state() is OutboxState.WAITING


@pytest.mark.parametrize(
    ("table", "entry", "wanted"),
    [
        ("visits", None, False),
        ("visits", Entry(1), True),
        ("visits", Entry(1, None, sent=1), False),
        ("visits", Entry(2, PHONE, sent=1), True),
        ("visits", Entry(1, PHONE, held=1), True),
        ("visits", Entry(1, PHONE, sent=1), False),
        ("prescription_items", Entry(1, frozenset({"quantity_dispensed"})), False),
        ("prescription_items", Entry(1, frozenset({"quantity_dispensed", "notes"})), True),
    ],
)
def test_9_people_are_shown_what_they_entered_and_the_cloud_did_not_get(
    table: str, entry: Entry | None, *, wanted: bool
) -> None:
    assert going_along.is_for_people(TABLES[table], entry) is wanted
