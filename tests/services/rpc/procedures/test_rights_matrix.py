"""Who sees and changes whose records, by every way in: one table of expectations (S5, S9).

Every table of the phone and every procedure is here, or a test fails. The ways in are sync pull, sync push (created,
updated, deleted), and every procedure of online mode, search among them; the pages are in tests/web/test_strangers.py.
What is expected follows from the tables below and from ``Who.may``, which knows nothing of the hub's own rules.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest

from hub.core.records import access
from hub.core.records.access import Permission, Rights
from hub.core.records.table import PushRule, SeenBy
from hub.core.records.tables import NEXT_TABLES, PHONE_TABLES, TABLES
from hub.services.rpc.procedures import registry
from hub.services.rpc.procedures.registry import CallKind
from tests.hubs import Client, InProcessHub, edit, row
from tests.services.rpc.procedures.test_permissions import CALLS, LISTS, PATIENTLESS
from tests.services.rpc.procedures.ward import Ward
from tests.simulator.rows import Row
from tests.store import pushes

P = Permission
Needs = tuple[frozenset[Permission], ...]
"""Of each group the user needs one."""


def needs(*groups: Permission | tuple[Permission, ...]) -> Needs:
    return tuple(frozenset(group if isinstance(group, tuple) else (group,)) for group in groups)


SEE = needs(P.VIEW)
ABOUT = needs((P.VIEW, P.REGISTER, P.EDIT))
HANDLE = needs(P.VIEW, (P.PRESCRIBE, P.DISPENSE))
DISPENSE = needs(P.VIEW, P.DISPENSE)
ERASE = needs(P.VIEW, P.DELETE)
STOCK = needs((P.ADMIN, P.DISPENSE))
ADMIN = needs(P.ADMIN)


class Changing(NamedTuple):
    """What changing a table needs, and the column that is edited here."""

    create: Needs
    update: Needs
    delete: Needs
    column: str = "metadata"


TABLE_NEEDS: dict[str, Changing | None] = {
    **dict.fromkeys(("clinics", "user_clinic_permissions", "app_config", "registration_forms", "event_forms", "users")),
    "clinic_departments": Changing(ADMIN, ADMIN, ADMIN),
    "drug_catalogue": Changing(ADMIN, ADMIN, ADMIN, "dosage_quantity"),
    "clinic_inventory": Changing(STOCK, STOCK, ADMIN, "batch_number"),
    "patients": Changing(needs(P.REGISTER), needs(P.EDIT), needs(P.VIEW, P.DELETE_PATIENTS), "phone"),
    "patient_additional_attributes": Changing(ABOUT, ABOUT, (*ABOUT, *needs(P.DELETE))),
    "visits": Changing(SEE, SEE, needs(P.VIEW, P.DELETE_VISITS)),
    "events": Changing(SEE, needs(P.VIEW, P.EDIT_OTHERS), ERASE),
    "patient_vitals": Changing(SEE, SEE, ERASE),
    "patient_problems": Changing(SEE, SEE, ERASE),
    "appointments": Changing(SEE, SEE, ERASE),
    "prescriptions": Changing(needs(P.VIEW, P.PRESCRIBE), HANDLE, ERASE),
    "prescription_items": Changing(HANDLE, HANDLE, ERASE),
    "dispensing_records": Changing(DISPENSE, DISPENSE, ERASE),
    "drug_batches": Changing(STOCK, STOCK, ADMIN, "notes"),
    "resources": Changing(ADMIN, ADMIN, ADMIN, "notes"),
    **dict.fromkeys(
        ("patient_allergies", "patient_allergy_reactions", "patient_observations", "patient_tobacco_history"),
        Changing(SEE, SEE, ERASE, "notes"),
    ),
}
"""What phones may push; None: nothing."""

PROCEDURE_NEEDS: dict[str, Needs] = {
    "get_patient": SEE,
    "get_visits": SEE,
    "get_visit_events": SEE,
    "events.by_form": SEE,
    "vitals.list": SEE,
    "problems.list": SEE,
    "problems.get": SEE,
    "appointments.get": SEE,
    "appointments.by_patient": SEE,
    "prescriptions.by_patient_visit": SEE,
    "prescription_items.by_patient": SEE,
    "prescription_items.by_prescription": SEE,
    "dispensing.by_patient": SEE,
    "delete_patient": needs(P.VIEW, P.DELETE_PATIENTS),
    "visits.create": SEE,
    "visits.update": SEE,
    "events.create": SEE,
    "create_event": SEE,
    "events.update": SEE,
    "events.delete": ERASE,
    "vitals.create": SEE,
    "vitals.update": SEE,
    "problems.create": SEE,
    "problems.update": SEE,
    "appointments.create": SEE,
    "appointments.update": SEE,
    "appointments.cancel": SEE,
    "appointments.complete": SEE,
    "prescriptions.create": needs(P.VIEW, P.PRESCRIBE),
    "prescriptions.update": HANDLE,
    "prescriptions.update_status": HANDLE,
    "prescriptions.pickup": HANDLE,
    "prescription_items.create": HANDLE,
    "prescription_items.update": HANDLE,
    "prescription_items.dispense": DISPENSE,
    "dispensing.create": DISPENSE,
}
"""What the procedures about one patient need; LISTS show what is seen, PATIENTLESS is the organisation's."""

