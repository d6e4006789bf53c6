"""Model phones around a hub in this process, a stand-in cloud over HTTP, and other hubs that write there too."""

import contextlib
import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Collection
from enum import Enum, auto
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hub.actions import quarantine
from hub.actions.phones import pairing
from hub.core.cloud.tables import PUSH_ORDER
from hub.core.reasons import Code
from hub.services.relay.runner import Runner
from hub.services.rpc.dispatch import Rpc
from hub.store.database import Store
from tests.hubs import BOUNDS, POLICY, RpcTransport
from tests.journeys.books import doubts
from tests.services.relay import world as worlds
from tests.services.relay.world import Organisation, World
from tests.simulator.clinic import Clinic, Provider
from tests.simulator.cloud.example import seed_example
from tests.simulator.cloud.seed import Seed
from tests.simulator.cloud.store import CloudStore
from tests.simulator.comparison import differences, unlike_cloud
from tests.simulator.nurse import Nurse
from tests.simulator.phone import Phone, SyncOutcome
from tests.simulator.reference import CLINIC_ID, COMPLAINT_FORM, drug_ids
from tests.simulator.staff import PASSWORD, STAFF
from tests.simulator.transport import NetworkLostError
from tests.store import pushes

ROUNDS = 12
"""In so many rounds of syncing and relaying all must have come to rest."""

PUSHED = frozenset(table.name for table in PUSH_ORDER)

_PAIRING_MINUTES = 240
_HOUR_MS = 3_600_000


class Lost(Enum):
    """What does not arrive in one sync of a phone."""

    NOTHING = auto()
    HANDSHAKE = auto()
    PULL_ANSWER = auto()
    PUSH_REQUEST = auto()
    PUSH_ANSWER = auto()


class PowerCut(BaseException):
    """The power fails: nobody catches it."""


