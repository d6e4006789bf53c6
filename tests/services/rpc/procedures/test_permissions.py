"""What each procedure requires: the catalogue says it, and nothing less will do (S5)."""

from collections.abc import Callable
from typing import Any

import pytest

from hub.core.records.access import Permission
from hub.services.rpc.procedures import registry
from hub.services.rpc.procedures.registry import CallKind, RequiredPermissions
from tests.hubs import Answer, Client
from tests.services.rpc.procedures.ward import Ward

Make = Callable[[Ward], dict[str, Any]]


def _patient(ward: Ward) -> dict[str, Any]:
    return {"patient_id": ward.patient}


def _record(table: str, **values: object) -> Make:
    def make(ward: Ward) -> dict[str, Any]:
        mine = {"patient_id": ward.patient, **values}
        if table not in {"patient_vitals", "patient_problems", "events"}:
            mine["pickup_clinic_id" if table == "prescriptions" else "clinic_id"] = ward.hub.clinic_id
        return {"id": ward.put(table, "", **mine)}

    return make


def _with(make: Make, **more: object) -> Make:
    return lambda ward: {**make(ward), **more}


def _stocked(make: Make) -> Make:
    def stocked(ward: Ward) -> dict[str, Any]:
        ward.stock(100)
        return make(ward)

    return stocked


_CODE = {"problem_code_system": "icd10", "problem_code": "A09", "problem_label": "x"}
_STATE = {"clinical_status": "active", "verification_status": "confirmed"}

CALLS: dict[tuple[CallKind, str], Make] = {
    (CallKind.QUERY, "get_patient"): _patient,
    (CallKind.QUERY, "get_visits"): _patient,
    (CallKind.QUERY, "get_visit_events"): lambda ward: {"patient_id": ward.patient, "visit_id": ward.visit},
    (CallKind.QUERY, "events.by_form"): _with(_patient, form_id="form-1"),
    (CallKind.QUERY, "vitals.list"): _patient,
    (CallKind.QUERY, "problems.list"): _patient,
    (CallKind.QUERY, "problems.get"): _record("patient_problems"),
    (CallKind.QUERY, "appointments.get"): _record("appointments"),
    (CallKind.QUERY, "appointments.by_patient"): _patient,
    (CallKind.QUERY, "prescriptions.by_patient_visit"): lambda ward: {
        "patient_id": ward.patient,
        "visit_id": ward.visit,
    },
    (CallKind.QUERY, "prescription_items.by_patient"): _patient,
    (CallKind.QUERY, "prescription_items.by_prescription"): lambda ward: {
        "prescription_id": _record("prescriptions")(ward)["id"]
    },
    (CallKind.QUERY, "dispensing.by_patient"): _patient,
    (CallKind.COMMAND, "delete_patient"): _patient,
    (CallKind.COMMAND, "visits.create"): _patient,
    (CallKind.COMMAND, "visits.update"): lambda ward: {"id": ward.visit, "provider_name": "Dr B"},
    (CallKind.COMMAND, "events.create"): _with(_patient, form_data=[]),
    (CallKind.COMMAND, "create_event"): _with(_patient, form_data=[]),
    (CallKind.COMMAND, "events.update"): _with(_record("events"), form_data=[1]),
    (CallKind.COMMAND, "events.delete"): _record("events"),
    (CallKind.COMMAND, "vitals.create"): _with(_patient, heart_rate=70),
    (CallKind.COMMAND, "vitals.update"): _with(_record("patient_vitals"), heart_rate=71),
    (CallKind.COMMAND, "problems.create"): _with(_patient, **_CODE, **_STATE),
    (CallKind.COMMAND, "problems.update"): _with(_record("patient_problems"), clinical_status="resolved"),
    (CallKind.COMMAND, "appointments.create"): _with(_patient, timestamp="2026-12-01T08:00:00Z"),
    (CallKind.COMMAND, "appointments.update"): _with(_record("appointments"), notes="x"),
    (CallKind.COMMAND, "appointments.cancel"): _record("appointments"),
    (CallKind.COMMAND, "appointments.complete"): _record("appointments"),
    (CallKind.COMMAND, "prescriptions.create"): _patient,
    (CallKind.COMMAND, "prescriptions.update"): _with(_record("prescriptions"), notes="x"),
    (CallKind.COMMAND, "prescriptions.update_status"): _with(_record("prescriptions"), status="prepared"),
    (CallKind.COMMAND, "prescriptions.pickup"): _record("prescriptions"),
    (CallKind.COMMAND, "prescription_items.create"): lambda ward: {
        "prescription_id": _record("prescriptions")(ward)["id"],
        "drug_id": ward.drug,
        "quantity_prescribed": 5,
    },
    (CallKind.COMMAND, "prescription_items.update"): lambda ward: {"id": ward.item(), "notes": "x"},
    (CallKind.COMMAND, "prescription_items.dispense"): _stocked(lambda ward: {"id": ward.item()}),
    (CallKind.COMMAND, "dispensing.create"): _stocked(
        lambda ward: {"patient_id": ward.patient, "drug_id": ward.drug, "quantity_dispensed": 1}
    ),
}
"""A call of each procedure that is about one patient, with parameters that would work."""