SEARCHES: dict[str, dict[str, Any]] = {
    "get_patients": {"limit": 500},
    "search_patients": {"filters": {"given_name": "matrix"}, "limit": 500},
    "patients.similar": {"given_name": "Matrix", "limit": 500},
}
"""Ways to find the patients of the matrix; the other LISTS are about what is theirs."""

ELSEWHERE = {"register_patient", "check_government_id", "sync_pull", "sync_push"}
"""Ways in with code of their own below: they are not called with a patient's id."""

UNUSED = {P.REPORTS}
"""Permissions for which the hub has no way in: reports are made on the phone."""

OURS, THEIRS, NOBODYS, LOST, NAMED = "ours", "theirs", "nobody's", "lost", "theirs, named ours"
WHOSE = (OURS, THEIRS, NOBODYS, LOST, NAMED)
"""A patient of our clinic; of theirs; of none, entered by the carer; of one that the hub does not know, likewise; of
theirs, where the record names our clinic."""
LOST_CLINIC = "a-clinic-that-is-no-more"


@dataclass
class Who:
    """A user: what they may do, where."""

    name: str
    permissions: frozenset[Permission]
    clinic: str | None = OURS
    is_super: bool = False
    user_id: str = ""
    rights: Rights = field(init=False)

    def may(self, needed: Needs, whose: str, *, is_new_patient: bool = False) -> bool:
        """Return what is expected; ``is_new_patient``: whoever enters a patient is their author."""
        if self.is_super:
            return True
        if whose == NAMED:
            return False
        if whose in {NOBODYS, LOST} and (is_new_patient or self.name == "carer"):
            return self.clinic is not None and all(group & self.permissions for group in needed)
        return self.clinic == whose and all(group & self.permissions for group in needed)


ALL = frozenset(Permission)
PEOPLE = [
    Who("carer", ALL),
    Who("colleague", ALL),
    Who("other", ALL, THEIRS),
    Who("reader", frozenset({P.VIEW})),
    Who("nobody", frozenset(), None),
    Who("super", frozenset(), is_super=True),
    *(Who(f"without {permission}", ALL - {permission}) for permission in Permission),
]


