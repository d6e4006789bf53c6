"""Phones work, lose messages and set their clocks, the hub is killed: in the end all hold the same (P1 to P5)."""

from collections.abc import Callable
from enum import Enum, auto

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.journeys.books import TRACKED
from tests.journeys.clinic import CLINICS, EMAILS, Clinic, Station
from tests.journeys.line import Fault
from tests.simulator.rows import Row, Value
from tests.simulator.rpc import CallFailedError

WHO = st.integers(0, 3)
WHICH = st.integers(0, 11)
CLINIC = st.sampled_from(CLINICS)
TABLE = st.sampled_from(sorted(TRACKED))
FAULT = st.sampled_from(Fault)
HOURS = st.sampled_from([-30, -5, -1, 1, 5, 30])
BUDGET = st.sampled_from([300, 900, 3_000, 100_000])
YES = st.booleans()


class Task(Enum):
    """What people do on a phone."""

    REGISTER = auto()
    SEE = auto()
    CORRECT = auto()
    MOVE = auto()
    REHANG = auto()
    DROP = auto()
    DROP_BY_ID = auto()
    DELETE_ON_THE_PHONE_ALONE = auto()


class Way(Enum):
    """How a phone syncs."""

    ALONE = auto()
    TWICE = auto()
    ACROSS_ANOTHER = auto()
    ACROSS_ANOTHER_THAT_FAILS = auto()
    WHILE_EDITING = auto()
    FORCED_UP = auto()
    FORCED_DOWN = auto()
    EVERYONE = auto()


class Between(Enum):
    """What comes between two corrections, the second made knowing the first."""

    NOTHING = auto()
    OTHER_COLUMN = auto()
    ANSWER_LOST = auto()


class ClockStep(Enum):
    """What becomes of time."""

    PHONE = auto()
    HUB_WAKES_UP_AT_ANOTHER_TIME = auto()
    TIME_GOES_BY = auto()


