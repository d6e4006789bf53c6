"""The ring of samples: what is in it, and that it is bounded."""

import pytest

from hub.actions.box import samples
from hub.core.clock import Heard
from hub.core.fleet import ring
from hub.core.fleet.health import Health
from hub.core.fleet.reporting import Told
from hub.core.fleet.sample_time import ClockQuality
from hub.core.fleet.totals import Total
from hub.store.box import samples as rows
from hub.store.box import state, totals
from hub.store.database import Store
from tests.hubs import InProcessHub, changes, row

SAFE = Health(state="safe", worst="safe", level="safe")


def numbers(store: Store) -> list[int]:
    with store.read() as db:
        return [one.num for one in rows.after(db, 0)]


def lost(store: Store) -> int:
    with store.read() as db:
        return totals.every(db).get(Total.SAMPLES_LOST, 0)


def tell(store: Store, num: int) -> None:
    with store.write() as tx:
        state.put(tx, state.TOLD, Told(num=num))


def test_a_sample_is_due_until_there_is_one(store: Store) -> None:
    assert samples.is_due(store)
    samples.keep(store, SAFE)
    assert not samples.is_due(store)


def test_the_ring_keeps_sixty_days_and_counts_what_nobody_had(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ring.KEPT == 1440
    monkeypatch.setattr(ring, "KEPT", 3)
    for _ in range(3):
        samples.keep(store, SAFE)
    tell(store, 2)
    for _ in range(4):
        samples.keep(store, SAFE)
    assert numbers(store) == [2, 5, 6, 7]  # of the second one the server must hear that it is over
    assert lost(store) == 2


def test_a_hub_that_reports_nowhere_loses_nothing_to_anybody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "KEPT", 2)
    for _ in range(5):
        samples.keep(store, SAFE)
    assert (numbers(store), lost(store)) == ([4, 5], 0)


def test_a_sample_takes_its_time_from_the_last_who_told_it(store: Store) -> None:
    with store.read() as db:
        heard = Heard(cloud_ms=1_900_000_000_000, wall_ms=1, hub_ms=store.now_ms(db) + 1)
    with store.write() as tx:
        state.put(tx, state.TOLD, Told(heard=heard))
    samples.keep(store, SAFE)
    with store.read() as db:
        [sample] = rows.after(db, 0)
    assert sample.moment.clock is ClockQuality.EXACT
    assert sample.moment.said_ms == heard.cloud_ms + sample.moment.at_ms - heard.hub_ms


def test_starts_are_counted_and_the_machines_by_themselves(store: Store) -> None:
    samples.note_start(store)
    samples.note_start(store)
    with store.read() as db:
        assert {name: count for name, count in totals.every(db).items() if name in {"starts", "boots"}} == {
            "starts": 2,
            "boots": 1,
        }


def test_pushes_pages_refusals_and_reasons_are_counted_by_the_hubs_own_words(hub: InProcessHub) -> None:
    client = hub.client()
    client.push(changes("patients", created=[row("patients", "p"), {"id": 7}, {"id": 8}]))
    client.pull()
    with hub.store.write() as tx:
        tx.db.execute(
            "INSERT INTO refusals (device, why, times, since, last) VALUES (0, 'unknown', 3, 1, ?)", [tx.now_ms]
        )
        tx.db.execute('UPDATE quarantine SET why = \'{"code": "Amina"}\' WHERE num = 1')
    found = samples.counted(hub.store)
    assert found.quarantined == {"other": 1, "invalid_id": 1}
    assert found.refused == {"unknown": 1}
    assert (found.totals["pushes"], found.totals["pages"]) == (1, 1)
    assert found.schema > 15
