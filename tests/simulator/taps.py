"""Counts the taps until a phone has everything: ``python -m tests.simulator.taps`` prints the table of the README.

One tap is one sync. A patient is shown *in part* while the phone has some of the patient's records and not all, and as
a *name alone* while it has none of them though there are some.
"""

import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hub.actions.phones import devices, push
from hub.actions.phones.push import Source, TableChanges
from hub.core.phone.page_size import MIB
from hub.core.records.tables import TABLES
from hub.store.phones import callers
from hub.store.records.record_rows import HUB
from tests.hubs import EMAIL, PASSWORD, POLICY, InProcessHub
from tests.simulator import outgoing
from tests.simulator.clinic import Clinic, Provider
from tests.simulator.nurse import Nurse
from tests.simulator.phone import Phone
from tests.simulator.rows import Row

MANY, SOME = 42_000, 10_000
DELETIONS = (1, 3, 30)
TAPS_MAX = 400
_VISIT_MS = 400_000
_START_MS = 1_700_000_000_000


@dataclass(frozen=True, slots=True)
class Taps:
    """What a phone went through until it had everything."""

    story: str
    records: int
    taps: int
    failed: int
    pulled: int
    names: int
    in_part: int
    """Patients that were shown so after some tap, at most."""
    is_complete: bool

    def line(self) -> str:
        """Write it as a row of the table."""
        taps = str(self.taps) if self.is_complete else f"more than {self.taps}"
        numbers = (f"{number:,}" for number in (self.failed, self.pulled, self.names, self.in_part))
        return f"| {self.story} | {self.records:,} | {taps} | {' | '.join(numbers)} |"


class Past:
    """A clinic's records, made by a nurse over the years, and any number of hubs that have them."""

    def __init__(self, folder: Path, records: int, *, page_bytes: int = 8 * MIB) -> None:
        self._folder = folder
        self._policy = msgspec.structs.replace(POLICY, page_bytes=page_bytes)
        self._now_ms = _START_MS
        self._rng = random.Random(1)
        self._made = Phone(rng=random.Random(2), now_ms=lambda: self._now_ms)
        self.hub = self._new("hub")
        clinic = Clinic(1, clinic_id=self.hub.clinic_id)
        self._nurse = Nurse(self._made, clinic, Provider(self.hub.user.id, "Amal"), self._rng, lambda: self._now_ms)
        self.work(records)

    def work(self, records: int) -> None:
        """Enter so many more records, and bring them to the hub."""
        wanted = self.count() + records
        patients = [str(row["id"]) for row in self._made.store.rows("patients")]
        while self.count() < wanted:
            self._now_ms += _VISIT_MS
            if not patients or self._rng.random() < 0.3:
                self._nurse.register()
                patients.append(list(self._made.store.table("patients"))[-1])
            else:
                self._nurse.see(self._made.store.table("patients")[self._rng.choice(patients[-3000:])])
        changes = outgoing.local_changes(self._made.store)
        self._push(self.hub, changes)
        outgoing.mark_synced(self._made.store, changes, self._now_ms)

    def count(self) -> int:
        """Count the records."""
        return sum(len(self._made.store.table(name)) for name in self._made.store.names)

    def phone(self, seed: int) -> Phone:
        """Return a new phone at the hub."""
        return self.hub.phone(seed, now_ms=lambda: self._now_ms)

    def another_hub(self, name: str) -> InProcessHub:
        """Return a hub of the same cloud, which has the same records and knows no phone."""
        other = self._new(name)
        self._push(other, outgoing.changes_since(self._made.store, 0))
        return other

    def follow(self, story: str, phone: Phone, hub: InProcessHub | None = None, most: int = TAPS_MAX) -> Taps:
        """Let a phone sync once a minute until it has everything, and the hub knows it."""
        hub = hub or self.hub
        failed = pulled = names = in_part = taps = 0
        wanted = self._histories(self._made)
        complete = False
        while not complete and taps < most:
            outcome = phone.sync()
            taps += 1
            failed += not outcome.ok
            pulled += outcome.pulled if outcome.ok else 0
            has = self._histories(phone)
            shown = [row["id"] for row in phone.store.rows("patients")]
            names = max(names, sum(1 for patient in shown if wanted[patient] and not has[patient]))
            in_part = max(in_part, sum(1 for patient in shown if 0 < has[patient] < wanted[patient]))
            complete = outcome.ok and not outcome.pulled and has == wanted and not _behind(hub, phone)
            _minute_passes(hub)
        return Taps(story, self.count(), taps - 1, failed, pulled, names, in_part, complete)

    def close(self) -> None:
        """Close the hub."""
        self.hub.close()

    def _new(self, name: str) -> InProcessHub:
        return InProcessHub(self._folder / name, policy=self._policy)

    def _push(self, hub: InProcessHub, changes: Mapping[str, Mapping[str, Sequence[Row]]]) -> None:
        with hub.store.write() as tx:
            rights = callers.rights(tx.db, hub.user.id, hub.user.role)
            rows = {
                name: TableChanges(
                    created=[msgspec.Raw(msgspec.json.encode(row)) for row in (*part["created"], *part["updated"])]
                )
                for name, part in changes.items()
            }
            push.take(tx, rows, Source(HUB, rights))

    @staticmethod
    def _histories(phone: Phone) -> Counter[object]:
        """Count each patient's records, deleted ones too: of those the phone knows."""
        found: Counter[object] = Counter()
        for table in TABLES.values():
            if table.patient and table.name in phone.store.names:
                found.update(row["patient_id"] for row in phone.store.table(table.name).values())
        return found


