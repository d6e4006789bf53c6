"""One rate limit for a hub, whatever starts its requests, over processes and restarts (CLOUD.md 2.4)."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.core.errors import CloudBusy, HubError
from hub.services.relay import rate_limit
from hub.services.relay.connect import connect
from hub.services.relay.cycle import Limits, Report
from hub.services.relay.rate_limit import RateLimit, Stopped
from hub.services.relay.runner import RelayRules, Runner
from tests.services.relay import world as worlds
from tests.services.relay.world import Kind, World

CLOUD_PER_MINUTE = 60


@dataclass
class Clock:
    """The monotonic clock of a boot; waiting moves it."""

    now_ms: int = 1_000_000
    boot: str = "first"
    stop: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ms += round(seconds * 1000)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(rate_limit, "_now_ms", lambda: made.now_ms, raising=False)
    monkeypatch.setattr(rate_limit, "_boot", lambda: made.boot, raising=False)
    monkeypatch.setattr(made.stop, "wait", made.wait)
    return made


@pytest.fixture
def strict(tmp_path: Path, clock: Clock) -> Iterator[World]:
    """Return a hub and a cloud that counts 60 requests a minute by the same clock."""
    options = {"rate_limit": CLOUD_PER_MINUTE, "now_s": lambda: clock.now_ms / 1000}
    with worlds.world(tmp_path, **options) as made:  # type: ignore[arg-type]  # it hands them to the cloud
        yield made


def cycle(world: World, clock: Clock, limits: Limits | None = None) -> Report:
    """Run a cycle as a process of its own does."""
    runner = Runner(world.store, RelayRules(limits=limits or Limits()), clock.stop)
    report = runner.run()
    runner.close()
    assert report is not None
    return report


def sent_at(clock: Clock, limit: RateLimit, times: int) -> list[float]:
    found = []
    for _ in range(times):
        limit.wait()
        found.append(clock.now_ms / 1000)
    return found


def test_no_minute_has_more_requests_than_allowed(tmp_path: Path, clock: Clock) -> None:
    times = sent_at(clock, RateLimit(tmp_path, 40, clock.stop), 200)
    assert all(sum(1 for other in times if at - 60 < other <= at) <= 40 for at in times)
    assert times[39] == times[0]
    assert times[-1] - times[0] == 240


def test_schedule_page_and_command_line_share_one_limit(strict: World, clock: Clock) -> None:
    """Each has a Runner of its own: 35 requests of a cycle and 28 of "Sync now" brought 429."""
    outcomes = []
    for _who in ("schedule", "page", "command line"):
        for _ in range(25):
            strict.patient()
        report = cycle(strict, clock, Limits(batch_records=1))
        outcomes.append((report.outcome.word, report.pushed.stored))
    connect(strict.store, strict.url, strict.hub.api_key)
    assert outcomes == [("done", 25)] * 3


def test_a_restart_of_the_program_changes_nothing(tmp_path: Path, clock: Clock) -> None:
    sent_at(clock, RateLimit(tmp_path, 40, clock.stop), 40)
    assert sent_at(clock, RateLimit(tmp_path, 40, clock.stop), 1) == [1060]


def test_after_a_power_cut_what_was_sent_counts_from_the_new_start(tmp_path: Path, clock: Clock) -> None:
    """Nobody knows how long the hub was off; the box itself takes half a minute to start."""
    sent_at(clock, RateLimit(tmp_path, 40, clock.stop), 40)
    clock.boot, clock.now_ms = "second", 25_000
    assert sent_at(clock, RateLimit(tmp_path, 40, clock.stop), 1) == [60]


@pytest.mark.parametrize("content", [b"", b"\x00" * 200, b'{"boot":'])
def test_a_file_that_a_power_cut_tore_never_ends_the_relay(tmp_path: Path, clock: Clock, content: bytes) -> None:
    (tmp_path / rate_limit.FILE_NAME).write_bytes(content)
    assert len(sent_at(clock, RateLimit(tmp_path, 40, clock.stop), 50)) == 50


def test_a_file_that_cannot_be_written_leaves_the_limit_of_one_process(tmp_path: Path, clock: Clock) -> None:
    times = sent_at(clock, RateLimit(tmp_path / "gone", 40, clock.stop), 41)
    assert times[-1] - times[0] == 60


def test_a_wait_that_the_cloud_asked_for_holds_for_whoever_comes_next(strict: World, clock: Clock) -> None:
    strict.fail(Kind.TOO_MANY, seconds=900, on="pull")
    first, again = cycle(strict, clock), cycle(strict, clock)
    assert (first.outcome.word, first.retry_after_s) == ("busy", 900)
    assert (again.outcome.word, again.retry_after_s, again.traffic.requests) == ("busy", 900, 0)
    with pytest.raises(CloudBusy):
        connect(strict.store, strict.url, strict.hub.api_key)
    clock.wait(900)
    assert cycle(strict, clock).outcome.word == "done"


def test_a_wait_that_the_cloud_asked_for_outlasts_a_power_cut(tmp_path: Path, clock: Clock) -> None:
    RateLimit(tmp_path, 40, clock.stop).hold(900)
    clock.boot, clock.now_ms = "second", 25_000
    with pytest.raises(CloudBusy) as refused:
        RateLimit(tmp_path, 40, clock.stop).wait()
    assert refused.value.retry_after_s == 875


def test_the_file_stays_small(tmp_path: Path, clock: Clock) -> None:
    limit = RateLimit(tmp_path, 60, clock.stop)
    for _ in range(300):
        limit.wait()
    assert (tmp_path / rate_limit.FILE_NAME).stat().st_size < 4096


def test_a_stopped_hub_does_not_wait(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        RateLimit(tmp_path, 1, stop).wait()
    assert issubclass(Stopped, HubError)
