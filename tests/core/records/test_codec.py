"""Bringing what a phone pushes into canonical form, and back."""

import json
import math
from datetime import UTC
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import BadRecord
from hub.core.records import codec, dates
from hub.core.records.table import ColumnKind
from hub.core.records.tables import PHONE_TABLES, TABLES

COLUMNS = [(name, column) for name, table in PHONE_TABLES.items() for column in table.columns]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def build(table: str, **values: object) -> codec.Record:
    return codec.build(TABLES[table], {"id": "x", **values})


def read(table: str, values: object) -> codec.Pushed:
    return codec.read(TABLES[table], json.dumps(values).encode())


@pytest.mark.parametrize("name", PHONE_TABLES)
def test_missing_columns_become_what_the_phone_would_put_in(name: str) -> None:
    table = PHONE_TABLES[name]
    empties = {"string": "", "number": 0, "boolean": False}
    expected = {column.name: None if column.optional else empties[column.phone_type] for column in table.columns}
    assert codec.build(table, {"id": "x"}).values() == {"id": "x", **expected}


def test_null_becomes_nothing_of_the_columns_type() -> None:
    for name, column in COLUMNS:
        record = codec.build(PHONE_TABLES[name], {"id": "x", column.name: None})
        assert record.get(column.name) == column.empty, (name, column.name)


@pytest.mark.parametrize("value", ["", "a", "عيادة", "x" * 10_000, "a\0b"])
@pytest.mark.parametrize("kind", [ColumnKind.TEXT, ColumnKind.OBJECT, ColumnKind.DATE])
def test_text_stays_as_it_is(kind: ColumnKind, value: str) -> None:
    column = {ColumnKind.TEXT: "given_name", ColumnKind.OBJECT: "metadata", ColumnKind.DATE: "date_of_birth"}[kind]
    assert build("patients", **{column: value}).get(column) == value


@pytest.mark.parametrize(("value", "text"), [(7, "7"), (1.5, "1.5"), (-3, "-3")])
def test_a_number_in_a_text_column_becomes_its_text(value: float, text: str) -> None:
    assert build("drug_catalogue", sale_price=value).get("sale_price") == text


@pytest.mark.parametrize("value", [True, [], {}])
@pytest.mark.parametrize("column", ["given_name", "date_of_birth", "camp"])
def test_a_text_column_refuses_what_is_no_text(column: str, value: object) -> None:
    with pytest.raises(BadRecord, match=column):
        build("patients", **{column: value})


@pytest.mark.parametrize(("value", "text"), [({"a": 1}, '{"a":1}'), ([1, 2], "[1,2]"), (True, "true"), (7, "7")])
def test_json_that_is_not_yet_text_becomes_text(value: object, text: str) -> None:
    assert build("patients", metadata=value).get("metadata") == text


@pytest.mark.parametrize("value", [0, 1, -5, 1.5, 2**53, 1e300, -0.5])
@pytest.mark.parametrize(("table", "column"), [("patients", "created_at"), ("patient_vitals", "weight_kg")])
def test_numbers_stay_as_they_are(table: str, column: str, value: float) -> None:
    assert build(table, **{column: value}).get(column) == value


@pytest.mark.parametrize(
    ("value", "number"), [("7", 7), ("-7", -7), ("1.5", 1.5), (True, 1), (False, 0), ("1e3", 1000)]
)
def test_a_number_in_disguise_is_read(value: object, number: float) -> None:
    assert build("patient_vitals", weight_kg=value).get("weight_kg") == number


@pytest.mark.parametrize("value", ["", "seven", "nan", "inf", "1e999", [], {}, "1 2"])
@pytest.mark.parametrize("column", ["weight_kg", "heart_rate", "timestamp"])
def test_a_number_column_refuses_what_is_no_number(column: str, value: object) -> None:
    with pytest.raises(BadRecord, match=column):
        build("patient_vitals", **{column: value})


@pytest.mark.parametrize(
    ("text", "moment_ms"),
    [
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T00:00:00.250Z", 250),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-02", 86_400_000),
        ("1970-01-01T00:00:05", 5000),
        ("1795155628135", 1795155628135),
        ("0", 0),
        ("19700102", 86_400_000),
    ],
)
def test_a_time_as_text_becomes_milliseconds(text: str, moment_ms: int) -> None:
    assert build("patients", created_at=text).get("created_at") == moment_ms
    assert build("patient_problems", onset_date=text).get("onset_date") == moment_ms


@pytest.mark.parametrize("text", ["1990", "5", "-5000", "990512"])
def test_a_few_digits_are_no_moment_of_january_1970(text: str) -> None:
    with pytest.raises(BadRecord, match="onset_date"):
        build("patient_problems", onset_date=text)


@pytest.mark.parametrize("text", ["17111123011223344", "1711112301122334455667"])
def test_a_long_row_of_digits_is_no_date_of_1711(text: str) -> None:
    """Python takes any sign for the T of ISO 8601, digits too."""
    with pytest.raises(BadRecord, match="onset_date"):
        build("patient_problems", onset_date=text)
    with pytest.raises(ValueError, match=text):
        dates.day_of_date(text, UTC)


def test_a_whole_number_of_hundreds_of_digits_is_too_great() -> None:
    with pytest.raises(BadRecord, match="too great"):
        build("patient_vitals", weight_kg=10**400)


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        *[(1, True), (0, False), (1.0, True), (0.0, False), ("true", True), ("1", True), ("0", False)],
        *[("True", True), ("FALSE", False), (" yes ", True)],
    ],
)
def test_a_flag_in_disguise_is_read(value: object, flag: bool) -> None:  # noqa: FBT001
    assert build("patients", is_deleted=value).get("is_deleted") is flag


