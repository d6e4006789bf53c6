"""What a technician far away is told of the database."""

import pytest

from hub.actions.box import diagnosis
from hub.actions.cloud import cycles
from hub.actions.phones import access
from hub.core.cloud.link import Last, Link
from hub.store.cloud import connection
from hub.store.database import Store

HOURS_S = 3_600


@pytest.fixture
def now_ms(store: Store) -> int:
    with store.read() as db:
        return store.now_ms(db)


def hours(told_s: int) -> float:
    """Return how long ago something was, within a minute."""
    return round(told_s / HOURS_S, 2)


def test_of_a_phone_it_is_told_how_long_ago_it_came_was_here_and_synced(store: Store, now_ms: int) -> None:
    with store.write() as tx:
        access.pair(tx, "never synced", None, most=9)
        access.pair(tx, "synced", None, most=9)
        times = [now_ms - hours_ago * HOURS_S * 1000 for hours_ago in (30, 20, 25)]
        tx.db.execute("UPDATE devices SET first_seen = ?, last_seen = ?, last_sync = ? WHERE num = 2", times)
    never, synced = diagnosis.gather(store).phones
    assert never["last_sync_s"] is None
    assert [hours(synced[name]) for name in ("first_seen_s", "last_seen_s", "last_sync_s")] == [30, 20, 25]


def test_of_the_relay_it_is_told_how_long_ago_it_tried_and_succeeded(store: Store, now_ms: int) -> None:
    with store.write() as tx:
        connection.connect(tx, Link(url="https://cloud.example", device="d", name="Hub", clinics=("c",)), "key")
    relay = diagnosis.gather(store).relay
    assert (relay["clinics"], relay["tried_s"], relay["succeeded_s"]) == (1, None, None)
    ago_ms = 20 * HOURS_S * 1000
    last = Last(tried_ms=now_ms - ago_ms, succeeded_ms=now_ms - 2 * ago_ms, outcome="no_line")
    cycles.save_last_cycle(store, last)
    relay = diagnosis.gather(store).relay
    assert (hours(relay["tried_s"]), hours(relay["succeeded_s"]), relay["outcome"]) == (20, 40, "no_line")
