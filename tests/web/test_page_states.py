"""Every state by a real cause: its sentence on the page in four languages, and its light (O2, O3)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from litestar.testing import TestClient

from hub import app
from hub.core import status
from hub.core.errors import StoreError
from hub.core.lights import Light
from hub.core.status import State
from hub.services import status_file
from hub.settings import Box, Settings
from hub.store import cloud, pairing
from hub.web.gathering import Gathering
from hub.web.words import LANGUAGES, words
from tests.hubs import changes, row
from tests.services.relay import world as worlds
from tests.services.relay.world import Kind, World
from tests.store import pushes
from tests.web.site import Site


class Hub:
    """A hub beside a stand-in cloud, on a machine that tests change."""

    def __init__(self, world: World, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.store = world.store
        self.patch = monkeypatch
        self.wall_ms: int | None = None
        self._root = root

    def file(self, path: str, text: str) -> None:
        """Let a file of Linux say this."""
        (self._root / path).parent.mkdir(parents=True, exist_ok=True)
        (self._root / path).write_text(text)

    def sql(self, statement: str) -> None:
        """Change something below everything."""
        with self.store.write() as tx:
            tx.db.execute(statement)

    def gather(self) -> status.Facts:
        """Measure."""
        if self.wall_ms is None:
            return Gathering(self.store, root=self._root).gather()
        wall_ms = self.wall_ms
        return Gathering(self.store, root=self._root, wall_ms=lambda: wall_ms).gather()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with worlds.world(tmp_path / "world") as world:
        yield Hub(world, tmp_path / "machine", monkeypatch)


def read_only(hub: Hub) -> None:
    hub.sql("CREATE TRIGGER broken BEFORE UPDATE ON hub BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END")


def disk_low(hub: Hub) -> None:
    hub.patch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(total=10**9, used=10**9, free=10**6))


def power_weak(hub: Hub) -> None:
    hub.file("sys/class/hwmon/hwmon0/name", "rpi_volt\n")
    hub.file("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n")


def hot(hub: Hub) -> None:
    hub.file("sys/class/thermal/thermal_zone0/temp", "84000\n")


def clock_wrong(hub: Hub) -> None:
    hub.wall_ms = 0


def key_refused(hub: Hub) -> None:
    link = _link(hub)
    with hub.store.write() as tx:
        cloud.connect(tx, link, "hh_" + "0" * 64)
    hub.world.try_cycle()


def paused(hub: Hub) -> None:
    hub.world.seed.edit("devices", hub.world.hub.id, status="suspended")
    hub.world.try_cycle()


def no_clinic(hub: Hub) -> None:
    hub.world.seed.edit("devices", hub.world.hub.id, clinic_ids=[])
    hub.world.try_cycle()


def quarantined(hub: Hub) -> None:
    pushes.push(hub.store, changes("patients", created=[{"id": 7}]))


def cloud_failing(hub: Hub) -> None:
    hub.world.cycle()
    hub.world.patient()
    hub.world.fail(Kind.HTML, times=99)
    hub.world.try_cycle()


def line_lost(hub: Hub) -> None:
    hub.world.patient()
    _cut(hub)


def offline(hub: Hub) -> None:
    hub.world.cycle()
    _cut(hub)


def waiting(hub: Hub) -> None:
    hub.world.cycle()
    hub.world.patient()


def unproven(hub: Hub) -> None:
    hub.world.cycle()
    hub.world.patient()
    hub.world.cycle()


def in_cloud(hub: Hub) -> None:
    unproven(hub)
    hub.world.cycle()


def safe(hub: Hub) -> None:
    with hub.store.write() as tx:
        cloud.disconnect(tx)
    pushes.push(hub.store, changes("patients", created=[row("patients", "p")]))


def _cut(hub: Hub) -> None:
    hub.world.fail(Kind.DROP, times=99)
    hub.world.try_cycle()


def _link(hub: Hub) -> cloud.Link:
    with hub.store.read() as db:
        link = cloud.link(db)
    assert link is not None
    return link


CAUSES: list[tuple[Callable[[Hub], None], State, Light]] = [
    (read_only, State.READ_ONLY, Light.STORAGE),
    (disk_low, State.DISK_LOW, Light.DISK),
    (power_weak, State.POWER_WEAK, Light.POWER),
    (hot, State.HOT, Light.HEAT),
    (clock_wrong, State.CLOCK_WRONG, Light.CLOCK),
    (key_refused, State.KEY_REFUSED, Light.KEY),
    (paused, State.PAUSED, Light.KEY),
    (no_clinic, State.NO_CLINIC, Light.KEY),
    (quarantined, State.QUARANTINE, Light.QUARANTINE),
    (cloud_failing, State.CLOUD_FAILING, Light.CLOUD),
    (line_lost, State.LINE_LOST, Light.LINE),
    (offline, State.OFFLINE, Light.LINE),
    (waiting, State.WAITING, Light.WAITING),
    (unproven, State.UNPROVEN, Light.WAITING),
    (in_cloud, State.IN_CLOUD, Light.SAFE),
    (safe, State.SAFE, Light.SAFE),
]
ELSEWHERE = {State.NOT_ANSWERING, State.DAMAGED, State.STARTING}
"""Their hub has no database, or does not answer; they have tests of their own below."""


def test_every_state_has_its_cause_here() -> None:
    assert {state for _, state, _ in CAUSES} | ELSEWHERE == set(State)


@pytest.mark.parametrize(("cause", "state", "light"), CAUSES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_cause_leads_to_its_state_its_sentence_and_its_light(
    hub: Hub, cause: Callable[[Hub], None], state: State, light: Light
) -> None:
    cause(hub)
    facts = msgspec.structs.replace(hub.gather(), syncing=0)
    assert status.state(facts) is state
    assert status.light(facts) is light
    if state is not State.READ_ONLY:  # a page then cannot be made from scratch; one that runs goes on
        with Site(hub.store.path.parent) as site:
            site.desk.watch.take(facts)
            for code in LANGUAGES:
                text = site.get("/", **{"accept-language": code}).text
                assert words(code).state(state.texts[0], facts) in text.replace("&#39;", "'")
                assert words(code).state(state.texts[1], facts) in text.replace("&#39;", "'")


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_damaged_hub_still_says_so(code: str) -> None:
    closed = app.create_closed(Settings(), ("page 3 is damaged",))
    with TestClient(closed) as client:
        text = client.get("/", headers={"accept-language": code}).text
        assert client.get("/rpc/heartbeat").status_code == 503
    assert words(code).say("The memory of the hub is damaged.") in text


def test_a_damaged_hub_shows_its_light(tmp_path: Path) -> None:
    facts = status.Facts(damage=("page 3",), writable=False)
    status_file.write(tmp_path / "status.json", "Clinic", facts)
    report = status_file.read(tmp_path / "status.json")
    assert report is not None
    assert (report.state, report.light) == ("damaged", Light.DAMAGE)


def test_a_hub_that_starts_says_so_before_it_has_opened_anything(tmp_path: Path) -> None:
    blocked = tmp_path / "data"
    blocked.write_text("a file where the folder should be")
    settings = Settings(box=Box(status_file=str(tmp_path / "status.json")))
    with pytest.raises(StoreError):
        app.serve(blocked, settings)
    report = status_file.read(tmp_path / "status.json")
    assert report is not None
    assert (report.state, report.light) == ("starting", Light.STARTING)


def test_open_pairing_and_syncing_phones_show_on_the_lights(hub: Hub) -> None:
    safe(hub)
    with hub.store.write() as tx:
        tx.db.execute("UPDATE devices SET last_sync = NULL")
        pairing.open_for(tx, 5)
    assert status.light(hub.gather()) is Light.PAIRING
    with hub.store.write() as tx:
        pairing.close(tx)
    assert status.light(msgspec.structs.replace(hub.gather(), syncing=1)) is Light.SYNCING