class Matrix:
    """A hub with these people, and records of everybody."""

    def __init__(self, hub: InProcessHub) -> None:
        self.ward = Ward(hub)
        self.store = hub.store
        self.clinics = {OURS: hub.clinic_id, THEIRS: self.ward.other_clinic, NOBODYS: "", LOST: LOST_CLINIC}
        self.clinics[NAMED] = hub.clinic_id
        self.people = [copy.copy(who) for who in PEOPLE]
        self.clients: dict[str, Client] = {}
        for who in self.people:
            self._sign_in(who)
        carer = self.people[0].user_id
        self.everything = Rights(carer, unrestricted=True, clinics={}, known=frozenset())
        self.patients = {whose: self._id("patients", "root", whose) for whose in WHOSE}
        made = {"patients": [self._patient(whose, row_id) for whose, row_id in self.patients.items()]}
        for table, changing in TABLE_NEEDS.items():
            if changing:
                targets = [
                    self.row(table, whose, self._id(table, way, whose, who)) for way, whose, who in self._targets()
                ]
                made.setdefault(table, []).extend(targets)
        pushed = {table: {"created": rows, "updated": [], "deleted": []} for table, rows in made.items()}
        assert pushes.push(self.store, pushed, device=99, rights=self.everything).quarantined == 0

    def row(self, table: str, whose: str, row_id: str) -> Row:
        """Return a record about a patient, or of a clinic."""
        if table == "patients":
            return self._patient(whose, row_id)
        declared = TABLES[table]
        values: dict[str, Any] = {declared.clinic: self.clinics[whose]} if declared.clinic else {}
        if declared.patient:
            values["patient_id"] = self.patients[whose]
        if declared.owned_by:
            column, parent = declared.owned_by
            values[column] = self._id(parent, "edited", whose, "colleague")
        if table == "events":
            values["recorded_by_user_id"] = "somebody"
        return row(table, row_id, **values)

    # Ways in

    def findings(self) -> Iterator[str]:
        """Say whatever is not as expected, by any way in."""
        yield from self.pushed()
        yield from self.pulled()
        yield from self.searched()
        yield from self.called()

    def pushed(self) -> Iterator[str]:
        """Push as everybody: records are created, updated and deleted."""
        for who in self.people:
            pushed: dict[str, Any] = {}
            for table, changing in TABLE_NEEDS.items():
                if changing:
                    pushed[table] = self._changes_of(who, table, changing.column)
            assert self.clients[who.name].push(pushed).status == 200
            for table, changing in TABLE_NEEDS.items():
                if changing:
                    yield from self._unexpected(who, table, changing)

    def pulled(self) -> Iterator[str]:
        """Pull as everybody, on a new phone."""
        for who in self.people:
            got = self._pull(self.clients[who.name])
            for table in TABLES:
                for whose, row_id, seen in self._visible(who, table):
                    if (row_id in got[table]) is not seen:
                        yield f"{who.name} {'misses' if seen else 'gets'} {table} {whose} by sync_pull"

    def searched(self) -> Iterator[str]:
        """List and search as everybody."""
        for who in self.people:
            client = self.clients[who.name]
            for name, params in SEARCHES.items():
                found = {each["id"] for each in client.query(name, params).json["data"]}
                for whose, patient in self.patients.items():
                    seen = who.may(SEE, THEIRS if whose == NAMED else whose)
                    if (patient in found) is not seen:
                        yield f"{who.name} {'misses' if seen else 'finds'} the patient {whose} by {name}"
            for whose in WHOSE:
                seen = who.may(SEE, THEIRS if whose == NAMED else whose)
                if (
                    client.query("check_government_id", {"government_id": f"id-{WHOSE.index(whose)}77"}).json["exists"]
                    is not seen
                ):
                    yield f"{who.name}: check_government_id {whose} is not {seen}"

    def called(self) -> Iterator[str]:
        """Call every procedure as everybody."""
        for (_, name), make in CALLS.items():
            for who in self.people:
                for whose in (OURS, THEIRS) if who.name.startswith("without") else (OURS, THEIRS, NOBODYS):
                    if whose == NOBODYS and "dispens" in name:
                        continue  # what is taken from stock is a clinic's
                    refused = self._call(who, name, make, whose) in {401, 403, 404}
                    if refused is who.may(PROCEDURE_NEEDS[name], whose):
                        yield f"{who.name} {'cannot' if refused else 'can'} call {name} about {whose}"
        for who in self.people:
            patient = {"given_name": "New", "primary_clinic_id": self.clinics[OURS]}
            refused = self.clients[who.name].command("register_patient", {"patient": patient}).status != 200
            if refused is who.may(needs(P.REGISTER), OURS):
                yield f"{who.name} {'cannot' if refused else 'can'} register patients"
            patient = {"id": self.patients[OURS], "phone": who.name}
            refused = self.clients[who.name].command("register_patient", {"patient": patient}).status != 200
            if refused is who.may(needs(P.EDIT), OURS):
                yield f"{who.name} {'cannot' if refused else 'can'} correct patients"

    # Parts

    def _sign_in(self, who: Who) -> None:
        name = who.name.replace(" ", "-")
        if who.clinic is None:
            self.clients[who.name] = self.ward.homeless(name)
        else:
            role = "super_admin" if who.is_super else "provider"
            clinic = self.clinics[who.clinic]
            self.clients[who.name] = self.ward.user(name, set(who.permissions), clinic=clinic, role=role)
        who.user_id = f"user-{name}" if who.clinic is None else f"user-{name}@clinic.example"

    def _patient(self, whose: str, row_id: str) -> Row:
        clinic = self.clinics[THEIRS if whose == NAMED else whose] or None
        government_id = f"id-{WHOSE.index(whose)}77" if "root" in row_id else ""
        return row("patients", row_id, given_name="Matrix", primary_clinic_id=clinic, government_id=government_id)

    def _id(self, table: str, *parts: str) -> str:
        return "/".join((table, *parts)).replace(" ", "-")

    def _targets(self) -> Iterator[tuple[str, str, str]]:
        for who in self.people:
            for whose in WHOSE:
                yield from ((way, whose, who.name) for way in ("edited", "deleted"))

    def _changes_of(self, who: Who, table: str, column: str) -> dict[str, Any]:
        edited = [self.row(table, whose, self._id(table, "edited", whose, who.name)) for whose in WHOSE]
        value = '{"a":1}' if column == "metadata" else "7"
        return {
            "created": [self.row(table, whose, self._id(table, "made", whose, who.name)) for whose in WHOSE],
            "updated": [edit(each, **{column: value}) for each in edited],
            "deleted": [self._id(table, "deleted", whose, who.name) for whose in WHOSE],
        }

    def _unexpected(self, who: Who, table: str, changing: Changing) -> Iterator[str]:
        live = pushes.live(self.store, table)
        for whose in WHOSE:
            happened = {
                "create": self._id(table, "made", whose, who.name) in live,
                "update": '"7"' in str(kept := self._column(table, whose, who, changing.column)) or '"a"' in kept,
                "delete": self._id(table, "deleted", whose, who.name) not in live,
            }
            for way, needed in changing._asdict().items():
                if way == "column":
                    continue
                expected = self._expected(who, table, way, needed, whose)
                if expected is not None and happened[way] is not expected:
                    yield f"{who.name} {'cannot' if expected else 'can'} {way} {table} {whose} by sync_push"

    def _column(self, table: str, whose: str, who: Who, column: str) -> str:
        value = pushes.kept(self.store, table, self._id(table, "edited", whose, who.name)).get(column)
        return f'"{value}"' if column != "metadata" else str(value)

    def _expected(self, who: Who, table: str, way: str, needed: Needs, whose: str) -> bool | None:
        """Return what is expected; None where the case is another one's."""
        declared = TABLES[table]
        if declared.seen_by is SeenBy.EVERYONE and declared.clinic is None:  # all clinics share it
            return who.is_super or (who.clinic is not None and all(group & who.permissions for group in needed))
        if whose == NAMED and (declared.clinic is None or not declared.patient):
            return None  # it names no clinic but its patient's
        if table == "clinic_departments" and whose in {NOBODYS, LOST}:
            return None  # nobody sees departments of no clinic
        is_own = way == "create" and table in {"patients", "clinic_inventory"}
        return who.may(needed, whose, is_new_patient=is_own)

    def _visible(self, who: Who, table: str) -> Iterator[tuple[str, str, bool]]:
        """Return the records that somebody else's pull shows or does not show, and which of these."""
        declared = TABLES[table]
        if declared.seen_by is SeenBy.HOLDER:
            with self.store.read() as db:
                rows = db.execute(f"SELECT id, user_id FROM [{table}]").fetchall()
            for row_id, user_id in rows:
                yield user_id, row_id, who.is_super or user_id == who.user_id
            return
        if TABLE_NEEDS[table] is None:
            return  # the organisation's: seen by everybody, by the rule below
        for whose in WHOSE:
            is_about = declared.patient or declared.owned_by or table == "patients"
            owned = whose if whose != NAMED else THEIRS if is_about else OURS
            row_id = self._id(table, "edited", whose, "colleague")
            if declared.seen_by is SeenBy.EVERYONE:
                yield whose, row_id, True
            elif declared.seen_by is SeenBy.STAFF:
                yield whose, row_id, who.may((), owned)
            else:
                yield whose, row_id, who.may(SEE, owned)

    def _pull(self, client: Client) -> dict[str, set[str]]:
        got: dict[str, set[str]] = {table: set() for table in TABLES}
        cursor: object = 0
        while True:
            answer = client.pull(cursor).json
            if not answer["changes"]:
                return got
            for table, part in answer["changes"].items():
                got[table].update(each["id"] for each in (*part["created"], *part["updated"]))
            if not cursor:  # it is a phone of the next app
                client.push({table.name: {"created": [], "updated": [], "deleted": []} for table in NEXT_TABLES})
            cursor = answer["timestamp"]

    def _call(self, who: Who, name: str, make: Callable[[Ward], dict[str, Any]], whose: str) -> int:
        ward = copy.copy(self.ward)
        ward.hub = cast("InProcessHub", SimpleNamespace(store=self.store, clinic_id=self.clinics[whose]))
        clinic = self.clinics[whose] or None
        ward.patient, ward.visit = self._chart(clinic) if name == "delete_patient" else self._charts(whose, clinic)
        kind = next(kind for kind, called in CALLS if called == name)
        client = self.clients[who.name]
        send = client.command if kind is CallKind.COMMAND else client.query
        return send(name, make(ward)).status

    def _charts(self, whose: str, clinic: str | None) -> tuple[str, str]:
        if whose not in self._made:
            self._made[whose] = self._chart(clinic)
        return self._made[whose]

    @property
    def _made(self) -> dict[str, tuple[str, str]]:
        made: dict[str, tuple[str, str]] = self.__dict__.setdefault("_charts_made", {})
        return made

    def _chart(self, clinic: str | None) -> tuple[str, str]:
        patient = self.ward.put("patients", primary_clinic_id=clinic)
        with self.store.write() as tx:
            tx.db.execute("UPDATE patients SET author = ? WHERE id = ?", [self.people[0].user_id, patient])
        return patient, self.ward.put("visits", patient_id=patient, clinic_id=clinic or "")


