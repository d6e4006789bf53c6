"""Tests half characters in JSON against what JavaScript would have written whole."""

import json
import tracemalloc

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.core.lone_surrogates import mended, mended_text
from tests.draws import drawn

UNITS = st.sampled_from(
    ["a", "\\", '"', "u", "d", "\ud83d", "\ude00", "\U0001f600", "\u0628", "\ufffd", "ud83d", "\\u"]
)


def whole(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [whole(each) for each in value]
        case dict():
            return {whole(key): whole(each) for key, each in value.items()}
        case _:
            return value


@drawn(500)
@given(st.lists(UNITS, max_size=12).map("".join), st.sampled_from(["ud83d", "uD83D"]))
@example("\\\ud83d", "ud83d")
@example("\ud83d\ud83d\ude00", "uD83D")
def test_every_half_of_an_emoji_becomes_a_replacement_character_and_nothing_else_changes(
    text: str, spelled: str
) -> None:
    message = json.dumps({"a": text, text: [text]})
    message = message.replace("ud83d", spelled)
    assert msgspec.json.decode(mended(message.encode())) == whole(json.loads(message))


@drawn(300)
@given(st.text(alphabet='\\udDU8cf0"x', max_size=40))
def test_what_is_no_json_at_all_keeps_its_length_and_its_other_bytes(text: str) -> None:
    raw = text.encode()
    assert len(mended(raw)) == len(raw)
    assert mended(mended(raw)) == mended(raw)


def test_a_half_may_be_all_there_is() -> None:
    assert mended(rb"\ud83d") == rb"\ufffd"
    assert mended(rb"\ud83d\ude00") == rb"\ud83d\ude00"


def test_what_is_whole_is_not_copied() -> None:
    raw = json.dumps({"a": "\U0001f600\\ud83d"}).encode()
    assert mended(raw) is raw
    text = raw.decode()
    assert mended_text(text) is text


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [rb"\\", rb"\ud800", rb"\uD", rb"\\\ud83d"],
    ids=["backslashes", "halves", "beginnings", "halves behind backslashes"],
)
def test_a_message_of_backslashes_takes_a_few_times_its_size(part: bytes) -> None:
    """A regular expression over the whole took 1 to 2 GB of 6 MB, and minutes."""
    message = part * (300_000 // len(part))
    tracemalloc.start()
    mended(message)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(message)
