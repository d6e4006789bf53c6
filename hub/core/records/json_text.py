"""Reads JSON that is kept in a text, which the app wraps into another text once or twice (PROTOCOL.md "sync_push")."""

import msgspec

from hub.core.lone_surrogates import mended_text

LAYERS = 4
"""How often JSON may be wrapped in JSON text."""

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
    """Return JSON text in which half an emoji is mended at every depth at which it was written as text again."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    text = mended_text(text)
    try:
        inner = _decode(text) if layers > 1 and text.lstrip()[:1] == '"' else None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text
    whole = mended(inner, layers - 1) if isinstance(inner, str) else inner
    return text if whole == inner else _encode(whole).decode()
