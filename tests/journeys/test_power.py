"""Power cuts: a hub under load is killed without warning, again and again (P1, P2, P9)."""

import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hub.store.database import FILE_NAME, Store
from tests.hubs import EMAIL, NOW_MS, PASSWORD, ServedHub, prepare, row
from tests.simulator.phone import Phone
from tests.simulator.rpc import CallFailedError

WRITERS = 4
ROUNDS = 50
PUSH_RECORDS = 12
"""Records of one push, in three tables: all of them are there, or none."""

_SHORTEST_S, _LONGEST_S = 0.02, 0.5
"""How long the hub works in peace before each cut."""

Names = dict[str, list[str]]


class Writer:
    """A phone that pushes without a pause, and remembers what the hub acknowledged."""

    def __init__(self, number: int, hub: ServedHub) -> None:
        self.phone = Phone(
            rng=random.Random(number),
            now_ms=lambda: NOW_MS,
            connect=hub.connect,
            name=f"phone-{number}",
        )
        self.acknowledged: list[str] = []
        self.unanswered: list[str] = []
        self.refused: list[str] = []
        self.count = 0
        self._number = number
        self._thread: threading.Thread | None = None

    def pair(self) -> None:
        """Pair and sign in: once, whatever happens to the hub."""
        self.phone.pair({"type": "sync_hub", "url": "http://hub"})
        self.phone.login(EMAIL, PASSWORD)

    def begin(self) -> None:
        """Push until the hub is gone."""
        self._thread = threading.Thread(target=self._push_until_it_fails, name=self.phone.name)
        self._thread.start()

    def end(self) -> None:
        """Wait until the hub's death was noticed."""
        assert self._thread is not None
        self._thread.join(60)
        assert not self._thread.is_alive()

    def push(self) -> None:
        """Push a patient with visits and events; raises CallFailedError."""
        self.count += 1
        mark = f"{self._number}-{self.count}"
        self.unanswered.append(mark)
        self.phone.command("sync_push", {"changes": changes_of(mark), "lastPulledAt": 0})
        self.unanswered.remove(mark)
        self.acknowledged.append(mark)

    def _push_until_it_fails(self) -> None:
        try:
            while True:
                self.push()
        except CallFailedError as error:
            if "HTTP" in error.detail:
                self.refused.append(str(error))


def names_of(mark: str) -> Names:
    """Return the ids of a push."""
    return {
        "patients": [f"{mark}-patient"],
        "visits": [f"{mark}-visit-{n}" for n in range(3)],
        "events": [f"{mark}-event-{n}" for n in range(PUSH_RECORDS - 4)],
    }


def changes_of(mark: str) -> dict[str, Any]:
    """Return the change set of a push."""
    patient = f"{mark}-patient"
    values: dict[str, dict[str, Any]] = {
        "patients": {"given_name": "Amal"},
        "visits": {"patient_id": patient},
        "events": {"patient_id": patient, "visit_id": f"{mark}-visit-0", "form_data": "x" * 500},
    }
    return {
        table: {"created": [row(table, name, **values[table]) for name in names], "updated": [], "deleted": []}
        for table, names in names_of(mark).items()
    }


def stored(data: Path) -> Names:
    """Return the ids that the restarted hub's database holds, read beside it."""
    with closing(sqlite3.connect(data / FILE_NAME)) as db:
        return {
            table: [found[0] for found in db.execute(f"SELECT id FROM [{table}]")]
            for table in ("patients", "visits", "events")
        }


def found(names: Names, there: dict[str, set[str]]) -> int:
    """Count how many of ``names`` are there."""
    return sum(name in there[table] for table, ids in names.items() for name in ids)


def check(writers: list[Writer], data: Path) -> None:
    """Raise AssertionError unless every acknowledged push is there, and every other one whole or not at all."""
    there = {table: set(ids) for table, ids in stored(data).items()}
    for writer in writers:
        assert writer.refused == []
        lost = [mark for mark in writer.acknowledged if found(names_of(mark), there) != PUSH_RECORDS]
        assert lost == [], f"acknowledged, and not there: {lost}"
        torn = [mark for mark in writer.unanswered if found(names_of(mark), there) not in {0, PUSH_RECORDS}]
        assert torn == [], f"taken in by halves: {torn}"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_p1_p9_nothing_acknowledged_is_lost_and_no_phone_notices_when_the_hub_is_killed_fifty_times(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    prepare(data)
    hub = ServedHub(data)
    moments = random.Random(1)
    with closing(hub):
        hub.start()
        writers = [Writer(number, hub) for number in range(WRITERS)]
        for writer in writers:
            writer.pair()
        for _ in range(ROUNDS):
            cut = threading.Timer(moments.uniform(_SHORTEST_S, _LONGEST_S), hub.kill)
            for writer in writers:
                writer.begin()
            cut.start()
            cut.join()
            for writer in writers:
                writer.end()
            hub.start()
            check(writers, data)
        for writer in writers:
            writer.push()
        check(writers, data)
    with closing(Store(data)) as store:
        assert store.check(full=True) == []
    pushes = sum(len(writer.acknowledged) for writer in writers)
    print(f"{ROUNDS} cuts, {pushes} pushes acknowledged, {sum(len(w.unanswered) for w in writers)} cut off")
    assert pushes > ROUNDS
