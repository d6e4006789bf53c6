"""The relay over 64 kbit/s on which every fifth packet is lost: real TCP in two namespaces (R6)."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hub.store.cloud import connection, outbox
from hub.store.database import Store
from tests.hubs import changes, row
from tests.journeys import lossy_line
from tests.journeys.lossy_line import LossyLine
from tests.services.relay.world import uid
from tests.simulator import processes
from tests.simulator.cloud import Seed, open_store
from tests.simulator.reference import CLINIC_ID
from tests.store import pushes

LACKING = lossy_line.missing()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.skipif(bool(LACKING), reason=LACKING)]

RECORDS, TEXT_BYTES = 24, 2_000
TRIES = 10
_LOOK_S = 0.1


class Place:
    """A hub at the near end of the line, its cloud at the far end."""

    def __init__(self, line: LossyLine, folder: Path) -> None:
        self.line = line
        self.data = folder / "hub"
        self._cloud_data = folder / "cloud"
        command = (*processes.CLOUD, "--data", str(self._cloud_data), "--seed-demo", "--rate-limit", "1000")
        self._cloud_data.mkdir()
        self._cloud = subprocess.Popen(_in(line.far, *command), stdout=subprocess.PIPE, env=processes.environ())
        assert self._cloud.stdout is not None
        self._greeting = json.loads(self._cloud.stdout.readline())
        self.store = Store(self.data)
        self.there = open_store(self._cloud_data)

    def connect(self) -> None:
        """Connect the hub, as often as it takes on such a line."""
        words = ("cloud", "connect", "--url", self._greeting["url"], "--api-key-stdin")
        for _ in range(TRIES):
            done = subprocess.run(
                self._command(*words), input=self._greeting["api_key"], capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return
        raise AssertionError(f"no way to the cloud in {TRIES} tries")

    def close(self) -> None:
        """End both."""
        self.store.close()
        self.there.close()
        self._cloud.terminate()
        self._cloud.wait(20)
        assert self._cloud.stdout is not None
        self._cloud.stdout.close()

    def cycle(self) -> dict[str, Any]:
        """Run a cycle; returns what it did."""
        done = subprocess.run(self._command("relay", "--once"), capture_output=True, text=True, check=False)
        assert done.stdout, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def cycle_killed_at_the_first_batch(self) -> None:
        """Begin a cycle, and kill it when a batch of it has been confirmed; it may end before that."""
        before = self.counts()["waiting"]
        with subprocess.Popen(self._command("relay", "--once"), stdout=subprocess.DEVNULL) as child:
            while self.counts()["waiting"] == before:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(_LOOK_S)
                    return
            child.kill()

    def counts(self) -> dict[str, int]:
        """Count what waits and what was sent."""
        with self.store.read() as db:
            return outbox.counts(db, connection.progress(db).pulls)

    def records(self) -> int:
        """Count what the hub holds."""
        return sum(len(pushes.live(self.store, table)) for table in ("patients", "visits", "events"))

    def events(self) -> list[dict[str, Any]]:
        """Return the events that came from here, as the cloud holds them."""
        return [each for each in Seed(self.there).rows("events") if each["event_type"] == "Here"]

    def enter(self) -> int:
        """Let a phone enter records; returns how many bytes they are."""
        patient = row("patients", uid(), given_name="Layla", primary_clinic_id=CLINIC_ID)
        visit = row("visits", uid(), patient_id=patient["id"], clinic_id=CLINIC_ID, metadata="{}")
        pushes.push(self.store, {**changes("patients", created=[patient]), **changes("visits", created=[visit])})
        of_both: dict[str, Any] = {
            "patient_id": patient["id"],
            "visit_id": visit["id"],
            "event_type": "Here",
            "metadata": "{}",
        }
        text = json.dumps([{"value": "x" * TEXT_BYTES}])
        made = [row("events", uid(), form_data=text, **of_both) for _ in range(RECORDS)]
        pushes.push(self.store, changes("events", created=made))
        return sum(len(json.dumps(each)) for each in (patient, visit, *made))

    def _command(self, *words: str) -> tuple[str, ...]:
        settings = ("env", "HIKMA_HUB_RELAY_BATCH_BYTES=32768")
        return _in(self.line.near, *settings, *processes.HUB, *words, "--data", str(self.data), "--json")


def _in(namespace: str, *command: str) -> tuple[str, ...]:
    return ("ip", "netns", "exec", namespace, *command)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with lossy_line.lossy_line(bits_per_s=64_000, loss=0.2) as line, contextlib.closing(Place(line, tmp_path)) as made:
        made.connect()
        yield made


def test_r6_at_64_kbit_and_20_percent_loss_every_cycle_gets_further_and_none_starts_over(place: Place) -> None:
    first = place.cycle()
    assert first["outcome"] == "done"
    assert place.records() > 0
    size = place.enter()
    before = place.line.up.sent
    reports: list[dict[str, Any]] = []
    left = [RECORDS + 2]
    while left[-1] and len(reports) < TRIES:
        reports.append(place.cycle())
        left.append(place.counts()["waiting"])
    assert left[-1] == 0
    assert all(after < now for now, after in pairwise(left)), left
    assert sum(report["pushed"]["stored"] for report in reports) == RECORDS + 2, "something was sent twice"
    assert sum(report["traffic"]["up"] for report in reports) < 1.2 * size
    assert place.line.up.lost > 0.1 * place.line.up.sent
    assert place.line.up.sent - before < 3 * size, "TCP repeats what is lost, the relay nothing"
    place.cycle()
    assert place.counts()["sent"] == 0
    assert len(place.events()) == RECORDS


def test_r6_a_cycle_that_is_killed_on_such_a_line_loses_no_batch_that_had_arrived(place: Place) -> None:
    place.cycle()
    place.enter()
    left = [RECORDS + 2]
    while left[-1] and len(left) < TRIES:
        place.cycle_killed_at_the_first_batch()
        left.append(place.counts()["waiting"])
    assert left[-1] == 0, left
    assert len(left) > 2, "it took one batch only"
    assert len({each["id"] for each in place.events()}) == len(place.events()) == RECORDS
