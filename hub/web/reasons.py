"""Says in every language why a record was not taken in; what the hub says for itself is English."""

import re

from hub.web.words import Words

_COLUMNS = {
    "can_register_patients": "register patients",
    "can_view_history": "see the history",
    "can_edit_records": "edit records",
    "can_delete_records": "delete records",
    "is_clinic_admin": "administer the clinic",
    "can_edit_other_provider_event": "edit what others entered",
    "can_download_patient_reports": "download reports",
    "can_prescribe_medications": "prescribe medicines",
    "can_dispense_medications": "dispense medicines",
    "can_delete_patient_visits": "delete visits",
    "can_delete_patient_records": "delete patients",
}
PERMISSIONS = tuple(_COLUMNS.values())

REASONS = {
    r"the hub does not know this table": (
        "The phone sent something that this hub does not know; the hub may be too old."
    ),
    r"a phone cannot delete reference data": "A phone tried to delete what only the organisation can change.",
    r"(?P<table>\w+) comes from the organisation; a phone cannot change it": (
        "A phone tried to change what only the organisation can change."
    ),
    r"the user does not work in this record's clinic": "The person does not work in the clinic of this record.",
    r"the user lacks (?P<needs>[\w ]+)": "The person is not allowed to {needs}.",
    r"not readable as JSON": "The record cannot be read.",
}


def reason(words: Words, english: str) -> str | None:
    """Translate a reason; None for one that has no translation."""
    for pattern, text in REASONS.items():
        found = re.fullmatch(pattern, english)
        if found is None:
            continue
        named = found.groupdict().get("needs", "")
        needs = [words.say(_COLUMNS[column]) for column in named.split(" or ") if column in _COLUMNS]
        between = words.say("or")
        return words.say(text, needs=f" {between} ".join(needs)) if needs else words.say(text)
    return None
