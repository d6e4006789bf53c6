"""When two phones hold the same."""

import pytest

from hub.demo.comparison import differences
from hub.demo.local_store import LocalStore
from hub.demo.rows import Values
from tests.demo.fake_hub import Clock, seeded


def store_with(values: Values | None, table: str = "events") -> LocalStore:
    store = LocalStore(seeded(1), Clock())
    if values is not None:
        store.create(table, {"id": "e1", **values})
    return store


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"updated_at": 1}, {"updated_at": 2}),
        ({"metadata": '{"a":1}'}, {"metadata": '"{\\"a\\":1}"'}),
        ({"is_deleted": True}, None),
        (None, None),
    ],
)
def test_phones_that_hold_the_same_to_their_users_are_alike(one: Values | None, other: Values | None) -> None:
    assert differences(store_with(one), store_with(other)) == []


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ({}, None, "events e1: only one of them holds it"),
        ({}, {"is_deleted": True}, "events e1: only one of them holds it"),
        ({"event_type": "A"}, {"event_type": "B"}, "events e1: event_type"),
        ({"form_data": "[]"}, {"form_data": "[1]"}, "events e1: form_data"),
        ({"created_at": 1, "deleted_at": 2}, {"created_at": 2}, "events e1: deleted_at, created_at"),
    ],
)
def test_every_difference_is_named_without_its_value(one: Values, other: Values | None, found: str) -> None:
    assert differences(store_with(one), store_with(other)) == [found]


def test_a_row_deleted_by_the_hub_counts_as_not_held() -> None:
    store = store_with({})
    store.delete("events", "e1")
    assert differences(store, store_with(None)) == []
