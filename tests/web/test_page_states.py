"""Every state by a real cause: its sentence in four languages, and its light (O2, O3).

Cards are small ext4 file systems that are filled and that fail; hubs that start, hang or find their database damaged
are processes; the cloud is the stand-in over HTTP. Voltage and heat are files as the kernel of a Pi has them, for there
is no Pi here.
"""

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from hub.actions.box import copying, serving
from hub.actions.phones import access, pairing, refusals
from hub.app import assembly
from hub.cli.lights import HubLight
from hub.core.cloud.link import Link
from hub.core.copy.standing import Copy, CopyStanding, CopyState
from hub.core.phone.refusal import RefusalReason, again
from hub.core.status import state as states
from hub.core.status.card import CardShape
from hub.core.status.facts import Facts
from hub.core.status.lights import Light
from hub.core.status.state import HubState
from hub.services.machine import measures
from hub.services.status import file
from hub.services.status.gathering import Gathering
from hub.settings import Settings
from hub.store import quarantine
from hub.store.cloud import connection
from hub.store.database import FILE_NAME
from hub.store.phones import callers
from hub.words import LANGUAGES, status, words
from tests.hubs import ServedHub, changes, prepare, row
from tests.mounts import Mount
from tests.services.relay import world as worlds
from tests.services.relay.world import Kind, World
from tests.store import pushes
from tests.web.other_date import other_date
from tests.web.site import Site

_POLL_S = 0.1
_PATIENCE_S = 60.0


class Shown(msgspec.Struct, frozen=True):
    """What came of a cause: the facts, the light on the box, and what people read in each language."""

    facts: Facts
    light: Light
    texts: dict[str, str]


class Box:
    """A hub on a machine that tests change; everything is made when it is asked for, and taken away after."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self._world: World | None = None
        self._site: Site | None = None

    @property
    def world(self) -> World:
        """Return a hub in this process, beside a stand-in cloud."""
        if self._world is None:
            self._world = self.stack.enter_context(worlds.world(self.folder / "world"))
        return self._world

    def card(self) -> Mount:
        """Put the hub's data on a card of its own."""
        mount = Mount(self.folder / "world")
        self.stack.callback(mount.close)
        return mount

    def open(self) -> None:
        """Open the pages before anything goes wrong, as on a hub that runs."""
        self._site = self.stack.enter_context(Site(self.world.store.path.parent))

    def file(self, path: str, text: str) -> None:
        """Let a file of Linux say this."""
        (self.folder / "machine" / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / "machine" / path).write_text(text)

    def shown(self) -> Shown:
        """Measure, and read the page."""
        if self._site is None:
            self.open()
        assert self._site is not None
        found = Gathering(
            self.world.store,
            power_weak=partial(measures.power_weak, root=self.folder / "machine"),
            temperature_c=partial(measures.temperature_c, root=self.folder / "machine"),
        ).gather()
        facts = msgspec.structs.replace(found, syncing=0)  # phones that made the cause are not the matter here
        self._site.pages.watch.take(facts)
        texts = {code: self._site.get("/", **{"accept-language": code}).text for code in LANGUAGES}
        return Shown(facts, states.light(facts), texts)


