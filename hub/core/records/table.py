"""Says what a travelling table is: its columns, whose its rows are, and what follows from that for each of them."""

from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any

import msgspec


class ColumnKind(Enum):
    """What a column holds: its form on the phone, and in the cloud."""

    TEXT = "text"  # text                     text, uuid or NUMERIC as text
    LIST = "list"  # text holding JSON        JSON, an array
    OBJECT = "object"  # text holding JSON    JSON, an object
    DATE = "date"  # text YYYY-MM-DD          DATE
    INT = "int"  # number                     integer
    NUMBER = "number"  # number               NUMERIC (comes as text) or float
    MOMENT = "moment"  # number, epoch ms     timestamp
    DAY = "day"  # number, epoch ms           DATE
    FLAG = "flag"  # boolean                  boolean


_PHONE_TYPES = {
    ColumnKind.TEXT: "string",
    ColumnKind.LIST: "string",
    ColumnKind.OBJECT: "string",
    ColumnKind.DATE: "string",
    ColumnKind.INT: "number",
    ColumnKind.NUMBER: "number",
    ColumnKind.MOMENT: "number",
    ColumnKind.DAY: "number",
    ColumnKind.FLAG: "boolean",
}
# A whole number beyond 64 bits is no time and no count: records.build makes a float of it, or refuses it.
_WHOLE = Annotated[int, msgspec.Meta(ge=-(2**63) + 1, le=2**63 - 1)]
_PYTHON_TYPES: dict[str, Any] = {"string": str, "number": _WHOLE | float, "boolean": bool}
_EMPTY: dict[str, str | int | bool] = {"string": "", "number": 0, "boolean": False}


JSON_KINDS = frozenset({ColumnKind.LIST, ColumnKind.OBJECT})


class Column(msgspec.Struct, frozen=True):
    """One column of a table."""

    table: str
    name: str
    kind: ColumnKind
    optional: bool
    refers_to: str | None = None
    """The table whose records it names by their ids."""

    @property
    def phone_type(self) -> str:
        """Return the phone's type: string, number or boolean."""
        return _PHONE_TYPES[self.kind]

    @property
    def is_json(self) -> bool:
        """Return whether its text holds JSON."""
        return self.kind in JSON_KINDS

    @property
    def empty(self) -> str | int | bool | None:
        """Return what the phone itself puts in for nothing: null, '' , 0 or false."""
        return None if self.optional else _EMPTY[self.phone_type]


class Rank(Enum):
    """The order of a pull: what a phone needs first, first."""

    REFERENCE = 0
    PATIENTS = 1
    VISITS = 2
    RECORDS = 3


class PushRule(Enum):
    """What becomes of a row that a phone pushes."""

    RECORD = "record"  # merged, and relayed to the cloud
    LOCAL = "local"  # merged, shared with the other phones, never relayed: the cloud would ignore it (CLOUD.md 4.1)
    REFERENCE = "reference"  # comes from the cloud or the hub's own people; a phone cannot change it


class SeenBy(Enum):
    """Who may see a record, by every way in (hub.core.records.access.sees)."""

    EVERYONE = "everyone"  # whoever is signed in: it is the organisation's
    CARERS = "carers"  # those who may see the patients of the clinic of its patient
    STAFF = "staff"  # those who work in its clinic
    HOLDER = "holder"  # the one whom it is about


class Cascade(Enum):
    """With whose deletion a record goes (CLOUD.md 4.6)."""

    PATIENT = "patient_id"
    VISIT = "visit_id"
    CURRENT_VISIT = "current_visit_id"
    ALLERGY = "allergy_id"


SERVER_OWNED = frozenset({"last_modified", "server_created_at"})
"""Columns that a phone only ever fills with 0: the hub keeps its own."""

UNCOUNTED = SERVER_OWNED | {"updated_at"}
"""Columns in which a phone may differ from the hub and still hold the record: it sets updated_at anew after a push."""


