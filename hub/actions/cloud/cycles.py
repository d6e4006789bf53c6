"""Keeps how far the relay has come, and how its last cycle ended."""

import time
from typing import Any

import msgspec

from hub.actions.cloud import matching, queue
from hub.core.cloud import pull_plan
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.cloud.link import Last, Link, Progress
from hub.core.fleet.totals import relays
from hub.store.box import totals
from hub.store.cloud import connection, id_mapping, outbox
from hub.store.database import Store


class Standing(msgspec.Struct, frozen=True):
    """What a schedule goes by, at one moment."""

    link: Link | None
    key: str
    last: Last
    newest_revision: int
    """Of the outbox."""


def standing(store: Store) -> Standing:
    """Look at what a schedule goes by."""
    with store.read() as db:
        link, last = connection.link(db), connection.last(db)
        return Standing(link, connection.api_key(db), last, outbox.newest_revision(db))


def begin(store: Store) -> tuple[Link | None, str, Progress]:
    """Return what a cycle begins with: the cloud that the hub is connected to, if any, its key, how far it came."""
    with store.read() as db:
        return connection.link(db), connection.api_key(db), connection.progress(db)


def has_waiting(store: Store) -> bool:
    """Whether anything is to be sent, events that were on hold for a visit that has come since too."""
    with store.read() as db:
        waiting, came = outbox.waiting(db) > 0, outbox.with_visit_now(db)
    if came:
        with store.write(durable=False) as tx:
            queue.release_with_visit(tx)
    return waiting or bool(came)


def progress(store: Store) -> Progress:
    """Return how far the relay has come."""
    with store.read() as db:
        return connection.progress(db)


def advance(store: Store, **changed: Any) -> Progress:  # noqa: ANN401  fields of Progress
    """Keep how much further the relay has come; a power cut may take it back, and the next cycle does it again."""
    with store.write(durable=False) as tx:
        return connection.advance(tx, **changed)


def cursor(store: Store, cloud_ms: int) -> int:
    """Return from where the next pull goes on, after one that the cloud stamped ``cloud_ms``."""
    with store.read() as db:
        return pull_plan.cursor(cloud_ms, wall_ms=time.time_ns() // 1_000_000, hub_ms=store.now_ms(db))


def has_unproven(store: Store) -> bool:
    """Whether anything that was sent has yet to be seen, or is on hold."""
    with store.read() as db:
        counts = outbox.counts(db, 0)
    return bool(counts["sent"] or counts["held"])


def has_unshown(store: Store, pulls: int) -> bool:
    """Whether an edit was sent, and is in none of the pulls since."""
    with store.read() as db:
        return outbox.has_unshown(db, pulls)


def finish_pull(
    store: Store,
    pulls: int,
    clinics: tuple[str, ...],
    *,
    full: bool,
    retry: int,
    **changed: Any,  # noqa: ANN401
) -> int:
    """Move the cursor, now that a pull is merged, and look after what ought to have come with it.

    pulls: how many are complete with this one.
    full: it asked for everything, so that it shows all that it could.
    retry: how many records that are on hold are to be tried again.
    changed: fields of Progress.

    Returns how many records are sent once more because no pull shows them.
    """
    with store.write() as tx:
        if retry:
            queue.release_all(tx, retry)
        if id_mapping.any_unmatched(tx.db):
            matching.match_clinics(tx, clinics)
        if full:
            queue.send_unshown(tx, pulls)
        queue.list_held(tx)
        again = queue.send_overdue(tx, pulls) if outbox.any_late(tx.db, pulls) else 0
        connection.advance(tx, pulls=pulls, clinics=clinics, **changed)
        return again


def want_everything(store: Store) -> None:
    """Let the next pull ask for everything, whatever was pulled before."""
    with store.write() as tx:
        connection.want_everything(tx)


def last_cycle(store: Store) -> tuple[Last, int]:
    """Return how the last cycle ended, and the hub time of now."""
    with store.read() as db:
        return connection.last(db), store.now_ms(db)


def save_last_cycle(store: Store, last: Last) -> None:
    """Keep how a cycle stands; not worth waiting for the disk."""
    with store.write(durable=False) as tx:
        connection.save_last(tx, last)


def end_cycle(store: Store, last: Last) -> None:
    """Keep how a cycle ended, and count it. Hub time is kept with it: what was heard was heard before the next run."""
    with store.write(durable=False) as tx:
        _ = tx.now_ms
        connection.save_last(tx, last)
        totals.add(tx, relays(last.outcome))


def mark_running(store: Store) -> None:
    """Keep for people that records are on their way."""
    last, now_ms = last_cycle(store)
    save_last_cycle(store, msgspec.structs.replace(last, running_since_ms=now_ms))


def clear_interrupted(store: Store) -> None:
    """Forget a cycle that was under way when the power failed."""
    last, _ = last_cycle(store)
    if last.running_since_ms:
        save_last_cycle(store, msgspec.structs.replace(last, running_since_ms=0))


def note_withheld(store: Store, outcome: Outcome) -> None:
    """Keep for people why the hub does not relay."""
    last, _ = last_cycle(store)
    if last.outcome != outcome.word or last.running_since_ms:
        new = msgspec.structs.replace(last, outcome=outcome.word, sentence=outcome.sentence, running_since_ms=0)
        save_last_cycle(store, new)