class Fuse(threading.Event):
    """Blows when a cycle has asked so many times whether it is to stop: between requests, and between chunks."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._steps = steps

    def is_set(self) -> bool:
        """Raise PowerCut at the last step."""
        self._steps -= 1
        if self._steps < 0:
            raise PowerCut
        return False


class Station:
    """A phone in someone's hands; its clock may be wrong.

    copy_of: the phone of which a backup was put onto this one.
    """

    def __init__(self, region: "Region", number: int, copy_of: Phone | None = None) -> None:
        self.ahead_ms = 0
        self.lost = Lost.NOTHING
        self._region = region
        self._last_ms = 0
        self.phone = self._copied(number, copy_of) if copy_of else self._added(number)
        assert self.phone.user
        self.by = Provider(self.phone.user.user_id, self.phone.user.name)
        self.nurse = Nurse(self.phone, region.clinic, self.by, random.Random(number), self._now_ms)

    def _added(self, number: int) -> Phone:
        phone = Phone(rng=random.Random(number), now_ms=self._now_ms, connect=lambda _url: self, name=f"{number}")
        phone.pair({"type": "sync_hub", "url": "http://hub"})
        phone.login(STAFF[number % len(STAFF)].email, PASSWORD)
        return phone

    def _copied(self, number: int, phone: Phone) -> Phone:
        name = f"{number}, a copy of {phone.name}"
        return phone.copied(rng=random.Random(number), now_ms=self._now_ms, connect=lambda _url: self, name=name)

    def step(self, hours: int) -> None:
        """Set the clock forwards or backwards."""
        self.ahead_ms += hours * _HOUR_MS

    def sync(self, lost: Lost = Lost.NOTHING) -> SyncOutcome:
        """Sync over a line that may lose a message."""
        self.lost = lost
        try:
            return self.phone.sync()
        finally:
            self.lost = Lost.NOTHING

    # A Transport

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask for the heartbeat."""
        return self._hub().get(path)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Carry a request to the hub, and its answer back."""
        before, after = {
            "/rpc/handshake": (Lost.HANDSHAKE, None),
            "/rpc/query": (None, Lost.PULL_ANSWER),
            "/rpc/command": (Lost.PUSH_REQUEST, Lost.PUSH_ANSWER),
        }[path]
        if self.lost is before:
            raise NetworkLostError(self.lost.name)
        answer = self._hub().post(path, body)
        if self.lost is after:
            raise NetworkLostError(self.lost.name)
        return answer

    def _hub(self) -> RpcTransport:
        return RpcTransport(self._region)

    def _now_ms(self) -> int:
        """Read the clock; every reading is another one."""
        now_ms = time.time_ns() // 1_000_000 + self.ahead_ms
        self._last_ms = now_ms if now_ms != self._last_ms else now_ms + 1
        return self._last_ms


class Region:
    """The hub of the made-up clinic, its phones and its cloud, until ``close``.

    batch: records in one request of the relay.
    page_bytes: budget of one answer to a phone.
    postgres: an empty database for the cloud, in place of a SQLite file.
    zone, cloud_zone: of the clinic, and of the cloud's server.
    """

    def __init__(
        self,
        *,
        phones: int,
        batch: int,
        page_bytes: int,
        postgres: str = "",
        zone: str = "UTC",
        cloud_zone: str = "UTC",
    ) -> None:
        self.zone = ZoneInfo(zone)
        self._patch = pytest.MonkeyPatch()
        self._patch.setenv("TZ", zone)
        self._folder = Path(tempfile.mkdtemp(prefix="hikma-region-"))
        self._context = worlds.world(self._folder, organise=_made_up, postgres=postgres, time_zone=cloud_zone)
        self.world: World = self._context.__enter__()
        self.world.limit(batch_records=batch)
        self.world.cycle()
        self.clinic = Clinic(1)
        self._policy = msgspec.structs.replace(POLICY, page_bytes=page_bytes)
        self._open()
        pairing.open_for(self.world.store, _PAIRING_MINUTES)
        self.copies = 0
        self.stations = [Station(self, number) for number in range(phones)]
        for station in self.stations:
            assert station.sync().ok

    def close(self) -> None:
        """End it, and throw everything away."""
        self._context.__exit__(None, None, None)
        self._patch.undo()
        shutil.rmtree(self._folder)

    def copy(self, station: Station) -> Station:
        """Put a backup of a phone onto a further one."""
        made = Station(self, len(self.stations), station.phone)
        self.stations.append(made)
        self.copies += 1
        return made

    def lose_power(self) -> None:
        """Lose everything in the hub's memory, the sessions of phones and the connection to the cloud too."""
        data = self.world.store.path.parent
        self.world.close()
        self.world.store.close()
        self.world.store = Store(data)
        self._open()

    def lose_power_in_a_cycle(self, steps: int) -> None:
        """Begin a cycle, and lose power after so many steps of it, or after its end."""
        runner = Runner(self.world.store, self.world.rules, Fuse(steps))
        with contextlib.suppress(PowerCut):
            runner.run()
        runner.close()
        self.lose_power()

    def settle(self) -> None:
        """Let phones sync and cycles run, nothing else, until nothing moves; raises AssertionError if it does not."""
        for _ in range(ROUNDS):
            rested = self.rest()
            report = self.world.try_cycle()
            counts = self.world.waiting()
            still = rested and report.outcome.word == "done" and not counts["waiting"] and not counts["sent"]
            if still and self.rest():
                return
        raise AssertionError((self.world.waiting(), self.world.reasons()))

    def rest(self) -> bool:
        """Let all phones sync until none has news; returns whether none had from the beginning."""
        for number in range(10 * ROUNDS):
            outcomes = [station.sync() for station in self.stations]
            for station, outcome in zip(self.stations, outcomes, strict=True):
                assert outcome.ok or self._was_asked(station, outcome), outcomes
            if not any(outcome.pulled or outcome.pushed for outcome in outcomes):
                return number == 0
        raise AssertionError("the phones found no rest")

    def _was_asked(self, station: Station, outcome: SyncOutcome) -> bool:
        """Whether a sync failed for what came back, and this phone had been told is deleted.

        Where nobody knows whether a phone had such a record - copies of it push under one id - the hub asks for it
        (hub.core.phone.doubt), and the next sync goes well.
        """
        table = outcome.error.removeprefix("UNIQUE constraint failed: ").removesuffix(".id")
        return table in PUSHED and not station.phone.store.deleted().isdisjoint(pushes.live(self.world.store, table))

    def unlike(self) -> list[str]:
        """Name whatever phones, hub and cloud do not hold alike; a new phone says what the hub holds.

        What a phone was told is deleted it never shows again, though it was brought back: its database keeps the id.
        What was in answers that were lost, and may have been deleted on the phone, the hub tries again hours later.
        """
        observer = Station(self, len(self.stations))
        while observer.sync().pulled:
            pass
        held = observer.phone.store
        found = [
            f"phone {station.phone.name}: {line}"
            for station in self.stations
            for line in differences(station.phone.store, held)
            if not any(f" {row_id}: only one" in line for row_id in self._owed_later(station))
        ]
        return found + unlike_cloud(held, self.world.seed.rows, CLINIC_ID, self.zone)

    def _owed_later(self, station: Station) -> set[str]:
        doubtful = doubts(self.world.store, station.phone.client_id)
        return station.phone.store.deleted() | {row_id for _, row_id in doubtful}

    def made(self) -> set[tuple[str, str]]:
        """Return table and id of every record that was made on a phone, or came to one; deleted ones too."""
        return {
            (table.name, row_id)
            for station in self.stations
            for table in PUSH_ORDER
            for row_id in station.phone.store.table(table.name)
        }

    def here(self) -> set[tuple[str, str]]:
        """Return table and id of every record of the hub, tombstones too."""
        return {
            (table.name, row_id)
            for table in PUSH_ORDER
            for row_id in pushes.live(self.world.store, table.name) | pushes.tombstones(self.world.store, table.name)
        }

    def of_patients(self, patients: Collection[str]) -> set[str]:
        """Return the ids of patients and of all that is theirs, on phones, on the hub and in the cloud."""
        found = set(patients)
        for table in PUSH_ORDER:
            if table.patient:
                rows = [*self.world.seed.rows(table.name), *pushes.rows(self.world.store, table.name)]
                rows += [row for station in self.stations for row in station.phone.store.rows(table.name)]
                found |= {str(row["id"]) for row in rows if row["patient_id"] in patients}
        return found

    def miscounted(self) -> list[str]:
        """Name items that say another sum than was handed out, and batches of which the cloud has more or less."""
        store, seed = self.world.store, self.world.seed
        sums: Counter[str] = Counter()
        for row in pushes.rows(store, "dispensing_records"):
            sums[row["prescription_item_id"]] += row["quantity_dispensed"]
        there = {str(row["id"]): row["quantity_available"] for row in seed.rows("clinic_inventory")}
        items = pushes.rows(store, "prescription_items")
        figures: list[tuple[str, Any, Any]] = [
            (f"item {row['id']}", row["quantity_dispensed"], sums[row["id"]]) for row in items
        ]
        stock = pushes.rows(store, "clinic_inventory")
        figures += [(f"stock {row['id']}", row["quantity_available"], there[row["id"]]) for row in stock]
        return [f"{name} is {figure}, not {right}" for name, figure, right in figures if figure != right]

    def quarantined(self) -> dict[str, Code]:
        """Return id -> reason of what is in quarantine."""
        return {str(entry.record_id): entry.reason.code for entry in quarantine.entries(self.world.store)}

    def _open(self) -> None:
        self.rpc = Rpc(self.world.store, BOUNDS, self._policy)


def _made_up(kept: CloudStore) -> Organisation:
    """Put the made-up clinic into a cloud."""
    hub = seed_example(kept)
    seed = Seed(kept)
    users = {str(row["clinic_id"]): str(row["id"]) for row in seed.rows("users")}
    [elsewhere] = users.keys() - {CLINIC_ID}
    batch = str(seed.rows("drug_batches")[0]["id"])
    return Organisation(
        hub, CLINIC_ID, elsewhere, users[elsewhere], users[CLINIC_ID], COMPLAINT_FORM, drug_ids()[0], batch
    )
