"""Half an emoji in JSON is mended at every depth, and nothing else is changed (P12)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.records import json_text
from tests.draws import drawn

HALF = "\ud83d"


def wrapped(depth: int, text: str) -> str:
    """Return a form whose answer is a form, and so on; the innermost answer is the text."""
    value = text
    for _ in range(depth):
        value = json.dumps([{"name": "Complaint", "value": value}])
    return value


def innermost(depth: int, text: str) -> str:
    for _ in range(depth):
        [answer] = json.loads(text)
        text = answer["value"]
    return text


@pytest.mark.parametrize("depth", range(1, json_text.LAYERS + 1))
@pytest.mark.parametrize("half", [HALF, "\udc00", f"a{HALF}b\U0001f600", f"{HALF}{HALF}"])
def test_half_an_emoji_in_a_form_within_forms_is_mended(depth: int, half: str) -> None:
    found = innermost(depth, json_text.mended(wrapped(depth, half)))
    assert found == half.replace(HALF, "\ufffd").replace("\udc00", "\ufffd")


@pytest.mark.parametrize("typed", [r"\ud83d", r"C:\udata", r"[\ud83d", r'"\ud83d'])
@pytest.mark.parametrize("depth", [1, 2])
def test_what_somebody_typed_is_no_half_of_a_character(typed: str, depth: int) -> None:
    text = wrapped(depth, typed)
    assert innermost(depth, json_text.mended(text)) == typed


@drawn(200)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists) | st.text())
def test_json_without_halves_stays_as_it_is(value: object) -> None:
    text = json.dumps(json.dumps(value))
    assert json_text.mended(text) == text
