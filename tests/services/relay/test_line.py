"""Lines that break at every point, clouds that want less, and cycles that go on where they stopped (R1, R6)."""

import datetime as dt
import json
import threading
from itertools import pairwise

import pytest

from hub.core.cloud import pull_plan
from hub.services.relay import client
from hub.services.relay.client import Cloud
from hub.services.relay.push import FIRST_BYTES, LEAST_BYTES, BatchSize
from hub.services.relay.runner import RelayRules, Runner, cycle_lock
from hub.store.cloud import connection
from tests.services.relay.test_guard import settle
from tests.services.relay.world import Kind, World
from tests.store import pushes


@pytest.mark.parametrize("kind", [Kind.DROP, Kind.LOSE, Kind.CUT, Kind.ERROR_500, Kind.HTML, Kind.TOO_MANY])
@pytest.mark.parametrize("on", ["verify", "pull", "push"])
def test_whatever_breaks_wherever_nothing_is_lost_and_nothing_is_there_twice(
    connected: World, kind: Kind, on: str
) -> None:
    connected.limit(batch_records=10)
    patients = [connected.patient() for _ in range(15)]
    visits = [connected.visit(patient) for patient in patients]
    connected.fail(kind, times=2, seconds=1, on=on)
    connected.try_cycle()
    connected.heal()
    settle(connected)
    assert {row["id"] for row in connected.seed.rows("patients")} == {made["id"] for made in patients}
    assert {row["id"] for row in connected.seed.rows("visits")} == {made["id"] for made in visits}
    assert len(pushes.live(connected.store, "patients")) == len(patients)
    assert pushes.reasons(connected.store) == []


def test_an_answer_that_was_lost_is_found_by_the_next_pull_and_not_sent_again(connected: World) -> None:
    connected.patient()
    connected.fail(Kind.LOSE, times=2, on="push")
    assert connected.try_cycle().outcome.word == "no_line"
    report = connected.cycle()
    assert (report.pulled.seen, report.pushed.stored) == (1, 0)


def test_every_batch_that_got_through_counts(connected: World) -> None:
    connected.limit(batch_records=10)
    for _ in range(30):
        connected.patient()
    real, calls = Cloud.push, []

    def push(self: Cloud, content: bytes, **how: bool) -> object:
        calls.append(content)
        if len(calls) == 2:
            connected.fail(Kind.DROP, times=5, on="push")
        return real(self, content, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cloud, "push", push)
        assert connected.try_cycle().pushed.stored == 10
    connected.heal()
    assert connected.cycle().pushed.stored == 20


def heavy(world: World, count: int) -> None:
    """Enter events of 20 kB."""
    visit = world.visit(world.patient())
    for _ in range(count):
        world.event(visit, form_data='[{"value":"' + "x" * 20_000 + '"}]')


def test_r6_a_line_that_cannot_carry_a_batch_gets_smaller_ones_and_that_is_remembered(connected: World) -> None:
    heavy(connected, 20)
    connected.fail(Kind.DROP, times=1000, on="push")
    sizes = []
    for _ in range(5):
        connected.try_cycle()
        connected.close()  # as after a restart
        sizes.append(connected.progress().batch_bytes)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == LEAST_BYTES
    connected.heal()
    assert connected.cycle().pushed.stored == 22
    assert connected.progress().batch_bytes > LEAST_BYTES


