"""When to relay: often enough, at once when it helps, never twice, never against the cloud's wish."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from hub.actions.cloud import cycles
from hub.core.cloud import cycle_plan
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.cloud.link import Last, Link
from hub.core.errors import NoLine, Unavailable
from hub.services.relay import schedule
from hub.services.relay.client import Cloud
from hub.services.relay.runner import RelayRules
from hub.services.relay.schedule import Schedule
from hub.store.cloud import connection
from hub.store.database import Store
from tests.mounts import Mount, mount
from tests.services.relay.world import RULES, Kind, World

__all__ = ["mount"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "LOOK_S", 0.02)
    monkeypatch.setattr(cycle_plan, "QUIET_S", 0.02)


def said(world: World) -> str:
    with world.store.read() as db:
        return connection.last(db).sentence


def begin_until_full(store: Store) -> None:
    for number in range(2, 100_000):
        cycles.save_last_cycle(store, Last(running_since_ms=number))


def until(world: World, condition: str) -> Iterator[bool]:
    """Look until a table of the cloud has rows; a bounded number of looks."""
    pause = threading.Event()
    for _ in range(500):
        yield bool(world.seed.rows(condition))
        pause.wait(0.02)


def settled(world: World) -> Iterator[bool]:
    """Look until the first cycle of a schedule has ended; a bounded number of looks."""
    with world.store.read() as db:
        before = connection.last(db).tried_ms
    pause = threading.Event()
    for _ in range(500):
        with world.store.read() as db:
            yield connection.last(db).tried_ms > before
        pause.wait(0.02)


def test_it_begins_on_a_full_disk_after_a_cycle_that_a_power_cut_ended(mount: Mount) -> None:
    store = Store(mount.path / "hub")
    with store.write() as tx:
        connection.connect(tx, Link("https://cloud.example.org", "device", "Hub", ()), "key")
        connection.save_last(tx, Last(running_since_ms=1))
    mount.fill()
    with store.read() as db:  # what it reads keeps the log from being written anew from its beginning
        assert connection.last(db).running_since_ms
        with pytest.raises(Unavailable):
            begin_until_full(store)
        relay = Schedule(store, RULES)
        relay.start()
        relay.stop()
    store.close()


def test_it_ends_while_a_look_is_planning_the_next_cycle(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    relay = Schedule(connected.store, RULES)
    add_job, planning, ending = relay._scheduler.add_job, threading.Event(), threading.Event()

    def add(*job: object, **when: object) -> None:
        if when["id"] == "cycle":
            planning.set()
            ending.wait(1)
        add_job(*job, **when)

    def shutdown(**_: bool) -> None:
        ending.set()
        BackgroundScheduler.shutdown(relay._scheduler)

    monkeypatch.setattr(relay._scheduler, "add_job", add)
    monkeypatch.setattr(relay._scheduler, "shutdown", shutdown)
    relay.start()
    assert planning.wait(10)
    stopping = threading.Thread(target=relay.stop, daemon=True)
    stopping.start()
    stopping.join(10)
    assert not stopping.is_alive()


@pytest.mark.usefixtures("quick")
def test_a_push_reaches_the_cloud_by_itself_and_stopping_is_clean(connected: World) -> None:
    relay = Schedule(connected.store, RULES)
    relay.start()
    try:
        connected.patient()
        assert any(until(connected, "patients"))
    finally:
        relay.stop()
    assert not any(thread.name == "relay" and thread.is_alive() for thread in threading.enumerate())


@pytest.mark.usefixtures("quick")
def test_a_cloud_that_is_connected_later_is_noticed(world: World) -> None:
    with world.store.write() as tx:
        connection.disconnect(tx)
    world.patient()
    relay = Schedule(world.store, RULES)
    relay.start()
    try:
        world.connect()
        assert any(until(world, "patients"))
    finally:
        relay.stop()


@pytest.mark.usefixtures("quick")
def test_a_relay_that_is_withheld_says_why(connected: World) -> None:
    connected.patient()
    relay = Schedule(connected.store, RelayRules(month_bytes=1, requests_per_minute=10_000))
    relay.start()
    pause = threading.Event()
    try:
        for _ in range(500):
            if said(connected) == Outcome.OVER_BUDGET.sentence:
                break
            pause.wait(0.02)
    finally:
        relay.stop()
    assert said(connected) == Outcome.OVER_BUDGET.sentence
    assert connected.seed.rows("patients") == []


@pytest.mark.usefixtures("quick")
def test_rules_that_change_count_at_once(connected: World) -> None:
    connected.patient()
    relay = Schedule(connected.store, RelayRules(month_bytes=1, requests_per_minute=10_000))
    relay.start()
    pause = threading.Event()
    try:
        while said(connected) != Outcome.OVER_BUDGET.sentence:
            pause.wait(0.02)
        relay.apply(RULES)
        assert any(until(connected, "patients"))
    finally:
        relay.stop()


@pytest.mark.usefixtures("quick")
def test_a_fault_of_ours_ends_one_cycle_and_not_the_relay(
    connected: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, calls = Cloud.push, []

    def push(self: Cloud, content: bytes, **how: bool) -> object:
        calls.append(content)
        if len(calls) == 1:
            raise LookupError("Layla Haddad")
        return real(self, content, **how)

    monkeypatch.setattr(Cloud, "push", push)
    relay = Schedule(connected.store, RelayRules(usual_s=0.1, requests_per_minute=10_000))
    relay.start()
    try:
        connected.patient()
        assert any(until(connected, "patients"))
    finally:
        relay.stop()
    told = capsys.readouterr().out
    assert "LookupError" in told
    assert "Layla" not in told


def test_a_push_is_noticed_by_its_commit_and_not_by_looking(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "LOOK_S", 3600)
    monkeypatch.setattr(cycle_plan, "QUIET_S", 0.02)
    relay = Schedule(connected.store, RULES)
    relay.start()
    try:
        assert any(settled(connected))
        connected.patient()
        assert any(until(connected, "patients"))
    finally:
        relay.stop()


@pytest.mark.usefixtures("quick")
def test_what_another_process_changes_is_noticed(connected: World) -> None:
    other = Store(connected.store.path.parent)
    relay = Schedule(connected.store, RULES)
    relay.start()
    try:
        assert any(settled(connected))
        replace(connected, store=other).patient()
        assert any(until(connected, "patients"))
    finally:
        relay.stop()
        other.close()


@pytest.mark.usefixtures("quick")
def test_a_cycle_by_hand_that_succeeds_ends_a_long_wait_after_failures(connected: World) -> None:
    connected.fail(Kind.ERROR_500, times=1, on="pull")
    relay = Schedule(connected.store, RelayRules(usual_s=3600, requests_per_minute=10_000))
    relay.start()
    pause = threading.Event()
    try:
        while said(connected) != f"{Outcome.CLOUD_FAILING.sentence} (the cloud answered with status 500)":
            pause.wait(0.02)
        connected.cycle()  # "Sync now"
        connected.patient()
        assert any(until(connected, "patients"))
    finally:
        relay.stop()


@pytest.mark.usefixtures("quick")
def test_stopping_does_not_wait_for_a_line_that_hangs(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_STOP_S", 0.05)
    hangs, ends = threading.Event(), threading.Event()

    def pull(self: Cloud, last_ms: int) -> object:
        del self, last_ms
        hangs.set()
        ends.wait(60)
        raise NoLine("it hung")

    monkeypatch.setattr(Cloud, "pull", pull)
    relay = Schedule(connected.store, RULES)
    relay.start()
    assert hangs.wait(10)
    relay.stop()
    [thread] = [thread for thread in threading.enumerate() if thread.name == "relay"]
    assert thread.daemon
    ends.set()
    thread.join(10)
    relay._runner.close()


@pytest.mark.usefixtures("quick")
def test_a_wall_clock_that_is_set_back_by_a_day_does_not_stop_the_relay(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Schedule(connected.store, RelayRules(usual_s=600, requests_per_minute=10_000))
    relay.start()
    try:
        assert any(settled(connected))
        pause = threading.Event()
        while (job := relay._scheduler.get_job("cycle")) is None:  # the cycle's thread plans the next one last
            pause.wait(0.01)
        job.modify(next_run_time=job.next_run_time + timedelta(days=1))  # as it looks to APScheduler
        monkeypatch.setattr(schedule, "_clocks_apart_s", lambda: relay._clocks_apart_s - 86_400)
        relay.follow_clock()
        wait = relay._scheduler.get_job("cycle").next_run_time - datetime.now(UTC)
        assert wait < timedelta(seconds=700)
    finally:
        relay.stop()
