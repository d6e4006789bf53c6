"""The cloud's rows as canonical records and back (CLOUD.md 0, 4.2, 6)."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.cloud import forms as cloud_forms
from hub.core.cloud import limits
from hub.core.cloud.tables import KEEPING, PUSH_ORDER
from hub.core.errors import BadRecord
from hub.core.records import codec
from hub.core.records.table import ColumnKind, Table
from hub.core.records.tables import TABLES

_PULL = json.loads((Path(__file__).parents[2] / "vectors" / "cloud" / "hub_pull_full.json").read_text("utf-8"))
_ROWS = [(table, row) for table, lists in _PULL["changes"].items() if table in TABLES for row in lists["created"]]
_UUID = "722ec9fb-c976-5da8-9803-ada1362fa54c"

PATIENTS, EVENTS, VITALS = TABLES["patients"], TABLES["events"], TABLES["patient_vitals"]


def build(table: Table, **values: Any) -> codec.Record:  # noqa: ANN401
    """Make a record with the times without which the cloud would make up its own, and the names that it asks for."""
    times = dict.fromkeys(KEEPING[table.name].now, 1_700_000_000_000)
    named = dict.fromkeys(limits.REQUIRED.get(table.name, ()), _UUID)
    return codec.build(table, {"id": _UUID, **times, **named, **values})


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


@pytest.mark.parametrize("value", [10**20, "100000000000000000000", 1e20, 2**63, -(2**63)])
def test_12_a_whole_number_beyond_64_bits_is_a_double_as_on_phones(value: object) -> None:
    attributes = TABLES["patient_additional_attributes"]
    found = read(attributes, number_value=value, patient_id=_UUID).get("number_value")
    assert found == float(value)  # type: ignore[arg-type]
    assert codec.write(read(attributes, number_value=value, patient_id=_UUID))


@pytest.mark.parametrize(
    ("kept", "sent"),
    [
        (1_700_000_000_000, "2023-11-14T22:13:20.000Z"),
        (0, None),
        ("2023-11-14T22:13:20.000Z", "2023-11-14T22:13:20.000Z"),
        (True, True),
    ],
)
def test_a_time_for_which_phones_have_no_column_goes_as_the_cloud_writes_times(kept: object, sent: object) -> None:
    assert written(PATIENTS, build(PATIENTS, image_timestamp=kept))["image_timestamp"] == sent


def test_a_time_for_which_phones_have_no_column_is_refused_where_it_is_none() -> None:
    with pytest.raises(BadRecord, match="image_timestamp"):
        written(PATIENTS, build(PATIENTS, image_timestamp=10**18))


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
    ("ms", "zone", "day"),
    [
        (1_704_153_600_000, "Etc/UTC", "2024-01-02"),  # midnight UTC
        (1_704_146_400_000, "Asia/Damascus", "2024-01-02"),  # midnight there, 21:00 or 22:00 UTC the day before
        (1_704_171_600_000, "America/New_York", "2024-01-02"),  # midnight there
        (1_704_203_384_123, "Etc/UTC", "2024-01-02"),  # a moment of that day, 13:49 UTC
        (1_704_196_800_000, "Etc/UTC", "2024-01-02"),  # noon
        (1_704_218_400_000, "Etc/UTC", "2024-01-02"),  # evening
        (1_704_243_600_000, "America/New_York", "2024-01-02"),  # eight in the evening there
    ],
)
def test_0_a_day_that_a_phone_chose_is_that_day(ms: int, zone: str, day: str) -> None:
    problems = TABLES["patient_problems"]
    problem = build(problems, patient_id=_UUID, onset_date=ms)
    assert problem.get("onset_date") == ms
    sent = cloud_forms.write(problems, problem, updated_ms=1, names={}, zone=ZoneInfo(zone))
    assert json.loads(sent)["onset_date"] == day
    back = cloud_forms.read(problems, json.loads(sent), ZoneInfo(zone)).record
    assert cloud_forms.same(problems.by_name["onset_date"], ms, back.get("onset_date"), ZoneInfo(zone))


def test_4_2_a_date_of_birth_goes_as_a_day() -> None:
    assert written(PATIENTS, build(PATIENTS, date_of_birth="1984-02-29"))["date_of_birth"] == "1984-02-29"
    assert written(PATIENTS, build(PATIENTS, date_of_birth=""))["date_of_birth"] is None


@pytest.mark.parametrize("text", ["29.02.1984", "1984-02-30", "about 1960"])
def test_4_2_a_date_of_birth_that_is_none_is_refused_here(text: str) -> None:
    with pytest.raises(BadRecord, match="date_of_birth"):
        written(PATIENTS, build(PATIENTS, date_of_birth=text))


@pytest.mark.parametrize("day", ["0001-01-01", "0990-05-12", "1369-02-22", "1849-12-31", "2121-01-01", "2190-01-01"])
def test_7_a_day_of_any_year_travels_as_it_was_entered_and_comes_back_so(day: str) -> None:
    """The cloud made it today, and today came back over the entry."""
    assert written(PATIENTS, build(PATIENTS, date_of_birth=day))["date_of_birth"] == day
    assert read(PATIENTS, date_of_birth=f"{day}T00:00:00.000Z").get("date_of_birth") == day
    problems = TABLES["patient_problems"]
    problem = build(problems, onset_date=day, end_date=day)
    assert written(problems, problem)["onset_date"] == written(problems, problem)["end_date"] == day


@pytest.mark.parametrize(
    ("table", "name"), [(table, name) for table in PUSH_ORDER for name in sorted(KEEPING[table.name].now)]
)
@pytest.mark.parametrize("given", [0, None])
def test_7_no_time_is_held_where_the_cloud_would_put_in_the_present(table: Table, name: str, given: object) -> None:
    with pytest.raises(BadRecord, match=rf"{table.name}\.{name} holds no time"):
        written(table, build(table, **{name: given}))


_MOMENTS = [
    (table, column.name)
    for table in PUSH_ORDER
    for column in table.columns
    if column.kind is ColumnKind.MOMENT
    and column.name not in {"created_at", "updated_at", "deleted_at", "last_modified", "server_created_at"}
]


@pytest.mark.parametrize(("table", "name"), _MOMENTS)
@pytest.mark.parametrize(
    ("ms", "says"),
    [
        (-18_950_000_000_000, "Persian"),  # 1369
        (-16_500_000_000_000, "Hijri"),  # 1447
        (17_800_000_000_000, "Buddhist"),  # 2534
        (-30_912_969_600_000, "outside"),  # 990
        (6_950_000_000_000, "outside"),  # 2190
        (1e18, "outside"),
    ],
)
def test_7_a_time_that_the_cloud_would_make_today_is_held_and_a_likely_calendar_named(
    table: Table, name: str, ms: float, says: str
) -> None:
    with pytest.raises(BadRecord, match=rf"{table.name}\.{name}.*{says}"):
        written(table, build(table, **{name: ms}))


def test_a_date_of_another_calendar_that_ours_does_not_have_is_named() -> None:
    with pytest.raises(BadRecord, match=r"patients\.date_of_birth.*Solar Hijri"):
        written(PATIENTS, build(PATIENTS, date_of_birth="۱۳۶۹/۰۲/۳۱"))


def test_7_an_answer_of_0_travels_as_text_and_nothing_is_not_the_same() -> None:
    """The cloud stored null, and the hub called it proven."""
    attributes = TABLES["patient_additional_attributes"]
    for zero in (0, 0.0, -0.0):
        assert written(attributes, build(attributes, number_value=zero))["number_value"] == "0"
    number = attributes.by_name["number_value"]
    assert cloud_forms.same(number, 0, read(attributes, number_value=0).get("number_value"))
    assert cloud_forms.same(number, 0.0, -0.0)
    assert not cloud_forms.same(number, 0, None)
    assert cloud_forms.mark(number, 0) != cloud_forms.mark(number, None)


@pytest.mark.parametrize(
    ("table", "name", "ours", "theirs", "other"),
    [
        ("appointments", "duration", None, 60, 45),
        ("prescriptions", "priority", "", "normal", "high"),
        ("patients", "photo_url", "", None, "x"),
        ("patients", "camp", "", None, "x"),
        ("patient_vitals", "weight_kg", 70.126, "70.13", "70.12"),
        ("patient_vitals", "height_cm", 171.5, "171.50", "171.51"),
        ("patient_vitals", "timestamp", 1_700_000_000_000.7, "2023-11-14T22:13:20.000Z", "2023-11-14T22:13:20.001Z"),
        ("patient_additional_attributes", "string_value", "", None, "x"),
        ("patient_additional_attributes", "number_value", 2**53 + 1, 2**53, 2**53 - 1),
        ("events", "form_data", '[{"v":12345678901234567}]', [{"v": 12345678901234568}], [{"v": 1}]),
        ("events", "form_data", '[{"v":1.0}]', [{"v": 1}], [{"v": 2}]),
        ("events", "form_data", '[{"v":"\\ud83d"}]', [{"v": "\ufffd"}], [{"v": ""}]),
        ("events", "metadata", "", {}, {"a": 1}),
    ],
)
def test_r4_what_the_cloud_makes_of_a_value_by_itself_is_not_news_and_an_edit_is(
    table: str, name: str, ours: object, theirs: object, other: object
) -> None:
    column, held = TABLES[table].by_name[name], build(TABLES[table], **{name: ours}).get(name)
    assert cloud_forms.same(column, held, read(TABLES[table], **{name: theirs}).get(name))
    assert cloud_forms.mark(column, held) == cloud_forms.mark(column, read(TABLES[table], **{name: theirs}).get(name))
    assert not cloud_forms.same(column, held, read(TABLES[table], **{name: other}).get(name))


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_half_an_emoji_in_a_form_is_mended_at_every_depth_and_nothing_is_wrapped(depth: int) -> None:
    """The whole form reached the cloud as one string."""
    text = '[{"value":"\\ud83d and \\uD83D\\uDE00"}]'
    for _ in range(depth):
        text = json.dumps(text)
    event = build(EVENTS, form_data=text)
    assert written(EVENTS, event)["form_data"] == [{"value": "\ufffd and \U0001f600"}]
    assert json.loads(codec.write(event)[0])["form_data"] == event.get("form_data")
    raw = codec.Record(msgspec.structs.replace(event.row, form_data=text), {})  # as an older hub kept it
    assert written(EVENTS, raw)["form_data"] == [{"value": "\ufffd and \U0001f600"}]


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


_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")  # what the cloud can hold
_JSON = (
    st.recursive(
        st.none() | st.booleans() | st.integers(0, 9) | st.text(_CHARACTERS, max_size=5), st.lists, max_leaves=4
    )
    .map(lambda value: {"v": value})
    .map(json.dumps)
)
_VALUES: dict[ColumnKind, st.SearchStrategy[Any]] = {
    ColumnKind.TEXT: st.text(_CHARACTERS, max_size=20),
    ColumnKind.LIST: _JSON,
    ColumnKind.OBJECT: _JSON,
    ColumnKind.DATE: st.dates().map(str),
    ColumnKind.INT: st.integers(-(2**15) + 1, 2**15 - 1),
    ColumnKind.NUMBER: st.decimals(0, 99, places=2).map(float),
    ColumnKind.MOMENT: st.integers(-3_000_000_000_000, 4_000_000_000_000).filter(bool),
    ColumnKind.DAY: st.integers(-20_000, 40_000).map(lambda days: days * 86_400_000),
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
