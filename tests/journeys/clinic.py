"""A clinic in one process: a hub whose clocks and power can be played with, and phones with books kept on them."""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Self

import msgspec
import pytest

from hub.actions import quarantine
from hub.actions.phones import pairing, pull
from hub.core.reasons import Code
from hub.core.records import access, codec
from hub.core.records.access import Permission
from hub.core.records.table import UNCOUNTED
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures.registry import Policy
from hub.store import database
from hub.store.database import Store
from hub.store.people import users
from hub.store.phones import backlog, callers, devices
from hub.store.records import owners, record_rows
from tests.hubs import PASSWORD, POLICY, InProcessHub, add_user
from tests.journeys.books import Books, PhoneBook, doubts, state
from tests.journeys.line import Fault, Line
from tests.simulator.phone import Phone, SyncOutcome
from tests.simulator.rows import Row, Value

CLINICS = ("clinic-0", "clinic-1", "clinic-2")
EMAILS = ("amal@clinic.example", "lucia@clinic.example", "tadesse@clinic.example")
START_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
_FAST = Path("/dev/shm")  # noqa: S108  a disk without waiting, where there is one
_HUB_STEP_NS = 300_000
"""Less than a millisecond: hub time must rise also when the clock has not moved on."""
_UNSEEN = frozenset({Code.NOT_SEEN, Code.PARENT_HELD})
"""Why a record may be held: whoever entered it may not see the patient any more."""
_RETRIES = 12
"""How often the hub is given twice the time of before to try a suspect again (core.phone.ledger)."""


class BoxClock:
    """What the hub's process reads of time, in place of its ``time`` module: one boot's monotonic clock and a wall."""

    def __init__(self) -> None:
        self.boot = 1
        self.wall_ms = START_MS
        self._monotonic_ns = 5_000_000_000

    def monotonic_ns(self) -> int:
        """Return the monotonic clock, which goes on a little whenever it is read."""
        self._monotonic_ns += _HUB_STEP_NS
        return self._monotonic_ns

    def time_ns(self) -> int:
        """Return the wall clock."""
        return self.wall_ms * 1_000_000

    def pass_by(self, hours: int) -> None:
        """Let time go by."""
        self._monotonic_ns += hours * HOUR_MS * 1_000_000

    def reboot(self, hours: int) -> None:
        """Begin a new boot with the wall clock somewhere else; the monotonic clock starts anew."""
        self.boot += 1
        self.wall_ms += hours * HOUR_MS
        self._monotonic_ns = 1_000_000


class PhoneClock:
    """A phone's clock; every reading is another one."""

    def __init__(self, number: int) -> None:
        self._now_ms = START_MS + number * 7_919

    def __call__(self) -> int:
        """Return the time in ms."""
        self._now_ms += 11
        return self._now_ms

    def step(self, hours: int) -> None:
        """Set it forwards or backwards, never to the very millisecond of an earlier reading."""
        self._now_ms += hours * HOUR_MS + 1


class Box(InProcessHub):
    """The hub: a database that stays, and everything else that a restart loses."""

    def __post_init__(self) -> None:
        """Open it; its clinics and people are there already."""
        self._open()


