"""When to relay: often enough, at once when it helps, never twice, never against the cloud's wish."""

import threading
import time
from collections.abc import Iterator

import pytest

from hub.core.cloud import cycle_outcome
from hub.core.cloud.cycle_outcome import Outcome
from hub.services.relay import schedule
from hub.services.relay.client import Cloud
from hub.services.relay.runner import Rules
from hub.services.relay.schedule import PATIENCE_S, QUIET_S, Schedule, Signs
from hub.store.cloud import connection
from tests.services.relay.world import RULES, World


def ran(signs: Signs, now_s: float = 0, *, wait_s: float = 300, obey: bool = False, for_line: bool = False) -> None:
    signs.ran(now_s, wait_s=wait_s, newest=0, obey=obey, for_line=for_line)


def test_the_first_cycle_is_due_at_once_and_the_next_after_its_time() -> None:
    signs = Signs()
    assert signs.see(0, newest=0, routed=True)
    ran(signs)
    assert not signs.see(299, newest=0, routed=True)
    assert signs.see(300, newest=0, routed=True)


def test_what_a_phone_pushes_goes_when_it_has_been_quiet_for_a_moment() -> None:
    signs = Signs()
    ran(signs)
    assert not signs.see(10, newest=1, routed=True)
    assert not signs.see(10 + QUIET_S - 1, newest=1, routed=True)
    assert signs.see(10 + QUIET_S, newest=1, routed=True)


def test_a_clinic_that_is_never_quiet_is_relayed_all_the_same() -> None:
    signs = Signs()
    ran(signs)
    due = [second for second in range(10, 60) if signs.see(second, newest=second, routed=True)]
    assert due[0] == 10 + PATIENCE_S


def test_what_was_sent_already_is_no_reason() -> None:
    signs = Signs()
    signs.ran(0, wait_s=300, newest=7, obey=False)
    assert not signs.see(100, newest=7, routed=True)


def test_a_line_that_comes_up_is_used_at_once() -> None:
    signs = Signs()
    signs.see(0, newest=0, routed=False)
    ran(signs, wait_s=3600, obey=True, for_line=True)
    assert not signs.see(10, newest=1, routed=False)
    assert signs.see(12, newest=1, routed=True)


def test_a_wait_that_the_cloud_asked_for_is_kept_whatever_happens() -> None:
    signs = Signs()
    signs.see(0, newest=0, routed=False)
    ran(signs, wait_s=59, obey=True)
    assert not any(signs.see(second, newest=second, routed=second > 5) for second in range(1, 59))
    assert signs.see(59, newest=59, routed=True)


def test_failures_double_the_wait_up_to_an_hour() -> None:
    waits = [cycle_outcome.delay_s(Outcome.NO_LINE, failures=n, usual_s=300, draw=0.5) for n in range(1, 8)]
    assert waits == [300, 600, 1200, 2400, 3600, 3600, 3600]


def test_a_wait_is_drawn_so_that_hubs_do_not_march_in_step() -> None:
    early, late = (cycle_outcome.delay_s(Outcome.DONE, failures=0, usual_s=300, draw=draw) for draw in (0, 1))
    assert (early, late) == (255, 345)


def test_retry_after_is_the_least_wait() -> None:
    assert cycle_outcome.delay_s(Outcome.BUSY, failures=0, usual_s=300, draw=0, retry_after_s=900) == 900


@pytest.mark.parametrize(
    ("begin", "end", "inside", "outside"),
    [(8, 18, (8, 17), (7, 18)), (22, 6, (22, 0, 5), (6, 21)), (0, 24, (0, 12, 23), ()), (5, 5, (0, 23), ())],
)
def test_hours_may_go_over_midnight(begin: int, end: int, inside: tuple[int, ...], outside: tuple[int, ...]) -> None:
    assert all(cycle_outcome.in_hours(hour, begin, end) for hour in inside)
    assert not any(cycle_outcome.in_hours(hour, begin, end) for hour in outside)


def test_every_outcome_has_a_word_and_a_sentence_of_its_own() -> None:
    assert len({outcome.word for outcome in Outcome}) == len({outcome.sentence for outcome in Outcome}) == len(Outcome)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "LOOK_S", 0.02)
    monkeypatch.setattr(schedule, "QUIET_S", 0.02)


def said(world: World) -> str:
    with world.store.read() as db:
        return connection.last(db).sentence


def until(world: World, condition: str) -> Iterator[bool]:
    """Look until a table of the cloud has rows; a bounded number of looks."""
    pause = threading.Event()
    for _ in range(500):
        yield bool(world.seed.rows(condition))
        pause.wait(0.02)


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
    relay = Schedule(connected.store, Rules(month_bytes=1, requests_per_minute=10_000))
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
    relay = Schedule(connected.store, Rules(month_bytes=1, requests_per_minute=10_000))
    relay.start()
    pause = threading.Event()
    try:
        while said(connected) != Outcome.OVER_BUDGET.sentence:
            pause.wait(0.02)
        relay.obey(RULES)
        assert any(until(connected, "patients"))
    finally:
        relay.stop()


def test_a_shorter_time_between_two_cycles_ends_a_longer_wait(connected: World) -> None:
    relay = Schedule(connected.store, Rules(usual_s=86_400))
    relay._signs.ran(time.monotonic(), wait_s=86_400, newest=0, obey=False)
    relay.obey(Rules(usual_s=60))
    now_s = time.monotonic()
    assert not relay._signs.see(now_s, newest=0, routed=True)
    assert relay._signs.see(now_s + 61, newest=0, routed=True)


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
    relay = Schedule(connected.store, Rules(usual_s=0.1, requests_per_minute=10_000))
    relay.start()
    try:
        connected.patient()
        assert any(until(connected, "patients"))
    finally:
        relay.stop()
    told = capsys.readouterr().out
    assert "LookupError" in told
    assert "Layla" not in told
