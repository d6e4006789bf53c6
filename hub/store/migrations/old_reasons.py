"""Turns the sentences that releases before the step ``reasons`` stored into codes. Frozen: it describes the past."""

import json
import re
from ast import literal_eval
from typing import Any

from sqlite_utils import Database

_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"the hub does not know this table", "unknown_table"),
    (r"a phone cannot delete reference data", "reference_deleted"),
    (r"\w+ comes from the organisation; a phone cannot change it", "reference_changed"),
    (r"the user does not work in this record's clinic", "not_in_clinic"),
    (r"the user lacks (?P<needs>\w+( or \w+)*)", "not_permitted"),
    (r"not readable as JSON", "not_json"),
    (r"not an object", "not_an_object"),
    (r"holds a value that JSON cannot carry", "not_writable"),
    (r"(?P<column>.+) is nested deeper than (?P<limit>\d+) levels", "too_deep"),
    (r"larger than (?P<limit>\d+) (bytes|characters)", "too_large"),
    (r"_changed is longer than (?P<limit>\d+) characters", "too_many_changes"),
    (r"more than (?P<limit>\d+) unknown columns", "too_many_columns"),
    (r"id is not a text of 1 to (?P<limit>\d+) characters", "invalid_id"),
    (r"id is no text", "invalid_id"),
    (r"(?P<column>\w+) is no uuid", "not_a_uuid"),
    (r"(?P<column>\w+) is not a date \(YYYY-MM-DD\)", "not_a_date"),
    (r"(?P<column>\w+) should be a date, YYYY-MM-DD", "not_a_date"),
    (r"(?P<column>\w+) should be a number that a phone can hold, is \w+", "too_great"),
    (r"(?P<column>\w+) should be (?P<wanted>text|true or false|a time|a number), is (?P<found>\w+)", "wrong_type"),
    (r"its patient or visit was deleted", "parent_deleted"),
    (r"the cloud's row does not fit: (?P<detail>.*)", "cloud_row"),
    (r"it was deleted in the cloud before this was sent", "deleted_in_cloud"),
    (r"its (?P<parent>\w+) was deleted in the cloud before this was sent", "parent_deleted_in_cloud"),
    (r"the cloud says that it took this, and does not keep (?P<columns>.+)", "not_kept"),
    (r"it names no clinic: the cloud keeps such records and sends them to no hub", "clinic_missing"),
    (r"the cloud refused or changed it and did not say so; look it up there", "not_shown"),
    (r"it waits for its (?P<parent>[\w ]+), which the cloud does not have yet", "waits_for"),
    (r"its clinic is none of this hub's in the cloud, which would pass it over in silence", "clinic_elsewhere"),
    (r"its visit is not on this hub; the cloud would make one up in another clinic", "visit_unknown"),
    (r"its visit is not named; the cloud would make one up in another clinic", "visit_missing"),
    (
        r"the cloud refuses it, perhaps because of its (?P<parents>[\w, ]+), which this hub does not know",
        "refused_reference",
    ),
    (
        r"the cloud refuses it and does not say why; perhaps a value is too long or of the wrong kind",
        "refused",
    ),
    (r"the cloud does not delete it, perhaps because another record there names it", "delete_refused"),
    (r"the cloud has no user (?P<email>.+?); make one with this email there, or say who it is with .*", "no_user"),
    (
        r"the cloud has no clinic called (?P<name>.+); give a clinic of this hub this name there, or say which .*",
        "no_clinic",
    ),
)
_WITHOUT_TABLE = frozenset({"waits_for", "no_user", "no_clinic", "other"})
_COLUMNS = {"visit_unknown": "visit_id", "visit_missing": "visit_id"}
_CLINICS = {"patients": "primary_clinic_id", "prescriptions": "pickup_clinic_id"}
_WANTED = {"text": "text", "true or false": "flag", "a time": "time", "a number": "number"}
_FOUND = {
    "str": "text",
    "bool": "flag",
    "int": "number",
    "float": "number",
    "Decimal": "number",
    "list": "list",
    "dict": "object",
    "NoneType": "nothing",
}
_UNNAMED_LIMIT = 255


def fill(db: Database) -> None:
    """Fill the new columns from the stored sentences."""
    db.conn.create_function("why", 2, why, deterministic=True)
    for table in ("quarantine", "outbox"):
        db.execute(f"UPDATE [{table}] SET why = why(table_name, reason) WHERE reason IS NOT NULL")


def why(table: str, sentence: str) -> str:
    """Return the reason that a sentence stood for, as JSON; one that nobody knows keeps its text."""
    for pattern, code in _SENTENCES:
        found = re.fullmatch(pattern, sentence, re.DOTALL)
        if found:
            return _json(code, _params(table, code, found.groupdict()))
    return _json("other", {"text": sentence})


def _params(table: str, code: str, named: dict[str, str | None]) -> dict[str, Any]:
    params: dict[str, Any] = {name: _param(name, text) for name, text in named.items() if text is not None}
    if code == "invalid_id":
        params.setdefault("limit", _UNNAMED_LIMIT)
    if code in {"clinic_missing", "clinic_elsewhere"}:
        params["column"] = _CLINICS.get(table, "clinic_id")
    if code in _COLUMNS:
        params["column"] = _COLUMNS[code]
    return params if code in _WITHOUT_TABLE else {**params, "table": table}


def _param(name: str, text: str) -> Any:  # noqa: ANN401, PLR0911  text, a number or several texts; one for each
    match name:
        case "limit":
            return int(text)
        case "needs":
            return text.split(" or ")
        case "columns":
            return text.split(", ")
        case "parents":
            return [_table(noun) for noun in text.split(", ")]
        case "parent":
            return _table(text)
        case "wanted":
            return _WANTED[text]
        case "found":
            return _FOUND.get(text, "object")
        case "name":
            return _unquoted(text)
        case _:
            return text


def _table(noun: str) -> str:
    """Return the table that was named by its noun, made by cutting an s off."""
    name = noun.replace(" ", "_")
    return name if name.endswith("e") and name.startswith("drug") else f"{name}s"


def _unquoted(text: str) -> str:
    try:
        return str(literal_eval(text))
    except (ValueError, SyntaxError):
        return text


def _json(code: str, params: dict[str, Any]) -> str:
    return json.dumps({"code": code, "params": params}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