def test_r6_a_line_that_nothing_is_known_of_is_not_trusted_with_a_large_batch(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    heavy(connected, 40)
    sizes = []
    real = Cloud.push

    def push(self: Cloud, content: bytes, **how: bool) -> object:
        sizes.append(len(content))
        return real(self, content, **how)

    monkeypatch.setattr(Cloud, "push", push)
    connected.cycle()
    assert sizes[0] <= FIRST_BYTES
    assert all(larger <= 2 * max(FIRST_BYTES, smaller) for smaller, larger in pairwise(sizes))
    assert max(sizes) > 2 * FIRST_BYTES


def test_a_request_that_used_little_of_the_window_says_nothing_of_the_line() -> None:
    size = BatchSize(0, 1024 * 1024)
    size.carried(100)
    assert size.size_bytes == FIRST_BYTES
    size.carried(FIRST_BYTES)
    assert size.size_bytes == 2 * FIRST_BYTES
    size.broke(100_000)
    assert size.size_bytes == 50_000
    assert BatchSize(size.size_bytes, 32 * 1024).size_bytes == 32 * 1024


def test_r6_a_cycle_that_breaks_after_it_moved_something_is_followed_by_the_next_one_soon(connected: World) -> None:
    heavy(connected, 20)
    for _ in range(3):
        connected.fail(Kind.DROP, times=2, on="push")
        connected.try_cycle()
    with connected.store.read() as db:
        assert connection.last(db).failures == 3
    connected.fail(Kind.DELAY, on="push")  # the first request comes through
    connected.fail(Kind.DROP, times=2, on="push")
    assert connected.try_cycle().pushed.stored
    with connected.store.read() as db:
        assert connection.last(db).failures == 1


def test_an_answer_may_take_as_long_as_it_likes_while_something_comes(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time runs out for silence, not for slowness: a full pull over a slow line takes hours."""
    connected.close()
    monkeypatch.setattr(client, "_TIMEOUTS_S", {"timeout": 0.5})
    connected.fail(Kind.SLOW, seconds=2, on="pull")
    assert connected.cycle().ms > 1900
    connected.fail(Kind.DELAY, seconds=2, on="pull")
    assert connected.try_cycle().outcome.word == "no_line"


def test_2_4_retry_after_is_obeyed_and_said(connected: World) -> None:
    connected.fail(Kind.TOO_MANY, seconds=59, on="pull")
    report = connected.try_cycle()
    assert (report.outcome.word, report.retry_after_s) == ("busy", 59)
    with connected.store.read() as db:
        last = connection.last(db)
    assert last.next_s >= 59
    assert last.failures == 0


def test_0_a_connection_that_the_cloud_closed_meanwhile_is_no_failure(connected: World) -> None:
    """It closes after 5 s; one that is found closed is opened again, once."""
    connected.patient()
    connected.fail(Kind.DROP, times=1, on="verify")
    assert connected.cycle().pushed.stored == 1


def test_a_stopped_cycle_goes_on_in_the_next(connected: World) -> None:
    connected.limit(batch_records=10)
    for _ in range(30):
        connected.patient()
    stop = threading.Event()
    runner = Runner(connected.store, connected.rules, stop)
    real = Cloud.push

    def push(self: Cloud, content: bytes, **how: bool) -> object:
        answer = real(self, content, **how)
        stop.set()
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cloud, "push", push)
        report = runner.run()
    runner.close()
    assert report is not None
    assert (report.outcome.word, report.pushed.stored) == ("stopped", 10)
    assert connected.cycle().pushed.stored == 20


def test_two_cycles_never_run_at_once_and_the_second_joins_the_first(connected: World) -> None:
    joined: list[object] = []
    with cycle_lock(connected.store.path.parent) as free:
        assert free
        runner = Runner(connected.store, RelayRules())
        waiting = threading.Thread(target=lambda: joined.append(runner.run()))
        waiting.start()
        waiting.join(0.2)
        assert joined == []
    waiting.join(10)
    assert joined == [None]


def test_a_month_that_is_used_up_withholds_the_relay(connected: World) -> None:
    runner = Runner(connected.store, RelayRules(month_bytes=1))
    assert runner.withheld() is not None
    assert Runner(connected.store, RelayRules(month_bytes=10**9)).withheld() is None


def test_an_idle_cycle_costs_one_verify_and_one_pull_and_nothing_for_the_disk_to_wait_for(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[bool] = []
    real = type(connected.store).write

    def write(self: object, *, durable: bool = True) -> object:
        writes.append(durable)
        return real(self, durable=durable)  # type: ignore[arg-type]

    monkeypatch.setattr("hub.core.cloud.pull_plan.OVERLAP_MS", -1)  # as when nothing came in the last minutes
    monkeypatch.setattr(type(connected.store), "write", write)
    report = connected.cycle()
    assert report.traffic.requests == 2
    assert writes
    assert not any(writes)


def test_6_who_asks_for_a_cycle_by_hand_gets_what_is_new_and_nothing_of_a_large_push_again(connected: World) -> None:
    patient = connected.patient()
    visit = connected.visit(patient)
    settle(connected)
    for _ in range(30):
        connected.event(visit, form_data=json.dumps([{"value": "x" * 40_000}]))
    up = connected.cycle().traffic.up
    pulls = connected.progress().pulls
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=3)).isoformat()
    connected.seed.edit("patients", str(patient["id"]), hometown="Homs", last_modified=soon)
    connected.change("patients", patient, phone="2")
    asked = [connected.cycle() for _ in range(3)]
    assert sum(report.traffic.down for report in asked) < 20_000 < up
    assert connected.here_is("patients", str(patient["id"]))["hometown"] == "Homs"
    there = connected.there_is("patients", str(patient["id"]))
    assert (there["phone"], there["hometown"]) == ("2", "Homs")
    assert connected.progress().pulls == pulls  # nothing is missed that these did not ask for
    connected.move_cursor(-dt.timedelta(milliseconds=pull_plan.PATIENCE_MS, seconds=2))
    last = connected.cycle()
    assert last.pulled.seen == 31
    assert last.traffic.down < 1.5 * up


def test_6_everything_that_is_asked_for_is_pulled_right_after_a_large_push_too(connected: World) -> None:
    visit = connected.visit(connected.patient())
    settle(connected)
    for _ in range(30):
        connected.event(visit, form_data=json.dumps([{"value": "x" * 40_000}]))
    connected.cycle()
    connected.want_everything()
    assert connected.cycle().full


def test_6_what_was_pushed_comes_down_once_however_many_cycles_follow(connected: World) -> None:
    """The overlap brought it again in every cycle of two minutes: 3.3 bytes down for each that went up."""
    visit = connected.visit(connected.patient())
    settle(connected)
    for _ in range(30):
        connected.event(visit, form_data=json.dumps([{"value": "x" * 40_000}]))
    up = connected.cycle().traffic.up
    assert up > pull_plan.LARGE_PUSH_BYTES
    patient = Runner(connected.store, connected.rules)
    quiet = [patient.run(is_patient=True) for _ in range(3)]
    late = connected.patient()
    quiet.append(patient.run(is_patient=True))
    assert [report.pushed.stored for report in quiet if report] == [0, 0, 0, 1]  # what is new needs no pull
    connected.move_cursor(-dt.timedelta(milliseconds=pull_plan.PATIENCE_MS, seconds=2))  # a Date header has seconds
    last = patient.run(is_patient=True)
    patient.close()
    assert sum(report.traffic.down for report in quiet if report) < 10_000
    assert last is not None
    assert last.traffic.down < 1.5 * up
    assert last.pulled.seen == 31
    assert connected.where("patients", late) == "cloud"
