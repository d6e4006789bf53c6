"""Phones, a hub, a cloud and another hub, in any order and over a line that breaks: in the end all hold the same.

Every acknowledged record is in the cloud, or deleted, or in quarantine with a reason; none is there twice (R1 to R8).
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from hub.core import cloud_forms
from hub.core.cloud_tables import PUSH_ORDER, UNCOMPARED, keeping
from hub.core.tables import TABLES
from hub.demo.rows import Row
from hub.store import departures
from hub.store.database import Store
from tests.hubs import changes
from tests.services.relay import world as worlds
from tests.services.relay.world import Kind, World
from tests.store import pushes

WHICH = st.integers(0, 30)
DEVICE = st.integers(1, 3)
EDITED = {
    "patients": ("phone", "hometown"),
    "visits": ("provider_name",),
    "events": ("event_type",),
    "patient_vitals": ("bp_position",),
    "patient_problems": ("problem_label",),
    "patient_additional_attributes": ("string_value",),
    "appointments": ("reason",),
}
TABLE = st.sampled_from(sorted(EDITED))
FAULT = st.sampled_from([Kind.DROP, Kind.LOSE, Kind.CUT, Kind.ERROR_500, Kind.HTML, Kind.TOO_MANY])
WHERE = st.sampled_from(["verify", "pull", "push", ""])


class Relay(RuleBasedStateMachine):
    """What may happen between a clinic and its cloud."""

    world: World

    @initialize(batch=st.sampled_from([10, 500]))
    def open(self, batch: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hikma-relay-"))
        self.context = worlds.world(self.folder)
        self.world = self.context.__enter__()
        self.world.limit(batch_records=batch)
        self.world.cycle()
        self.made: dict[str, list[Row]] = {table: [] for table in EDITED}
        self.poison: set[str] = set()
        self.values = 0
        self.pulled: dict[str, dict[str, object]] = {}
        """What another hub has of each table."""
        self.allowed: dict[tuple[str, str, str], set[str]] = {}
        """What a column may hold in the end: the last edit here, or what was entered there after it."""

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.world.heal()
            self.settle()
            self.check()
        finally:
            self.context.__exit__(None, None, None)
            shutil.rmtree(self.folder)

    # Work

    @rule(device=DEVICE)
    def a_patient_comes(self, device: int) -> None:
        del device
        self.made["patients"].append(self.world.patient(phone=self.value()))

    @rule(which=WHICH)
    def a_visit(self, which: int) -> None:
        if patient := self.one("patients", which):
            self.made["visits"].append(self.world.visit(patient, provider_name=self.value()))

    @rule(which=WHICH, kind=st.sampled_from(["event", "vitals", "problem", "appointment"]))
    def a_record(self, which: int, kind: str) -> None:
        if visit := self.one("visits", which):
            table = {"event": "events", "appointment": "appointments"}.get(kind, f"patient_{kind}")
            table = "patient_problems" if kind == "problem" else table
            self.made[table].append(getattr(self.world, kind)(visit))

    @rule(which=WHICH)
    def an_attribute(self, which: int) -> None:
        if patient := self.one("patients", which):
            made = self.world.attribute(patient, attribute_id=self.value(), string_value=self.value())
            self.made["patient_additional_attributes"].append(made)

    @rule(which=WHICH)
    def a_poison_record(self, which: int) -> None:
        if patient := self.one("patients", which):
            made = self.world.problem({"id": None, "patient_id": patient["id"]}, problem_code="x" * 200)
            self.poison.add(str(made["id"]))

    @rule(table=TABLE, which=WHICH, device=DEVICE, column=st.integers(0, 1), later=st.integers(-5, 5))
    def a_phone_edits(self, table: str, which: int, device: int, column: int, later: int) -> None:
        """Edit what the hub holds, by a clock that may be behind or ahead."""
        if made := self.one(table, which):
            name = EDITED[table][column % len(EDITED[table])]
            here = self.world.here_is(table, str(made["id"]))
            ms = int(here["updated_at"]) + later * 1000 + 1
            value = self.value()
            self.world.change(table, here, device=device, **{name: value, "updated_at": ms})
            if self.world.here_is(table, str(made["id"]))[name] == value:
                self.allowed[table, str(made["id"]), name] = {value}

    @rule(table=st.sampled_from(["patients", "visits", "events"]), which=WHICH)
    def a_delete(self, table: str, which: int) -> None:
        if made := self.one(table, which):
            self.world.remove(table, str(made["id"]))

    # The cloud

    @rule(table=TABLE, which=WHICH)
    def another_hub_pulls(self, table: str, which: int) -> None:
        made = self.one(table, which)
        row = self.world.seed.row(table, str(made["id"])) if made else None
        if row:
            self.pulled[table] = row

    @rule(table=TABLE, column=st.integers(0, 1))
    def another_hub_edits(self, table: str, column: int) -> None:
        """It pushes the whole row as it pulled it, perhaps long ago, with one column changed."""
        row = self.pulled.get(table)
        row_id = str(row["id"]) if row else ""
        now = self.world.seed.row(table, row_id) if row else None
        if row is None or now is None or now["is_deleted"]:
            return
        name = EDITED[table][column % len(EDITED[table])]
        stood = self.world.where(table, row)  # type: ignore[arg-type]
        edited = {**row, name: self.value(), "updated_at": f"2027-01-01T00:00:{self.values % 60:02}.000Z"}
        self.world.seed.push_as(self.world.hub, changes(table, updated=[edited]))
        if (self.world.seed.row(table, row_id) or {})[name] != edited[name]:
            return
        for each in EDITED[table]:
            # What the hub has sent and seen there is the cloud's to change; what it has not seen it will mend.
            if each == name or stood == "cloud":
                place = (table, row_id, each)
                self.allowed.setdefault(place, {str(now[each])}).add(str(edited[each]))

    @rule(which=WHICH)
    def a_deletion_there(self, which: int) -> None:
        made = self.one("visits", which)
        if made and self.world.is_there("visits", str(made["id"])):
            self.world.seed.push_as(self.world.hub, changes("visits", deleted=[made["id"]]))

    @rule()
    def the_hub_gets_another_clinic(self) -> None:
        clinics = [self.world.here, self.world.elsewhere]
        self.world.seed.edit("devices", self.world.hub.id, clinic_ids=clinics)

    # The relay

    @rule()
    def a_cycle(self) -> None:
        self.world.try_cycle()

    @rule(kind=FAULT, on=WHERE, times=st.integers(1, 4))
    def something_breaks(self, kind: Kind, on: str, times: int) -> None:
        self.world.fail(kind, times=times, on=on, seconds=1)

    @rule(kind=FAULT, on=WHERE)
    def a_cycle_breaks(self, kind: Kind, on: str) -> None:
        self.world.fail(kind, times=2, on=on, seconds=1)
        self.world.try_cycle()
        self.world.heal()

    @rule()
    def the_power_fails(self) -> None:
        data = self.world.store.path.parent
        self.world.close()
        self.world.store.close()
        self.world.store = Store(data)

    # In the end

    def settle(self) -> None:
        """Let cycles run until nothing moves; the faults are over."""
        for _ in range(16):
            done = self.world.try_cycle().outcome.word == "done"
            with self.world.store.write() as tx:
                departures.release(tx)  # as a person would; the poison comes back
            self.world.try_cycle()
            counts = self.world.waiting()
            if done and not counts["sent"] and not counts["waiting"]:
                return
        raise AssertionError((self.world.waiting(), self.world.reasons()))

    def check(self) -> None:
        quarantined = self.quarantined()
        assert self.poison <= quarantined | self.tombstones("patient_problems"), "a poison record is not shown"
        for table in PUSH_ORDER:
            there = {str(row["id"]): row for row in self.world.seed.rows(table.name)}
            live = pushes.live(self.world.store, table.name)
            for row_id in live - self.poison:
                assert row_id in there, f"{table.name} {row_id} is not in the cloud"
                assert not there[row_id]["is_deleted"], f"{table.name} {row_id} is deleted there and lives here"
                self.check_same(table.name, self.world.here_is(table.name, row_id), there[row_id])
            for row_id in self.tombstones(table.name) & there.keys():
                assert there[row_id]["is_deleted"], f"{table.name} {row_id} lives there and is deleted here"
        for (table_name, row_id, column), allowed in self.allowed.items():
            if row_id in pushes.live(self.world.store, table_name):
                held = self.world.here_is(table_name, row_id)[column]
                assert held in allowed, f"{table_name} {row_id} {column} holds {held}, not one of {allowed}"
        for table_name, rows in self.made.items():
            kept = pushes.live(self.world.store, table_name) | self.tombstones(table_name)
            assert {str(row["id"]) for row in rows} <= kept, "acknowledged and lost"

    def check_same(self, table_name: str, here: dict[str, Any], there: dict[str, Any]) -> None:
        table = TABLES[table_name]
        cloud = cloud_forms.read(table, there).record
        for column in table.columns:
            if column.name in UNCOMPARED or column.name in keeping(table).dropped | keeping(table).once:
                continue
            one, other = here[column.name], cloud.get(column.name)
            assert cloud_forms.same(table, column, one, other), (table_name, column.name, one, other)

    def one(self, table: str, which: int) -> Row | None:
        """Give a live record that was made here."""
        live = pushes.live(self.world.store, table)
        rows = [row for row in self.made[table] if row["id"] in live]
        return rows[which % len(rows)] if rows else None

    def value(self) -> str:
        """Give a text that was never entered before."""
        self.values += 1
        return f"value {self.values}"

    def tombstones(self, table: str) -> set[str]:
        return pushes.tombstones(self.world.store, table)

    def quarantined(self) -> set[str]:
        with self.world.store.read() as db:
            return {row[0] for row in db.execute("SELECT record_id FROM quarantine")}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_hub_and_cloud_agree_in_the_end() -> None:
    run_state_machine_as_test(
        Relay,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