LISTS: dict[str, dict[str, Any]] = {
    "get_patients": {},
    "search_patients": {"filters": {"given_name": "haddad"}},
    "patients.similar": {"given_name": "Leyla", "surname": "Hadad"},
    "appointments.list": {"start_date": 0, "end_date": 4_000_000_000_000},
    "appointments.search": {"clinic_id": "", "date": 0},
    "prescriptions.search": {},
}
"""Queries over all patients: those who may not be seen are left out of them."""

PATIENTLESS = {
    *("registration_form.get", "get_patient_registration_form", "get_all_registration_forms", "event_forms.list"),
    *("get_event_forms", "get_event_form", "clinics.list", "clinic_departments.list"),
    *("drugs.search", "drugs.get", "drugs.by_barcode"),
    *("inventory.by_clinic", "inventory.search", "inventory.check_availability"),
    *("sync_pull", "sync_push"),
}
"""Procedures that need someone signed in, and whose records are the organisation's or the clinic's."""


def _send(client: Client, kind: CallKind, name: str, params: dict[str, Any]) -> Answer:
    return client.command(name, params) if kind is CallKind.COMMAND else client.query(name, params)


def _allowed(required: RequiredPermissions) -> set[Permission]:
    return {group[0] for group in required}


def test_every_procedure_is_looked_at_here() -> None:
    named = {(procedure.kind, procedure.name) for procedure in registry.every() if not procedure.public}
    elsewhere = {
        (CallKind.COMMAND, "register_patient"),
        (CallKind.QUERY, "check_government_id"),
        (CallKind.COMMAND, "sync_push"),
    }
    assert named - elsewhere == {
        *CALLS,
        *((CallKind.QUERY, name) for name in LISTS),
        *((CallKind.QUERY, name) for name in PATIENTLESS - {"sync_push"}),
    }


@pytest.mark.parametrize(("kind", "name"), CALLS, ids=lambda part: getattr(part, "value", part))
def test_what_the_catalogue_says_is_enough(ward: Ward, kind: CallKind, name: str) -> None:
    required = registry.PROCEDURES[kind, name].required_permissions
    client = ward.user("exact", _allowed(required))
    assert _send(client, kind, name, CALLS[kind, name](ward)).status == 200


@pytest.mark.parametrize(("kind", "name"), CALLS, ids=lambda part: getattr(part, "value", part))
def test_nothing_less_will_do(ward: Ward, kind: CallKind, name: str) -> None:
    required = registry.PROCEDURES[kind, name].required_permissions
    params = CALLS[kind, name](ward)
    for group in required:
        client = ward.user(f"no-{group[0]}", set(Permission) - set(group))
        expected = 404 if Permission.VIEW in group else 403
        assert _send(client, kind, name, params).status == expected


@pytest.mark.parametrize(("kind", "name"), CALLS, ids=lambda part: getattr(part, "value", part))
def test_each_permission_by_itself_does_what_it_says_and_no_more(ward: Ward, kind: CallKind, name: str) -> None:
    required = registry.PROCEDURES[kind, name].required_permissions
    make = CALLS[kind, name]
    for permission in Permission:
        enough = all(permission in group for group in required)
        answer = _send(ward.user(f"only-{permission}", {permission}), kind, name, make(ward))
        assert (answer.status == 200) is enough, permission


@pytest.mark.parametrize(("kind", "name"), CALLS, ids=lambda part: getattr(part, "value", part))
def test_a_patient_of_another_clinic_is_not_there(ward: Ward, kind: CallKind, name: str) -> None:
    params = CALLS[kind, name](ward)
    client = ward.user("elsewhere", set(Permission), clinic=ward.other_clinic)
    assert _send(client, kind, name, params).status == 404


@pytest.mark.parametrize(("kind", "name"), CALLS, ids=lambda part: getattr(part, "value", part))
def test_who_works_in_no_clinic_sees_nobody(ward: Ward, kind: CallKind, name: str) -> None:
    assert _send(ward.homeless("nobody"), kind, name, CALLS[kind, name](ward)).status == 404