@pytest.fixture
def matrix(hub: InProcessHub) -> Matrix:
    return Matrix(hub)


def test_every_table_and_every_procedure_has_an_expectation() -> None:
    assert set(TABLE_NEEDS) == set(PHONE_TABLES)
    assert {name for name, changing in TABLE_NEEDS.items() if changing} == {
        name for name, table in PHONE_TABLES.items() if table.push is not PushRule.REFERENCE
    }
    named = {procedure.name for procedure in registry.every() if not procedure.public}
    assert named == {*PROCEDURE_NEEDS, *LISTS, *PATIENTLESS, *ELSEWHERE}
    assert {name for _, name in CALLS} == set(PROCEDURE_NEEDS)


@pytest.mark.slow
def test_s5_s9_everybody_sees_and_changes_what_they_may_by_every_way_in_and_nothing_else(matrix: Matrix) -> None:
    assert list(matrix.findings()) == []


def test_s5_what_is_the_organisations_alone_nobody_changes_by_a_push(matrix: Matrix) -> None:
    for table, changing in TABLE_NEEDS.items():
        if changing is None:
            pushed = {table: {"created": [row(table, "new")], "updated": [], "deleted": []}}
            for who in matrix.people:
                assert matrix.clients[who.name].push(pushed).status == 200
            if table in TABLES:
                assert "new" not in pushes.live(matrix.store, table)


