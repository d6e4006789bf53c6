"""A hub with a stand-in cloud beside it, over real HTTP: what phones enter, what cycles do, what each side holds."""

import datetime as dt
import json
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Litestar

from hub.actions.cloud import cycles
from hub.actions.records.changes import Receipt
from hub.core.cloud.link import Link, Progress
from hub.core.reasons import Reason
from hub.core.records.access import Rights
from hub.core.records.tables import TABLES
from hub.services.relay import connect as connecting
from hub.services.relay.cycle import Limits, Report
from hub.services.relay.runner import RelayRules, Runner
from hub.store.cloud import connection, outbox
from hub.store.database import Store
from hub.store.people import users
from hub.store.phones import callers
from tests.hubs import changes, row
from tests.hubs import edit as edited
from tests.simulator.cloud import Fault, Kind, RegisteredHub, Seed, create_app, open_store, running
from tests.simulator.cloud.store import CloudStore
from tests.simulator.rows import Row
from tests.store import pushes

PASSWORD = "correct horse"
RULES = RelayRules(requests_per_minute=10_000)

__all__ = ["PASSWORD", "RULES", "Kind", "World", "changes", "edited", "row", "uid", "world"]


@dataclass
class World:
    """A hub of clinic ``here``. The cloud's first user is an admin of the other clinic, as in the field."""

    app: Litestar
    url: str
    seed: Seed
    store: Store
    hub: RegisteredHub
    here: str
    elsewhere: str
    admin: str
    nurse: str
    form: str
    drug: str
    batch: str
    rules: RelayRules = RULES
    _runners: list[Runner] = field(default_factory=list)

    # Cycles

    def connect(self) -> Link:
        """Connect the hub."""
        return connecting.connect(self.store, self.url, self.hub.api_key, per_minute=RULES.requests_per_minute)

    def try_cycle(self) -> Report:
        """Run a cycle, however it ends."""
        if not self._runners:
            self._runners.append(Runner(self.store, self.rules))
        report = self._runners[0].run()
        assert report is not None
        return report

    def cycle(self) -> Report:
        """Run a cycle that ends well."""
        report = self.try_cycle()
        assert report.outcome.word == "done", (report.outcome, report.detail)
        return report

    def limit(self, **limits: int) -> None:
        """Change what a cycle may use."""
        self.close()
        self.rules = RelayRules(requests_per_minute=10_000, limits=Limits(**limits))

    def close(self) -> None:
        """Close the connection to the cloud."""
        while self._runners:
            self._runners.pop().close()

    def fail(self, kind: Kind, *, times: int = 1, seconds: float = 0, on: str = "") -> None:
        """Let something go wrong with the next requests."""
        self.app.state.cloud.faults.add(Fault(kind=kind, times=times, seconds=seconds, on=on))

    def set_clock(self, days: float) -> None:
        """Set the cloud's clock ahead, or right again."""
        self.app.state.cloud.store.ahead = dt.timedelta(days=days)

    def move_cursor(self, by: dt.timedelta) -> None:
        """Let the last pulls have been earlier, or believed to be later."""
        progress, ms = self.progress(), by // dt.timedelta(milliseconds=1)
        with self.store.write() as tx:
            connection.advance(
                tx, cursor_cloud_ms=progress.cursor_cloud_ms + ms, full_cloud_ms=progress.full_cloud_ms + ms
            )

    def let_pulls_have_failed_for(self, time: dt.timedelta) -> None:
        """Let the first of the pulls that failed have been earlier."""
        since_ms = self.progress().pulls_fail_since_cloud_ms - time // dt.timedelta(milliseconds=1)
        with self.store.write() as tx:
            connection.advance(tx, pulls_fail_since_cloud_ms=since_ms)

    def want_everything(self) -> None:
        """Let the next pull be a full one."""
        cycles.want_everything(self.store)

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self.app.state.cloud.faults.clear()

    # Phones

    def enter(self, table: str, *rows: Row, device: int = 1) -> Receipt:
        """Push rows as a phone."""
        return pushes.push(self.store, changes(table, created=rows), device=device)

    def change(self, table: str, old: Row, *, device: int = 1, **values: Any) -> Row:  # noqa: ANN401
        """Edit a row on a phone and push it; returns what the phone has now."""
        new = edited(old, **values)
        pushes.push(self.store, changes(table, updated=[new]), device=device)
        return new

    def remove(self, table: str, *ids: str) -> None:
        """Delete as a phone."""
        pushes.push(self.store, changes(table, deleted=ids))

    def patient(self, **given: Any) -> Row:  # noqa: ANN401
        """Enter a patient of this clinic."""
        usual = {"given_name": "Layla", "surname": "Haddad", "date_of_birth": "1984-02-29", "additional_data": "{}"}
        usual |= {"metadata": "{}", "primary_clinic_id": self.here, "phone": "0791"}
        return self._entered("patients", usual | given)

    def visit(self, patient: Row | str, **given: Any) -> Row:  # noqa: ANN401
        """Enter a visit."""
        usual = {"clinic_id": self.here, "provider_id": self.nurse, "provider_name": "Pia", "metadata": "{}"}
        return self._entered("visits", {"patient_id": _id(patient), **usual} | given)

    def event(self, visit: Row, **given: Any) -> Row:  # noqa: ANN401
        """Enter an event of a visit."""
        usual = {"patient_id": visit["patient_id"], "visit_id": visit["id"], "form_id": self.form}
        usual |= {"event_type": "Visit", "form_data": '[{"name":"Complaint","value":"cough"}]', "metadata": "{}"}
        return self._entered("events", usual | given)

    def vitals(self, visit: Row, **given: Any) -> Row:  # noqa: ANN401
        """Enter vitals."""
        usual = {"patient_id": visit["patient_id"], "visit_id": visit["id"], "timestamp": 1_800_000_000_000}
        usual |= {"systolic_bp": 120, "weight_kg": 70.255, "metadata": "{}", "recorded_by_user_id": self.nurse}
        return self._entered("patient_vitals", usual | given)

    def problem(self, visit: Row, **given: Any) -> Row:  # noqa: ANN401
        """Enter a problem."""
        usual = {"patient_id": visit["patient_id"], "visit_id": visit["id"], "problem_code_system": "icd11"}
        usual |= {"problem_code": "CA23", "problem_label": "Asthma", "clinical_status": "active"}
        usual |= {"verification_status": "confirmed", "metadata": "{}"}
        return self._entered("patient_problems", usual | given)

    def attribute(self, patient: Row, **given: Any) -> Row:  # noqa: ANN401
        """Enter an additional attribute."""
        usual = {"patient_id": patient["id"], "attribute_id": "insurance", "attribute": "insurance", "metadata": "{}"}
        return self._entered("patient_additional_attributes", usual | given)

    def appointment(self, visit: Row, **given: Any) -> Row:  # noqa: ANN401
        """Enter an appointment."""
        usual = {"patient_id": visit["patient_id"], "current_visit_id": visit["id"], "clinic_id": self.here}
        usual |= {"user_id": self.nurse, "timestamp": 1_800_000_000_000, "duration": 30, "status": "pending"}
        return self._entered("appointments", usual | {"departments": "[]", "metadata": "{}"} | given)

    def prescription(self, visit: Row, **given: Any) -> Row:  # noqa: ANN401
        """Enter a prescription."""
        usual = {"patient_id": visit["patient_id"], "visit_id": visit["id"], "pickup_clinic_id": self.here}
        usual |= {"provider_id": self.nurse, "status": "pending", "priority": "normal", "metadata": "{}"}
        return self._entered("prescriptions", usual | {"prescribed_at": 1_800_000_000_000} | given)

    def item(self, prescription: Row, **given: Any) -> Row:  # noqa: ANN401
        """Enter a prescription item."""
        usual = {"patient_id": prescription["patient_id"], "prescription_id": prescription["id"]}
        usual |= {"drug_id": self.drug, "clinic_id": self.here, "quantity_prescribed": 21, "metadata": "{}"}
        return self._entered("prescription_items", usual | given)

    def dispensing(self, item: Row, **given: Any) -> Row:  # noqa: ANN401
        """Enter a dispensing record."""
        usual = {"patient_id": item["patient_id"], "prescription_item_id": item["id"], "clinic_id": self.here}
        usual |= {"drug_id": self.drug, "dispensed_by": self.nurse, "quantity_dispensed": 5, "metadata": "{}"}
        return self._entered("dispensing_records", usual | {"dispensed_at": 1_800_000_000_000} | given)

    def _entered(self, table: str, values: dict[str, Any]) -> Row:
        made = row(table, str(values.pop("id", uid())), **values)
        self.enter(table, made)
        return made

    # What each side holds

    def here_is(self, table: str, row_id: str) -> dict[str, Any]:
        """Return a record as the hub holds it."""
        return pushes.kept(self.store, table, row_id)

    def there_is(self, table: str, row_id: str) -> dict[str, Any]:
        """Return a row as the cloud holds it."""
        found = self.seed.row(table, row_id)
        assert found is not None, f"{table} {row_id} is not in the cloud"
        return found

    def is_there(self, table: str, row_id: str) -> bool:
        """Return whether the cloud has a row."""
        return self.seed.row(table, row_id) is not None

    def where(self, table: str, made: Row) -> str:
        """Return where a record is: hub, sent or cloud."""
        with self.store.read() as db:
            found = outbox.find(db, table, str(made["id"]))
        if found is None:
            return "nowhere"
        entry = found[1]
        return "cloud" if entry is None else "sent" if entry.is_sent else "hub"

    def waiting(self) -> dict[str, int]:
        """Count what waits, was sent, is missed and is held back."""
        with self.store.read() as db:
            return outbox.counts(db, connection.progress(db).pulls)

    def reasons(self) -> list[Reason]:
        """Return why records wait or are held back."""
        with self.store.read() as db:
            return [cause.reason for cause in outbox.causes(db)]

    def revisions(self) -> dict[tuple[str, str], int]:
        """Return the revision of every record: what a phone would be sent again."""
        with self.store.read() as db:
            return {
                (table, record_id): revision
                for table in TABLES
                for record_id, revision in db.execute(f"SELECT id, local_server_last_modified FROM [{table}]")
            }

    def progress(self) -> Progress:
        """Return how far the relay is."""
        with self.store.read() as db:
            return connection.progress(db)

    def rights_of(self, user_id: str) -> Rights:
        """Return what a user may do on the hub."""
        with self.store.read() as db:
            user = users.find(db, user_id)
            assert user is not None
            return callers.rights(db, user.id, user.role)

    def text(self) -> str:
        """Return everything that is in the hub's database, as text."""
        with self.store.read() as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return "\n".join(str(each) for name in tables for each in db.execute(f"SELECT * FROM [{name}]").fetchall())


