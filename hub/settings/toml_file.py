"""What the settings file and the card's hikma-hub.toml share: parsing, and naming the line that must be changed."""

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from typing import Any

from hub.core.errors import SettingError

ONE_LINE = r"\A[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z"
"""A text without control characters and lone surrogates."""
HTTPS = r"\A(https://[!-~]+)?\Z"
"""Such an address, or none."""


def parse(text: str, name: str) -> dict[str, Any]:
    """Parse the text of a file called ``name``; raises SettingError, which ends with "(at line 3, column 7)"."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        message = f"{name}: lists within lists without end"
    except ValueError as error:  # also of a number of thousands of digits
        message = f"{name}: {error}"
    raise SettingError(message)


def line(text: str, keys: Sequence[str]) -> int:
    """Return the line (from 1) where ``keys`` appear: the first at which the text so far holds them.

    Asking tomllib itself takes every way of writing a key. In a list of tables a key is a number, from 0.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    found, low, high = 1, 1, len(lines)
    while low <= high:  # what the text holds once, it holds to its end
        middle = (low + high) // 2
        at, holds = _judged(lines, middle, high, keys)
        if holds:
            found = at
        low, high = (at + 1, high) if holds is False else (low, middle - 1)
    return found


def _judged(lines: Sequence[str], first: int, last: int, keys: Sequence[str]) -> tuple[int, bool | None]:
    """Return the first of some lines that ends no value in its middle, and whether the text up to it holds ``keys``."""
    for number in range(first, last + 1):
        try:
            found: Any = tomllib.loads("\n".join(lines[:number]))
        except ValueError:
            continue
        for key in keys:
            found = _at(found, key)
        return number, found is not None
    return last, None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean ...?" for the nearest of the known names, "" if none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _at(found: Any, key: str) -> Any:  # noqa: ANN401  whatever TOML can hold
    match found:
        case dict():
            return found.get(key)
        case list() if key.isdigit() and int(key) < len(found):
            return found[int(key)]
        case _:
            return None