class Station:
    """A phone with its user, its line to the hub and its page in the books."""

    def __init__(self, number: int, box: Box, books: Books) -> None:
        self.box = box
        self.clock = PhoneClock(number)
        self.phone = Phone(
            rng=random.Random(number),
            now_ms=self.clock,
            connect=lambda _url: self.line,
            name=f"phone-{number}",
        )
        self.email = EMAILS[number % len(EMAILS)]
        self.book = PhoneBook(books, box, self.phone)
        self.line = Line(box, self.book)
        self.revoked = False

    def pair(self) -> None:
        """Pair and sign in while pairing is open."""
        pairing.open_for(self.box.store, 1)
        self.phone.pair({"type": "sync_hub", "url": "http://hub"})
        self.phone.login(self.email, PASSWORD)
        pairing.close(self.box.store)

    def reinstall(self, *, keep_client_id: bool) -> None:
        """Empty the phone, pair and sign in again."""
        kept = keep_client_id and not self.revoked
        self.phone.reinstall(keep_client_id=kept)
        self.book.emptied(same_device=kept)
        self.revoked = False
        self.pair()

    def sync(self, fault: Fault = Fault.NONE, *, repeat: bool = False, meanwhile: bool = False) -> SyncOutcome:
        """Sync once; ``meanwhile`` another sync starts and ends while the answer to this one's pull is on its way."""
        with self._faulty(fault, repeat=repeat):
            self.line.meanwhile = self.phone.sync if meanwhile else None
            outcome = self.phone.sync()
        return self._noted(outcome, in_order=not meanwhile)

    def sync_while_editing(self, change: Callable[[], tuple[str, str, str] | None]) -> SyncOutcome:
        """Sync, and change a column while the push is on its way."""
        edited: list[tuple[str, str, str]] = []

        def change_now() -> None:
            place = change()
            if place:
                edited.append(place)

        outcome = self.phone.sync(during_push=change_now)
        for table, record_id, column in edited:
            row = self.phone.store.find(table, record_id)
            if row is not None and column not in str(row["_changed"]).split(","):
                self.book.unsent.add(((table, record_id, column), row[column]))
        return self._noted(outcome)

    def force_upload(self, fault: Fault = Fault.NONE, *, repeat: bool = False) -> SyncOutcome:
        """Send everything, and take the phone's own clock for a cursor."""
        with self._faulty(fault, repeat=repeat):
            outcome = self.phone.force_upload()
        self.book.look()
        return self._explained(outcome)

    def force_download(self) -> SyncOutcome:
        """Pull from the beginning."""
        return self._noted(self.phone.force_download())

    @contextmanager
    def _faulty(self, fault: Fault, *, repeat: bool) -> Iterator[None]:
        self.line.fault, self.line.repeat = fault, repeat
        try:
            yield
        finally:
            self.line.fault, self.line.repeat, self.line.meanwhile = Fault.NONE, False, None

    def _noted(self, outcome: SyncOutcome, *, in_order: bool = True) -> SyncOutcome:
        if outcome.ok:
            self.book.synced(in_order=in_order)
        else:
            self.book.look()
        return self._explained(outcome)

    def _explained(self, outcome: SyncOutcome) -> SyncOutcome:
        if "UNIQUE" in outcome.error:
            assert self.book.deleted_here, outcome.error
        assert "TypeError" not in outcome.error, outcome.error
        return outcome

    def is_asked(self) -> bool:
        """Whether the hub has yet to find out what this phone has."""
        with self.box.store.read() as db:
            device = callers.find(db, self.phone.client_id)
            return device is not None and pull.likely(db, device.num).answers_left() > 0

    def doubtful(self) -> set[tuple[str, str]]:
        """Return the records that the hub could not deliver, be it by bad luck alone, and will try again later."""
        return doubts(self.box.store, self.phone.client_id) - self.book.deleted_here

    def differences(self) -> list[str]:
        """Name everything in which the phone differs from what the hub holds for its user."""
        with self.box.store.read() as db:
            user = users.find(db, f"user-{self.email}")
            assert user is not None
            rights = callers.rights(db, user.id, user.role)
            now = state(self.box.store)
            rows = now.rows
            hidden = {
                key
                for key in rows
                if not access.sees(rights, TABLES[key[0]], owners.find(db, TABLES[key[0]], key[1]).owner)
            }
        found = []
        for (table, record_id), row in rows.items():
            if (table, record_id) in hidden and not row.deleted:
                continue
            here = self.phone.store.find(table, record_id)
            if row.deleted:
                found += [f"{table} {record_id} is deleted, the phone still shows it"] if here else []
            elif here is None:
                found += [] if (table, record_id) in self.book.deleted_here else [f"{table} {record_id} is missing"]
            else:
                found += self._different(table, here, row.data)
        return found + self._unheard_of({record_id for _, record_id in rows} | set(now.quarantined))

    def _different(self, table: str, here: Row, there: dict[str, Value]) -> list[str]:
        record_id = str(here["id"])
        return [
            f"{table} {record_id}: {column} is {here[column]!r}, on the hub {there[column]!r}"
            for column in TABLES[table].by_name
            if column not in UNCOUNTED
            and here[column] != there[column]
            and ((table, record_id, column), here[column]) not in self.book.unsent
        ]

    def _unheard_of(self, known: set[str]) -> list[str]:
        return [
            f"{table} {row['id']} is on the phone alone"
            for table in self.phone.store.names
            for row in self.phone.store.rows(table)
            if str(row["id"]) not in known
        ]


