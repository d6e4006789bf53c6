"""What a person may call a phone."""

import pytest

from hub.core.errors import OperatorError
from hub.core.phone.device import NAME_CHARS_MAX, fit_name


@pytest.mark.parametrize(
    ("given", "name"), [("A", "A"), (" Ward \n 2 ", "Ward 2"), ("x" * NAME_CHARS_MAX, "x" * NAME_CHARS_MAX)]
)
def test_a_name_is_one_line_of_a_letter_or_more(given: str, name: str) -> None:
    assert fit_name(given) == name


@pytest.mark.parametrize("given", ["", " \n ", "x" * (NAME_CHARS_MAX + 1), "a\0b", "\u202eevil"])
def test_what_is_no_name_is_refused(given: str) -> None:
    with pytest.raises(OperatorError, match=f"1 to {NAME_CHARS_MAX} characters"):
        fit_name(given)
