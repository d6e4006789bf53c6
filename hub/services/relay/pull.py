"""Pulls from the cloud: reads the answer as a stream and merges it in bounded transactions (R6, R7)."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import ijson

from hub.actions.cloud import incoming
from hub.actions.cloud import users as cloud_users
from hub.actions.cloud.incoming import Tally
from hub.core.cloud import tables as cloud_tables
from hub.core.errors import CloudError, CloudFailing
from hub.core.records.tables import TABLES
from hub.services.relay.client import Body
from hub.store.database import Store
from hub.store.records.record_rows import CHUNK

OVERLAP_MS = 120_000
"""The cloud may commit a row late, by as long as a statement of it may take; twice that (CLOUD.md 2.1)."""
FROM_THE_START = 1
"""Not 0, with which the cloud leaves deletions out (CLOUD.md 2.1)."""

_CHUNK_BYTES = 4 * 1024 * 1024
"""Few records of megabytes make a chunk too."""
_READ_BYTES = 64 * 1024
_LISTS = frozenset({"created", "updated", "deleted"})
_SWEPT = ("user_clinic_permissions", "app_config")
"""Tables of which the cloud announces no deletions, and sends every row in a full pull whatever its age."""


class Pulled(NamedTuple):
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


def pull(store: Store, body: Body, *, full: bool, step: Callable[[], None]) -> Pulled:
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
    merging.sweep()
    return Pulled(ends["timestamp"], merging.tally)


class _Merging:
    """A pull on its way into the store."""

    def __init__(self, store: Store, *, full: bool) -> None:
        self.tally = Tally()
        self._store = store
        self._full = full
        self._named: dict[str, set[str]] = {name: set() for name in (*_SWEPT, cloud_tables.USERS)}

    def take(self, name: str, part: str, values: list[Any]) -> None:
        """Merge rows or deletions of one table; those of tables that the hub does not keep are passed over."""
        if name == cloud_tables.USERS:
            # Not durable by itself: the cursor that is written after it takes it to disk along.
            with self._store.write(durable=False) as tx:
                if part == "deleted":
                    cloud_users.delete(tx, _texts(values), self.tally)
                else:
                    users = _rows(values)
                    cloud_users.take(tx, users, self.tally)
                    self._name(name, users)
            return
        table = None if name in cloud_tables.UNWANTED else TABLES.get(name)
        if table is None:
            return
        with self._store.write(durable=False) as tx:
            if part == "deleted":
                incoming.delete(tx, table, _texts(values), self.tally)
                return
            rows = _rows(values)
            self._name(name, rows)
            incoming.take(tx, table, rows, self.tally, updated=part == "updated")

    def sweep(self) -> None:
        """Bury what a full pull did not name, and shut out who has gone with it."""
        if not self._full:
            return
        for name in _SWEPT:
            with self._store.write(durable=False) as tx:
                self.tally.deleted += incoming.sweep(tx, TABLES[name], self._named[name])
        with self._store.write(durable=False) as tx:
            cloud_users.sweep(tx, self._named[cloud_tables.USERS], self.tally)

    def _name(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Remember which rows a full pull names, of tables where that says something of the others."""
        if self._full and table in self._named:
            self._named[table].update(row["id"] for row in rows if isinstance(row.get("id"), str))


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
            if chunk and (piece[:2] != chunk[0][:2] or len(chunk) == CHUNK or body.size - begun > _CHUNK_BYTES):
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


def _rows(values: list[Any]) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)]


def _texts(values: list[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]
