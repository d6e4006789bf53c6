"""A box dies at a random moment, another one is made of its stick, and nothing that was acknowledged is missing."""

import os
import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub.core.copy.standing import CopyStanding
from hub.store.database import Store
from tests.hubs import Client, ServedHub, changes, new_store, prepare, row
from tests.services.copy.copies import SECRET, standing, until
from tests.simulator import processes
from tests.simulator.transport import NetworkLostError

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("ROUNDS", "2"))
REQUIRED = {"HIKMA_HUB_COPY_REQUIRED": "true"}
PHONES = 3


class Ward:
    """A hub as a process with a stick, and phones that note what the hub said it has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        prepare(folder / "hub-0")
        self.hub = ServedHub(folder / "hub-0", REQUIRED)
        self.hub.start()
        self.clients = [self.hub.client(f"client-{number}") for number in range(PHONES)]
        self.acknowledged: set[str] = set()
        self.round = 0
        self.equip()

    def equip(self) -> None:
        """Give the hub its stick."""
        self.stick = self.folder / "stick"
        self.stick.mkdir()
        self.keep(str(self.stick))

    def keep(self, where: str) -> None:
        """Let the hub keep its copy there."""
        self.hub.do("copy", "start", where, "--passphrase-stdin", stdin=SECRET + "\n")

    def has_backup(self) -> bool:
        """Whether a whole backup was made; what comes after it is in the journal."""
        return bool(list(self.stick.glob("*/*/base-*.age")))

    def close(self) -> None:
        """End what runs."""
        self.hub.close()

    def wait_until_safe(self) -> None:
        store = Store(self.hub.data)
        until(lambda: standing(store) is CopyStanding.SAFE, within_s=60)
        store.close()

    def work_until_dead(self, draw: random.Random) -> None:
        """Let all phones push until the hub is killed and its data destroyed, at a moment that nobody chose."""
        threads = [threading.Thread(target=self._push, args=(number,)) for number in range(PHONES)]
        for thread in threads:
            thread.start()
        time.sleep(draw.uniform(0.05, 1.5))
        self.hub.kill()
        shutil.rmtree(self.hub.data)
        for thread in threads:
            thread.join()

    def replace(self) -> None:
        """Make another box of the stick, at the address of the dead one."""
        self.round += 1
        dead, self.hub = self.hub, ServedHub(self.folder / f"hub-{self.round}", REQUIRED)
        self.hub.port, self.hub.url = dead.port, dead.url
        self.hub.do("restore", str(self.stick), "--passphrase-stdin", stdin=SECRET + "\n")
        self.hub.start()
        self.greet()

    def greet(self) -> None:
        """Let the phones find the new box at the address of the old one."""
        for client in self.clients:
            client.transport = self.hub.connect()

    def missing(self) -> set[str]:
        """Return what was acknowledged and is not there, or does not wait for the cloud."""
        with closing(sqlite3.connect(self.hub.data / "hub.db")) as db:
            kept = db.execute("SELECT id FROM patients JOIN outbox USING (num) WHERE table_name = 'patients'")
            return self.acknowledged - {row[0] for row in kept}

    def _push(self, phone: int) -> None:
        client, count = self.clients[phone], 0
        try:
            client.shake()
            while True:
                many = 600 if count == 3 else 1
                ids = [f"{self.round}-{phone}-{count}-{number}" for number in range(many)]
                made = [row("patients", one, given_name="Name") for one in ids]
                if client.push(changes("patients", created=made)).status == 200:
                    self.acknowledged |= set(ids)
                count += 1
        except (OSError, NetworkLostError):
            return


class WardWithSpare(Ward):
    """The same with a second box instead of the stick; it becomes the hub, and gets a new spare."""

    def equip(self) -> None:
        """Begin another spare."""
        data = self.folder / f"spare-{self.round}"
        new_store(data).close()
        self.spare = ServedHub(data, {**REQUIRED, "HIKMA_HUB_COPY_SPARE_PORT": str(processes.free_port())})
        self.spare.do("spare", "start")
        self.spare.start()
        self.keep(self.spare.do("spare", "start").split("CODE: ")[1].strip())

    def has_backup(self) -> bool:
        """As of the stick."""
        return bool(list(self.spare.data.glob("spare/*/*/base-*.age")))

    def replace(self) -> None:
        """Let the spare take over, at the address of the dead box."""
        self.round += 1
        self.spare.do("take-over", "--passphrase-stdin", stdin=SECRET + "\n")
        self.spare.kill()
        dead, self.hub = self.hub, self.spare
        self.hub.port, self.hub.url = dead.port, dead.url
        self.hub.start()
        self.greet()
        self.equip()

    def close(self) -> None:
        """End what runs."""
        super().close()
        self.spare.close()


@pytest.fixture(params=os.environ.get("COPY", "stick spare").split())
def ward(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ward]:
    made = {"stick": Ward, "spare": WardWithSpare}[request.param](tmp_path)
    yield made
    made.close()


def pulls(client: Client) -> int:
    """Go on as if nothing had happened: the token of before, no pairing, no sign-in."""
    client.shake()
    return client.pull().status


def test_what_was_acknowledged_outlives_the_box(ward: Ward) -> None:
    draw = random.Random(os.environ.get("SEED", "1"))
    for _ in range(ROUNDS):
        if draw.random() < 0.7:
            ward.wait_until_safe()
        else:
            until(ward.has_backup, within_s=60)
        ward.work_until_dead(draw)
        ward.replace()
        assert ward.missing() == set()
        assert [pulls(client) for client in ward.clients] == [200] * PHONES
    assert ward.acknowledged
