"""Which of two boxes of one identity is the hub."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.copy import succession
from hub.core.phone.keys import KeyPair

IDENTITY = KeyPair(bytes(range(32)))


@given(st.integers(0, 9), st.integers(0, 9))
def test_the_box_that_was_restored_more_often_is_the_hub(mine: int, theirs: int) -> None:
    assert succession.is_successor(succession.proof(IDENTITY, theirs), IDENTITY, mine) == (theirs > mine)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.",
        "1." + "0" * 32,
        pytest.param("9" * 5000 + "." + "0" * 32, id="a large number"),
        "².00",
        "-1.00",
        "1.ö",
        pytest.param(succession.proof(KeyPair(), 1), id="another identity"),
        "2" + succession.proof(IDENTITY, 1)[1:],
        "0" + succession.proof(IDENTITY, 1),
    ],
)
def test_who_has_not_the_identity_puts_no_hub_out_of_work(text: str) -> None:
    assert not succession.is_successor(text, IDENTITY, 0)