def uid() -> str:
    """Return a new id."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Organisation:
    """What a cloud holds at the beginning."""

    hub: RegisteredHub
    here: str
    elsewhere: str
    admin: str
    nurse: str
    form: str
    drug: str
    batch: str


def small(kept: CloudStore) -> Organisation:
    """Put two clinics into a cloud, with one user each."""
    seed = Seed(kept)
    elsewhere, here = seed.clinic("Green Valley"), seed.clinic("Al Noor")
    admin = seed.user("Amal Admin", "admin@test", PASSWORD, clinic=elsewhere, role="admin")
    nurse = seed.user("Pia Provider", "pia@test", PASSWORD, clinic=here)
    seed.permissions(nurse, here, can_register_patients=True, can_view_history=True, can_edit_records=True)
    form, drug = seed.event_form("General visit"), seed.drug("Amoxicillin")
    batch = seed.stock(here, drug, 200)
    return Organisation(seed.hub("hub-1", here), here, elsewhere, admin, nurse, form, drug, batch)


Organise = Callable[[CloudStore], Organisation]


@cache
def _template(organise: Organise) -> tuple[tempfile.TemporaryDirectory[str], Organisation]:
    """Return a directory with an organisation in a cloud, and an empty hub; made once, copied often."""
    made = tempfile.TemporaryDirectory(prefix="hikma-relay-")
    kept = open_store(Path(made.name) / "cloud")
    organisation = organise(kept)
    kept.close()
    Store(Path(made.name) / "hub").close()
    return made, organisation


@contextmanager
def world(
    folder: Path,
    *,
    time_zone: str = "UTC",
    connected: bool = True,
    organise: Organise = small,
    postgres: str = "",
    **options: int,
) -> Iterator[World]:
    """Set up an organisation and a hub of it.

    postgres: an empty database for the cloud, in place of a SQLite file.
    """
    if postgres:
        kept = open_store(postgres)
        organisation = organise(kept)
    else:
        template, organisation = _template(organise)
        shutil.copytree(template.name, folder, dirs_exist_ok=True)
        kept = open_store(folder / "cloud")
    app = create_app(kept, time_zone=time_zone, **{"rate_limit": 100_000, **options})  # type: ignore[arg-type]
    store = Store(folder / "hub")
    with running(app) as url:
        given = {name: getattr(organisation, name) for name in organisation.__dataclass_fields__}
        made = World(app=app, url=url, seed=Seed(kept), store=store, **given)
        if connected:
            made.connect()
        try:
            yield made
        finally:
            made.close()
            made.store.close()
    kept.close()


def _id(of: Row | str) -> str:
    return of if isinstance(of, str) else str(of["id"])


def loads(text: Any) -> Any:  # noqa: ANN401
    """Read JSON."""
    return json.loads(text)
