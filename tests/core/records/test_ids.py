"""Tests that one uuid is one record, whatever PostgreSQL takes for it (S5)."""

import json
import uuid
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import BadRecord
from hub.core.records import codec, folding, ids, online
from hub.core.records.table import Table
from hub.core.records.tables import PHONE_TABLES
from tests.draws import drawn

UUIDS = st.uuids(allow_nil=False).map(str)
TABLE = st.sampled_from(list(PHONE_TABLES.values()))


def groups(text: str) -> str:
    digits = text.replace("-", "")
    return "-".join(digits[at : at + 4] for at in range(0, 32, 4))


FORMS = st.sampled_from(
    [
        str.upper,
        str.title,
        groups,
        lambda text: f"{{{text}}}",
        lambda text: text.replace("-", ""),
        lambda text: f"{{{text.replace('-', '').upper()}}}",
        lambda text: f"urn:uuid:{text}",
        lambda text: f"\u200f{text}\u200e",
        lambda text: f"\u202b{text}\u202c",
        lambda text: f"\u2067{text[:18]}\u00ad{text[18:]}\u2069",
        lambda text: f" {text.upper()}\n",
    ]
)


@drawn(400)
@given(UUIDS, FORMS)
def test_every_form_of_a_uuid_is_one_id(text: str, form: object) -> None:
    assert ids.canonical(form(text)) == text  # type: ignore[operator]


@drawn(400)
@given(st.text(max_size=50) | st.from_regex(r"[{]?[0-9a-fA-F-]{30,40}[}]?", fullmatch=True))
def test_what_is_no_uuid_stays_as_it_is_and_folding_twice_is_folding_once(text: str) -> None:
    once = ids.canonical(text)
    assert ids.canonical(once) == once
    if once != text:
        assert once == str(uuid.UUID(once))


@drawn(200)
@given(TABLE, UUIDS, FORMS, st.data())
def test_s5_a_pushed_id_and_every_reference_arrive_in_one_form(
    table: Table, record_id: str, form: object, data: st.DataObject
) -> None:
    """In capitals a nurse took over another clinic's patient: another record here, the same in the cloud."""
    named = {column: data.draw(UUIDS) for column in table.references}
    sent = {column: form(value) for column, value in named.items()}  # type: ignore[operator]
    pushed = codec.read(table, json.dumps({"id": form(record_id), **sent}).encode())  # type: ignore[operator]
    assert pushed.record.id == record_id
    assert {column: pushed.record.get(column) for column in named} == named
    assert pushed.renamed
    assert pushed.folded == bool(named)
    assert online.named(table, {"id": form(record_id), **sent}) == {"id": record_id, **named}  # type: ignore[operator]


def test_the_nil_uuid_is_no_id_and_names_nobody() -> None:
    visits = PHONE_TABLES["visits"]
    for form in (ids.NIL, f"{{{ids.NIL}}}", ids.NIL.replace("-", "")):
        with pytest.raises(BadRecord, match="valid ID"):
            codec.build(visits, {"id": form})
    assert codec.build(visits, {"id": "v", "patient_id": ids.NIL}).text("patient_id") is None


def test_an_answer_that_looks_like_an_id_is_not_touched() -> None:
    text = json.dumps([{"id": str(uuid.uuid4()).upper()}])
    assert codec.build(PHONE_TABLES["events"], {"id": "e", "form_data": text}).get("form_data") == text


ODD = st.sampled_from([ids.NIL, ids.NIL.upper(), "", "\n", "x", "0" * 36, "\ud800", 7, None])


@drawn(300)
@given(st.lists(UUIDS, max_size=6), FORMS, ODD, st.integers(0, 5))
def test_one_look_at_many_ids_finds_the_one_that_is_not_as_usual(
    usual: list[str], form: Callable[[str], str], odd: object, place: int
) -> None:
    assert folding.are_usual(usual) == bool(usual)
    for strange in (odd, *(form(each) for each in usual[:1] if form(each) != each)):
        assert not folding.are_usual([*usual[:place], strange, *usual[place:]])