class Clinic:
    """A hub and its phones, from ``with`` to its end."""

    def __init__(self, phones: int, page_bytes: int, *, few: int | None = None) -> None:
        template = Path(_template().name) / "data"
        self._patch = pytest.MonkeyPatch()
        self._scratch = tempfile.TemporaryDirectory(prefix="hikma-hub-", dir=_FAST if _FAST.is_dir() else None)
        data = Path(self._scratch.name) / "data"
        self.clock = BoxClock()
        self._patch.setattr(database, "time", self.clock)
        self._patch.setattr(database, "_boot", lambda: f"boot {self.clock.boot}")
        if few is not None:
            self._patch.setattr(backlog, "_FEW", few)  # a backlog of 4,096 records takes too long to enter by hand
        shutil.copytree(template, data)
        self.box = Box(data, policy=_policy(page_bytes))
        self.books = Books()
        self.stations = [Station(number, self.box, self.books) for number in range(phones)]
        for station in self.stations:
            station.pair()
        self._values = 0

    def __enter__(self) -> Self:
        """Return the clinic."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the hub and throw its data away."""
        self.close()

    def close(self) -> None:
        """Close the hub and throw its data away."""
        self.box.store.close()
        self._patch.undo()
        self._scratch.cleanup()

    def check(self) -> None:
        """Raise AssertionError unless the hub holds what it acknowledged."""
        self.books.check(state(self.box.store))

    def value(self) -> int:
        """Return a number that was never entered before."""
        self._values += 1
        return self._values

    def reboot(self, hours: int) -> None:
        """Cut the hub's power; it wakes up with another wall clock."""
        self.clock.reboot(hours)
        self.box.restart()

    def resize(self, page_bytes: int) -> None:
        """Restart the hub with another budget for its answers."""
        self.box.restart(policy=_policy(page_bytes))

    def allow(self, user: int, clinic: int, *, view: bool) -> None:
        """Return or take a user's right to see a clinic's patients."""
        rights = set(Permission) - (set() if view else {Permission.VIEW})
        with self.box.store.write() as tx:
            users.grant(tx, f"user-{EMAILS[user]}", CLINICS[clinic], rights)

    def revoke(self, station: Station) -> None:
        """Shut a phone out."""
        with self.box.store.write() as tx:
            devices.revoke(tx, station.phone.client_id)
        station.revoked = True

    def settle(self) -> None:
        """Let all phones sync in peace until nothing moves any more; then they must hold what the hub holds."""
        for station in self.stations:
            if station.revoked:
                station.reinstall(keep_client_id=False)
        self._rest()
        for doubling in range(_RETRIES):
            if not any(station.doubtful() for station in self.stations):
                break
            self.clock.pass_by(2**doubling)
            self._rest()
        self.check()
        for station in self.stations:
            assert station.differences() == [], station.phone.name
        unexpected = [entry for entry in quarantine.entries(self.box.store) if entry.reason.code not in _UNSEEN]
        assert unexpected == []

    def _rest(self) -> None:
        """Go on until two rounds moved nothing: an empty answer may come before what is owed."""
        rounds = range(self._rounds())
        assert any(self._at_rest() and self._at_rest() for _ in rounds), f"no rest after {len(rounds)} rounds"

    def _at_rest(self) -> bool:
        """Let every phone sync once; returns whether nothing moved, and nothing is left to be asked."""
        self.clock.pass_by(1)
        outcomes = [station.sync() for station in self.stations]
        is_quiet = all(outcome.ok and not outcome.pulled and not outcome.pushed for outcome in outcomes)
        return is_quiet and not any(station.is_asked() for station in self.stations)

    def _rounds(self) -> int:
        """Return how many rounds it may take: a page holds one record at least, a blocked one takes ten tries."""
        deleted_here = sum(len(station.book.deleted_here) for station in self.stations)
        return 20 + 3 * len(state(self.box.store).rows) + 30 * deleted_here


def _policy(page_bytes: int) -> Policy:
    return msgspec.structs.replace(POLICY, page_bytes=page_bytes, token_days=3650)


@cache
def _template() -> tempfile.TemporaryDirectory[str]:
    """Return a directory with the data of a hub that has clinics and people; made once, copied often."""
    made = tempfile.TemporaryDirectory(prefix="hikma-hub-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "time", BoxClock())
        patch.setattr(database, "_boot", lambda: "boot 0")
        store = Store(Path(made.name) / "data")
        table = TABLES["clinics"]
        with store.write() as tx:
            for clinic in CLINICS:
                record_rows.put(tx, table, codec.build(table, {"id": clinic, "name": clinic}))
        for email in EMAILS:
            user = add_user(store, CLINICS[0], email=email)
            with store.write() as tx:
                for clinic in CLINICS[1:]:
                    users.grant(tx, user.id, clinic, set(Permission))
        store.close()
    return made
