"""Keeps a sample of the hub's health every hour, for who looks after it from afar."""

import time
from collections import Counter

from hub.core.clock import Heard
from hub.core.fleet import health, ring, sample_time
from hub.core.fleet.health import Counted, Health
from hub.core.fleet.totals import Total, is_known
from hub.core.phone.refusal import RefusalReason
from hub.core.reasons import Code
from hub.store import migrations, quarantine
from hub.store.box import samples, state, totals
from hub.store.cloud import connection, outbox
from hub.store.database import Store, View
from hub.store.phones import refusals

_CODES = frozenset(code.word for code in Code)
_REFUSALS = frozenset(RefusalReason)


def note_start(store: Store) -> None:
    """Count a start of the program, and one of the machine if it is the first since."""
    with store.write(durable=False) as tx:
        totals.add(tx, Total.STARTS)
        if state.get(tx.db, state.COUNTED_RUN) != store.run_ms:
            totals.add(tx, Total.BOOTS)
            state.put(tx, state.COUNTED_RUN, store.run_ms)


def is_due(store: Store) -> bool:
    """Whether it is time for a sample."""
    with store.read() as db:
        return ring.is_due(store.now_ms(db), samples.newest(db)[1])


def counted(store: Store) -> Counted:
    """Count what the database knows, by the hub's own words."""
    with store.read() as db:
        now_ms = store.now_ms(db)
        refused = Counter(str(one.reason) for one in refusals.every(db) if one.is_shown(now_ms))
        on_hold: Counter[str] = Counter()
        for cause in outbox.causes(db):
            if cause.on_hold:
                on_hold[cause.reason.code.word] += cause.records
        return Counted(
            refused=health.known(refused, _REFUSALS),
            quarantined=health.known(quarantine.by_code(db), _CODES),
            on_hold=health.known(on_hold, _CODES),
            totals={name: count for name, count in totals.every(db).items() if is_known(name)},
            schema=len(migrations.migrations.applied(db)),
        )


def keep(store: Store, now: Health) -> None:
    """Keep a sample; a power cut may take it back."""
    with store.write(durable=False) as tx:
        moment = sample_time.moment(
            hub_ms=tx.now_ms, run_ms=store.run_ms, wall_ms=time.time_ns() // 1_000_000, heard=_heard(tx.db)
        )
        told = state.get(tx.db, state.TOLD)
        lost = samples.add(tx, moment, now, kept=ring.KEPT, told=told.num if told else 0)
        if lost and told:
            totals.add(tx, Total.SAMPLES_LOST, lost)


def _heard(db: View) -> Heard | None:
    """Return the newest word of the time from outside: the cloud's, or the fleet server's."""
    told = state.get(db, state.TOLD)
    heard = [one for one in (connection.last(db).heard, told.heard if told else None) if one]
    return max(heard, key=lambda one: one.hub_ms, default=None)
