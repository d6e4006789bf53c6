"""The forms of online mode: real JSON, ISO times, null for what is absent, and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core import clock
from hub.core.errors import BadRecord
from hub.core.records import codec, online
from hub.core.records.codec import Record
from hub.core.records.table import ColumnKind, Table
from hub.core.records.tables import TABLES


def built(table: str, **values: object) -> Record:
    return codec.build(TABLES[table], {"id": "x", **values})


def shown(table: str, **values: object) -> dict[str, Any]:
    return online.shown(TABLES[table], built(table, **values))


def test_times_are_written_as_the_app_writes_them() -> None:
    row = shown("visits", check_in_timestamp=1_795_156_042_788, created_at=0, deleted_at=None)
    assert (row["check_in_timestamp"], row["created_at"], row["deleted_at"]) == ("2026-11-20T06:27:22.788Z", None, None)


def test_an_optional_time_of_zero_is_a_time() -> None:
    assert shown("patient_problems", onset_date=0)["onset_date"] == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize("moment", [1e300, -1e300, 8.64e18])
def test_a_time_that_no_calendar_holds_stays_a_number(moment: float) -> None:
    assert shown("visits", check_in_timestamp=moment)["check_in_timestamp"] == moment


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"a":1}', {"a": 1}), ('"{\\"a\\":1}"', {"a": 1}), ("", {}), ("nonsense", {}), ("null", {}), ('"x"', {})],
)
def test_json_is_json_however_often_it_was_encoded(text: str, value: object) -> None:
    assert shown("events", metadata=text)["metadata"] == value


def test_lists_without_anything_are_empty_lists() -> None:
    assert shown("events", form_data="")["form_data"] == []
    assert shown("prescriptions", items="")["items"] == []
    assert shown("event_forms", translations=None)["translations"] is None


def test_empty_text_is_null_only_where_it_may_be() -> None:
    row = shown("patients", camp="", hometown="")
    assert (row["camp"], row["hometown"]) == (None, "")


def test_columns_nobody_knows_are_shown_as_they_are() -> None:
    assert shown("visits", shoe={"eu": 40})["shoe"] == {"eu": 40}


@pytest.mark.parametrize("date", ["1991-02-03", "1991-02-03T00:00:00.000Z", "1991-02-03T23:00:00+02:00"])
def test_a_date_is_its_day(date: str) -> None:
    assert online.taken(TABLES["patients"], {"date_of_birth": date}) == {"date_of_birth": "1991-02-03"}


@pytest.mark.parametrize("date", ["03.02.1991", "1991-02-30", "1991-02-03x", 665452800000, "2020-01"])
def test_what_is_no_date_is_refused_with_the_column(date: object) -> None:
    with pytest.raises(BadRecord, match="date_of_birth"):
        online.taken(TABLES["patients"], {"date_of_birth": date})


def test_nothing_is_taken_for_a_time_or_number_of_the_hub() -> None:
    given_values = {"check_in_timestamp": "", "last_modified": "2026-01-01T00:00:00Z", "provider_name": ""}
    assert online.taken(TABLES["visits"], given_values) == {"check_in_timestamp": None, "provider_name": ""}


_VALUES: dict[ColumnKind, st.SearchStrategy[Any]] = {
    ColumnKind.TEXT: st.text(min_size=1, max_size=10),
    ColumnKind.LIST: st.sampled_from(["[]", '[1,2.5,null,"x"]', '[{"c":true}]']),
    ColumnKind.OBJECT: st.sampled_from(["{}", '{"a":[1,2.5,null,"x"]}', '{"b":{"c":true}}']),
    ColumnKind.DATE: st.dates().map(str),
    ColumnKind.INT: st.integers(-(2**40), 2**40),
    ColumnKind.NUMBER: st.floats(-1e6, 1e6),
    ColumnKind.MOMENT: st.integers(1, 4_000_000_000_000),
    ColumnKind.DAY: st.integers(1, 40_000).map(lambda day: day * 86_400_000),
    ColumnKind.FLAG: st.booleans(),
}


@st.composite
def _records(draw: st.DrawFn) -> tuple[Table, Record]:
    table = draw(st.sampled_from(list(TABLES.values())))
    values = {column.name: draw(_VALUES[column.kind]) for column in table.columns}
    return table, codec.build(table, {**values, "id": "x"})


@given(_records())
def test_what_is_shown_can_be_taken_back_without_loss(made: tuple[Table, Record]) -> None:
    table, record = made
    row = online.shown(table, record)
    again = codec.build(table, online.taken(table, row))
    kept = {
        name: value for name, value in record.values().items() if name not in {"last_modified", "server_created_at"}
    }
    assert {name: again.get(name) for name in kept} == kept


def test_the_later_clock_tells_the_time() -> None:
    now_ms = 1_795_000_000_000
    assert clock.date_ms(now_ms, now_ms - 5) == now_ms
    assert clock.date_ms(clock.OLDEST_MS, now_ms) == now_ms
    assert clock.date_ms(clock.NEWEST_MS, now_ms) == now_ms