@pytest.mark.parametrize("value", [2, -1, "perhaps", 0.5, [], {}])
def test_a_flag_refuses_what_is_neither(value: object) -> None:
    with pytest.raises(BadRecord, match="is_deleted"):
        build("patients", is_deleted=value)


@pytest.mark.parametrize("identifier", [None, "", 7, 1.5, True, [], {}, "a\0b", "x" * (codec.ID_CHARS + 1)])
def test_an_id_is_a_bounded_text(identifier: object) -> None:
    with pytest.raises(BadRecord, match="id"):
        codec.build(TABLES["patients"], {"id": identifier})


def test_a_record_without_an_id_is_refused() -> None:
    with pytest.raises(BadRecord):
        read("patients", {"given_name": "A"})


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"null", b"7", b'"x"', b"[]", b"\xff", b'{"id":"' + b"\xff" + b'"}', b"NaN"]
)
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRecord):
        codec.read(TABLES["patients"], raw)


def test_json_nested_without_end_is_refused() -> None:
    with pytest.raises(BadRecord):
        codec.read(TABLES["patients"], b'{"id":"x","metadata":' + b"[" * 100_000)


def test_a_record_is_bounded() -> None:
    with pytest.raises(BadRecord, match="larger"):
        codec.read(TABLES["patients"], b'{"id":"x","given_name":"' + b"a" * codec.RECORD_BYTES + b'"}')


def test_unknown_columns_are_bounded() -> None:
    many: dict[str, Any] = {f"new_{number}": 1 for number in range(codec.UNKNOWN_COLUMNS)}
    assert build("patients", **many).extra == many
    many["one_more"] = 1
    with pytest.raises(BadRecord, match="100 columns that the hub does not know"):
        build("patients", **many)


def test_a_refusal_names_the_column_and_not_the_value() -> None:
    with pytest.raises(BadRecord) as caught:
        build("patients", created_at="s3cret")
    assert "s3cret" not in str(caught.value)


@given(st.dictionaries(st.text(min_size=1).map("new ".__add__), JSON, max_size=5))
def test_p8_unknown_columns_survive_as_they_came(extra: dict[str, Any]) -> None:
    pushed = read("patients", {"id": "x", **extra})
    data, cut = codec.write(pushed.record)
    assert codec.stored(TABLES["patients"], data, cut).extra == extra
    assert json.loads(data) == pushed.record.values()


@given(st.text(), st.dictionaries(st.text(min_size=1).map("new ".__add__), JSON, max_size=5))
def test_the_phones_part_can_be_cut_out_without_reading(name: str, extra: dict[str, Any]) -> None:
    record = build("patients", given_name=name, **extra)
    data, cut = codec.write(record)
    part = data if cut is None else data[:cut] + "}"
    assert json.loads(part) == msgspec.to_builtins(record.row)


def test_the_phones_own_columns_do_not_travel() -> None:
    pushed = read("patients", {"id": "x", "_status": "updated", "_changed": "phone", "_other": 1})
    assert pushed.record.extra == {}


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", ()),
        (None, ()),
        (7, ()),
        ("phone", ("phone",)),
        ("updated_at,phone", ("updated_at", "phone")),
        (" phone , phone,,sex", ("phone", "sex")),
        ("phone,new_column", ("phone", "new_column")),
    ],
)
def test_changed_columns_are_read_from_their_list(text: object, columns: tuple[str, ...]) -> None:
    assert read("patients", {"id": "x", "_changed": text}).changed == columns


@pytest.mark.parametrize(
    ("status", "synced"), [("synced", True), ("created", False), ("updated", False), (None, False)]
)
def test_a_phone_says_when_it_has_nothing_new(status: object, synced: bool) -> None:  # noqa: FBT001
    assert read("patients", {"id": "x", "_status": status}).synced is synced


@pytest.mark.parametrize("created_at", [1e300, -1e300, 2**63, 1.5, 0, -1])
def test_the_time_for_ordering_fits_any_database(created_at: float) -> None:
    assert -(2**53) <= build("patients", created_at=created_at).sort_ms() <= 2**53


def test_text_of_half_a_character_cannot_be_kept() -> None:
    record = codec.Record(TABLES["patients"].shape(id="x", given_name="\ud83d"), {})
    with pytest.raises(BadRecord):
        codec.write(record)


@given(st.floats() | st.integers())
def test_numbers_that_json_cannot_carry_never_get_into_a_record(value: float) -> None:
    try:
        data, _ = codec.write(build("patient_vitals", weight_kg=value))
    except BadRecord:
        return
    kept = json.loads(data)["weight_kg"]
    assert math.isfinite(kept or 0)


@pytest.mark.parametrize("changed", ["", "phone"])
def test_the_same_edit_has_the_same_fingerprint_and_another_has_another(changed: str) -> None:
    def mark(phone: str) -> int:
        pushed = read("patients", {"id": "x", "_changed": changed, "phone": phone})
        return codec.digest(pushed, codec.write(pushed.record)[0])

    assert mark("1") == mark("1")
    assert mark("1") != mark("2")


@pytest.mark.parametrize(
    ("said", "untouched"),
    [({"_status": "created", "_changed": ""}, True), ({"_status": "created", "_changed": "phone"}, False)]
    + [({"_status": status, "_changed": ""}, False) for status in ("updated", "synced")],
)
def test_only_what_is_new_and_not_edited_since_is_as_it_was_made(said: dict[str, str], *, untouched: bool) -> None:
    assert read("patients", {"id": "p", "phone": "1", **said}).untouched is untouched
