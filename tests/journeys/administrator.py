"""What an administrator does in a cloud to records that a hub has: moves, merges, transfers, and puts backups back."""

import datetime as dt
from typing import Any

from hub.core.cloud.tables import PUSH_ORDER
from tests.services.relay.world import World

_AGE = dt.timedelta(days=1)
"""A backup is older than what pulls bring twice."""
_RECORDS = tuple(table.name for table in PUSH_ORDER)
_STOCK = ("drug_batches", "clinic_inventory")

CloudRow = dict[str, Any]


class Administrator:
    """Works in the cloud's web pages, and keeps its backups."""

    def __init__(self, world: World) -> None:
        self.transferred: dict[str, str] = {}
        """Patient -> the number that the clinic gave to which the patient was transferred."""
        self._world = world
        self._backup: dict[str, list[tuple[Any, ...]]] | None = None

    def rows(self, table: str) -> list[CloudRow]:
        """Return the live rows of the clinic's patients."""
        seed = self._world.seed
        ours = {row["id"] for row in seed.rows("patients") if row["primary_clinic_id"] == self._world.here}
        patient = "id" if table == "patients" else "patient_id"
        return [row for row in seed.rows(table) if row[patient] in ours and not row["is_deleted"]]

    def move(self, which: int, other: int, *, announced: bool) -> None:
        """Put an event into another visit of its patient."""
        events, visits = self.rows("events"), self.rows("visits")
        if not events:
            return
        event = events[which % len(events)]
        same = [visit for visit in visits if visit["patient_id"] == event["patient_id"]]
        if same:
            visit = same[other % len(same)]["id"]
            self._world.seed.edit("events", str(event["id"]), announced=announced, visit_id=visit)
            self._forget_backup_unless(announced)

    def merge(self, which: int, other: int, *, announced: bool) -> None:
        """Merge two patients: all that was one's is the other's, and the one is deleted."""
        patients = self.rows("patients")
        if len(patients) > 1:
            gone = patients.pop(which % len(patients))
            self._world.seed.merge(str(gone["id"]), str(patients[other % len(patients)]["id"]), announced=announced)
            self._forget_backup_unless(announced)

    def transfer(self, which: int, number: str) -> None:
        """Move a patient to the other clinic, which gives a number."""
        patients = self.rows("patients")
        if patients:
            patient = str(patients[which % len(patients)]["id"])
            self._world.seed.edit("patients", patient, primary_clinic_id=self._world.elsewhere, government_id=number)
            self.transferred[patient] = number

    def back_up(self) -> None:
        """Make a backup, in place of the last one."""
        self._backup = self._world.seed.copy()

    def _forget_backup_unless(self, announced: bool) -> None:  # noqa: FBT001
        """What was moved without a new time is in an older backup just as it is now: nobody can tell them apart."""
        if not announced:
            self._backup = None

    def put_back(self) -> bool:
        """Put the last backup back, of a day ago; returns whether there is one."""
        if self._backup is None:
            return False
        seed = self._world.seed
        seed.restore(self._backup, *_RECORDS, *_STOCK)
        then = (dt.datetime.now(dt.UTC) - _AGE).isoformat()
        for table in _RECORDS:
            for row in seed.rows(table):
                seed.edit(table, str(row["id"]), announced=False, last_modified=then)
        return True
