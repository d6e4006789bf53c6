"""The cloud's rows as canonical records and back (CLOUD.md 0, 4.2, 6)."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.tables import PUSH_ORDER
from hub.core.errors import BadRecord
from hub.core.records import codec
from hub.core.records.tables import TABLES, ColumnKind, Table

_PULL = json.loads((Path(__file__).parents[2] / "vectors" / "cloud" / "hub_pull_full.json").read_text("utf-8"))
_ROWS = [(table, row) for table, lists in _PULL["changes"].items() if table in TABLES for row in lists["created"]]
_UUID = "722ec9fb-c976-5da8-9803-ada1362fa54c"

PATIENTS, EVENTS, VITALS = TABLES["patients"], TABLES["events"], TABLES["patient_vitals"]


def build(table: Table, **values: Any) -> codec.Record:  # noqa: ANN401
    return codec.build(table, {"id": _UUID, **values})


def written(table: Table, record: codec.Record, **names: str) -> dict[str, Any]:
    content = cloud_forms.write(table, record, updated_ms=1_800_000_000_000, names=names)
    row: dict[str, Any] = json.loads(content)
    return row


def read(table: Table, **row: Any) -> codec.Record:  # noqa: ANN401
    return cloud_forms.read(table, {"id": _UUID, **row}).record


def column(table: Table, name: str) -> Any:  # noqa: ANN401
    return table.by_name[name]


@pytest.mark.parametrize("name", sorted({table for table, _ in _ROWS}))
def test_every_row_that_the_real_cloud_sent_becomes_a_record_with_the_phones_types(name: str) -> None:
    for table, row in _ROWS:
        if table == name:
            record = cloud_forms.read(TABLES[name], row).record
            assert msgspec.convert(msgspec.structs.asdict(record.row), TABLES[name].shape) == record.row
            assert record.id == row["id"]


@pytest.mark.parametrize("name", [table.name for table in PUSH_ORDER])
def test_a_row_that_goes_back_is_the_same_to_the_cloud(name: str) -> None:
    table = TABLES[name]
    for _, row in filter(lambda found: found[0] == name, _ROWS):
        record = cloud_forms.read(table, row).record
        again = cloud_forms.read(table, written(table, record)).record
        for each in table.columns:
            if each.name not in {"updated_at", "last_modified", "server_created_at", "event_id", "recorded_by_user_id"}:
                one, other = record.get(each.name), again.get(each.name)
                assert cloud_forms.same(each, one, other), each.name


@pytest.mark.parametrize("text", ["1950-01-01T00:00:00.000Z", "1950-01-01T05:00:00.000Z", "1949-12-31T22:00:00.000Z"])
def test_0_a_date_is_the_day_whose_midnight_it_is(text: str) -> None:
    assert read(PATIENTS, date_of_birth=text).get("date_of_birth") == "1950-01-01"


def test_0_numbers_as_text_are_numbers() -> None:
    record = read(VITALS, height_cm="171.50", weight_kg="70.00", patient_id=_UUID)
    assert (record.get("height_cm"), record.get("weight_kg")) == (171.5, 70)


def test_0_nested_json_is_text_on_the_phone() -> None:
    assert read(EVENTS, form_data=[{"a": 1}]).get("form_data") == '[{"a":1}]'


def test_null_is_what_the_phone_puts_in() -> None:
    record = read(PATIENTS, phone=None, camp=None, created_at=None)
    assert (record.get("phone"), record.get("camp"), record.get("created_at")) == ("", None, 0)


def test_unknown_columns_are_kept_but_not_the_clouds_own() -> None:
    """P8."""
    row = {"id": _UUID, "image_timestamp": None, "blood": "A", "last_modified": "2026-01-01T00:00:00.000Z"}
    found = cloud_forms.read(PATIENTS, row)
    assert found.record.extra == {"blood": "A"}
    assert found.cleared == {"image_timestamp"}


@pytest.mark.parametrize(
    "row",
    [
        {"id": 7},
        {"id": ""},
        {"id": _UUID, "created_at": "noon"},
        {"id": _UUID, "phone": {}},
        {"id": _UUID, "date_of_birth": "9999-12-31T23:00:00.000Z"},
        {"id": _UUID, "date_of_birth": "0001-01-01T00:00:00.000+14:00"},
        {"id": _UUID, "metadata": "\ud800"},
    ],
)
def test_a_row_that_is_none_is_named_and_no_value_of_it(row: dict[str, Any]) -> None:
    if row.get("phone") is not None:
        assert cloud_forms.read(PATIENTS, row).record.get("phone") == "{}"
        return
    with pytest.raises(BadRecord) as caught:
        cloud_forms.read(PATIENTS, row)
    assert "noon" not in str(caught.value)


@pytest.mark.parametrize(
    ("ms", "text"), [(631_152_000_000, "1990-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z")]
)
def test_4_2_a_time_before_2001_goes_as_text(ms: int, text: str) -> None:
    attribute = build(TABLES["patient_additional_attributes"], patient_id=_UUID, date_value=ms)
    assert written(TABLES["patient_additional_attributes"], attribute)["date_value"] == text


def test_4_2_a_time_that_no_calendar_holds_goes_as_null() -> None:
    assert written(EVENTS, build(EVENTS, created_at=1e18))["created_at"] is None


def test_4_2_an_unset_time_goes_as_null() -> None:
    assert (
        written(TABLES["prescriptions"], build(TABLES["prescriptions"], expiration_date=0))["expiration_date"] is None
    )


@pytest.mark.parametrize(
    ("ms", "day"),
    [
        (1_704_153_600_000, "2024-01-02"),  # midnight UTC
        (1_704_146_400_000, "2024-01-02"),  # midnight in Damascus, 22:00 UTC the day before
        (1_704_171_600_000, "2024-01-02"),  # midnight in New York
        (1_704_203_384_123, "2024-01-02"),  # a moment of that day, 13:49 UTC
    ],
)
def test_0_a_day_that_a_phone_chose_is_that_day(ms: int, day: str) -> None:
    problem = build(TABLES["patient_problems"], patient_id=_UUID, onset_date=ms)
    assert written(TABLES["patient_problems"], problem)["onset_date"] == day


def test_4_2_a_date_of_birth_goes_as_a_day() -> None:
    assert written(PATIENTS, build(PATIENTS, date_of_birth="1984-02-29"))["date_of_birth"] == "1984-02-29"
    assert written(PATIENTS, build(PATIENTS, date_of_birth=""))["date_of_birth"] is None


@pytest.mark.parametrize("text", ["29.02.1984", "1984-02-30", "about 1960"])
def test_4_2_a_date_of_birth_that_is_none_is_refused_here(text: str) -> None:
    with pytest.raises(BadRecord, match="date_of_birth"):
        written(PATIENTS, build(PATIENTS, date_of_birth=text))


@pytest.mark.parametrize("name", ["id", "primary_clinic_id", "last_modified_by"])
def test_4_2_what_is_no_uuid_is_refused_here(name: str) -> None:
    with pytest.raises(BadRecord, match=name):
        written(PATIENTS, codec.build(PATIENTS, {"id": _UUID, name: "clinic-1"}))


def test_4_2_an_empty_uuid_goes_as_null_and_capitals_as_small_letters() -> None:
    patient = build(PATIENTS, primary_clinic_id=_UUID.upper(), last_modified_by="")
    row = written(PATIENTS, patient)
    assert (row["primary_clinic_id"], row["last_modified_by"]) == (_UUID, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":1}', {"a": 1}),
        (json.dumps('{"a":1}'), {"a": 1}),
        ("", {}),
        ("null", {}),
        ("[]", {}),
        ('""', {}),
        ("[1]", {"value": [1]}),
        ("not JSON", {"value": "not JSON"}),
    ],
)
def test_4_2_json_goes_as_an_object(text: str, value: object) -> None:
    assert written(EVENTS, build(EVENTS, metadata=text))["metadata"] == value


@pytest.mark.parametrize(("text", "value"), [("", []), ("[1]", [1]), ('{"a":1}', [{"a": 1}])])
def test_4_2_what_is_an_array_there_goes_as_one(text: str, value: object) -> None:
    appointments = TABLES["appointments"]
    assert written(appointments, build(appointments, departments=text))["departments"] == value


def test_4_6_a_delete_is_never_said_in_a_record() -> None:
    row = written(PATIENTS, build(PATIENTS, is_deleted=True, deleted_at=1_800_000_000_000))
    assert row["is_deleted"] is False
    assert "deleted_at" not in row


def test_names_made_here_become_the_clouds() -> None:
    other = "937abbba-7f0a-5f8c-96a6-b1ca3540bc7a"
    assert written(PATIENTS, build(PATIENTS, last_modified_by=_UUID), **{_UUID: other})["last_modified_by"] == other


_JSON = (
    st.recursive(st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5), st.lists, max_leaves=4)
    .map(lambda value: {"v": value})
    .map(json.dumps)
)
_VALUES: dict[ColumnKind, st.SearchStrategy[Any]] = {
    ColumnKind.TEXT: st.text(max_size=20),
    ColumnKind.LIST: _JSON,
    ColumnKind.OBJECT: _JSON,
    ColumnKind.DATE: st.dates().map(str),
    ColumnKind.INT: st.integers(-(2**31), 2**31 - 1),
    ColumnKind.NUMBER: st.decimals(0, 99, places=2).map(float),
    ColumnKind.MOMENT: st.integers(-3_000_000_000_000, 4_000_000_000_000),
    ColumnKind.DAY: st.integers(0, 40_000).map(lambda days: days * 86_400_000),
    ColumnKind.FLAG: st.booleans(),
}


@given(st.data(), st.sampled_from(PUSH_ORDER))
def test_r4_what_comes_back_as_it_went_is_the_same(data: st.DataObject, table: Table) -> None:
    """Round trip: phone, hub, cloud, hub changes nothing that the cloud can hold."""
    values: dict[str, Any] = {}
    for each in table.columns:
        wanted = st.uuids().map(str) if each.refers_to else _VALUES[each.kind]
        values[each.name] = data.draw(st.none() | wanted if each.optional else wanted)
    record = build(table, **values)
    went = written(table, record)
    back = cloud_forms.read(table, went).record
    for each in table.columns:
        if each.name in went and each.name not in {"updated_at", "is_deleted", "deleted_at"}:
            assert cloud_forms.same(each, record.get(each.name), back.get(each.name)), each.name
