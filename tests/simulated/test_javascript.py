"""JSON as JavaScript reads and writes it."""

import pytest

from tests.simulator import javascript


@pytest.mark.parametrize("value", [0, -1.5, 2**53 - 1, 10**18, 1e300, -(10**15)])
def test_finite_numbers_are_kept(value: float) -> None:
    assert javascript.number(javascript.read(javascript.write(javascript.number(value)))) == value


@pytest.mark.parametrize("value", [None, "5", True, False, float("inf"), float("nan"), [], {}, 10**400])
def test_anything_else_is_no_number(value: object) -> None:
    assert javascript.number(value) is None


def test_whole_numbers_are_written_without_a_point() -> None:
    assert javascript.write([javascript.number(5.0), javascript.number(80.5)]) == b"[5,80.5]"


def test_integers_beyond_the_double_lose_their_last_digits() -> None:
    assert javascript.number(2**53 + 1) == 2**53


def test_a_number_too_large_for_a_double_is_read_as_infinite() -> None:
    assert javascript.read(b"[1e400]") == [float("inf")]


def test_lone_surrogates_are_read_and_written() -> None:
    assert javascript.read(javascript.write("\ud800")) == "\ud800"


@pytest.mark.parametrize("text", [b"", b"{", b"NaN", b"<html>", b"[1,]"])
def test_what_json_parse_throws_at_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        javascript.read(text)