class Process:
    """A hub as a process, seen by the file that it keeps for lights and screen."""

    def __init__(self, box: Box) -> None:
        self.data = box.folder / "served"
        self.file = box.folder / "status.json"
        self._empty = box.folder / "nothing"
        prepare(self.data)
        self.hub = ServedHub(self.data, {"HIKMA_HUB_BOX_STATUS_FILE": str(self.file)})
        box.stack.callback(self.hub.close)

    def until(self, named: HubState) -> None:
        """Wait until whoever looks at the box from outside sees this state."""
        end = time.monotonic() + _PATIENCE_S
        while not self.file.exists() or states.state(self._facts()) is not named:
            assert time.monotonic() < end, f"not within {_PATIENCE_S} s: {named}"
            time.sleep(_POLL_S)

    def page(self) -> Shown:
        """Read the page that it serves, and its light."""
        with httpx.Client(trust_env=False) as browser:
            texts = {code: browser.get(self.hub.url, headers={"accept-language": code}).text for code in LANGUAGES}
        return self._seen(texts)

    def screen(self) -> Shown:
        """Read the screen of the box, which is a process of its own, as the lights are."""
        texts = {}
        for code in LANGUAGES:
            env = {"HIKMA_HUB_BOX_STATUS_FILE": str(self.file), "HIKMA_HUB_HUB_LANGUAGE": code}
            texts[code] = ServedHub(self._empty, env).cli("console", "--once").stdout
        return self._seen(texts)

    def _facts(self) -> Facts:
        return file.facts(self.file, lambda: pytest.fail("its folder is there"))

    def _seen(self, texts: dict[str, str]) -> Shown:
        light = HubLight(self.file, time.monotonic()).light(time.monotonic())
        return Shown(self._facts(), light, texts)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with ExitStack() as stack:
        yield Box(tmp_path, stack)


def hanging(box: Box) -> Shown:
    """A process that was stopped does nothing any more and holds all that it held."""
    process = Process(box)
    process.hub.start()
    process.until(HubState.NO_PHONE)
    os.kill(process.hub.pid, signal.SIGSTOP)
    process.until(HubState.NOT_ANSWERING)
    assert '"state": "not_answering"' in process.hub.cli("status", "--json").stdout
    return process.screen()


def killed(box: Box) -> Shown:
    process = Process(box)
    process.hub.start()
    process.until(HubState.NO_PHONE)
    process.hub.kill()
    process.until(HubState.NOT_ANSWERING)
    return process.screen()


