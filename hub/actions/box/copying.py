"""The copy beside the hub: begun, ended, and what it still lacks of the database."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from hub.core.copy.chain import Span
from hub.core.copy.entry import united
from hub.core.copy.standing import Copy, CopyState
from hub.store.box import state
from hub.store.copy import capture, change_log, rows
from hub.store.database import Store, Transaction
from hub.store.people import audit


class Lacking(NamedTuple):
    """What a copy lacks: the transactions, and the rows that they changed as they are now, in encoded parts."""

    span: Span
    parts: Iterator[bytes]


def start(store: Store, copy: Copy) -> None:
    """Keep a copy from now on, and forget one that was kept before."""
    with store.write() as tx:
        keep(tx, copy)
        audit.note(tx, "copy.started")


def stop(store: Store) -> bool:
    """Keep no copy any more; returns whether there was one."""
    with store.write() as tx:
        before = forget(tx)
        if before:
            audit.note(tx, "copy.stopped")
    return before is not None


def config(store: Store) -> Copy | None:
    """Return which copy is kept; None for none."""
    with store.read() as db:
        return state.get(db, state.COPY)


def condition(store: Store) -> CopyState | None:
    """Return how the copy was when it last changed; None where none is kept."""
    with store.read() as db:
        return state.get(db, state.COPY_STATE)


def note_condition(store: Store, now: CopyState) -> None:
    """Note how the copy is; nothing where none is kept any more."""
    if config(store):
        with store.write(durable=False) as tx:
            state.put(tx, state.COPY_STATE, now)


def resume(store: Store) -> None:
    """Begin after a start: what an older program wrote meanwhile is in no log."""
    with store.read() as db:
        is_behind = state.get(db, state.COPY) is not None and change_log.is_behind(db)
    if is_behind:
        with store.write() as tx:
            change_log.note_unknown(tx.db)


def last(store: Store) -> int:
    """Return the number of the last transaction."""
    with store.read() as db:
        return change_log.last(db)


@contextmanager
def lacking(store: Store, copied: int) -> Iterator[Lacking | None]:
    """Give what a copy that has all up to ``copied`` lacks, from one view; None where it is not known any more."""
    with store.read() as db:
        changed = change_log.since(db, copied)
        span = Span(copied + 1, change_log.last(db))
        yield Lacking(span, rows.parts(db, capture.tables(db), united(changed))) if changed is not None else None


def note_file(store: Store) -> None:
    """Count a change of a file beside the database as a transaction."""
    with store.write(durable=False) as tx:
        change_log.note(tx.db, {})


def trim(store: Store, copied: int) -> None:
    """Forget which rows changed, where the copy has them; and where there are too many, which they were."""
    with store.write(durable=False) as tx:
        change_log.trim(tx.db, copied)
        if change_log.is_long(tx.db):
            change_log.forget(tx.db)


def now_ms(store: Store) -> int:
    """Return the hub time of now."""
    with store.read() as db:
        return store.now_ms(db)


def keep(tx: Transaction, copy: Copy) -> None:
    """Keep a copy, as a part of a transaction."""
    state.put(tx, state.COPY, copy)
    state.put(tx, state.COPY_STATE, CopyState())
    change_log.forget(tx.db)


def forget(tx: Transaction) -> Copy | None:
    """Keep no copy, as a part of a transaction; returns the one that was kept."""
    before = state.get(tx.db, state.COPY)
    state.forget(tx, state.COPY)
    state.forget(tx, state.COPY_STATE)
    change_log.forget(tx.db)
    return before


def begin_anew(tx: Transaction, *, is_kept: bool = True) -> None:
    """Let a restored hub, which is one epoch later, keep a copy of its own beside the one that it was made of."""
    state.put(tx, state.EPOCH, (state.get(tx.db, state.EPOCH) or 0) + 1)
    state.forget(tx, state.REPLACED)
    state.forget(tx, state.PARTLY)
    before = forget(tx)
    if before and is_kept:
        keep(tx, msgspec.structs.replace(before, id=new_id()))


def new_id() -> str:
    """Draw the name of a copy's folder."""
    return secrets.token_hex(4)


def epoch(store: Store) -> int:
    """Return how often this hub was restored."""
    with store.read() as db:
        return state.get(db, state.EPOCH) or 0


def retire(store: Store) -> None:
    """Note for ever that another box is this hub now: this one takes no records any more."""
    with store.write() as tx:
        if state.get(tx.db, state.REPLACED) is None:
            state.put(tx, state.REPLACED, 1)
            audit.note(tx, "hub.replaced")
    store.is_replaced = True


def is_replaced(store: Store) -> bool:
    """Whether another box is this hub now."""
    with store.read() as db:
        return state.get(db, state.REPLACED) is not None
