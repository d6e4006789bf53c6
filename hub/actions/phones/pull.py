"""Answers a phone's pull: reads what is due to it in one view, and keeps what the answer carried (P5, P6).

The answer is chosen in a view and kept in a transaction after it: phones that push meanwhile need not wait.
"""

from collections.abc import Mapping
from functools import cache, partial
from typing import NamedTuple

import msgspec
from pyroaring import FrozenBitMap

from hub.core.errors import Unavailable
from hub.core.fleet.totals import Total
from hub.core.phone import doubt, past, pull_page
from hub.core.phone.ledger import StoredLedger
from hub.core.phone.open_ledger import OpenLedger
from hub.core.phone.opening import Resumed, StartOver
from hub.core.phone.pull_page import PullPage
from hub.core.phone.sheets import ChangedRow, Head
from hub.core.records import access
from hub.core.records.access import Rights
from hub.core.records.tables import TABLES
from hub.store.box import write_check
from hub.store.database import Store, Transaction, View
from hub.store.phones import callers, twins
from hub.store.phones import ledger as ledgers
from hub.store.phones.backlog import StoredBacklog
from hub.store.records import owners


class Pulled(NamedTuple):
    """An answer, and the timestamp that the phone will come back with when it has stored it."""

    page: PullPage
    timestamp: float


def pull(store: Store, device: int, rights: Rights, cursor: float, *, most_bytes: int) -> Pulled:
    """Answer a phone that comes with ``cursor``; one device's pulls and pushes must not overlap.

    most_bytes: of records, on a phone that can take so much. On a full disk the answer is given and not kept: the phone
    comes with a cursor that nobody gave, and gets it again.
    """
    with store.read() as db:
        page, ledger = choose(store, db, device, rights, cursor, most_bytes=most_bytes)
    try:
        return Pulled(page, keep(store, device, page, ledger))
    except Unavailable as error:
        if not write_check.is_full(error):
            raise
    with store.read() as db:
        return Pulled(page, store.now_ms(db))


def choose(
    store: Store, db: View, device: int, rights: Rights, cursor: float, *, most_bytes: int
) -> tuple[PullPage, OpenLedger]:
    """Choose an answer in one view; returns also the ledger that is to be kept."""
    ledger, now_ms = opened(db, device, cursor, scope=rights.scope), store.now_ms(db)
    if ledger.in_question:
        ledger = ledger.unseen(_unseen(db, rights, ledger.in_question))
    suspects = {} if ledger.starts_over else ledgers.suspects(db, ledger.device)
    suspects = {suspect: due_ms for suspect, due_ms in suspects.items() if suspect not in ledger.proven}
    is_quiet = now_ms - twins.last_seen(db, ledger.device) >= doubt.QUIET_MS
    asks = ledger.is_confirming and is_quiet and not ledger.fork
    again = [suspect for suspect, due_ms in suspects.items() if due_ms <= now_ms] if asks else []
    offered = ledger.offered(suspects=len(suspects) if asks else None)
    return pull_page.fill(
        ledger,
        offered,
        StoredBacklog(db, offered, now_ms),
        most_bytes=most_bytes,
        sees=partial(access.sees, rights),
        suspect=again[0] if again else None,
        waiting=suspects.keys() - again,
    )


def keep(store: Store, device: int, page: PullPage, ledger: OpenLedger) -> float:
    """Keep what an answer carried; returns the timestamp to give with it.

    It is another one each time: the phone shows it as the time of its last sync. An empty answer may be forgotten at a
    power cut: then the phone comes with a cursor that nobody gave, and keeps its ledger, unless others share its id.
    """
    is_durable = bool(page.delivered or ledger.starts_over or ledger.fork or ledger.is_shared)
    with store.write(durable=is_durable) as tx:
        ledger = _begun(tx, device, ledger).deliver(page.delivered, is_retry=page.is_retry)
        ledgers.save(tx, ledger, page)
        callers.seen(tx, device, synced=True, carried=Total.PAGES if page.delivered else None)
        return tx.now_ms


def _unseen(db: View, rights: Rights, in_question: Mapping[str, FrozenBitMap]) -> dict[str, FrozenBitMap]:
    """Return which of these records a user may not see."""
    found = {}
    for name, nums in in_question.items():
        sees = cache(partial(access.sees, rights, TABLES[name]))
        if unseen := FrozenBitMap(num for num, owner in owners.of(db, TABLES[name], nums) if not sees(owner)):
            found[name] = unseen
    return found


def opened(db: View, device: int, cursor: float, *, scope: str | None = None) -> OpenLedger:
    """Open a phone's ledger in a view, for a phone that comes with ``cursor``; scope: see StoredLedger.resume."""
    stored = twins.whose(db, device, cursor)
    if stored.head and stored.is_left(cursor):
        stored = _left(db, device, stored, cursor)
    return _open(db, stored.resume(cursor, scope=scope))


def behind(db: View, device: int) -> int:
    """Estimate how many records a phone lacks."""
    return likely(db, device).behind()


def likely(db: View, device: int) -> OpenLedger:
    """Open a phone's ledger as it is if the newest answer arrived."""
    stored = twins.newest(db, device)
    return _open(db, stored.resume(stored.likely_cursor))


def head(db: View, device: int) -> Head:
    """Return the head of a phone's ledger as it is kept."""
    return twins.newest(db, device).head or Head()


def _open(db: View, ledger: StartOver | Resumed) -> OpenLedger:
    if isinstance(ledger, Resumed):
        owner = ledger.fork.parent if ledger.fork else ledger.device
        opened = ledger.absorb(*ledgers.changes(db, owner, ledger.since, rows_since=ledger.read_since))
        return opened if opened.fork else msgspec.structs.replace(opened, takes=ledgers.takes(db, owner))
    after_ms = ledger.made_after_ms
    tombstones = ledgers.tombstones(db) if ledger.is_first or after_ms is not None else {}
    # A record of tomorrow comes from a phone whose clock is ahead: nobody knows when it was made.
    made_after = {} if after_ms is None else ledgers.made_between(db, after_ms, ledger.head.revision)
    return ledger.begin(ledgers.everything(db), tombstones, made_after)


def _left(db: View, device: int, stored: StoredLedger, cursor: float) -> StoredLedger:
    """Return the ledger of a phone that is not where this one last met it (core.phone.past)."""

    def changed(since: int) -> dict[str, list[ChangedRow]]:
        return ledgers.changes(db, device, since, rows_since=since).rows

    return past.left(stored, cursor, partial(ledgers.answers, db), changed, twins.every(db, device))


def _begun(tx: Transaction, device: int, ledger: OpenLedger) -> OpenLedger:
    """Give a ledger that begins its number, and the one that it comes from what is news to it."""
    if ledger.fork is None:
        return ledger
    return msgspec.structs.replace(ledger, device=twins.begin(tx, device, ledger.fork), fork=None)
