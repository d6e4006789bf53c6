"""What the cloud cannot hold is found before it is sent, and named by table, column and limit (CLOUD.md 6, 7)."""

import datetime as dt
import json
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.tables import KEEPING, PUSH_ORDER
from hub.core.errors import BadRecord
from hub.core.reasons import Code, Reason
from hub.core.records import codec
from hub.core.records.table import ColumnKind, Table
from hub.core.records.tables import TABLES
from tests.simulator.cloud import pushed, values
from tests.simulator.cloud.columns import Kind, Put
from tests.simulator.cloud.instants import Clock

_UUID = "722ec9fb-c976-5da8-9803-ada1362fa54c"
_CLOUD = {table.name: table for table in pushed.IN_ORDER}
_NOW = Clock(dt.datetime(2026, 11, 29, tzinfo=dt.UTC), ZoneInfo("UTC"))


def build(table: Table, given: dict[str, Any]) -> codec.Record:
    """Make a record that the cloud takes, but for what is given."""
    moments = dict.fromkeys(KEEPING[table.name].now, 1_700_000_000_000)
    return codec.build(table, {"id": _UUID, **dict.fromkeys(table.references, _UUID), **moments, **given})


def sent(table: Table, record: codec.Record) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(cloud_forms.write(table, record, updated_ms=1_800_000_000_000, names={}))
    return row


def held(table: Table, **given: Any) -> Reason:  # noqa: ANN401
    with pytest.raises(BadRecord) as caught:
        sent(table, build(table, given))
    return caught.value.reason


def is_taken(table: Table, row: dict[str, Any]) -> bool:
    """Whether the stand-in cloud takes a pushed row, every column of it."""
    try:
        for column in _CLOUD[table.name].columns:
            if column.insert is not Put.DEFAULT:
                stored = values.inserted(column, row, _NOW)
                assert stored is not None or column.null or column.kind is Kind.FLOAT, column.name
    except (values.Refused, AssertionError):
        return False
    return True


_LONG = [
    (table.name, each.name, each.size)
    for table in pushed.IN_ORDER
    for each in table.columns
    if each.kind is Kind.TEXT and each.size
]
_GREAT = [
    (table.name, each.name, 10 ** (each.size - each.scale) if each.kind is Kind.NUMERIC else 2 ** (each.size - 1))
    for table in pushed.IN_ORDER
    for each in table.columns
    if each.kind in {Kind.NUMERIC, Kind.INT}
]


@pytest.mark.parametrize(("table", "name", "most"), _LONG)
def test_7_a_text_that_is_too_long_names_its_column_and_limit(table: str, name: str, most: int) -> None:
    assert held(TABLES[table], **{name: "x" * (most + 1)}) == Code.TOO_LONG.of(table=table, column=name, limit=most)
    assert is_taken(TABLES[table], sent(TABLES[table], build(TABLES[table], {name: "🩺" * most})))


@pytest.mark.parametrize(("table", "name", "bound"), _GREAT)
@pytest.mark.parametrize("sign", [1, -1])
def test_7_a_number_that_is_too_great_names_its_column_and_limit(table: str, name: str, bound: int, sign: int) -> None:
    reason = Code.OUT_OF_RANGE.of(table=table, column=name, limit=bound)
    assert held(TABLES[table], **{name: sign * bound}) == reason
    assert held(TABLES[table], **{name: sign * 1e30}) == reason
    assert is_taken(TABLES[table], sent(TABLES[table], build(TABLES[table], {name: sign * (bound - 1)})))
    if TABLES[table].by_name[name].kind is ColumnKind.NUMBER:
        assert held(TABLES[table], **{name: sign * (bound - 0.001)}) == reason  # it would be rounded up


@pytest.mark.parametrize("table", PUSH_ORDER, ids=lambda table: table.name)
def test_7_what_the_cloud_must_have_is_asked_for_by_name(table: Table) -> None:
    asked = {
        each.name
        for each in _CLOUD[table.name].columns
        if each.name in table.references and not each.null and not each.lax and each.insert is not Put.DEFAULT
    }
    for name in asked:
        assert held(table, **{name: None}) == Code.NOTHING_THERE.of(table=table.name, column=name)
    for name in table.references.keys() - asked:
        sent(table, build(table, {name: None}))


@pytest.mark.parametrize(
    ("table", "given"),
    [
        ("patients", {"surname": "Had\0dad"}),
        ("patients", {"metadata": r'{"a":["\u0000"]}'}),
        ("events", {"form_data": r'[{"value":{"b\u0000":1}}]'}),
        ("events", {"form_data": json.dumps(json.dumps([{"value": "\0"}]))}),
    ],
)
def test_7_the_character_of_number_0_names_its_column(table: str, given: dict[str, str]) -> None:
    assert held(TABLES[table], **given) == Code.NUL.of(table=table, column=next(iter(given)))


def test_7_a_backslash_before_u0000_is_no_such_character() -> None:
    assert sent(TABLES["patients"], build(TABLES["patients"], {"surname": r"\u0000"}))["surname"] == r"\u0000"


_WHOLE = [(table, each.name) for table in PUSH_ORDER for each in table.columns if each.kind is ColumnKind.INT]


@pytest.mark.parametrize(("table", "name"), _WHOLE)
def test_7_a_fraction_of_a_whole_number_is_held_and_not_rounded(table: Table, name: str) -> None:
    assert held(table, **{name: 80.5}) == Code.NOT_WHOLE.of(table=table.name, column=name)
    assert sent(table, build(table, {name: 80.0}))[name] == 80


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
_NUMBERS = st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.data(), st.sampled_from(PUSH_ORDER))
def test_7_whatever_is_sent_the_cloud_takes(data: st.DataObject, table: Table) -> None:
    """No row that passes here fails for a value of its own."""
    kinds = {
        ColumnKind.TEXT: _TEXTS,
        ColumnKind.INT: _NUMBERS,
        ColumnKind.NUMBER: _NUMBERS,
        ColumnKind.FLAG: st.booleans(),
    }
    columns = [each for each in table.columns if each.kind in kinds and not each.refers_to]
    given = {
        each.name: data.draw(kinds[each.kind]) for each in data.draw(st.lists(st.sampled_from(columns), max_size=3))
    }
    with suppress(BadRecord):  # held, and not sent
        assert is_taken(table, sent(table, build(table, given)))
