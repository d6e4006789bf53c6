"""Pulls from the cloud: reads the answer as a stream and merges it in bounded transactions (R6, R7)."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from hub.actions.cloud import cycles, deletions, incoming, later, losses, unreadable, users
from hub.actions.cloud.incoming import ROWS_MAX
from hub.core.cloud import pull_plan
from hub.core.cloud import tables as cloud_tables
from hub.core.cloud.pull_tally import PullTally
from hub.core.cloud.shown import Shown
from hub.core.errors import CloudError, TooLargeAnswer, Unreadable
from hub.core.reasons import Code, Reason
from hub.core.records import codec
from hub.core.records.tables import TABLES
from hub.services.relay.answer import NAMED, BadRow, Piece, pieces
from hub.services.relay.body import Body
from hub.store.database import Store

FROM_THE_START = 1
"""Not 0, with which the cloud leaves deletions out (CLOUD.md 2.1)."""

_CHUNK_BYTES = 4 * 1024 * 1024
"""Few records of megabytes make a chunk too."""
_REMEMBERED_MAX = 500_000
"""Ids of deletions, users and permissions, and figures of stock, which a pull keeps until its end."""
_LAST_MS = 2**53
"""The greatest time that JavaScript can say in milliseconds, and then some."""
_STOCK_WEIGHT = 10
"""A figure of stock takes the memory of so many ids."""
_ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a row may bring about of which nobody thought: it alone is held, and the next pull is not stopped by it."""
_SWEPT = ("user_clinic_permissions", "app_config")
"""Tables of which the cloud announces no deletions, and sends every row in a full pull whatever its age."""


class MergedPull(NamedTuple):
    """The end of a complete pull: the cloud's clock before it, and what became of its rows."""

    cloud_ms: int
    tally: PullTally
    asks: bool
    """Only a full pull can say what else it means."""


def pull(store: Store, body: Body, *, full: bool, step: Callable[[], object]) -> MergedPull:
    """Merge a pull's answer; raises CloudError when it is not complete. What was merged until then stays.

    full: it was asked for from the start, so that what it does not name is not there any more.
    step: called before each chunk; may raise to stop.
    """
    merging = _Merging(store, full=full)
    ends: dict[str, Any] = {}
    for chunk in _chunks(pieces(body), body):
        first = chunk[0]
        if first.part:
            step()
            merging.take(first.table, first.part, [piece.value for piece in chunk])
        else:
            ends[first.table] = first.value
    cloud_ms = ends.get("timestamp")
    if ends.get("success") is not True or type(cloud_ms) is not int or not 0 < cloud_ms < _LAST_MS:
        raise Unreadable("the cloud's answer to a pull does not say that it is whole")
    asks = merging.delete()
    merging.count()
    merging.sweep()
    return MergedPull(cloud_ms, merging.tally, asks)


class _Merging:
    """A pull on its way into the store."""

    def __init__(self, store: Store, *, full: bool) -> None:
        self.tally = PullTally()
        self._store = store
        self._full = full
        self._shown = Shown(pull_plan.shown_until(cycles.progress(store))) if full else None
        self._deleted: dict[str, list[str]] = {}
        self._stock = list[codec.Record]()
        self._remembered = 0
        self._unclear = set[str]()
        self._named: dict[str, set[str]] = {name: set() for name in (*_SWEPT, cloud_tables.USERS)}

    def take(self, name: str, part: str, values: list[Any]) -> None:
        """Merge rows or deletions of one table; those of tables that the hub does not keep are passed over."""
        if name in cloud_tables.UNWANTED or name not in {*TABLES, cloud_tables.USERS}:
            return
        if part == NAMED:
            later.take_up(self._store, TABLES[name])
            return
        if part == "deleted":
            ids = [value for value in values if isinstance(value, str) and len(value) <= codec.ID_CHARS]
            self._deleted.setdefault(name, []).extend(ids)
            self._remember(len(ids))
            return
        if name in TABLES and TABLES[name].is_next:
            ids = [value["id"] for value in values if isinstance(value, dict) and isinstance(value.get("id"), str)]
            later.arrived(self._store, TABLES[name], ids, self.tally, self._shown)
            return
        bad = [value for value in values if isinstance(value, BadRow)]
        self._hold(name, [(row.id, row.reason(name)) for row in bad])
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
            if name not in self._unclear:
                deletions.sweep(self._store, TABLES[name], self._named[name], self.tally)
        if cloud_tables.USERS not in self._unclear:
            users.sweep(self._store, self._named[cloud_tables.USERS], self.tally)

    def _merge(self, name: str, rows: list[dict[str, Any]], *, updated: bool) -> None:
        if self._full:
            self._name(name, [row.get("id") for row in rows])
        try:
            self._merge_at_once(name, rows, updated=updated)
        except _ODD as error:
            if len(rows) == 1:
                self._hold(name, [(str(rows[0].get("id")), Code.CLOUD_ROW.of(table=name, detail=type(error).__name__))])
                return
            for row in rows:
                self._merge(name, [row], updated=updated)

    def _merge_at_once(self, name: str, rows: list[dict[str, Any]], *, updated: bool) -> None:
        tally = PullTally()
        if name == cloud_tables.USERS:
            users.merge(self._store, rows, tally)
        else:
            stock = incoming.merge(self._store, TABLES[name], rows, tally, updated=updated, shown=self._shown)
            self._stock += stock
            self._remember(len(stock) * _STOCK_WEIGHT)
        self.tally += tally

    def _hold(self, name: str, bad: list[tuple[str, Reason]]) -> None:
        """Keep where people look what is no record: the cloud has it still, and the pull goes on without it."""
        if not bad:
            return
        unreadable.hold(self._store, name, bad, self.tally)
        if self._full:
            self._name(name, [record_id or None for record_id, _ in bad])

    def _name(self, name: str, ids: list[Any]) -> None:
        """Remember what a full pull names of a table that is swept; of a row without an id nobody knows which it is."""
        if name not in self._named:
            return
        named = [each for each in ids if isinstance(each, str) and len(each) <= codec.ID_CHARS]
        self._named[name].update(named)
        self._remember(len(named))
        if None in ids:
            self._unclear.add(name)

    def _remember(self, count: int) -> None:
        self._remembered += count
        if self._remembered > _REMEMBERED_MAX:
            raise TooLargeAnswer("the cloud's answer to a pull names more than the hub can hold in memory")

    def _delete(self, name: str, ids: list[str]) -> bool:
        if name == cloud_tables.USERS:
            users.delete(self._store, ids, self.tally)
            return False
        return deletions.delete(self._store, TABLES[name], ids, self.tally, full=self._full)


def _chunks(found: Iterator[Piece], body: Body) -> Iterator[list[Piece]]:
    """Put values of one place together, up to what one transaction may hold; what came before a break is given too."""
    chunk: list[Piece] = []
    begun = 0
    broke: CloudError | None = None
    try:
        for piece in found:
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
