"""Pulls from the cloud: reads the answer as a stream and merges it in bounded transactions (R6, R7)."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import ijson
from ijson.common import ObjectBuilder

from hub.actions.cloud import incoming, losses, users
from hub.actions.cloud.incoming import ROWS_MAX, PullTally
from hub.core.cloud import tables as cloud_tables
from hub.core.cloud.shown import Shown
from hub.core.errors import CloudError, CloudFailing
from hub.core.records import codec
from hub.core.records.tables import TABLES
from hub.services.relay.client import Body
from hub.store.database import Store

FROM_THE_START = 1
"""Not 0, with which the cloud leaves deletions out (CLOUD.md 2.1)."""

_CHUNK_BYTES = 4 * 1024 * 1024
"""Few records of megabytes make a chunk too."""
_READ_BYTES = 64 * 1024
_BEGINS = frozenset({"start_map", "start_array"})
_ENDS = frozenset({"end_map", "end_array"})
_NO_VALUE = _ENDS | {"map_key"}
_LISTS = frozenset({"created", "updated", "deleted"})
_SWEPT = ("user_clinic_permissions", "app_config")
"""Tables of which the cloud announces no deletions, and sends every row in a full pull whatever its age."""


class MergedPull(NamedTuple):
    """The end of a complete pull: the cloud's clock before it, and what became of its rows."""

    cloud_ms: int
    tally: PullTally
    asks: bool
    """Only a full pull can say what else it means."""


class _Piece(NamedTuple):
    """A value of the answer and its place: ("patients", "created") for a row, ("timestamp", "") at the top."""

    table: str
    part: str
    value: Any


def pull(store: Store, body: Body, *, full: bool, step: Callable[[], object]) -> MergedPull:
    """Merge a pull's answer; raises CloudError when it is not complete. What was merged until then stays.

    full: it was asked for from the start, so that what it does not name is not there any more.
    step: called before each chunk; may raise to stop.
    """
    merging = _Merging(store, full=full)
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
    asks = merging.delete()
    merging.count()
    merging.sweep()
    return MergedPull(ends["timestamp"], merging.tally, asks)


class _Merging:
    """A pull on its way into the store."""

    def __init__(self, store: Store, *, full: bool) -> None:
        self.tally = PullTally()
        self._store = store
        self._full = full
        self._shown = Shown() if full else None
        self._deleted: dict[str, list[str]] = {}
        self._stock = list[codec.Record]()
        self._named: dict[str, set[str]] = {name: set() for name in (*_SWEPT, cloud_tables.USERS)}

    def take(self, name: str, part: str, values: list[Any]) -> None:
        """Merge rows or deletions of one table; those of tables that the hub does not keep are passed over."""
        if name in cloud_tables.UNWANTED or name not in {*TABLES, cloud_tables.USERS}:
            return
        if part == "deleted":
            self._deleted.setdefault(name, []).extend(value for value in values if isinstance(value, str))
        else:
            self._merge(name, [value for value in values if isinstance(value, dict)], updated=part == "updated")

    def delete(self) -> bool:
        """Follow the deletions, after all rows: what stood with a deleted record may stand elsewhere now (R9).

        Returns whether a full pull must say where some of it stands.
        """
        asks = False
        for name in reversed((*TABLES, cloud_tables.USERS)):  # children before what they name
            ids = self._deleted.get(name, [])
            for start in range(0, len(ids), ROWS_MAX):
                asks |= self._delete(name, ids[start : start + ROWS_MAX])
        return asks

    def count(self) -> None:
        """Take the figures of stock, after all rows: which dispensing records the cloud has is known now."""
        for start in range(0, len(self._stock), ROWS_MAX):
            incoming.count_stock(self._store, self._stock[start : start + ROWS_MAX], self.tally)

    def sweep(self) -> None:
        """Delete what a full pull did not name, and end the sign-ins of users who have gone with it."""
        if self._shown is None:
            return
        losses.send_again(self._store, self._shown, self.tally)
        for name in _SWEPT:
            incoming.sweep(self._store, TABLES[name], self._named[name], self.tally)
        users.sweep(self._store, self._named[cloud_tables.USERS], self.tally)

    def _merge(self, name: str, rows: list[dict[str, Any]], *, updated: bool) -> None:
        if self._full and name in self._named:
            self._named[name].update(row["id"] for row in rows if isinstance(row.get("id"), str))
        if name == cloud_tables.USERS:
            users.merge(self._store, rows, self.tally)
        else:
            self._stock += incoming.merge(
                self._store, TABLES[name], rows, self.tally, updated=updated, shown=self._shown
            )

    def _delete(self, name: str, ids: list[str]) -> bool:
        if name == cloud_tables.USERS:
            users.delete(self._store, ids, self.tally)
            return False
        return incoming.delete(self._store, TABLES[name], ids, self.tally, full=self._full)


def _pieces(body: Body) -> Iterator[_Piece]:
    """Return the values of an answer as they arrive."""
    events = ijson.parse(body, buf_size=_READ_BYTES)
    try:
        for path, event, value in events:
            place = _place(path)
            if place and event not in _NO_VALUE:
                yield _Piece(*place, _whole(event, value, events))
    except ijson.JSONError as error:
        raise CloudFailing(f"the cloud's answer to a pull ends early or is no JSON: {type(error).__name__}") from None


@lru_cache(maxsize=128)
def _place(path: str) -> tuple[str, str] | None:
    """Return the table and part, or the name at the top, of a value that is wanted whole."""
    match path.split("."):
        case ["changes", table, part, "item"] if part in _LISTS:
            return table, part
        case [("success" | "timestamp" | "error") as name]:
            return name, ""
        case _:
            return None


def _whole(event: str, value: object, events: Iterator[tuple[str, str, Any]]) -> Any:  # noqa: ANN401  any JSON
    """Read a value to its end."""
    builder = ObjectBuilder()
    builder.event(event, value)
    depth = int(event in _BEGINS)
    while depth:
        _, event, value = next(events)
        builder.event(event, value)
        depth += (event in _BEGINS) - (event in _ENDS)
    return builder.value


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
