"""Names why a record was not accepted, waits, or is on hold: a code, and what it concerns, instead of a sentence.

A reason is stored as JSON and becomes a sentence only where somebody reads it: ``said`` is the one renderer, in
English for the log and the command line, and in every language for the pages (hub.web.reasons).
"""

import string
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from hub.core.records import dates
from hub.core.records.dates import Calendar
from hub.core.records.tables import TABLES
from hub.core.worded import Worded, Words

Param = str | int | tuple[str, ...]
"""A name, a limit, or several names."""


class Form(StrEnum):
    """What a value is, or should be."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"
    LIST = "list"
    OBJECT = "object"
    NOTHING = "nothing"

    @classmethod
    def of(cls, value: object) -> "Form":
        """Return the form of a JSON value."""
        match value:
            case None:
                return cls.NOTHING
            case bool():
                return cls.FLAG
            case str():
                return cls.TEXT
            case int() | float() | Decimal():
                return cls.NUMBER
            case list() | tuple():
                return cls.LIST
            case _:
                return cls.OBJECT


FORMS: Mapping[str, str] = {
    Form.TEXT: "text",
    Form.NUMBER: "a number",
    Form.FLAG: "true or false",
    Form.TIME: "a time",
    Form.LIST: "a list",
    Form.OBJECT: "an object",
    Form.NOTHING: "nothing",
}
"""Each form in words."""

PERMISSIONS: Mapping[str, str] = {
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
"""Each permission (hub.core.records.access) in words."""

CALENDARS: Mapping[str, str] = {
    Calendar.SOLAR_HIJRI: "Persian (Solar Hijri)",
    Calendar.HIJRI: "Islamic (Hijri)",
    Calendar.EITHER_HIJRI: "Persian (Solar Hijri) or Islamic (Hijri)",
    Calendar.BUDDHIST: "Buddhist",
    Calendar.ETHIOPIAN: "Ethiopian",
    Calendar.BIKRAM_SAMBAT: "Nepali (Bikram Sambat)",
    Calendar.HEBREW: "Hebrew",
}
"""Each calendar in words."""

ALTERNATIVES = "or"
"""Stands between the permissions of which one would do."""


class Code(Worded):
    """Every reason: its word in the database, and its sentence, which names what its parameters are.

    table, column, columns: where it is; parent, parents: a table that is referred to; limit: the bound that was
    passed; wanted, found: a Form; needs: permissions; calendar: a Calendar; email, name, detail, text: free text,
    which never leaves the clinic.
    """

    TABLE_UNTAKEN = Words(
        "table_untaken",
        "The cloud does not take this kind of record yet ({table}). The hub keeps it for phones that know it.",
    )
    UNKNOWN_TABLE = Words(
        "unknown_table", "This record is of a kind that the hub does not know ({table}). The hub may need an update."
    )
    NOT_JSON = Words("not_json", "The record cannot be read: it is not JSON ({table}).")
    NOT_AN_OBJECT = Words("not_an_object", "The record cannot be read: it is JSON, but no record ({table}).")
    NOT_WRITABLE = Words("not_writable", "The record holds a value that cannot be written as JSON ({table}).")
    TOO_LARGE = Words("too_large", "The record is larger than {limit} bytes ({table}).")
    TOO_MANY_COLUMNS = Words(
        "too_many_columns", "The record has more than {limit} columns that the hub does not know ({table})."
    )
    TOO_MANY_CHANGES = Words(
        "too_many_changes", "The record's list of changed columns is longer than {limit} characters ({table})."
    )
    INVALID_ID = Words("invalid_id", "The record has no valid ID of 1 to {limit} characters ({table}).")
    TOO_DEEP = Words("too_deep", "The field {table}.{column} is nested deeper than {limit} levels.")
    TOO_NESTED = Words("too_nested", "The record is nested deeper than {limit} levels ({table}).")
    WRONG_TYPE = Words("wrong_type", "The field {table}.{column} must hold {wanted}, but holds {found}.")
    TOO_GREAT = Words("too_great", "The field {table}.{column} holds a number too great for a phone.")
    NOT_A_DATE = Words("not_a_date", "The field {table}.{column} does not hold a valid date (YYYY-MM-DD).")
    OTHER_CALENDAR = Words(
        "other_calendar",
        "The date in {table}.{column} looks like one of another calendar ({calendar}), which the cloud cannot keep.",
    )
    TIME_OUT_OF_RANGE = Words(
        "time_out_of_range",
        "The time in {table}.{column} lies outside the years 1850 to 2120: the cloud would put today in its place.",
    )
    NO_TIME = Words(
        "no_time", "The field {table}.{column} holds no time: the cloud would put the present time in its place."
    )
    NOT_A_UUID = Words("not_a_uuid", "The field {table}.{column} must hold a UUID: the cloud accepts nothing else.")

    TOO_LONG = Words(
        "too_long", "The text in {table}.{column} is longer than the {limit} characters that the cloud can keep."
    )
    OUT_OF_RANGE = Words(
        "out_of_range",
        "The number in {table}.{column} is not possible: the cloud keeps only numbers between -{limit} and {limit}.",
    )
    NOT_WHOLE = Words(
        "not_whole", "The number in {table}.{column} must be a whole one: the cloud would not keep its fraction."
    )
    NUL = Words("nul", "The text in {table}.{column} holds a character that the cloud cannot keep (NUL).")
    NOTHING_THERE = Words(
        "nothing_there", "The field {table}.{column} is empty: the cloud does not accept the record without it."
    )

    REFERENCE_CHANGED = Words(
        "reference_changed", "A phone tried to change what only the organisation can change ({table})."
    )
    REFERENCE_DELETED = Words(
        "reference_deleted", "A phone tried to delete what only the organisation can change ({table})."
    )
    NOT_IN_CLINIC = Words("not_in_clinic", "The person does not work in the clinic of this record ({table}).")
    NOT_PERMITTED = Words("not_permitted", "The person does not have permission to {needs} ({table}).")
    NOT_SEEN = Words("not_seen", "The person may not see the patient whom this record is about ({table}).")
    PARENT_HELD = Words("parent_held", "What this record belongs to was not accepted ({table}: {parent}).")
    PART_NOT_ALLOWED = Words(
        "part_not_allowed", "The person may not enter a part of this visit, so all of it waits together ({table})."
    )
    PARENT_DELETED = Words("parent_deleted", "The patient or visit of this record was deleted ({table}).")

    CLOUD_ROW = Words("cloud_row", "The cloud sent a record that does not fit ({table}): {detail}")
    DELETED_IN_CLOUD = Words("deleted_in_cloud", "This was deleted in the cloud before it was sent ({table}).")
    PARENT_DELETED_IN_CLOUD = Words(
        "parent_deleted_in_cloud",
        "What this record belongs to ({parent}) was deleted in the cloud before the record was sent ({table}).",
    )
    WAITS_FOR = Words(
        "waits_for", "It is waiting for a record it depends on, which the cloud does not have yet ({parent})."
    )
    NO_USER = Words(
        "no_user",
        "The cloud does not know the person who entered it: add a user with the email {email} there,"
        " or match them with 'hikma-hub cloud match-user'.",
    )
    NO_CLINIC = Words(
        "no_clinic",
        "The cloud does not know its clinic: give a clinic of this hub the name {name} there,"
        " or match them with 'hikma-hub cloud match-clinic'.",
    )
    CLINIC_ELSEWHERE = Words(
        "clinic_elsewhere",
        "In the cloud, its clinic is not one of this hub's, so it would be ignored ({table}.{column}).",
    )
    CLINIC_MISSING = Words(
        "clinic_missing", "It has no clinic, so the cloud would never send it to any hub ({table}.{column})."
    )
    VISIT_MISSING = Words(
        "visit_missing", "It names no visit: the cloud would invent one in another clinic ({table}.{column})."
    )
    VISIT_UNKNOWN = Words(
        "visit_unknown",
        "Its visit is not on this hub: the cloud would invent one in another clinic ({table}.{column}).",
    )
    REFUSED = Words(
        "refused",
        "The cloud refuses it and does not say why; perhaps a value is too long or of the wrong kind ({table}).",
    )
    REFUSED_REFERENCE = Words(
        "refused_reference",
        "The cloud refuses it, perhaps because it refers to something that this hub does not know"
        " ({table}: {parents}).",
    )
    DELETE_REFUSED = Words(
        "delete_refused", "The cloud does not delete it, perhaps because another record there refers to it ({table})."
    )
    NOT_KEPT = Words("not_kept", "The cloud confirmed this, but did not save {columns} ({table}).")
    MOVED_IN_CLOUD = Words(
        "moved_in_cloud",
        "The cloud has a newer version of this and does not show it to this hub: perhaps it moved to another clinic, or"
        " was deleted there. What was entered here since is not in the cloud ({table}).",
    )
    NOT_SHOWN = Words("not_shown", "The cloud refused or changed it and did not say so; look it up there ({table}).")
    OTHER = Words("other", "{text}")

    @property
    def params(self) -> tuple[str, ...]:
        """The names of its parameters."""
        return tuple(name for _, name, _, _ in string.Formatter().parse(self.sentence) if name)

    def of(self, **params: str | int | Iterable[str]) -> "Reason":
        """Return the reason with these parameters; raises ValueError unless they are just those that it has."""
        if params.keys() != set(self.params):
            raise ValueError(f"{self.word} takes {', '.join(self.params)}")
        held = {name: value if isinstance(value, str | int) else tuple(value) for name, value in params.items()}
        return Reason(self, held)


_BY_WORD = {code.word: code for code in Code}


class Reason(msgspec.Struct, frozen=True):
    """Why one record was not accepted, waits, or is on hold."""

    code: Code
    params: Mapping[str, Param]

    def __str__(self) -> str:
        """Write the sentence in English."""
        return said(self)

    def public(self) -> "Reason":
        """Leave out free text, and names that the hub did not choose: for a file that leaves the clinic."""
        return Reason(self.code, {name: _public(name, value, self.params) for name, value in self.params.items()})


def _in_english(text: str) -> str:
    return text


def _plain_number(number: float) -> str:
    return f"{number:,}"


def said(
    reason: Reason,
    say: Callable[[str], str] = _in_english,
    number: Callable[[float], str] = _plain_number,
) -> str:
    """Write the sentence; ``say`` translates a text, ``number`` writes a number."""
    return say(reason.code.sentence).format_map(
        {name: _shown(name, value, say, number) for name, value in reason.params.items()}
    )


def to_json(reason: Reason) -> str:
    """Write a reason as it is stored: equal reasons are equal texts."""
    return msgspec.json.encode(plain(reason), order="sorted").decode()


def plain(reason: Reason) -> dict[str, object]:
    """Return the code's word and the parameters, as JSON holds them."""
    return {"code": reason.code.word, "params": dict(reason.params)}


