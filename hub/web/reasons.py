"""Says in every language why a record was not taken in; what the hub says for itself is English."""

import re

from hub.words import Words

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
    r"not readable as JSON|not an object|holds a value that JSON cannot carry|\w+ is nested deeper than .*": (
        "The record cannot be read."
    ),
    r"larger than .*|_changed is longer than .*|more than \d+ unknown columns": "The record is too large.",
    r"id is (not a text|no text).*|\w+ is no uuid": "The record has no proper number.",
    r"(?P<column>\w+) (should be|is not a date) .*|(?P<other>\w+) should be a date, .*": (
        "A value has the wrong form: {column}"
    ),
    r"its patient or visit was deleted": "Its patient or visit was deleted.",
    r"the cloud's row does not fit: .*": "The cloud sent something that does not fit.",
    r".* was deleted in the cloud before this was sent": "It was deleted in the cloud before this was sent.",
    r"the cloud says that it took this, and does not keep .*": (
        "The cloud says that it took this, but does not keep it."
    ),
    r"it names no clinic: .*": "It names no clinic: the cloud keeps such records and sends them to no hub.",
    r"the cloud refused or changed it and did not say so; .*": (
        "The cloud refused or changed it and did not say so; look it up there."
    ),
    r"it waits for its .*, which the cloud does not have yet": (
        "It waits for something that belongs to it and that the cloud does not have yet."
    ),
    r"its clinic is none of this hub's in the cloud, .*": "Its clinic is not a clinic of this hub in the cloud.",
    r"its visit is not .*; the cloud would make one up in another clinic": "Its visit is not known.",
    r"the cloud refuses it, perhaps because of its .*": "The cloud refuses it: it names something unknown.",
    r"the cloud refuses it and does not say why; .*": (
        "The cloud refuses it and does not say why; perhaps a value is too long or of the wrong kind."
    ),
    r"the cloud does not delete it, perhaps because another record there names it": (
        "The cloud does not delete it, perhaps because another record there names it."
    ),
    r"the cloud has no user .*": "The cloud does not know its person; make a user with the same email there.",
    r"the cloud has no clinic called .*": "The cloud does not know its clinic; give a clinic there the same name.",
}


def general(english: str) -> str | None:
    """Return the kind of a reason, in English and without what it names; None for one that is not known."""
    return next((text for pattern, text in REASONS.items() if re.fullmatch(pattern, english, re.DOTALL)), None)


def reason(words: Words, english: str) -> str | None:
    """Translate a reason; None for one that has no translation."""
    for pattern, text in REASONS.items():
        found = re.fullmatch(pattern, english, re.DOTALL)
        if found:
            named = {name: value or "" for name, value in found.groupdict().items()}
            needs = [
                words.say(_COLUMNS[column]) for column in named.get("needs", "").split(" or ") if column in _COLUMNS
            ]
            between = words.say("or")
            return words.say(text, needs=f" {between} ".join(needs), column=named.get("column") or named.get("other"))
    return None
