"""Writes the catalogue of procedures from the registry: ``python -m hub.services.rpc.procedures.catalogue``."""

import inspect
from pathlib import Path

from msgspec import inspect as types

from hub.services.rpc.procedures import registry
from hub.services.rpc.procedures.registry import Procedure, RequiredPermissions

PATH = Path(__file__).with_name("CATALOGUE.md")

_HEAD = """\
# Procedures

What phones may ask of a hub, as PROTOCOL.md "Envelopes" carries it: a query by `/rpc/query`, a command by
`/rpc/command`. This page is generated from the code (`make catalogue`).

- `?` marks what may be left out. A *row* is a whole record: columns in snake_case, JSON as JSON, times as ISO text,
  null for what is absent. A *moment* may be given as ISO text or as epoch ms.
- Permissions are those of `user_clinic_permissions` in the record's clinic, or else its patient's; `super_admin`
  needs none. A patient whom the user may not see is not there: 404.
- Every writing procedure needs a user who works in the record's clinic. A write is on disk when it is answered, and
  reaches the other phones and the cloud as a push does.
- Refusals are HTTP statuses: 400 names the field, 401 no valid token, 403 a permission is missing, 404 not there,
  409 deleted before, or not enough in stock (the text says how much is).

| name | kind | parameters | result | permission | what it does |
|---|---|---|---|---|---|
"""

_TAIL = """
## What the app sends, and what the hub makes of it

- Attributes at registration carry the *form field's* id, the same for all patients, and an empty `patient_id`: there
  is one answer for each patient and field, and its id is the hub's own.
- A correction of a patient carries '' for every field that the app was not told, a new `created_at` and no clinic:
  what comes empty changes nothing, so an entry cannot be emptied this way; making and clinic stay.
- What names no clinic, provider, time or author gets the user's own, and now.
- An event without a visit begins one. An id that was sent before is the same record again, and the same dispensing.
- `is_deleted`, `deleted_at` and `updated_at` are the hub's: deleting is a procedure of its own.
- Everything that is typed into the search box comes as `given_name`: words are beginnings of names, in any order;
  whatever has a digit in it is a part of a phone number or ID, of three characters or more.
- Matches are counted, and put in order of their making, up to 200; lists by time are counted up to 2000.
- Stock is the hub's own count until the cloud's is pulled, which wins; dispensing takes what expires first, and makes
  a record for each batch, so that the cloud deducts from the same ones.
"""

_WORDS: dict[type[types.Type], str] = {
    types.StrType: "text",
    types.IntType: "whole number",
    types.FloatType: "number",
    types.BoolType: "true or false",
    types.NoneType: "null",
    types.AnyType: "any JSON",
    types.RawType: "any JSON",
}
_MOMENT = {"text", "whole number", "number"}


def page() -> str:
    """Return the whole page."""
    lines = map(_line, sorted(registry.every(), key=lambda each: (each.name, each.kind.value)))
    return _HEAD + "".join(lines) + _TAIL


def _line(procedure: Procedure) -> str:
    cells = (
        f"`{procedure.name}`",
        procedure.kind.value,
        _say(types.type_info(procedure.params), asked=True),
        "JSON of its own (PROTOCOL.md)" if procedure.result is bytes else _say(types.type_info(procedure.result)),
        "none; no sign-in either" if procedure.public else _permissions(procedure.required_permissions),
        " ".join((inspect.getdoc(procedure.run) or "").split()),
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def _say(kind: types.Type, *, asked: bool = False) -> str:
    """Say a type in words; of what is asked for, also what may be left out."""
    match kind:
        case types.Metadata(type=inner, extra_json_schema=schema):
            return f"*{schema['title']}*" if schema and "title" in schema else _say(inner, asked=asked)
        case types.StructType(fields=fields):
            return ", ".join(_field(field, asked=asked) for field in fields) or "none"
        case types.ListType(item_type=item):
            return f"list of {_inner(item, asked=asked)}"
        case types.DictType(value_type=value):
            return "object" if isinstance(value, types.AnyType) else f"object of {_inner(value, asked=asked)}"
        case types.UnionType(types=parts):
            return _union([_inner(part, asked=asked) for part in parts if not isinstance(part, types.CustomType)])
        case _:
            return _WORDS.get(type(kind), "any JSON")


def _inner(kind: types.Type, *, asked: bool) -> str:
    said = _say(kind, asked=asked)
    return f"({said})" if isinstance(kind, types.StructType) else said


def _field(field: types.Field, *, asked: bool) -> str:
    optional = "?" if asked and not field.required else ""
    return f"`{field.encode_name}`{optional}: {_inner(field.type, asked=asked)}"


def _union(words: list[str]) -> str:
    left = list(dict.fromkeys(words))
    if "object" in left:
        return "any JSON"
    if set(left) >= _MOMENT:
        left = ["moment", *(word for word in left if word not in _MOMENT)]
    elif {"whole number", "number"} <= set(left):
        left.remove("whole number")
    return " or ".join(left)


def _permissions(required_permissions: RequiredPermissions) -> str:
    return "; ".join(" or ".join(group) for group in required_permissions) or "none"


if __name__ == "__main__":
    from hub.services.rpc import procedures  # noqa: F401  fills the registry

    PATH.write_text(page(), "utf-8")