def from_json(stored: str | None, sentence: str) -> Reason:
    """Read a stored reason; of one that another release wrote, and this one cannot read, the sentence is left."""
    try:
        read = msgspec.json.decode(stored or "{}", type=_Stored)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return other(sentence)
    code = _BY_WORD.get(read.code)
    return Reason(code, read.params) if code and read.params.keys() == set(code.params) else other(sentence)


def other(text: str) -> Reason:
    """Return a reason of which only the text is known."""
    return Reason(Code.OTHER, {"text": text})


def no_date(table: str, column: str, text: str) -> Reason:
    """Return why a date cannot be kept: it is none, or one of another calendar."""
    calendar = dates.calendar_of_text(text)
    if calendar:
        return Code.OTHER_CALENDAR.of(table=table, column=column, calendar=calendar)
    return Code.NOT_A_DATE.of(table=table, column=column)


def no_time(table: str, column: str, ms: float) -> Reason:
    """Return why a moment cannot be kept in the cloud: it is too far off, perhaps one of another calendar."""
    calendar = dates.calendar_of_ms(ms)
    if calendar:
        return Code.OTHER_CALENDAR.of(table=table, column=column, calendar=calendar)
    return Code.TIME_OUT_OF_RANGE.of(table=table, column=column)


class _Stored(msgspec.Struct):
    code: str = ""
    params: dict[str, str | int | tuple[str, ...]] = {}