def damaged(box: Box) -> Shown:
    """A third of the database is overwritten, as by a card that lies about where it writes."""
    process = Process(box)
    path = process.data / FILE_NAME
    with path.open("r+b") as file:
        size = path.stat().st_size
        file.seek(size // 3)
        file.write(os.urandom(size // 3))
    process.hub.start(until="/")
    process.until(HubState.DAMAGED)
    with httpx.Client(trust_env=False) as phone:
        assert phone.get(f"{process.hub.url}/rpc/heartbeat").status_code == 503
    return process.page()


def starting(box: Box) -> Shown:
    """Somebody else writes, so that the hub cannot have its database yet."""
    process = Process(box)
    other = sqlite3.connect(process.data / FILE_NAME, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    begun = threading.Thread(target=process.hub.start)
    begun.start()
    try:
        process.until(HubState.STARTING)
        return process.screen()
    finally:
        other.close()
        begun.join()
        process.until(HubState.NO_PHONE)  # it was a start, and nothing else


def card_full(box: Box) -> Shown:
    card = box.card()
    box.open()
    card.fill()
    return box.shown()


def card_nearly_full(box: Box) -> Shown:
    card = box.card()
    box.open()
    card.fill(but=2 * 1024 * 1024)
    return box.shown()


def turned_away(box: Box) -> Shown:
    now_ms = refusals.now_ms(box.world.store)
    refusals.keep(box.world.store, again(None, 1, RefusalReason.NO_ROOM, now_ms))
    return box.shown()


def stopped(box: Box) -> Shown:
    serving.stop(box.world.store)
    return box.shown()


def card_failed(box: Box) -> Shown:
    card = box.card()
    box.open()
    card.fail()
    return box.shown()


def card_small(box: Box) -> Shown:
    box.card()
    return box.shown()


def power_weak(box: Box) -> Shown:
    box.file("sys/class/hwmon/hwmon0/name", "rpi_volt\n")
    box.file("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n")
    return box.shown()


def hot(box: Box) -> Shown:
    box.file("sys/class/thermal/thermal_zone0/temp", "84000\n")
    return box.shown()


def clock_behind(box: Box) -> Shown:
    """The cloud's answers come with a date that is five hours on."""
    with other_date(box.world.url, hours=5) as url:
        link = msgspec.structs.replace(_link(box), url=url)
        with box.world.store.write() as tx:
            connection.connect(tx, link, box.world.hub.api_key)
        box.world.cycle()
    return box.shown()


def key_refused(box: Box) -> Shown:
    link = _link(box)
    with box.world.store.write() as tx:
        connection.connect(tx, link, "hh_" + "0" * 64)
    box.world.try_cycle()
    return box.shown()


def paused(box: Box) -> Shown:
    box.world.seed.edit("devices", box.world.hub.id, status="suspended")
    box.world.try_cycle()
    return box.shown()


def no_clinic(box: Box) -> Shown:
    box.world.seed.edit("devices", box.world.hub.id, clinic_ids=[])
    box.world.try_cycle()
    return box.shown()


def quarantined(box: Box) -> Shown:
    pushes.push(box.world.store, changes("patients", created=[{"id": 7}]))
    return box.shown()


def cloud_failing(box: Box) -> Shown:
    box.world.cycle()
    box.world.patient()
    box.world.fail(Kind.HTML, times=99)
    box.world.try_cycle()
    return box.shown()


def on_hold(box: Box) -> Shown:
    box.world.patient(sex="x" * 25)
    box.world.cycle()
    with box.world.store.write() as tx:  # somebody has looked at it, and did not mend it
        for entry in quarantine.entries(tx.db):
            quarantine.remove(tx, entry["num"])
    return box.shown()


def line_lost(box: Box) -> Shown:
    box.world.patient()
    return _cut(box)


def offline(box: Box) -> Shown:
    box.world.cycle()
    return _cut(box)


def waiting(box: Box) -> Shown:
    box.world.cycle()
    box.world.patient()
    return box.shown()


def unproven(box: Box) -> Shown:
    box.world.cycle()
    box.world.patient()
    box.world.cycle()
    return box.shown()


def cloud_restored(box: Box) -> Shown:
    box.world.cycle()
    backup = box.world.seed.copy()
    in_cloud(box)
    box.world.seed.restore(backup)
    box.world.want_everything()
    box.world.cycle()
    return box.shown()


def no_phone(box: Box) -> Shown:
    box.world.cycle()
    return box.shown()


def in_cloud(box: Box) -> Shown:
    unproven(box)
    _sync(box)
    box.world.cycle()
    return box.shown()


def safe(box: Box) -> Shown:
    with box.world.store.write() as tx:
        connection.disconnect(tx)
    pushes.push(box.world.store, changes("patients", created=[row("patients", "p")]))
    _sync(box)
    return box.shown()


def _sync(box: Box) -> None:
    with box.world.store.write() as tx:
        num = access.pair(tx, "phone-1", None, most=1).num
        callers.seen(tx, num, synced=True)


def replaced(box: Box) -> Shown:
    copying.retire(box.world.store)
    return box.shown()


def card_worn(box: Box) -> Shown:
    """First boot reads it in memory (tests/firstboot/test_ladder.py)."""
    box.world.store.card = CardShape.FAILED
    return box.shown()


def read_in_part(box: Box) -> Shown:
    """The start wrote it anew of what could be read (tests/app/test_assembly.py)."""
    box.world.store.card = CardShape.PARTLY
    return box.shown()


def card_gone(_: Box) -> Shown:
    """First boot found that this card was a hub, and no data."""
    facts = Facts(card=CardShape.GONE, writable=False)
    with TestClient(assembly.create_closed(Path(), Settings(), facts)) as browser:
        texts = {code: browser.get("/", headers={"accept-language": code}).text for code in LANGUAGES}
    return Shown(facts, states.light(facts), texts)


def stick_pulled(box: Box) -> Shown:
    return _copied(box, CopyStanding.AWAY)


def on_stick(box: Box) -> Shown:
    return _copied(box, CopyStanding.SAFE)


def _copied(box: Box, standing: CopyStanding) -> Shown:
    """Let the copy stand so; the writer that makes it so has tests of its own (tests/services/copy)."""
    safe(box)
    copying.start(box.world.store, Copy(id="c", folder="/nowhere", salt=b"", recipient=b""))
    copying.note_condition(box.world.store, CopyState(standing=standing))
    return box.shown()


def _cut(box: Box) -> Shown:
    box.world.fail(Kind.DROP, times=99)
    box.world.try_cycle()
    return box.shown()


def _link(box: Box) -> Link:
    with box.world.store.read() as db:
        link = connection.link(db)
    assert link is not None
    return link


CAUSES: list[tuple[Callable[[Box], Shown], HubState, Light]] = [
    (hanging, HubState.NOT_ANSWERING, Light.FAULT),
    (killed, HubState.NOT_ANSWERING, Light.FAULT),
    (card_gone, HubState.CARD_GONE, Light.DAMAGE),
    (damaged, HubState.DAMAGED, Light.DAMAGE),
    (read_in_part, HubState.PARTLY, Light.DAMAGE),
    (starting, HubState.STARTING, Light.STARTING),
    (card_worn, HubState.CARD_FAILED, Light.STORAGE),
    (card_full, HubState.READ_ONLY, Light.STORAGE),
    (card_failed, HubState.READ_ONLY, Light.STORAGE),
    (replaced, HubState.REPLACED, Light.STORAGE),
    (card_nearly_full, HubState.DISK_FULL, Light.STORAGE),
    (stopped, HubState.STOPPED, Light.NOT_SERVING),
    (turned_away, HubState.TURNED_AWAY, Light.STORAGE),
    (card_small, HubState.DISK_LOW, Light.DISK),
    (power_weak, HubState.POWER_WEAK, Light.POWER),
    (hot, HubState.HOT, Light.HEAT),
    (stick_pulled, HubState.ONE_COPY, Light.COPY),
    (clock_behind, HubState.CLOCK_WRONG, Light.CLOCK),
    (key_refused, HubState.KEY_REFUSED, Light.KEY),
    (paused, HubState.PAUSED, Light.KEY),
    (no_clinic, HubState.NO_CLINIC, Light.KEY),
    (quarantined, HubState.QUARANTINE, Light.QUARANTINE),
    (on_hold, HubState.ON_HOLD, Light.QUARANTINE),
    (cloud_failing, HubState.CLOUD_FAILING, Light.CLOUD),
    (line_lost, HubState.LINE_LOST, Light.LINE),
    (cloud_restored, HubState.CLOUD_LOST, Light.CLOUD),
    (offline, HubState.OFFLINE, Light.LINE),
    (waiting, HubState.WAITING, Light.WAITING),
    (unproven, HubState.UNPROVEN, Light.WAITING),
    (no_phone, HubState.NO_PHONE, Light.SAFE),
    (in_cloud, HubState.IN_CLOUD, Light.SAFE),
    (on_stick, HubState.ON_STICK, Light.SAFE),
    (safe, HubState.SAFE, Light.SAFE),
]
_SLOW = {hanging, killed, damaged, starting, card_full, card_failed, card_nearly_full, card_small}


def test_every_state_has_a_cause() -> None:
    assert {state for _, state, _ in CAUSES} == set(HubState)


@pytest.mark.parametrize(
    ("cause", "state", "light"),
    [pytest.param(*case, id=case[0].__name__, marks=[pytest.mark.slow] if case[0] in _SLOW else []) for case in CAUSES],
)
def test_o3_a_cause_leads_to_its_state_its_sentence_in_every_language_and_its_light(
    box: Box, cause: Callable[[Box], Shown], state: HubState, light: Light
) -> None:
    shown = cause(box)
    assert states.state(shown.facts) is state
    assert shown.light is light
    for code in LANGUAGES:
        for text in state.texts:
            assert status.fill(words(code), text, shown.facts) in shown.texts[code].replace("&#39;", "'")


def test_open_pairing_and_syncing_phones_show_on_the_lights(box: Box) -> None:
    safe(box)
    pairing.open_for(box.world.store, 5)
    assert box.shown().light is Light.PAIRING
    pairing.close(box.world.store)
    assert states.light(msgspec.structs.replace(box.shown().facts, syncing=1)) is Light.SYNCING
