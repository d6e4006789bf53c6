"""A box dies at a random moment, another one is made of its stick, and nothing that was acknowledged is missing."""

import os
import random
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub.actions.people import clinics
from hub.app import copying
from hub.core import certificate
from hub.core.copy.join_code import JoinCode
from hub.core.copy.standing import CopyStanding, Spare
from hub.services.copy import shelf, spare
from hub.store.database import Store
from tests.hubs import Client, ServedHub, changes, new_store, prepare, row
from tests.services.copy.copies import SECRET, standing, until
from tests.simulator import processes
from tests.simulator.transport import NetworkLostError

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("ROUNDS", "2"))
REQUIRED = {"HIKMA_HUB_COPY_REQUIRED": "true"}
PHONES = 3
PATIENCE_S = 300.0
"""A campaign goes on where the machine has other work."""
HASTY = """
import time
from hub.services.copy import stick, writer
writer.CopyWriter.wait = lambda *_: True
stick.Journal.add = lambda *given, add=stick.Journal.add, **more: (time.sleep(0.3), add(*given, **more))
from hub.cli import main
main()
"""
"""A hub that answers before the journal is written, on a stick that takes its time."""
AIMS = ("anything", "backup", "catching up")


class Ward:
    """A hub as a process with a stick, and phones that note what the hub said it has."""

    def __init__(self, folder: Path, program: tuple[str, ...] = processes.HUB) -> None:
        self.folder = folder
        prepare(folder / "hub-0")
        self.hub = ServedHub(folder / "hub-0", REQUIRED, program=program)
        self.hub.start()
        self.clients = [self.hub.client(f"client-{number}") for number in range(PHONES)]
        self.acknowledged: set[str] = set()
        self.round = self.backups = 0
        self.equip()

    def equip(self) -> None:
        """Give the hub its stick."""
        self.stick = self.folder / "stick"
        self.stick.mkdir()
        self.keep(self.stick)

    def keep(self, where: Path | Spare) -> None:
        """Let the hub keep its copy there; done here, as each command of a round costs a second."""
        with closing(Store(self.hub.data)) as store:
            copying.start(store, where, SECRET, hub_name="Ward")

    def close(self) -> None:
        """End what runs."""
        self.hub.close()

    def wait_until_safe(self) -> None:
        store = Store(self.hub.data)
        until(lambda: standing(store) is CopyStanding.SAFE, within_s=PATIENCE_S)
        store.close()

    def prepare(self, aim: str) -> None:
        """Bring about what the box is to die in: a nightly backup, or catching up with what the copy missed."""
        if aim == "backup":
            self.hub.kill()
            for base in self.bases():
                os.utime(base, (0, 0))
            self.backups = len(self.bases())
            self.hub.start()
            self.greet()
        if aim == "catching up":
            self.hide()
            with closing(Store(self.hub.data)) as store:
                for number in range(3):
                    clinics.add(store, f"Clinic {self.round} {number}")
            self.show()

    def hide(self) -> None:
        """Pull the stick."""
        self.stick.rename(self.folder / "pulled")

    def show(self) -> None:
        """Put it back."""
        (self.folder / "pulled").rename(self.stick)

    def where(self) -> Path:
        """Return the folder in which the copies are."""
        return self.stick

    def bases(self) -> list[Path]:
        """Return the whole backups."""
        return list(self.where().glob("*/*/base-*.age"))

    def is_backing_up(self) -> bool:
        """Whether a whole backup is being written."""
        return bool(list(self.where().glob("*/*/base-*.part")))

    def work_until_dead(self, draw: random.Random, aim: str) -> None:
        """Let all phones push until the hub is killed and its data destroyed, at a moment that nobody chose."""
        wanted = len(self.acknowledged) + draw.randrange(1, 8)
        threads = [threading.Thread(target=self._push, args=(number,)) for number in range(PHONES)]
        for thread in threads:
            thread.start()
        if aim == "backup":
            until(lambda: len(self.bases()) > self.backups or self.is_backing_up(), within_s=PATIENCE_S)
        if aim == "anything":
            until(lambda: len(self.acknowledged) >= wanted, within_s=PATIENCE_S)
        time.sleep(draw.uniform(0.0, 1.0))
        self.hub.kill()
        shutil.rmtree(self.hub.data)
        for thread in threads:
            thread.join()

    def replace(self) -> None:
        """Make another box of the stick, at the address of the dead one."""
        self.round += 1
        dead, self.hub = self.hub, ServedHub(self.folder / f"hub-{self.round}", REQUIRED)
        self.hub.port, self.hub.url = dead.port, dead.url
        dead.close()
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
        data, port = self.folder / f"spare-{self.round}", processes.free_port()
        new_store(data).close()
        self.spare = ServedHub(data, {**REQUIRED, "HIKMA_HUB_COPY_SPARE_PORT": str(port)})
        key = shelf.begin(data)
        self.spare.start()
        self.keep(spare.join(JoinCode("127.0.0.1", port, certificate.digest(key.certificate.certificate), key.token)))

    def hide(self) -> None:
        """Pull the plug of the spare."""
        self.spare.kill()

    def show(self) -> None:
        """Start it again."""
        self.spare.start()

    def where(self) -> Path:
        """As of the stick."""
        return self.spare.data / "spare"

    def replace(self) -> None:
        """Let the spare take over, at the address of the dead box."""
        self.round += 1
        self.spare.do("take-over", "--passphrase-stdin", stdin=SECRET + "\n")
        self.spare.kill()
        dead, self.hub = self.hub, self.spare
        self.hub.port, self.hub.url = dead.port, dead.url
        dead.close()
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
    for number in range(ROUNDS):
        if draw.random() < 0.7:
            ward.wait_until_safe()
        else:
            until(lambda: bool(ward.bases()), within_s=PATIENCE_S)
        aim = AIMS[number % len(AIMS)]
        ward.prepare(aim)
        ward.work_until_dead(draw, aim)
        ward.replace()
        assert ward.missing() == set(), aim
        print(f"round {number + 1}: {aim}, {len(ward.acknowledged)} acknowledged, none missing", flush=True)
        assert [pulls(client) for client in ward.clients] == [200] * PHONES
    assert ward.acknowledged


def test_a_hub_that_answers_before_the_journal_is_found_out_by_the_same_look(tmp_path: Path) -> None:
    ward = Ward(tmp_path, (sys.executable, "-c", HASTY))
    try:
        ward.wait_until_safe()
        ward.work_until_dead(random.Random(1), "anything")
        ward.replace()
        assert ward.missing()
    finally:
        ward.close()
