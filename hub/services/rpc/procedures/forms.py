"""Forms: for registration and for events."""

from typing import Annotated, Any

import msgspec

from hub.actions.records.charts import ChartReader, Row
from hub.core.errors import Malformed, NotFound
from hub.core.records import online
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import patient_access
from hub.services.rpc.procedures.heartbeat import NoParams
from hub.services.rpc.procedures.patient_access import Listing
from hub.services.rpc.procedures.registry import Call, query

RegistrationFormRow = Annotated[dict[str, Any], msgspec.Meta(title="registration_forms row")]
EventFormRow = Annotated[dict[str, Any], msgspec.Meta(title="event_forms row")]

_REGISTRATION = TABLES["registration_forms"]
_EVENT = TABLES["event_forms"]


class InLanguage(msgspec.Struct, frozen=True):
    """A language code such as "en"; none for any."""

    language: str | None = None


class WhichForms(msgspec.Struct, frozen=True):
    """Of which language and clinic; none for any."""

    language: str | None = None
    clinic_id: str | None = None


class WhichForm(msgspec.Struct, frozen=True):
    """Which form, under either name."""

    form_id: str = ""
    id: str = ""


def registration_form(charts: ChartReader, language: str | None = None) -> Row | None:
    """Return the registration form that was changed last; of this language, if any is marked with it."""
    forms = charts.every(_REGISTRATION)
    marked = [form for form in forms if language and form.get("language") == language]
    newest = max(marked or forms, key=lambda form: form.row.updated_at, default=None)
    return online.shown(_REGISTRATION, newest) if newest else None


@query("registration_form.get")
def get_registration_form(call: Call, params: InLanguage) -> RegistrationFormRow:
    """Return the registration form in use."""
    with patient_access.reader(call) as charts:
        form = registration_form(charts, params.language)
    if form is None:
        raise NotFound("no registration form")
    return form


@query("get_patient_registration_form")
def get_patient_registration_form(call: Call, params: NoParams) -> RegistrationFormRow:  # noqa: ARG001  none to heed
    """Return the registration form in use."""
    return get_registration_form(call, InLanguage())


@query("get_all_registration_forms")
def get_all_registration_forms(call: Call, params: NoParams) -> Listing[RegistrationFormRow]:  # noqa: ARG001  none to heed
    """List all registration forms."""
    with patient_access.reader(call) as charts:
        return Listing([online.shown(_REGISTRATION, form) for form in charts.every(_REGISTRATION)])


@query("event_forms.list")
def list_event_forms(call: Call, params: WhichForms) -> Listing[EventFormRow]:
    """List the event forms of a language and clinic, by name."""
    with patient_access.reader(call) as charts:
        forms = [online.shown(_EVENT, form) for form in charts.every(_EVENT)]
    return Listing(sorted((form for form in forms if _fits(form, params)), key=lambda form: str(form["name"])))


@query("get_event_forms")
def get_event_forms(call: Call, params: NoParams) -> Listing[EventFormRow]:  # noqa: ARG001  none to heed
    """List all event forms, by name."""
    return list_event_forms(call, WhichForms())


@query("get_event_form")
def get_event_form(call: Call, params: WhichForm) -> EventFormRow:
    """Return an event form."""
    if not (params.form_id or params.id):
        raise Malformed("form_id is missing")
    with patient_access.reader(call) as charts:
        form = charts.find(_EVENT, params.form_id or params.id)
    if form is None:
        raise NotFound("no such form")
    return online.shown(_EVENT, form)


def _fits(form: Row, params: WhichForms) -> bool:
    """Return whether a form is of the language, and of the clinic or of all: no clinics means every clinic."""
    of_language = params.language is None or form["language"] == params.language
    return of_language and (
        params.clinic_id is None or not form["clinic_ids"] or params.clinic_id in form["clinic_ids"]
    )
