"""Reasons: codes with parameters, stored as JSON, said as sentences, cleared of what must not leave the clinic."""

import string
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.reasons import CALENDARS, FORMS, PERMISSIONS, Code, Form, Reason, from_json, other, said, to_json
from hub.core.records.access import Permission
from hub.core.records.dates import Calendar
from hub.core.records.tables import TABLES

TEXTS = st.text(max_size=40)
_LISTS = {"needs", "columns", "parents"}


def _value(name: str) -> st.SearchStrategy[str | int | tuple[str, ...]]:
    match name:
        case "limit":
            return st.integers(0, 2**40)
        case "wanted" | "found":
            return st.sampled_from([form.value for form in Form])
        case "calendar":
            return st.sampled_from([calendar.value for calendar in Calendar])
        case "needs":
            return st.lists(st.sampled_from(sorted(PERMISSIONS)), min_size=1).map(tuple)
        case _:
            return st.lists(TEXTS, min_size=1, max_size=3).map(tuple) if name in _LISTS else TEXTS


def _of(code: Code) -> st.SearchStrategy[Reason]:
    return st.fixed_dictionaries({name: _value(name) for name in code.params}).map(lambda params: code.of(**params))


REASONS = st.sampled_from(Code).flatmap(_of)


@given(REASONS)
def test_a_reason_that_was_stored_is_the_same_when_read(reason: Reason) -> None:
    assert from_json(to_json(reason), "the sentence beside it") == reason


@given(REASONS)
def test_a_sentence_holds_every_parameter_and_no_braces_of_its_own(reason: Reason) -> None:
    sentence = str(reason)
    for name, value in reason.params.items():
        for one in value if isinstance(value, tuple) else (value,):
            shown = f"{one:,}" if isinstance(one, int) else {**FORMS, **PERMISSIONS, **CALENDARS}.get(one, one)
            if name in {"wanted", "found", "needs", "calendar"} or isinstance(one, int):
                assert shown in sentence
            else:
                assert one in sentence


@given(REASONS)
def test_equal_reasons_are_stored_as_equal_texts(reason: Reason) -> None:
    backwards = Reason(reason.code, dict(reversed(list(reason.params.items()))))
    assert to_json(backwards) == to_json(reason)


@given(REASONS)
def test_s6_what_leaves_the_clinic_holds_nothing_that_the_hub_did_not_choose(reason: Reason) -> None:
    columns = {name for table in TABLES.values() for name in table.names}
    own = {*TABLES, "users", *columns, *FORMS, *PERMISSIONS, *CALENDARS, "…"}
    for value in reason.public().params.values():
        assert isinstance(value, int) or set(value if isinstance(value, tuple) else (value,)) <= own


def test_s6_tables_and_their_columns_are_the_hubs_own_words() -> None:
    known, made_up = (Code.TOO_DEEP.of(table="patients", column=name, limit=3) for name in ("phone", "amals_phone"))
    assert known.public() == known
    assert made_up.public() == Code.TOO_DEEP.of(table="patients", column="…", limit=3)


def test_a_refusal_names_its_table_and_where_there_is_one_the_column_and_the_limit() -> None:
    without = {Code.WAITS_FOR, Code.NO_USER, Code.NO_CLINIC, Code.OTHER}
    assert {code for code in Code if "table" not in code.params} == without
    assert "limit" in Code.TOO_LARGE.params
    assert {"table", "column", "limit"} <= set(Code.TOO_DEEP.params)


def test_every_code_has_a_word_of_its_own() -> None:
    assert len({code.word for code in Code}) == len(Code)


def test_every_permission_and_form_has_words() -> None:
    assert set(PERMISSIONS) == {permission.value for permission in Permission}
    assert set(FORMS) == set(Form)


@pytest.mark.parametrize("params", [{}, {"table": "patients", "limit": 1}, {"text": "x"}])
def test_a_reason_takes_just_its_own_parameters(params: dict[str, str | int]) -> None:
    with pytest.raises(ValueError, match="not_json takes table"):
        Code.NOT_JSON.of(**params)


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        "no JSON",
        "[]",
        '{"code":"made_up_later","params":{}}',
        '{"code":"not_json","params":{}}',
        '{"code":"not_json","params":{"table":{"deep":1}}}',
    ],
)
def test_what_another_release_wrote_and_this_one_cannot_read_keeps_its_sentence(stored: str | None) -> None:
    assert from_json(stored, "a sentence") == other("a sentence")
    assert str(other("{a} sentence")) == "{a} sentence"


@pytest.mark.parametrize(
    ("value", "form"),
    [
        *((None, Form.NOTHING), (True, Form.FLAG), ("x", Form.TEXT), (1, Form.NUMBER), (1.5, Form.NUMBER)),
        *((Decimal(1), Form.NUMBER), ([], Form.LIST), ({}, Form.OBJECT)),
    ],
)
def test_the_form_of_a_value_is_named(value: object, form: Form) -> None:
    assert Form.of(value) is form


def test_a_translation_says_the_sentence_and_the_words_in_it_and_writes_the_numbers() -> None:
    reason = Code.NOT_PERMITTED.of(table="patients", needs=["can_edit_records", "can_delete_records"])
    said_in = {Code.NOT_PERMITTED.sentence: "<{needs}|{table}>", "edit records": "EDIT", "delete records": "DELETE"}
    assert said(reason, lambda text: said_in.get(text, f"-{text}-")) == "<EDIT -or- DELETE|patients>"
    large = Code.TOO_LARGE.of(table="events", limit=1000)
    assert said(large, lambda _: "{limit}", lambda number: f"#{number}") == "#1000"


def test_every_parameter_of_a_sentence_is_plain() -> None:
    """No format specifications: translators write only {name}."""
    for code in Code:
        assert all(
            not spec and not conversion for _, name, spec, conversion in string.Formatter().parse(code.sentence) if name
        )
