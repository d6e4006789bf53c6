"""Shows people how far the relay is: what waits and why, what is missed, how the last cycle ended (R1)."""

from collections.abc import Sequence

import msgspec

from hub.core.cloud import outbox as states
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.cloud.link import Last, Link, Progress
from hub.core.reasons import Reason
from hub.store.cloud import connection, outbox
from hub.store.cloud.outbox import Cause
from hub.store.database import Store


class Missed(msgspec.Struct, frozen=True):
    """A record that the cloud said success to and has not shown."""

    table: str
    id: str
    reason: Reason


class Overview(msgspec.Struct, frozen=True):
    """The relay at one moment, ``now_ms`` of hub time."""

    now_ms: int
    link: Link | None
    last: Last
    progress: Progress
    counts: dict[str, int]
    """Records that wait, were sent and not seen yet, are missed, and are on hold."""
    ages: list[int]
    """Records that wait by age: no older than each of the asked ages, and the rest."""
    causes: list[Cause]
    """Why records wait or are on hold."""
    missed: list[Missed]

    @property
    def in_step(self) -> bool:
        """Whether the cloud is known to have everything that is here, and last showed what it has."""
        return not any(self.counts.values()) and self.last.outcome == Outcome.DONE.word


def overview(store: Store, ages_s: Sequence[int] = ()) -> Overview:
    """Look at the relay; ``ages_s`` are rising ages by which to count what waits."""
    with store.read() as db:
        now_ms, progress = store.now_ms(db), connection.progress(db)
        return Overview(
            now_ms=now_ms,
            link=connection.link(db),
            last=connection.last(db),
            progress=progress,
            counts=outbox.counts(db, progress.pulls),
            ages=outbox.ages(db, [now_ms - age_s * 1000 for age_s in ages_s]),
            causes=list(outbox.causes(db)),
            missed=[
                Missed(record.table.name, record.id, states.likely_missed(record.table, record.record))
                for record in outbox.missed(db, progress.pulls)
            ],
        )