@pytest.mark.slow
@pytest.mark.parametrize("permission", sorted(set(Permission) - UNUSED))
def test_the_matrix_fails_when_a_permission_is_not_asked_for(
    matrix: Matrix, monkeypatch: pytest.MonkeyPatch, permission: Permission
) -> None:
    granted, anywhere = Rights.granted, vars(Rights)["anywhere"].func
    monkeypatch.setattr(
        Rights,
        "granted",
        lambda self, owner: granted(self, owner) | {permission} if self.belongs(owner) else granted(self, owner),
    )
    monkeypatch.setattr(Rights, "anywhere", property(lambda self: anywhere(self) | {permission}))
    assert next(matrix.findings(), None) is not None


DROPPED: dict[str, tuple[object, str, object]] = {
    "whose clinic it is": (Rights, "belongs", lambda *_: True),
    "who entered it": (Rights, "_is_author", lambda *_: True),
    "that the patient is seen": (access, "_check_patients", lambda *_: None),
    "what a pull shows": (access, "sees", lambda *_: True),
    "what an update needs": (access, "_wanted_to_change", lambda *_: [()]),
    "what a table needs": (access, "_require", lambda *_: None),
}


@pytest.mark.slow
@pytest.mark.parametrize("rule", DROPPED)
def test_the_matrix_fails_when_a_rule_is_dropped(matrix: Matrix, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    where, name, instead = DROPPED[rule]
    monkeypatch.setattr(where, name, instead)
    assert next(matrix.findings(), None) is not None


NOBODY_ASKS = dict.fromkeys(TABLES, ())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "dropped", "declared"),
    [
        ("create", {"_CREATE": NOBODY_ASKS}, access._CREATE),
        ("update", {"_UPDATE": NOBODY_ASKS, "_KEEPS_STOCK": {"clinic_inventory": frozenset()}}, access._UPDATE),
        ("delete", {"_DELETE": NOBODY_ASKS}, NOBODY_ASKS),
    ],
)
def test_the_matrix_notices_each_right_that_a_table_asks_for_no_more(
    matrix: Matrix, monkeypatch: pytest.MonkeyPatch, way: str, dropped: dict[str, object], declared: dict[str, object]
) -> None:
    for name, instead in dropped.items():
        monkeypatch.setattr(access, name, instead)
    found = list(matrix.pushed())
    asked = {table for table in declared if (changing := TABLE_NEEDS[table]) and getattr(changing, way)}
    assert asked
    assert [table for table in asked if not any(f" can {way} {table} " in finding for finding in found)] == []
