"""The relay over real processes: killed at any moment, on a line that hardly carries, and by itself beside phones."""

import json
import random
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.services.relay.connect import connect
from hub.services.relay.cycle import Limits
from hub.services.relay.runner import RelayRules, Runner
from hub.store.cloud import outbox
from tests.hubs import ServedHub
from tests.journeys.slow_line import slow_line
from tests.services.relay import world as worlds
from tests.services.relay.test_guard import settle
from tests.services.relay.world import PASSWORD, World
from tests.simulator import processes
from tests.store import pushes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with worlds.world(tmp_path) as made:
        yield made


def relay_once(world: World) -> subprocess.Popen[bytes]:
    environ = processes.environ({"HIKMA_HUB_DATA": str(world.store.path.parent), "HIKMA_HUB_RELAY_BATCH_RECORDS": "10"})
    command = (*processes.HUB, "relay", "--once", "--json")
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)


def test_a_relay_that_is_killed_anywhere_goes_on_without_loss_or_duplicate(world: World) -> None:
    world.seed.bulk(300, 1, clinic=world.here, provider=world.nurse)
    patients = [world.patient() for _ in range(60)]
    visits = [world.visit(patient) for patient in patients]
    for visit in visits:
        world.event(visit)
        world.prescription(visit)
    rng = random.Random(1)
    for _ in range(10):
        with relay_once(world) as child:
            try:
                child.wait(rng.uniform(0.6, 2.2))
            except subprocess.TimeoutExpired:
                child.kill()
    settle(world)
    made_up = [row for row in world.seed.rows("visits") if row["metadata"] != {}]
    assert made_up == []
    assert len(world.seed.rows("patients")) == 300 + len(patients)
    assert len(world.seed.rows("visits")) == 300 + len(visits)
    assert len(world.seed.rows("events")) == 300 + len(visits)
    assert len(world.seed.rows("prescriptions")) == len(visits)
    assert len(pushes.live(world.store, "patients")) == 300 + len(patients)
    assert pushes.reasons(world.store) == []


def test_on_a_line_that_hardly_carries_every_cycle_moves_something_or_the_line_broke(world: World) -> None:
    """64 kbit/s, and a connection breaks after some 40 kB: a batch of the usual size would never arrive."""
    visit = world.visit(world.patient())
    world.cycle()
    for _ in range(24):
        world.event(visit, form_data=json.dumps([{"value": "x" * 4000}]))
    with slow_line(world.url, bytes_per_s=8_000, breaks_after=40_000) as (url, line):
        connect(world.store, url, world.hub.api_key)
        runner = Runner(world.store, RelayRules(requests_per_minute=1000, limits=Limits(batch_bytes=256 * 1024)))
        left = [waiting(world)]
        for _ in range(40):
            runner.run()
            left.append(waiting(world))
            if not left[-1]:
                break
        runner.close()
    assert left == sorted(left, reverse=True), left
    assert left[-1] == 0
    assert line.broken
    sent = sum(len(str(row["form_data"])) for row in world.seed.rows("events"))
    assert line.carried < 8 * sent, "it starts over again and again"


def test_3_a_line_that_never_holds_for_a_whole_pull_carries_what_was_entered_all_the_same(world: World) -> None:
    """A pull cannot be had in parts, so a cut one begins anew: it must not use up all that the line can do."""
    world.cycle()
    world.seed.bulk(400, 1, clinic=world.here, provider=world.nurse)
    visit = world.visit(world.patient())
    for _ in range(20):
        world.event(visit, form_data=json.dumps([{"value": "x" * 4000}]))
    with slow_line(world.url, bytes_per_s=500_000, breaks_after=50_000) as (url, line):
        connect(world.store, url, world.hub.api_key)
        runner = Runner(world.store, RelayRules(requests_per_minute=1000))
        for _ in range(40):
            runner.run()
            if not waiting(world):
                break
        runner.close()
    assert waiting(world) == 0
    assert line.broken
    assert world.progress().pull_failures > 0, "the line held for a whole pull"
    assert len(pushes.live(world.store, "patients")) > 1, "what was merged before the line broke stays"


def waiting(world: World) -> int:
    with world.store.read() as db:
        return outbox.counts(db, 0)["waiting"]


def test_a_nurses_entry_reaches_the_cloud_by_itself_and_the_clouds_news_reach_the_nurse(world: World) -> None:
    """The whole way, by real processes: phone, hub, cloud, and back."""
    world.cycle()
    world.close()
    world.store.close()
    served = ServedHub(world.store.path.parent, {"HIKMA_HUB_PAIRING_MODE": "open"})
    try:
        served.start()
        client = served.client(email=None)
        assert client.login("pia@test", PASSWORD).status == 200
        patient = {"id": (patient_id := worlds.uid()), "given_name": "Layla", "primary_clinic_id": world.here}
        answer = client.push(
            {"patients": {"created": [{**patient, "updated_at": 1.8e12}], "updated": [], "deleted": []}}
        )
        assert answer.status == 200
        assert any(looks(world, "patients", patient_id)), served.output()[-2000:]
        other = world.seed.add("patients", given_name="Omar", primary_clinic_id=world.here)
        connected = served.cli("relay", "--once", "--json")
        assert connected.returncode == 0, connected.stderr
        client.shake()
        pulled = client.pull().json["changes"]["patients"]
        assert other in {row["id"] for row in [*pulled["created"], *pulled["updated"]]}
        assert served.stop() == 0
    finally:
        served.close()
    assert "error" not in served.output()


def looks(world: World, table: str, row_id: str) -> Iterator[bool]:
    """Look whether the cloud has a row, for at most half a minute."""
    pause = threading.Event()
    for _ in range(300):
        yield world.seed.row(table, row_id) is not None
        pause.wait(0.1)