_WORDS = {"wanted": FORMS, "found": FORMS, "needs": PERMISSIONS, "calendar": CALENDARS}
"""Parameters that are words of a list, not names."""
_FREE_TEXT = frozenset({"email", "name", "detail", "text"})
_HIDDEN = "…"


def _shown(name: str, value: Param, say: Callable[[str], str], number: Callable[[float], str]) -> str:
    if isinstance(value, int):
        return number(value)
    words = _WORDS.get(name, {})
    shown = [say(words[one]) if one in words else one for one in ((value,) if isinstance(value, str) else value)]
    return (f" {say(ALTERNATIVES)} " if name == "needs" else ", ").join(shown)


def _public(name: str, value: Param, params: Mapping[str, Param]) -> Param:
    if isinstance(value, int):
        return value
    if name in _FREE_TEXT:
        return _HIDDEN
    if isinstance(value, str):
        return value if value in _allowed(name, params) else _HIDDEN
    return tuple(one if one in _allowed(name, params) else _HIDDEN for one in value)


def _allowed(name: str, params: Mapping[str, Param]) -> Iterable[str]:
    """Return the values of a parameter that the hub itself chose."""
    if name in _WORDS:
        return _WORDS[name]
    if name in {"column", "columns"}:
        table = TABLES.get(str(params.get("table")))
        return table.names if table else ()
    return (*TABLES, "users")
