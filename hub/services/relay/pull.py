"""Pulls from the cloud: reads the answer as a stream and merges it in bounded transactions (R6, R7)."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import ijson

from hub.actions.cloud.incoming import Tally
from hub.actions.cloud.merging import ROWS_MAX, Merging
from hub.core.errors import CloudError, CloudFailing
from hub.services.relay.client import Body
from hub.store.database import Store

OVERLAP_MS = 120_000
"""The cloud may commit a row late, by as long as a statement of it may take; twice that (CLOUD.md 2.1)."""
FROM_THE_START = 1
"""Not 0, with which the cloud leaves deletions out (CLOUD.md 2.1)."""

_CHUNK_BYTES = 4 * 1024 * 1024
"""Few records of megabytes make a chunk too."""
_READ_BYTES = 64 * 1024
_LISTS = frozenset({"created", "updated", "deleted"})


class MergedPull(NamedTuple):
    """The end of a complete pull: the cloud's clock before it, and what became of its rows."""

    cloud_ms: int
    tally: Tally


class _Piece(NamedTuple):
    """A value of the answer and its place: ("patients", "created") for a row, ("timestamp", "") at the top."""

    table: str
    part: str
    value: Any


class _Places:
    """Stands in for the one prefix that ijson looks for, and is all that we want at once.

    ijson compares the prefix with each place where a value begins, and gives exactly the values for which that was
    true, in this order: so it reads the answer once and makes rows at the speed of its C code.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.met: deque[tuple[str, str]] = deque()

    def __eq__(self, place: object) -> bool:
        match str(place).split("."):
            case ["changes", table, part, "item"] if part in _LISTS:
                self.met.append((table, part))
            case [("success" | "timestamp" | "error") as name]:
                self.met.append((name, ""))
            case _:
                return False
        return True


def pull(store: Store, body: Body, *, full: bool, step: Callable[[], None]) -> MergedPull:
    """Merge a pull's answer; raises CloudError when it is not complete. What was merged until then stays.

    full: it was asked for from the start, so that what it does not name is not there any more.
    step: called before each chunk; may raise to stop.
    """
    merging = Merging(store, full=full)
    ends: dict[str, Any] = {}
    for chunk in _chunks(_pieces(body), body):
        first = chunk[0]
        if first.part:
            step()
            merging.take(first.table, first.part, [piece.value for piece in chunk])
        else:
            ends[first.table] = first.value
    if ends.get("success") is not True or not isinstance(ends.get("timestamp"), int):
        raise CloudFailing("the cloud's answer to a pull does not say that it is whole")
    merging.sweep()
    return MergedPull(ends["timestamp"], merging.tally)


def _pieces(body: Body) -> Iterator[_Piece]:
    """Return the values of an answer as they arrive."""
    places = _Places()
    try:
        for value in ijson.items(body, places, buf_size=_READ_BYTES):
            table, part = places.met.popleft()
            yield _Piece(table, part, value)
    except ijson.JSONError as error:
        raise CloudFailing(f"the cloud's answer to a pull ends early or is no JSON: {type(error).__name__}") from None


def _chunks(pieces: Iterator[_Piece], body: Body) -> Iterator[list[_Piece]]:
    """Put values of one place together, up to what one transaction may hold; what came before a break is given too."""
    chunk: list[_Piece] = []
    begun = 0
    broke: CloudError | None = None
    try:
        for piece in pieces:
            if chunk and (piece[:2] != chunk[0][:2] or len(chunk) == ROWS_MAX or body.size - begun > _CHUNK_BYTES):
                yield chunk
                chunk = []
            if not chunk:
                begun = body.size
            chunk.append(piece)
    except CloudError as error:
        broke = error
    if chunk:
        yield chunk
    if broke:
        raise broke
