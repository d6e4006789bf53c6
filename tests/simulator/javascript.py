"""Reads and writes JSON as the phone's JavaScript does.

JavaScript knows one kind of number, the double, writes a whole one without a point, and takes lone surrogates
in a text; a model that let Python's ways through would send what no phone sends.
"""

import json
import math
from typing import Any, NoReturn

import msgspec

_EXACT_MAX = 2**53
_WHOLE_MAX = 10**21  # from here on JavaScript writes an exponent (ECMA-262, Number::toString)

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read(text: bytes | bytearray | str) -> Any:  # noqa: ANN401  any JSON there is
    """Return what JSON.parse gives; ValueError when it throws."""
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # JSON.parse takes lone surrogates and 1e400, and so does the standard library.
        return json.loads(
            bytes(text).decode("utf-8", "replace") if not isinstance(text, str) else text, parse_constant=_refuse
        )


def write(value: object) -> bytes:
    """Return what JSON.stringify gives, as UTF-8."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def number(value: object) -> int | float | None:
    """Return ``value`` as the finite number that it is in JavaScript; None when it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and -_EXACT_MAX <= value <= _EXACT_MAX:
        return value
    try:
        double = float(value)
    except OverflowError:
        return None
    if not math.isfinite(double):
        return None
    return int(double) if double.is_integer() and abs(double) < _WHOLE_MAX else double


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