class Journey(RuleBasedStateMachine):
    """What may happen in a clinic, in any order."""

    clinic: Clinic
    forced: bool
    """Whether anything is forced up or down: the hub then sends everything again, which heals what went wrong."""

    @initialize(phones=st.integers(2, 4), budget=BUDGET, few=st.sampled_from([None, 2]), forced=YES)
    def open(self, *, phones: int, budget: int, few: int | None, forced: bool) -> None:
        self.forced = forced
        self.clinic = Clinic(phones, budget, few=few)
        for number, station in enumerate(self.clinic.stations):
            self._register(station, CLINICS[number % len(CLINICS)])
            self._see(station, number)

    def teardown(self) -> None:
        if hasattr(self, "clinic"):
            try:
                self.clinic.settle()
            finally:
                self.clinic.close()

    @rule(who=WHO, tasks=st.lists(st.tuples(st.sampled_from(Task), TABLE, WHICH, WHICH), min_size=1, max_size=4))
    def work(self, who: int, tasks: list[tuple[Task, str, int, int]]) -> None:
        for task, table, which, other in tasks:
            self._do(self._station(who), task, table, which, other)

    @rule(who=WHO, way=st.sampled_from(Way), table=TABLE, which=WHICH)
    def sync(self, who: int, way: Way, table: str, which: int) -> None:
        self._sync(self._station(who), way, table, which)

    @rule(who=WHO, fault=FAULT, repeat=YES, forced=st.sampled_from([False, False, True]))
    def sync_over_a_bad_line(self, *, who: int, fault: Fault, repeat: bool, forced: bool) -> None:
        station = self._station(who)
        if forced and self.forced:
            station.force_upload(fault, repeat=repeat)
        else:
            station.sync(fault, repeat=repeat)

    @rule(who=WHO, fault=st.sampled_from([Fault.PULL_ANSWER_LOST, Fault.PUSH_REQUEST_LOST]), times=st.integers(2, 12))
    def sync_over_a_line_that_stays_bad(self, who: int, fault: Fault, times: int) -> None:
        for _ in range(times):
            self._station(who).sync(fault)

    @rule(who=WHO, table=TABLE, which=WHICH, columns=st.tuples(WHICH, WHICH), drop=WHICH, way=st.sampled_from(Way))
    def two_correct_the_same(
        self, who: int, table: str, which: int, columns: tuple[int, int], drop: int, way: Way
    ) -> None:
        one, other = self._station(who), self._station(who + 1)
        row = self._row(one, table, which)
        if row is None or other.phone.store.find(table, row["id"]) is None:
            return
        self._correct_row(one, table, str(row["id"]), columns[0])
        self._correct_row(other, table, str(row["id"]), columns[1])
        if drop == 0:
            one.phone.soft_delete(table, str(row["id"]))
        other.sync()
        self._sync(one, way, table, which)

    @rule(who=WHO, table=TABLE, which=WHICH, column=WHICH, hours=HOURS, between=st.sampled_from(Between))
    def one_corrects_what_another_did(
        self, who: int, table: str, which: int, column: int, hours: int, between: Between
    ) -> None:
        one, other = self._station(who), self._station(who + 1)
        row = self._row(one, table, which)
        if row is None:
            return
        self._correct_row(one, table, str(row["id"]), column)
        one.sync(Fault.PUSH_ANSWER_LOST if between is Between.ANSWER_LOST else Fault.NONE)
        other.sync()
        if other.phone.store.find(table, row["id"]) is None:
            return
        if between is Between.OTHER_COLUMN and one.phone.store.find(table, row["id"]):
            self._correct_row(one, table, str(row["id"]), column + 1)
            one.sync()
        other.clock.step(hours)
        self._correct_row(other, table, str(row["id"]), column)
        other.sync()
        one.sync()

    @rule()
    def rest(self) -> None:
        self.clinic.settle()

    @rule(hours=HOURS, who=WHO, way=st.sampled_from(ClockStep))
    def set_a_clock(self, hours: int, who: int, way: ClockStep) -> None:
        match way:
            case ClockStep.PHONE:
                self._station(who).clock.step(hours)
            case ClockStep.HUB_WAKES_UP_AT_ANOTHER_TIME:
                self.clinic.reboot(hours)
            case ClockStep.TIME_GOES_BY:
                self.clinic.clock.pass_by(abs(hours))

    @rule(budget=BUDGET)
    def kill_the_hub(self, budget: int) -> None:
        self.clinic.resize(budget)

    @rule(who=WHO, keep_client_id=YES, revoked=YES)
    def lose_a_phone(self, *, who: int, keep_client_id: bool, revoked: bool) -> None:
        station = self._station(who)
        if revoked:
            self.clinic.revoke(station)
            assert not station.sync().ok
        self._no_stranger_pairs(station)
        station.reinstall(keep_client_id=keep_client_id)

    @rule(user=st.integers(0, len(EMAILS) - 1), clinic=st.integers(0, len(CLINICS) - 1), view=YES)
    def change_who_sees_a_clinic(self, *, user: int, clinic: int, view: bool) -> None:
        self.clinic.allow(user, clinic, view=view)

    @invariant()
    def what_was_acknowledged_is_there(self) -> None:
        if hasattr(self, "clinic"):
            self.clinic.check()

    def _station(self, who: int) -> Station:
        return self.clinic.stations[who % len(self.clinic.stations)]

    def _row(self, station: Station, table: str, which: int) -> Row | None:
        rows = [row for row in station.phone.store.rows(table) if not row["is_deleted"]]
        return rows[which % len(rows)] if rows else None

    def _no_stranger_pairs(self, station: Station) -> None:
        known, station.phone.client_id = station.phone.client_id, "a stranger"
        with pytest.raises(CallFailedError, match="403"):
            station.phone.pair({"type": "sync_hub", "url": "http://hub"})
        station.phone.client_id = known

    def _sync(self, station: Station, way: Way, table: str, which: int) -> None:
        if way in {Way.FORCED_UP, Way.FORCED_DOWN} and not self.forced:
            way = Way.ALONE
        self._ways(station, table, which)[way]()

    def _ways(self, station: Station, table: str, which: int) -> dict[Way, Callable[[], object]]:
        return {
            Way.ALONE: station.sync,
            Way.TWICE: lambda: (station.sync(), station.sync()),
            Way.ACROSS_ANOTHER: lambda: station.sync(meanwhile=True),
            Way.ACROSS_ANOTHER_THAT_FAILS: lambda: station.sync(Fault.PUSH_REQUEST_LOST, meanwhile=True),
            Way.WHILE_EDITING: lambda: station.sync_while_editing(lambda: self._correct(station, table, which, which)),
            Way.FORCED_UP: station.force_upload,
            Way.FORCED_DOWN: station.force_download,
            Way.EVERYONE: lambda: [other.sync() for other in self.clinic.stations],
        }

    def _do(self, station: Station, task: Task, table: str, which: int, other: int) -> None:
        match task:
            case Task.REGISTER:
                self._register(station, CLINICS[which % len(CLINICS)])
            case Task.SEE:
                self._see(station, which)
            case Task.CORRECT:
                self._correct(station, table, which, other)
            case Task.MOVE:
                self._set(station, "patients", which, {"primary_clinic_id": CLINICS[other % len(CLINICS)]})
            case Task.REHANG:
                visit = self._row(station, "visits", other)
                if visit is not None:
                    self._set(station, "events", which, {"visit_id": visit["id"]})
            case Task.DROP:
                self._set(station, table, which, {"is_deleted": True, "deleted_at": station.clock()})
            case Task.DROP_BY_ID:
                self._drop_by_id(station, table, which)
            case Task.DELETE_ON_THE_PHONE_ALONE:
                self._delete_here(station, table, which)

    def _register(self, station: Station, home: str) -> None:
        values: dict[str, Value] = {"given_name": self._text(), "primary_clinic_id": home}
        patient = station.phone.create("patients", {**values, "phone": self._text(), "hometown": self._text()})
        attribute: dict[str, Value] = {"patient_id": patient["id"], "string_value": self._text()}
        station.phone.create("patient_additional_attributes", attribute)
        station.book.look()

    def _see(self, station: Station, which: int) -> None:
        patient = self._row(station, "patients", which)
        if patient is None:
            return
        of: dict[str, Value] = {"patient_id": patient["id"]}
        visit = station.phone.create("visits", {**of, "clinic_id": CLINICS[0], "provider_name": self._text()})
        at: dict[str, Value] = {**of, "visit_id": visit["id"], "recorded_by_user_id": f"user-{station.email}"}
        station.phone.create("events", {**at, "form_data": self._text(), "event_type": self._text()})
        station.phone.create("patient_vitals", {**at, "heart_rate": self.clinic.value(), "bp_position": self._text()})
        if which % 3 == 0:
            station.phone.create("appointments", {**of, "clinic_id": CLINICS[1], "current_visit_id": visit["id"]})
        station.book.look()

    def _drop_by_id(self, station: Station, table: str, which: int) -> None:
        row = self._row(station, table, which)
        if row is not None:
            changes = {table: {"created": [], "updated": [], "deleted": [row["id"]]}}
            station.phone.command("sync_push", {"changes": changes, "lastPulledAt": 0})

    def _delete_here(self, station: Station, table: str, which: int) -> None:
        row = self._row(station, table, which)
        if row is not None:
            station.phone.delete_locally(table, str(row["id"]))
            station.book.deleted_here.add((table, str(row["id"])))

    def _set(self, station: Station, table: str, which: int, values: dict[str, Value]) -> None:
        row = self._row(station, table, which)
        if row is not None:
            station.phone.edit(table, str(row["id"]), values)

    def _correct(self, station: Station, table: str, which: int, column: int) -> tuple[str, str, str] | None:
        row = self._row(station, table, which)
        return self._correct_row(station, table, str(row["id"]), column) if row is not None else None

    def _correct_row(self, station: Station, table: str, record_id: str, column: int) -> tuple[str, str, str]:
        name = TRACKED[table][column % len(TRACKED[table])]
        value: Value = self.clinic.value() if name == "heart_rate" else self._text()
        station.book.edited(table, record_id, name, value)
        station.phone.edit(table, record_id, {name: value})
        station.book.look()
        return table, record_id, name

    def _text(self) -> str:
        return f"v{self.clinic.value()}"


_PROFILE = settings(
    derandomize=True,
    database=None,
    print_blob=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(600)
def test_phones_that_sync_in_the_end_hold_what_the_hub_holds() -> None:
    run_state_machine_as_test(Journey, settings=settings(_PROFILE, max_examples=10, stateful_step_count=30))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_phones_that_sync_in_the_end_hold_what_the_hub_holds_on_long_journeys() -> None:
    run_state_machine_as_test(Journey, settings=settings(_PROFILE, max_examples=250, stateful_step_count=50))
