"""Problems, which are diagnoses on a patient's list: entered, corrected, listed."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hub.core.records import online
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import patient_access
from hub.services.rpc.procedures.patient_access import ById, Given, Json, Made, Moment, OfPatient, Whole
from hub.services.rpc.procedures.registry import SEE, Call, command, query

ProblemRow = Annotated[dict[str, Any], msgspec.Meta(title="patient_problems row")]

_PROBLEMS = TABLES["patient_problems"]


class CreateProblem(msgspec.Struct, frozen=True):
    """A new problem."""

    patient_id: str
    problem_code_system: str
    problem_code: str
    problem_label: str
    clinical_status: str
    verification_status: str
    id: str = ""
    visit_id: Given = None
    severity_score: Whole = UNSET
    onset_date: Moment | UnsetType = UNSET
    end_date: Moment | UnsetType = UNSET
    recorded_by_user_id: Given = UNSET
    metadata: Json = UNSET


class UpdateProblem(msgspec.Struct, frozen=True):
    """Which problem, and what of it is to change; null clears."""

    id: str
    visit_id: Given = UNSET
    problem_code_system: str | UnsetType = UNSET
    problem_code: str | UnsetType = UNSET
    problem_label: str | UnsetType = UNSET
    clinical_status: str | UnsetType = UNSET
    verification_status: str | UnsetType = UNSET
    severity_score: Whole = UNSET
    onset_date: Moment | UnsetType = UNSET
    end_date: Moment | UnsetType = UNSET
    metadata: Json = UNSET


@query("problems.list", required_permissions=SEE)
def list_problems(call: Call, params: OfPatient) -> list[ProblemRow]:
    """List a patient's problems, the latest first."""
    with patient_access.reader(call) as charts:
        return charts.of(_PROBLEMS, params.patient_id)


@query("problems.get", required_permissions=SEE)
def get(call: Call, params: ById) -> ProblemRow:
    """Return a problem."""
    with patient_access.reader(call) as charts:
        return online.shown(_PROBLEMS, charts.record(_PROBLEMS, params.id))


@command("problems.create", required_permissions=SEE)
def create(call: Call, params: CreateProblem) -> Made:
    """Enter a problem."""
    with patient_access.writer(call) as charts:
        charts.patient(params.patient_id)
        charts.visit(params.patient_id, params.visit_id)
        own = {"recorded_by_user_id": charts.rights.user_id}
        said = patient_access.sent(params)
        return Made(charts.create(_PROBLEMS, said, own).id)


@command("problems.update", required_permissions=SEE)
def update(call: Call, params: UpdateProblem) -> ProblemRow:
    """Correct a problem; returns the whole of it."""
    with patient_access.writer(call) as charts:
        problem = charts.record(_PROBLEMS, params.id)
        charts.visit(str(problem.get("patient_id")), params.visit_id)
        return online.shown(_PROBLEMS, charts.change(_PROBLEMS, problem, patient_access.sent(params)))
