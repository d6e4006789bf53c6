"""What leaves the hub for its fleet, and when it is sampled: the real measuring on a real database."""

import msgspec
import pytest

from hub.actions.box import telling
from hub.app import fleet
from hub.app.fleet import Sampler
from hub.core.fleet.hour import Hour
from hub.core.fleet.reporting import Told
from hub.core.status.facts import Facts
from hub.services.fleet import exposition
from hub.store.box import state
from hub.store.database import Store
from tests.app import test_support
from tests.app.test_support import MARK, NUMBER, connect, plant

store = test_support.store
NOW_MS = 1_900_000_000_000


def told(store: Store) -> str:
    """Return all that would be sent, as text."""
    telling.place(store, NOW_MS)
    return exposition.text(*telling.untold(store, Told())).decode()


def test_s6_nothing_that_is_in_any_column_is_in_what_is_told(store: Store) -> None:
    plant(store)
    connect(store)
    with store.write() as tx:
        tx.db.execute("DELETE FROM samples")  # what was planted there is not JSON
        tx.db.execute("UPDATE quarantine SET why = json_object('code', ?)", [MARK])
        tx.db.execute("UPDATE refusals SET why = ?", [MARK])
        tx.db.execute("UPDATE outbox SET reason = ?, why = json_object('code', ?), held = revision", [MARK, MARK])
    fleet.sample_now(store)
    text = told(store)
    with store.read() as db:
        kept = db.execute("SELECT data FROM samples").fetchone()[0]
    for what in (text, kept):
        assert "amina" not in what.lower()
        assert str(NUMBER)[:8] not in what
    assert 'hikma_hub_quarantined_records{reason="other"} 2.0' in text


def test_every_value_has_its_time(store: Store) -> None:
    fleet.sample_now(store)
    lines = [line for line in told(store).splitlines() if not line.startswith("#")]
    assert len(lines) > 25
    assert all(line.rsplit(" ", 1)[1].isdecimal() for line in lines)
    assert any(line.startswith('hikma_hub_state{state="quarantine"} 1.0 ') for line in lines)


def test_a_sample_has_what_the_machine_tells(store: Store) -> None:
    facts = Facts(temperature_c=61.0, free_bytes=5)
    found = fleet.measured(store, facts, Hour().take(facts))
    assert found.machine.disk_bytes
    assert found.machine.uptime_s
    assert (found.temperature_c, found.free_bytes, found.counted.totals["pushes"]) == (61.0, 5, 1)


def test_an_hour_is_looked_at_all_the_time_and_written_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [0.0]
    sampler = Sampler(store, lambda: now_s[0])

    def pass_s(seconds: float, facts: Facts) -> list[str]:
        now_s[0] += seconds
        sampler.take(facts)
        with store.read() as db:
            return [msgspec.json.decode(data)["worst"] for (data,) in db.execute("SELECT data FROM samples")]

    well = Facts(free_bytes=10**10)
    assert pass_s(2, msgspec.structs.replace(well, writable=False)) == []
    assert pass_s(60, well) == ["read_only"]
    assert pass_s(60, msgspec.structs.replace(well, power_weak=True)) == ["read_only"]
    monkeypatch.setattr("hub.core.fleet.ring.EVERY_MS", 0)
    assert pass_s(60, well) == ["read_only", "power_weak"]


def test_a_hub_that_is_not_ready_is_not_sampled(store: Store) -> None:
    now_s = [0.0]
    sampler = Sampler(store, lambda: now_s[0])
    now_s[0] = 1000.0
    sampler.take(Facts(ready=False))
    with store.read() as db:
        assert state.get(db, state.TOLD) is None
    assert telling.standing(store).kept == 0
