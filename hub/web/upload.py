"""Takes a file that a form brings straight to disk, in bounded memory: it is there whole, or not at all."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from hub.core.errors import Malformed, NoRoom
from hub.web import body
from hub.web.body import AnyRequest

_BYTES_MAX = 64 * 1000**3
"""More than any card of the field holds; what there is room for is asked of the disk."""
_LEFT_BYTES = 64 * 1024 * 1024
"""Of the disk, for the database."""
_FIELDS_BYTES_MAX = 16 * 1024
"""All that a form brings before its file."""
_PARTS_MAX = 2
"""Its key, and the file."""
_WRITE_BYTES = 256 * 1024

Check = Callable[[Mapping[str, str]], None]
"""Looks at the fields that come before the file; raises where it may not come."""


class Upload:
    """The place of an uploaded file; who brings another meanwhile waits for the end of the first."""

    def __init__(self, path: Path, *, most: int = _BYTES_MAX, times: int = 1, left: int = _LEFT_BYTES) -> None:
        """Prepare it. most, left: bytes, of the file and of what is free after it.

        times: how often the file must find room, for itself and for what is made of it.
        """
        self.path = path
        self._most = most
        self._times = times
        self._left = left
        self._lock = asyncio.Lock()

    async def receive(self, request: AnyRequest, check: Check) -> None:
        """Put the file that a form brings in its place.

        Raises Malformed, what ``check`` raises, and NoRoom: that only when all has come, for a browser that is answered
        while it sends shows no answer.
        """
        async with self._lock:
            needed = self._times * body.declared_bytes(request, self._most)
            free = max(0, shutil.disk_usage(self.path.parent).free - self._left)
            part = self.path.with_suffix(".part")
            try:
                await _write(part, _content(request, check, self._most), is_kept=needed <= free)
                if needed > free:
                    raise NoRoom(needed, free)
                part.replace(self.path)
            except OSError as error:
                raise NoRoom(needed, free) from error
            finally:
                part.unlink(missing_ok=True)


async def _write(path: Path, pieces: AsyncIterator[bytes], *, is_kept: bool) -> None:
    """Write the pieces, or let them pass; nothing is waited for, a power cut takes an upload with it."""
    waiting = bytearray()
    with path.open("wb") as file:
        async for piece in pieces:
            if is_kept:
                waiting += piece
            if len(waiting) >= _WRITE_BYTES:
                await asyncio.to_thread(file.write, waiting)
                waiting = bytearray()
        await asyncio.to_thread(file.write, waiting)


async def _content(request: AnyRequest, check: Check, most: int) -> AsyncIterator[bytes]:
    """Yield the bytes of the file in a form (RFC 7578), once its other fields were checked."""
    _, options = parse_options_header(request.headers.get("content-type", ""))
    fields: dict[str, bytes] = {}
    part: MultipartSegment | None = None
    try:
        parser = PushMultipartParser(options.get("boundary", ""), max_segment_count=_PARTS_MAX)
        async for piece in body.pieces(request, most, bytearray()):
            for event in parser.parse(piece):
                if isinstance(event, MultipartSegment):
                    part = event
                    if part.filename is not None:
                        check({name: value.decode("utf-8", "replace") for name, value in fields.items()})
                elif event and part and part.filename is not None:
                    yield bytes(event)
                elif event and part:
                    fields[part.name] = _longer(fields.get(part.name, b""), event)
        parser.close()
    except MultipartError as error:
        raise Malformed("not a form with a file") from error
    if part is None or part.filename is None:
        raise Malformed("a form without its file")


def _longer(field: bytes, more: bytes) -> bytes:
    if len(field) + len(more) > _FIELDS_BYTES_MAX:
        raise Malformed("a field is too long")
    return field + more
