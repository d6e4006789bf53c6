"""Takes JSON apart as it arrives: one member or item at a time, in bounded memory whatever it holds.

What is passed over is counted, not kept: neither a text without end nor a million brackets costs more than time.
Whether a value is JSON at all is its decoder's to say.
"""

import re
from collections.abc import Callable, Iterator

_SPACE = re.compile(rb"[ \t\r\n]*+")
_SCALAR = re.compile(rb"[^ \t\r\n,:\]}\[{\"]*+")
_QUOTED = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
"""The inside of a text, up to its end or to half an escape."""
_FLAT = re.compile(rb'[^"{}\[\]]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"{}\[\]]*+)*+', re.DOTALL)
"""Whole texts and what stands between them, up to a bracket or to a text that has not arrived whole."""
_OPENS = frozenset(b"{[")
_QUOTE, _ESCAPE = b'"\\'


class NotJson(Exception):
    """What arrives is no JSON, or ends early."""


class OutOfBounds(Exception):
    """A value was passed over; ``head`` is its beginning."""

    def __init__(self, head: bytes, *, is_deep: bool) -> None:
        super().__init__("too deep" if is_deep else "too large")
        self.head = head
        self.is_deep = is_deep


class JsonStream:
    """JSON on its way; whoever asks for ``members`` or ``items`` takes the value of each before the next."""

    def __init__(self, read: Callable[[], bytes], *, value_bytes: int, levels: int) -> None:
        """Take where pieces come from, b"" at the end, and how large and deep a value may be."""
        self._read = read
        self._value_bytes = value_bytes
        self._levels = levels
        self._buffer = bytearray()

    def members(self) -> Iterator[str]:
        """Return the names in the object that comes next; anything else is passed over."""
        for _ in self._inside(b"{}"):
            name = self._name()
            self._take(b":")
            yield name

    def items(self) -> Iterator[None]:
        """Stop at each item of the array that comes next; anything else is passed over."""
        yield from self._inside(b"[]")

    def value(self) -> bytes:
        """Return the JSON of the value that comes next; raises OutOfBounds, past it, for one that is none to keep."""
        kept, size, deepest = bytearray(), 0, 0
        for part, depth in self._parts():
            size += len(part)
            deepest = max(deepest, depth)
            if size <= self._value_bytes:
                kept += part
        if size > self._value_bytes or deepest > self._levels:
            raise OutOfBounds(bytes(kept), is_deep=deepest > self._levels)
        return bytes(kept)

    def skip(self) -> None:
        """Pass over the value that comes next."""
        for _ in self._parts():
            pass

    def begin(self) -> None:
        """See that an object comes."""
        if self._peek() != b"{":
            raise NotJson

    def end(self) -> None:
        """See that nothing comes any more."""
        if self._peek():
            raise NotJson

    def _inside(self, brackets: bytes) -> Iterator[None]:
        opening, closing = brackets[:1], brackets[1:]
        if self._peek() != opening:
            self.skip()
            return
        self._take(opening)
        if self._peek() == closing:
            self._take(closing)
            return
        while True:
            yield
            if self._peek() == closing:
                self._take(closing)
                return
            self._take(b",")

    def _name(self) -> str:
        """Return a member's name; one that cannot be read, or is too long, names nothing that anybody wants."""
        if self._peek() != b'"':
            raise NotJson
        try:
            return self.value()[1:-1].decode()
        except (OutOfBounds, UnicodeDecodeError):
            return ""

    def _peek(self) -> bytes:
        """Return the next byte that is no space, without taking it; b"" at the end."""
        while True:
            del self._buffer[: _end(_SPACE, self._buffer)]
            if self._buffer or not self._more():
                return bytes(self._buffer[:1])

    def _take(self, byte: bytes) -> None:
        if self._peek() != byte:
            raise NotJson
        del self._buffer[:1]

    def _more(self) -> bool:
        piece = self._read()
        self._buffer += piece
        return bool(piece)

    def _parts(self) -> Iterator[tuple[bytes, int]]:
        """Return the bytes of the next value as they arrive, each with how deep it goes."""
        first = self._peek()
        if not first or first in b",:]}":
            raise NotJson
        scan = _Scan() if first in b'{["' else _Scalar()
        while True:
            at, is_over = scan.over(self._buffer)
            yield bytes(self._buffer[:at]), scan.deepest
            del self._buffer[:at]
            if is_over:
                return
            if not self._more():
                if isinstance(scan, _Scalar):
                    return
                raise NotJson


class _Scalar:
    """A number, true, false or null."""

    deepest = 0

    def over(self, buffer: bytearray) -> tuple[int, bool]:
        """Return how much of the buffer belongs to it, and whether that is its end."""
        at = _end(_SCALAR, buffer)
        return at, at < len(buffer)


class _Scan:
    """A text, an object or an array, of which some was seen."""

    def __init__(self) -> None:
        self.deepest = 0
        self._depth = 0
        self._is_quoted = False

    def over(self, buffer: bytearray) -> tuple[int, bool]:
        """Return how much of the buffer belongs to it, and whether that is its end."""
        at = 0
        while not at or self._depth or self._is_quoted:
            if self._depth or self._is_quoted:
                at = _end(_QUOTED if self._is_quoted else _FLAT, buffer, at)
                if at == len(buffer) or buffer[at] == _ESCAPE:
                    return at, False
            self._pass(buffer[at])
            at += 1
        return at, True

    def _pass(self, byte: int) -> None:
        if byte == _QUOTE:
            self._is_quoted = not self._is_quoted
        elif byte in _OPENS:
            self._depth += 1
            self.deepest = max(self.deepest, self._depth)
        else:
            self._depth -= 1


def _end(pattern: re.Pattern[bytes], buffer: bytearray, at: int = 0) -> int:
    """Return where the match of a pattern ends that matches always, be it nothing."""
    found = pattern.match(buffer, at)
    return found.end() if found else at
