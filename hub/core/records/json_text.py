"""Reads JSON that is kept in a text, which the app wraps into another text once or twice (PROTOCOL.md "sync_push")."""

import re

import msgspec

from hub.core.lone_surrogates import mended_text

LAYERS = 4
"""How often JSON may be wrapped in JSON text."""

_JSON_BEGINS = ("[", "{", '"')
_WRAPPED = re.compile(r"\\\\u[dD]")
"""Half a character in JSON that was written as text again."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def unwrapped(value: object) -> object:
    """Return the JSON in a text, however often it was written as text again; what is no JSON stays as it is.

    Half an emoji in it, at whatever depth, is mended: it makes no text of what is JSON.
    """
    for _ in range(LAYERS):
        if not isinstance(value, str):
            return value
        try:
            value = _decode(mended_text(value))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return value
    return value


def mended(text: str, layers: int = LAYERS) -> str:
    """Return JSON text in which half an emoji is mended at every depth at which JSON was written as text again."""
    if not _may_hold_half(text):
        return text
    text = mended_text(text)
    if layers <= 1 or not _WRAPPED.search(text) or text.lstrip()[:1] not in _JSON_BEGINS:
        return text
    try:
        inner = _decode(text)
        whole = _mended_within(inner, layers - 1)
        return text if whole == inner else _encode(whole).decode()
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text


def _mended_within(value: object, layers: int) -> object:
    """Mend the texts in JSON that are JSON themselves."""
    match value:
        case str() if _may_hold_half(value) and _is_json(value):
            return mended(value, layers)
        case list():
            return [_mended_within(each, layers) for each in value]
        case dict():
            return {name: _mended_within(each, layers) for name, each in value.items()}
        case _:
            return value


def _may_hold_half(text: str) -> bool:
    return "\\ud" in text or "\\uD" in text


def _is_json(text: str) -> bool:
    """Whether a text is JSON that holds others; what somebody typed is none."""
    if text.lstrip()[:1] not in _JSON_BEGINS:
        return False
    try:
        _decode(mended_text(text))
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True