class Table(msgspec.Struct, frozen=True, dict=True, eq=False):
    """A travelling table."""

    name: str
    columns: tuple[Column, ...]
    rank: Rank
    push: PushRule
    seen_by: SeenBy
    clinic: str | None = None
    """The column that names a clinic."""
    goes_with: tuple[Cascade, ...] = ()
    lookups: tuple[str, ...] = ()
    """Further columns that the hub looks records up by; the program writes them beside the record."""
    computed: tuple[str, ...] = ()
    """Columns for looking up that the database computes from the record, whoever wrote it: so is every new one made."""
    is_next: bool = False
    """Phones of schema 9 do not have it: it goes only to phones that sent it. Its columns are not all known."""

    # Each is derived once: they are asked for on every record.

    @cached_property
    def shape(self) -> type[msgspec.Struct]:
        """Return a Struct with the id and every column in the phone's exact types and order."""
        fields: list[tuple[str, Any, Any]] = [("id", str, msgspec.NODEFAULT)]
        for column in self.columns:
            kind = _PYTHON_TYPES[column.phone_type]
            fields.append((column.name, kind | None if column.optional else kind, column.empty))
        space = {"TABLE": self.name, "IS_NEXT": self.is_next}
        return msgspec.defstruct(f"{self.name}_row", fields, namespace=space, frozen=True, gc=False)

    @cached_property
    def names(self) -> frozenset[str]:
        """Return the names of all columns, id included."""
        return frozenset({"id", *(column.name for column in self.columns)})

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Return the columns by their names, without id."""
        return {column.name: column for column in self.columns}

    @cached_property
    def references(self) -> Mapping[str, str]:
        """Return the columns that refer to other tables -> the tables."""
        return MappingProxyType({column.name: column.refers_to for column in self.columns if column.refers_to})

    @cached_property
    def patient(self) -> str | None:
        """Return the column that names the patient whose record this is."""
        return "patient_id" if "patient_id" in self.names else None

    @cached_property
    def owned_by(self) -> tuple[str, str] | None:
        """Return column and table of what a patient's record belongs to that names no patient itself."""
        is_anothers = self.seen_by is SeenBy.CARERS and not (self.patient or self.clinic)
        return next(iter(self.references.items())) if is_anothers else None

    @cached_property
    def ends_with(self) -> tuple[tuple[str, str], ...]:
        """Return the columns that name what a record goes with when that is deleted, and the tables of those."""
        return tuple((cascade.value, self.references[cascade.value]) for cascade in self.goes_with)

    @cached_property
    def visits(self) -> tuple[str, ...]:
        """Return the columns that name a visit with whose deletion a record goes."""
        return tuple(column for column, name in self.ends_with if name == "visits")

    @cached_property
    def blank(self) -> dict[str, str | int | bool | None]:
        """Return what the phone itself puts in for nothing, by column."""
        return {column.name: column.empty for column in self.columns}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Return the columns that the database holds beside the record, each with an index."""
        return tuple(dict.fromkeys((*(cascade.value for cascade in self.goes_with), *self.lookups)))

    @cached_property
    def is_authored(self) -> bool:
        """Return whether the database keeps who entered a row, whose it is while it has no known clinic."""
        return self.seen_by in {SeenBy.CARERS, SeenBy.STAFF}

    @cached_property
    def folded(self) -> Mapping[str, Column]:
        """Return the columns whose text has several forms that mean one: references, dates, JSON."""
        kinds = {ColumnKind.DATE, ColumnKind.LIST, ColumnKind.OBJECT}
        return {column.name: column for column in self.columns if column.refers_to or column.kind in kinds}

    @cached_property
    def days(self) -> Mapping[str, Column]:
        """Return the columns that hold a day as a moment of it."""
        return {column.name: column for column in self.columns if column.kind is ColumnKind.DAY}

    @cached_property
    def deletable(self) -> bool:
        """Return whether a row can say by is_deleted that it is deleted."""
        return "is_deleted" in self.names
