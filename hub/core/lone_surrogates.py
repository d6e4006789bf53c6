r"""Mends half characters in JSON: of an emoji cut in two JavaScript writes a lone ``\ud83d``, which is no text.

Such a half becomes U+FFFD. It is written with as many bytes, so that mending is one pass in one copy, whatever the
message holds (RFC 8259 section 7).
"""

_ESCAPE_BYTES = 6
_HALF = (0xD800, 0xDFFF)
_LOW = 0xDC00
_BLANK = rb"\ufffd"


def mended(message: bytes | bytearray) -> bytes | bytearray:
    """Return JSON without lone surrogates; the very same object where there is none."""
    whole: bytearray | None = None
    floor = at = 0
    starts = _Starts(message)
    while (at := starts.next(at)) >= 0:
        before = message[floor:at]
        escaped = (len(before) - len(before.rstrip(b"\\"))) % 2
        code = None if escaped else _code(message, at)
        step = 2
        if code is not None and _HALF[0] <= code <= _HALF[1]:
            step = _ESCAPE_BYTES
            low = _code(message, at + step) if code < _LOW else None
            if low is not None and _LOW <= low <= _HALF[1]:
                step += _ESCAPE_BYTES
            else:
                whole = whole or bytearray(message)
                whole[at : at + step] = _BLANK
        at += step
        floor = at
    return message if whole is None else whole


def mended_text(text: str) -> str:
    """Return JSON text without lone surrogates; the very same object where there is none."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    raw = text.encode()
    whole = mended(raw)
    return text if whole is raw else whole.decode()


class _Starts:
    r"""The places of ``\ud`` and ``\uD``, in order; each byte is looked at once for either."""

    def __init__(self, message: bytes | bytearray) -> None:
        self._message = message
        self._found = {rb"\ud": -2, rb"\uD": -2}

    def next(self, at: int) -> int:
        """Return the first place from ``at`` on, -1 where there is none."""
        for start, place in self._found.items():
            if place != -1 and place < at:
                self._found[start] = self._message.find(start, at)
        return min((place for place in self._found.values() if place >= 0), default=-1)


def _code(message: bytes | bytearray, at: int) -> int | None:
    r"""Return the code of ``\uXXXX`` at a place, None where there is no such escape."""
    escape = message[at : at + _ESCAPE_BYTES]
    if len(escape) < _ESCAPE_BYTES or escape[:2] != rb"\u":
        return None
    try:
        return int.from_bytes(bytes.fromhex(escape[2:].decode("ascii")))
    except ValueError:
        return None