def report(folder: Path, many: int = MANY, some: int = SOME) -> Iterator[Taps]:
    """Tell the stories."""
    past = Past(folder / "many", many)
    phone = past.phone(3)
    yield past.follow("a new phone", phone)
    past.work(many // 5)
    yield past.follow("six months away", phone)
    again = past.phone(4)
    again.client_id = phone.client_id
    yield past.follow("the app installed anew", _moved(again, past.hub))
    past.close()
    past = Past(folder / "wide", many, page_bytes=16 * MIB)
    yield past.follow("a new phone that can take 16 MB", past.phone(3))
    past.close()
    yield from _other_hubs(folder / "some", some)


def _other_hubs(folder: Path, some: int) -> Iterator[Taps]:
    past = Past(folder, some)
    phone, home = past.phone(3), past.hub
    past.follow("", phone)
    other = past.another_hub("other")
    yield past.follow("a visit to another hub", _moved(phone, other), other)
    yield past.follow("... and back", _moved(phone, home))
    for count in DELETIONS:
        deleting = past.phone(10 + count)
        past.follow("", deleting)
        for row_id in random.Random(count).sample(list(deleting.store.table("events")), count):
            deleting.delete_locally("events", row_id)
        new = past.another_hub(f"new-{count}")
        yield past.follow(f"a replacement hub, {count} deleted on the phone", _moved(deleting, new), new)
        new.close()
    other.close()
    past.close()


def _behind(hub: InProcessHub, phone: Phone) -> int:
    return sum(found.behind for found in devices.every(hub.store) if found.device.client_id == phone.client_id)


def _minute_passes(hub: InProcessHub) -> None:
    clock = hub.store._clock
    hub.store._clock = msgspec.structs.replace(clock, anchor_ms=clock.anchor_ms + 60_000)


def _moved(phone: Phone, hub: InProcessHub) -> Phone:
    """Take a phone to a hub."""
    phone._connect = hub.connect
    phone.pair({"type": "sync_hub", "url": "http://hub"})
    phone.login(EMAIL, PASSWORD)
    return phone


def main() -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp())
    sys.stdout.write(
        "| a phone | records | taps | failed | pulled | names alone | in part |\n|---|---|---|---|---|---|---|\n"
    )
    try:
        for taps in report(folder):
            sys.stdout.write(taps.line() + "\n")
            sys.stdout.flush()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