@pytest.mark.parametrize(("kind", "name"), CALLS, ids=lambda part: getattr(part, "value", part))
def test_a_super_admin_needs_no_permission(ward: Ward, kind: CallKind, name: str) -> None:
    client = ward.user("super", set(), role="super_admin")
    assert _send(client, kind, name, CALLS[kind, name](ward)).status == 200


@pytest.mark.parametrize(("kind", "name"), [*CALLS, *((CallKind.QUERY, name) for name in LISTS)])
def test_nobody_is_signed_in(ward: Ward, kind: CallKind, name: str) -> None:
    client = ward.hub.client("stranger", email=None)
    assert _send(client, kind, name, {}).status == 401


@pytest.mark.parametrize("name", LISTS)
def test_lists_leave_out_who_may_not_be_seen(ward: Ward, name: str) -> None:
    for patient, clinic in ((ward.patient, ward.hub.clinic_id), (ward.stranger, ward.other_clinic)):
        ward.put("appointments", patient_id=patient, clinic_id=clinic, timestamp=1)
        ward.put("prescriptions", patient_id=patient, pickup_clinic_id=clinic, prescribed_at=1)
    params = LISTS[name]
    if name == "appointments.search":
        params = {**params, "clinic_id": ward.hub.clinic_id}

    def seen(client: Client) -> set[str]:
        answer = client.query(name, params)
        assert answer.status == 200
        assert answer.json.get("total", len(answer.json["data"])) == len(answer.json["data"])
        return {row.get("patient_id", row["id"]) for row in answer.json["data"]}

    assert seen(ward.client) == {ward.patient}
    assert seen(ward.user("blind", set(Permission) - {Permission.VIEW})) == set()
    assert seen(ward.homeless("nobody")) == set()
    everyone = {ward.patient} if name == "appointments.search" else {ward.patient, ward.stranger}
    assert seen(ward.user("super", set(), role="super_admin")) == everyone


@pytest.mark.parametrize("permission", list(Permission))
def test_registering_needs_its_permission(ward: Ward, permission: Permission) -> None:
    answer = ward.user("clerk", {permission}).command("register_patient", {"patient": {"given_name": "New"}})
    assert answer.status == (200 if permission is Permission.REGISTER else 403)


@pytest.mark.parametrize("permission", list(Permission))
def test_correcting_needs_its_permission(ward: Ward, permission: Permission) -> None:
    corrected = {"patient": {"id": ward.patient, "given_name": "Layla"}}
    answer = ward.user("clerk", {permission}).command("register_patient", corrected)
    assert answer.status == (200 if permission is Permission.EDIT else 403)


def test_nobody_registers_into_a_clinic_that_is_not_theirs(ward: Ward) -> None:
    patient = {"given_name": "New", "primary_clinic_id": ward.other_clinic}
    assert ward.client.command("register_patient", {"patient": patient}).status == 403


def test_nobody_takes_over_a_patient_of_another_clinic(ward: Ward) -> None:
    patient = {"id": ward.stranger, "given_name": "Mine", "primary_clinic_id": ward.hub.clinic_id}
    assert ward.client.command("register_patient", {"patient": patient}).status == 403


def test_another_providers_event_needs_its_permission(ward: Ward) -> None:
    event = ward.put("events", patient_id=ward.patient, visit_id=ward.visit, recorded_by_user_id="someone")
    change = {"id": event, "form_data": [1]}
    assert ward.user("own", {Permission.VIEW, Permission.EDIT}).command("events.update", change).status == 403
    assert ward.user("others", {Permission.VIEW, Permission.EDIT_OTHERS}).command("events.update", change).status == 200


def test_government_ids_of_other_clinics_stay_unknown(ward: Ward) -> None:
    ward.put("patients", government_id="77-88", primary_clinic_id=ward.other_clinic)
    asked = {"government_id": "7788"}
    assert ward.client.query("check_government_id", asked).json == {"exists": False}
    assert ward.user("super", set(), role="super_admin").query("check_government_id", asked).json == {"exists": True}


@pytest.mark.parametrize("name", ["inventory.by_clinic", "inventory.search", "inventory.check_availability"])
def test_the_stock_of_a_clinic_is_for_those_who_work_there(ward: Ward, name: str) -> None:
    asked = {"drug_id": ward.drug}
    assert ward.client.query(name, {**asked, "clinic_id": ward.hub.clinic_id}).status == 200
    assert ward.client.query(name, {**asked, "clinic_id": ward.other_clinic}).status == 404
    assert ward.homeless("nobody").query(name, {**asked, "clinic_id": ward.hub.clinic_id}).status == 404
