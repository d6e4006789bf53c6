"""The sentence while records wait and are relayed, with a stand-in cloud that comes and goes."""

import json
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.visit import Visit, administer
from tests.hubs import NOW_MS, ServedHub
from tests.simulator import processes
from tests.simulator.phone import Phone
from tests.simulator.processes import free_port
from tests.simulator.staff import PASSWORD as CLOUD_PASSWORD

pytestmark = pytest.mark.slow

NURSE = "nurse@demo.test"
_PATIENCE_MS = 60_000


class Cloud:
    """A stand-in cloud as a process, on one port and one folder."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._port = free_port()
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, str]:
        """Start it; returns its address and the key of its hub."""
        words = ("--data", str(self._data), "--port", str(self._port), "--seed-demo", "--rate-limit", "600")
        self._child = subprocess.Popen(
            (*processes.CLOUD, *words), stdout=subprocess.PIPE, env=processes.environ(), start_new_session=True
        )
        assert self._child.stdout
        greeting: dict[str, str] = json.loads(self._child.stdout.readline())
        return greeting

    def stop(self) -> None:
        """End it."""
        if self._child:
            self._child.terminate()
            self._child.wait(15)
            assert self._child.stdout
            self._child.stdout.close()
            self._child = None


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    made = Cloud(tmp_path / "cloud")
    (tmp_path / "cloud").mkdir()
    yield made
    made.stop()


class Watching:
    """Someone who looks at the first page, and an administrator at the cloud's page."""

    def __init__(self, anyone: Visit, desk: Visit) -> None:
        self.anyone = anyone
        self.desk = desk
        anyone.go("/")
        desk.sign_in()

    def says(self, text: str) -> None:
        """Wait until the large sentence says this, without loading the page."""
        expect(self.anyone.page.locator("h1")).to_contain_text(text, timeout=_PATIENCE_MS)

    def connect(self, url: str, key: str) -> None:
        """Fill the form in."""
        self.desk.go("/cloud")
        self.desk.page.fill("#url", url)
        self.desk.page.fill("#key", key)
        self.desk.click("Connect")

    def sync(self) -> None:
        """Press the button."""
        self.desk.go("/cloud")
        self.desk.click("Sync now")
        self.desk.see("Syncing with the cloud …")

    def keep(self, name: str) -> None:
        """Check and keep both pages."""
        for visit, who in ((self.anyone, "anyone"), (self.desk, "desk")):
            visit.check()
            visit.picture(f"cloud-{name}-{who}")


@pytest.fixture
def watching(visit: Callable[..., Visit], served: ServedHub) -> Watching:
    administer(served)
    return Watching(visit(), visit(wide=True))


def nurse_of(served: ServedHub) -> Phone:
    phone = Phone(rng=random.Random(1), now_ms=lambda: NOW_MS, connect=served.connect)
    phone.pair({"type": "sync_hub", "url": served.url})
    phone.login(NURSE, CLOUD_PASSWORD)
    assert phone.sync().ok
    return phone


@pytest.mark.timeout(300)
def test_the_sentence_follows_records_to_the_cloud(watching: Watching, served: ServedHub, cloud: Cloud) -> None:
    greeting = cloud.start()
    watching.says("No phone on its list has synced yet.")
    watching.connect(greeting["url"], "hh_" + "0" * 64)
    watching.desk.see("The cloud does not accept this key.")
    watching.connect(greeting["url"], greeting["api_key"])
    watching.desk.see("The cloud is connected.")
    watching.sync()
    watching.says("No phone on its list has synced yet.")

    nurse = nurse_of(served)
    watching.says("Everything the phones have sent is safe in the cloud.")
    cloud.stop()
    nurse.create("patients", {"given_name": "Amina", "surname": "Zahra"})
    assert nurse.sync().ok
    watching.says("1 record is safe on this hub")
    watching.sync()
    watching.says("1 record is safe on this hub and has been waiting")
    watching.desk.go("/cloud")
    watching.desk.see("The cloud cannot be reached.")
    watching.keep("1-no-line")

    cloud.start()
    watching.sync()  # it is sent, and
    watching.sync()  # the next pull shows it
    watching.says("Everything the phones have sent is safe in the cloud.")
    watching.desk.go("/cloud")
    watching.desk.see("The last exchange with the cloud succeeded.")
    watching.keep("2-in-the-cloud")
    watching.desk.go("/")
    watching.keep("3-charts")


@pytest.mark.timeout(300)
def test_a_cloud_is_disconnected_and_everything_stays_safe(watching: Watching, served: ServedHub, cloud: Cloud) -> None:
    greeting = cloud.start()
    watching.connect(greeting["url"], greeting["api_key"])
    watching.desk.see("The cloud is connected.")
    watching.desk.click("Disconnect …")
    watching.desk.click("Yes, disconnect")
    watching.desk.see("The cloud is disconnected.")
    watching.says("No phone on its list has synced yet.")
    assert served.pid
