"""Phones, a hub, a cloud and another hub, in any order and over lines that break: in the end all hold the same.

Every acknowledged record is in the cloud, or deleted, or in quarantine with a reason; none is there twice (R1 to R8).
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from hub.core.phone import doubt
from hub.core.reasons import Code
from hub.core.records import dates
from tests.hubs import changes
from tests.journeys.administrator import Administrator
from tests.journeys.region import Lost, Region, Station
from tests.services.relay.world import Kind, uid
from tests.simulated.cloud.postgres import cluster
from tests.simulator.cloud.tables import CREATION_ORDER
from tests.simulator.cloud.values import Refused
from tests.simulator.rows import Row, Values
from tests.store import pushes

WHO = st.integers(0, 2)
WHICH = st.integers(0, 40)
EDITED = {
    "patients": ("phone", "hometown"),
    "visits": ("provider_name",),
    "events": ("event_type",),
    "patient_vitals": ("bp_position",),
    "patient_problems": ("problem_label",),
    "patient_additional_attributes": ("string_value",),
    "appointments": ("reason",),
    "prescription_items": ("notes",),
}
TABLE = st.sampled_from(sorted(EDITED))
FAULT = st.sampled_from([Kind.DROP, Kind.LOSE, Kind.CUT, Kind.ERROR_500, Kind.HTML, Kind.TOO_MANY, Kind.SLOW])
WHERE = st.sampled_from(["verify", "pull", "push", ""])
POISON: dict[str, Values] = {
    "patient_problems": {"problem_code": "x" * 200},
    "patient_vitals": {"bp_position": "x" * 60},
}
ZONE = st.sampled_from(["UTC", "Asia/Damascus", "America/St_Johns", "Etc/GMT+12", "Pacific/Kiritimati"])
CLOUD_ZONE = st.sampled_from(["UTC", "Asia/Damascus", "America/New_York"])
DELETED_THERE = {Code.DELETED_IN_CLOUD, Code.PARENT_DELETED_IN_CLOUD}
SLOW_S = 0.05
COPIES_MAX = 3
Place = tuple[str, str, str]
"""Table, id, column."""


class Relay(RuleBasedStateMachine):
    """What may happen between a clinic and its cloud."""

    postgres = ""
    region_type = Region
    region: Region

    @initialize(
        phones=st.integers(1, 3),
        batch=st.sampled_from([10, 500]),
        page=st.sampled_from([20_000, 1_000_000]),
        zone=ZONE,
        cloud_zone=CLOUD_ZONE,
    )
    def open(self, phones: int, batch: int, page: int, zone: str, cloud_zone: str) -> None:
        self.region = self.region_type(
            phones=phones, batch=batch, page_bytes=page, postgres=self.postgres, zone=zone, cloud_zone=cloud_zone
        )
        self.world = self.region.world
        self.administrator = Administrator(self.world)
        self.days: dict[str, str] = {}
        """Problem -> the day that was picked for its onset."""
        self.poison: set[str] = set()
        self.values = 0
        self.edits: list[tuple[Station, Place, str]] = []
        """What was entered on a phone and not pushed yet."""
        self.pulled: dict[str, dict[str, Any]] = {}
        """What another hub has of each table."""
        self.allowed: dict[Place, set[str]] = {}
        """What a column may hold in the end: the last edit here, or what was entered there after it."""
        self.filled: dict[tuple[str, str], dict[str, float]] = {}
        """What phones filled a field of a patient with, each as a row of its own, and when by their clocks."""
        self.edited_at: dict[str, float] = {}
        """When, by the clock of its phone, an edit was made, by its value."""

    def teardown(self) -> None:
        if not hasattr(self, "region"):
            return
        try:
            self.world.heal()
            self.world.want_everything()
            for station in self.region.stations:
                self.sync(station, Lost.NOTHING)
            self.region.settle()
            self.check()
        finally:
            self.region.close()

    # On the phones

    @rule(who=WHO, sync=st.booleans())
    def a_patient_comes(self, *, who: int, sync: bool) -> None:
        self.station(who).nurse.register()
        self.sync_if(who, sync=sync)

    @rule(who=WHO, which=WHICH, sync=st.booleans())
    def a_patient_is_seen(self, *, who: int, which: int, sync: bool) -> None:
        if patient := self.shown(who, "patients", which):
            self.station(who).nurse.see(patient)
        self.sync_if(who, sync=sync)

    @rule(who=WHO, which=WHICH, field=st.integers(0, 2))
    def a_field_is_filled_in(self, who: int, which: int, field: int) -> None:
        """Two phones may do so for the same field: the cloud keeps one row of them."""
        if patient := self.shown(who, "patients", which):
            phone, value = self.station(who).phone, self.value()
            known = {"patient_id": patient["id"], "attribute_id": f"own-{field}", "attribute": "own"}
            made = phone.create("patient_additional_attributes", {**known, "string_value": value})
            field_of = str(known["patient_id"]), str(known["attribute_id"])
            self.filled.setdefault(field_of, {})[value] = float(str(made["updated_at"]))

    @rule(who=WHO, which=WHICH, table=st.sampled_from(sorted(POISON)))
    def a_poison_record(self, who: int, which: int, table: str) -> None:
        if visit := self.shown(who, "visits", which):
            station = self.station(who)
            make = {"patient_problems": self.region.clinic.problem, "patient_vitals": self.region.clinic.vitals}[table]
            values = make(str(visit["patient_id"]), str(visit["id"]), 1_795_000_000_000, station.by)
            self.poison.add(str(station.phone.create(table, {**values, **POISON[table]})["id"]))

    @rule(who=WHO, table=TABLE, which=WHICH, column=st.integers(0, 1), sync=st.booleans())
    def an_edit(self, *, who: int, table: str, which: int, column: int, sync: bool) -> None:
        if row := self.shown(who, table, which):
            name, value = EDITED[table][column % len(EDITED[table])], self.value()
            phone = self.station(who).phone
            phone.edit(table, str(row["id"]), {name: value})
            self.edited_at[value] = float(str(phone.store.table(table)[str(row["id"])]["updated_at"]))
            self.edits.append((self.station(who), (table, str(row["id"]), name), value))
        self.sync_if(who, sync=sync)

    @rule(who=WHO, table=st.sampled_from(["patients", "visits", "events"]), which=WHICH)
    def a_delete(self, who: int, table: str, which: int) -> None:
        if row := self.shown(who, table, which):
            self.station(who).phone.soft_delete(table, str(row["id"]))

    @rule(who=WHO, which=WHICH, day=st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), hour=st.integers(0, 23))
    def a_day_is_picked(self, who: int, which: int, day: dt.date, hour: int) -> None:
        """The app stores it as a moment of this day, at the time of day at which it was picked."""
        if visit := self.shown(who, "visits", which):
            station = self.station(who)
            moment = dt.datetime.combine(day, dt.time(hour, 30), self.region.zone)
            values = self.region.clinic.problem(
                str(visit["patient_id"]), str(visit["id"]), 1_795_000_000_000, station.by
            )
            onset_ms = (moment - dates.EPOCH) // dt.timedelta(milliseconds=1)
            made = station.phone.create("patient_problems", {**values, "onset_date": onset_ms})
            self.days[str(made["id"])] = day.isoformat()

    @rule(who=WHO, which=WHICH, quantity=st.integers(1, 9))
    def a_drug_is_handed_out(self, who: int, which: int, quantity: int) -> None:
        item, station = self.shown(who, "prescription_items", which), self.station(who)
        for stock in station.phone.store.rows("clinic_inventory") if item else ():
            if item and stock["drug_id"] == item["drug_id"]:
                station.nurse.hand_out(item, stock, quantity)

    @rule(who=WHO)
    def a_phone_is_copied(self, who: int) -> None:
        """A backup of it is put onto a further phone, with what it has yet to push: they take turns under one id."""
        station = self.station(who)
        if self.region.copies == COPIES_MAX:
            return
        copy = self.region.copy(station)
        self.edits += [(copy, place, value) for at, place, value in self.edits if at is station]

    @rule(who=WHO, lost=st.sampled_from(Lost))
    def a_sync(self, who: int, lost: Lost) -> None:
        self.sync(self.station(who), lost)

    @rule(who=WHO, hours=st.sampled_from([-30, -1, 1, 30]))
    def a_clock_is_set(self, who: int, hours: int) -> None:
        self.station(who).step(hours)

    # In the cloud

    @rule(table=TABLE, which=WHICH)
    def another_hub_pulls(self, table: str, which: int) -> None:
        rows = self.there(table)
        if rows:
            self.pulled[table] = rows[which % len(rows)]

    @rule(table=TABLE, column=st.integers(0, 1))
    def another_hub_edits(self, table: str, column: int) -> None:
        """It pushes the whole row as it pulled it, perhaps long ago, with one column changed.

        The cloud refuses a field that was moved to another patient meanwhile: it knows it by its patient and its id.
        """
        row = self.pulled.get(table)
        row_id = str(row["id"]) if row else ""
        now = self.world.seed.row(table, row_id) if row else None
        if row is None or now is None or now["is_deleted"]:
            return
        name = EDITED[table][column % len(EDITED[table])]
        stood = self.world.where(table, row)
        edited = {**row, name: self.value(), "updated_at": f"2027-01-01T00:00:{self.values % 60:02}.000Z"}
        try:
            self.world.seed.push_as(self.world.hub, changes(table, updated=[edited]))
        except Refused:
            return
        if (self.world.seed.row(table, row_id) or {})[name] != edited[name]:
            return
        for each in EDITED[table]:
            # What the hub has sent and seen there is the cloud's to change; what it has not seen it will mend.
            if each == name or stood == "cloud":
                place = (table, row_id, each)
                self.allowed.setdefault(place, {str(now[each] or "")}).add(str(edited[each] or ""))

    @rule()
    def another_hub_registers(self) -> None:
        patient = {"id": uid(), "given_name": self.value(), "primary_clinic_id": self.world.here}
        visit = {"id": uid(), "patient_id": patient["id"], "clinic_id": self.world.here}
        self.world.seed.push_as(self.world.hub, {**changes("patients", created=[patient])})
        self.world.seed.push_as(self.world.hub, {**changes("visits", created=[visit])})

    @rule(which=WHICH, table=st.sampled_from(["patients", "visits", "events"]))
    def a_deletion_there(self, which: int, table: str) -> None:
        if rows := self.there(table):
            deleted = changes(table, deleted=[rows[which % len(rows)]["id"]])
            self.world.seed.push_as(self.world.hub, deleted)

    @rule(which=WHICH, other=WHICH, announced=st.booleans())
    def an_event_is_moved_there(self, *, which: int, other: int, announced: bool) -> None:
        self.administrator.move(which, other, announced=announced)

    @rule(which=WHICH, other=WHICH, announced=st.booleans())
    def two_patients_are_merged_there(self, *, which: int, other: int, announced: bool) -> None:
        self.administrator.merge(which, other, announced=announced)

    @rule(which=WHICH)
    def a_patient_is_transferred_there(self, which: int) -> None:
        self.administrator.transfer(which, self.value())

    @rule()
    def the_cloud_is_backed_up(self) -> None:
        self.administrator.back_up()

    @rule()
    def a_backup_is_put_back_there(self) -> None:
        self.administrator.put_back()
        self.world.want_everything()

    @rule(both=st.booleans())
    def the_hub_gets_or_loses_another_clinic(self, *, both: bool) -> None:
        clinics = [self.world.here, self.world.elsewhere] if both else [self.world.here]
        self.world.seed.edit("devices", self.world.hub.id, clinic_ids=clinics)

    # The relay

    @rule()
    def a_cycle(self) -> None:
        self.world.try_cycle()

    @rule(kind=FAULT, on=WHERE, times=st.integers(1, 4))
    def something_will_break(self, kind: Kind, on: str, times: int) -> None:
        self.world.fail(kind, times=times, on=on, seconds=SLOW_S if kind is Kind.SLOW else 1)

    @rule(kind=FAULT, on=WHERE)
    def a_cycle_breaks(self, kind: Kind, on: str) -> None:
        self.world.fail(kind, times=2, on=on, seconds=SLOW_S if kind is Kind.SLOW else 1)
        self.world.try_cycle()
        self.world.heal()

    @rule()
    def the_power_fails(self) -> None:
        self.region.lose_power()

    @rule(steps=st.integers(0, 12))
    def the_power_fails_in_a_cycle(self, steps: int) -> None:
        self.region.lose_power_in_a_cycle(steps)

    # In the end

    def check(self) -> None:
        quarantined = self.region.quarantined()
        away = self.region.of_patients(self.administrator.transferred)
        deleted_there = {key for key, why in quarantined.items() if why in DELETED_THERE}
        assert quarantined.keys() <= self.poison | deleted_there | away | self.ended_unseen(), quarantined
        assert self.poison & self.live() <= quarantined.keys(), "a poison record is not shown"
        lost = {key for key in self.region.made() - self.region.here() if key[1] not in quarantined}
        assert not lost, f"acknowledged and lost: {lost}"
        left_out = self.poison | away | self.ended_unseen()
        unlike = [line for line in self.region.unlike() if not any(row_id in line for row_id in left_out)]
        assert not unlike, unlike
        assert not self.region.miscounted(), self.region.miscounted()
        days = {str(row["id"]): str(row["onset_date"])[:10] for row in self.world.seed.rows("patient_problems")}
        other = {key: (days[key], day) for key, day in self.days.items() if days.get(key, day) != day}
        assert not other, f"another day than the one that was picked: {other}"
        for (table, row_id, column), allowed in self.allowed.items():
            if row_id in pushes.live(self.world.store, table):
                here = self.world.here_is(table, row_id)
                held, meant = here[column] or "", allowed | self.filled_since(here, allowed)
                assert held in meant, f"{table} {row_id} {column} holds {held}, not one of {meant}"

    def filled_since(self, row: Row, values: Iterable[str]) -> set[str]:
        """Return what phones filled the same field with after these: the rows become one, with what is newest."""
        since = min((self.edited_at.get(value, 0.0) for value in values), default=0.0)
        filled = self.filled.get((str(row.get("patient_id")), str(row.get("attribute_id"))), {})
        return {value for value, at in filled.items() if at >= since}

    # Words

    def station(self, who: int) -> Station:
        return self.region.stations[who % len(self.region.stations)]

    def sync_if(self, who: int, *, sync: bool) -> None:
        if sync:
            self.sync(self.station(who), Lost.NOTHING)

    def sync(self, station: Station, lost: Lost) -> None:
        """Sync, and note which edits the hub took."""
        station.sync(lost)
        waiting = []
        for edit in self.edits:
            at, (table, row_id, column), value = edit
            row = station.phone.store.find(table, row_id)
            if at is not station or (row is not None and row["_status"] != "synced"):
                waiting.append(edit)
            elif self.is_here(table, row_id) and self.world.here_is(table, row_id)[column] == value:
                # Of a record that went along with a deleted one it is kept: it is there when the record comes back.
                self.allowed[table, row_id, column] = {value}
        self.edits = waiting

    def is_here(self, table: str, row_id: str) -> bool:
        return row_id in pushes.live(self.world.store, table) | pushes.tombstones(self.world.store, table)

    def shown(self, who: int, table: str, which: int) -> Row | None:
        """Return a record that a phone's user sees, poison left out.

        The app shows nobody a row that the hub made blank, for its patient moved to another clinic.
        """
        whose = "primary_clinic_id" if table == "patients" else "patient_id"
        rows = [
            row
            for row in self.station(who).phone.store.rows(table)
            if row[whose] and not row["is_deleted"] and row["id"] not in self.poison
        ]
        return rows[which % len(rows)] if rows else None

    def there(self, table: str) -> list[dict[str, Any]]:
        """Return the live rows of the clinic's patients in the cloud."""
        return self.administrator.rows(table)

    def ended_unseen(self) -> set[str]:
        """Return the events that went in the cloud with a visit into which this hub has not heard that they were moved.

        The cloud has them in no list of any pull, whether or not it had announced the move.
        """
        here = {str(row["id"]): row for row in pushes.rows(self.world.store, "events")}
        gone = {str(row["id"]): row for row in self.world.seed.rows("events") if row["is_deleted"]}
        return {row_id for row_id in gone.keys() & here if gone[row_id]["visit_id"] != here[row_id]["visit_id"]}

    def live(self) -> set[str]:
        return {row_id for table in POISON for row_id in pushes.live(self.world.store, table)}

    def value(self) -> str:
        """Return a text that was never entered before."""
        self.values += 1
        return f"value {self.values}"


@pytest.fixture(autouse=True)
def no_time_between_syncs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub ask phones at every sync: here no time goes by between them."""
    monkeypatch.setattr(doubt, "QUIET_MS", 0)


def run(machine: type[Relay], examples: int) -> None:
    """Tell the same stories each time; a campaign is what looks for others."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            derandomize=True,
            database=None,
            print_blob=True,
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_phones_hub_and_cloud_agree_in_the_end() -> None:
    run(Relay, 60)


@pytest.fixture
def postgres() -> Iterator[str]:
    """Run a PostgreSQL for this test."""
    with cluster() as server:
        with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE cloud")
        yield f"{server} dbname=cloud"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_phones_hub_and_a_cloud_on_postgresql_agree_in_the_end(postgres: str) -> None:
    class OnPostgres(Relay):
        def teardown(self) -> None:
            super().teardown()
            names = ", ".join(f'"{table.name}"' for table in CREATION_ORDER)
            with psycopg.connect(postgres, autocommit=True) as server:
                server.execute(f"TRUNCATE {names}".encode())

    OnPostgres.postgres = postgres
    run(OnPostgres, 6)
