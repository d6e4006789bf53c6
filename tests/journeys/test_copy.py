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
from tests.hubs import Client, ServedHub, changes, prepare, row
from tests.services.copy.copies import SECRET, standing, until
from tests.simulator.transport import NetworkLostError

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("ROUNDS", "2"))
REQUIRED = {"HIKMA_HUB_COPY_REQUIRED": "true"}
PHONES = 3


class Ward:
    """A hub as a process with a stick, and phones that note what the hub said it has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stick = folder / "stick"
        self.stick.mkdir()
        prepare(folder / "hub-0")
        self.hub = ServedHub(folder / "hub-0", REQUIRED)
        self.hub.start()
        self.clients = [self.hub.client(f"client-{number}") for number in range(PHONES)]
        done = self.hub.cli("copy", "start", str(self.stick), "--passphrase-stdin", stdin=SECRET + "\n")
        assert done.returncode == 0, done.stderr
        self.acknowledged: set[str] = set()
        self.round = 0

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
        done = self.hub.cli("restore", str(self.stick), "--passphrase-stdin", stdin=SECRET + "\n")
        assert done.returncode == 0, done.stderr
        self.hub.start()
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


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    made = Ward(tmp_path)
    yield made
    made.hub.close()


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
            until(lambda: bool(list(ward.stick.glob("*/*/base-*.age"))), within_s=60)
        ward.work_until_dead(draw)
        ward.replace()
        assert ward.missing() == set()
        assert [pulls(client) for client in ward.clients] == [200] * PHONES
    assert ward.acknowledged
