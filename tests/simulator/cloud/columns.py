"""The vocabulary in which the cloud's tables are declared: what a column holds and what a push does to it."""

from dataclasses import dataclass, replace
from enum import Enum, auto


class Kind(Enum):
    """What a column holds; the wire forms are those of CLOUD.md 0."""

    UUID = auto()
    TEXT = auto()
    TS = auto()
    DATE = auto()
    NUMERIC = auto()
    INT = auto()
    FLOAT = auto()
    BOOL = auto()
    JSON = auto()


class Default(Enum):
    """A default that is made when the row is."""

    NOW = auto()
    RANDOM = auto()


class Put(Enum):
    """What an insert or an update through a push writes into a column."""

    GIVEN = auto()
    GIVEN_IF_ANY = auto()  # null leaves the stored value
    NOW = auto()
    DEFAULT = auto()
    KEEP = auto()  # an update leaves the stored value


class Garbage(Enum):
    """What becomes of a pushed value that cannot be read."""

    REFUSED = auto()
    DEFAULT = auto()
    NOW = auto()


class Odd(Enum):
    """A JSON value that some columns refuse and others turn into their default."""

    NULL = auto()
    NULL_TEXT = auto()
    ARRAY = auto()
    ARRAY_TEXT = auto()
    BROKEN_TEXT = auto()


class Shape(Enum):
    """Which JSON a column takes."""

    OBJECT = auto()
    ARRAY = auto()
    EITHER = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """One column, with everything that DDL, pull and push have to know of it.

    ``size`` is the longest text, the bits of an int or the digits of a numeric; ``scale`` its decimals.
    ``void`` lists pushed values that count as nothing at all; ``lax`` says that a pushed null does too.
    """

    name: str
    kind: Kind
    null: bool = False
    size: int = 0
    scale: int = 0
    default: object = None
    references: str = ""
    insert: Put = Put.GIVEN
    update: Put = Put.GIVEN
    void: tuple[object, ...] = ()
    lax: bool = False
    garbage: Garbage = Garbage.REFUSED
    shape: Shape = Shape.OBJECT
    odd: frozenset[Odd] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table: its name in the database, in a pull, and how it takes part in pull and push.

    ``scope`` is the column that a hub's clinics are compared with (CLOUD.md 2.2, 4.9), "" when there is none;
    ``hub_only`` says that phones do not pull it; a ``guarded`` row takes only newer updates (CLOUD.md 4.5).
    """

    name: str
    columns: tuple[Column, ...]
    pulled_as: str = ""
    scope: str = ""
    key: tuple[str, ...] = ("id",)
    guarded: bool = True
    hub_only: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def wire_name(self) -> str:
        """The table's name in a pull."""
        return self.pulled_as or self.name

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)


def text(name: str, size: int = 0, *, null: bool = False, default: object = None, **rest: object) -> Column:
    """Declare a text column, at most ``size`` characters long when given."""
    return replace(Column(name, Kind.TEXT, null=null, size=size, default=default), **rest)  # type: ignore[arg-type]


def uuid(name: str, references: str = "", *, null: bool = False, **rest: object) -> Column:
    """Declare a uuid column, a foreign key when it ``references`` a table."""
    return replace(Column(name, Kind.UUID, null=null, references=references), **rest)  # type: ignore[arg-type]


def ident(*, invented: bool = True) -> Column:
    """Declare the primary key; most tables invent one when a push gives none (CLOUD.md 6)."""
    garbage = Garbage.DEFAULT if invented else Garbage.REFUSED
    default = Default.RANDOM if invented else None
    return Column("id", Kind.UUID, default=default, lax=invented, garbage=garbage, update=Put.KEEP)


def ts(name: str, *, null: bool = False, default: object = None, **rest: object) -> Column:
    """Declare a time that is read leniently (CLOUD.md 4.2): garbage becomes now."""
    made = Column(name, Kind.TS, null=null, default=default, void=("",), lax=True, garbage=Garbage.NOW)
    return replace(made, **rest)  # type: ignore[arg-type]


def date(name: str, **rest: object) -> Column:
    """Declare a DATE column; it travels as midnight in the server's own zone (CLOUD.md 0)."""
    return replace(Column(name, Kind.DATE, null=True), **rest)  # type: ignore[arg-type]


def numeric(name: str, size: int, scale: int = 2, *, null: bool = True) -> Column:
    """Declare a NUMERIC(size, scale) column; it travels as text with fixed decimals."""
    return Column(name, Kind.NUMERIC, null=null, size=size, scale=scale)


def integer(name: str, *, null: bool = True, bits: int = 32, default: object = None, **rest: object) -> Column:
    """Declare an integer column."""
    return replace(Column(name, Kind.INT, null=null, size=bits, default=default), **rest)  # type: ignore[arg-type]


def floating(name: str, **rest: object) -> Column:
    """Declare a nullable float column."""
    return replace(Column(name, Kind.FLOAT, null=True), **rest)  # type: ignore[arg-type]


def boolean(name: str, *, null: bool = False, default: object = False, **rest: object) -> Column:
    """Declare a boolean column."""
    return replace(Column(name, Kind.BOOL, null=null, default=default), **rest)  # type: ignore[arg-type]


def json(name: str, shape: Shape = Shape.OBJECT, *, null: bool = False, odd: frozenset[Odd] = frozenset()) -> Column:
    """Declare a JSON column; what it cannot take becomes empty, except the ``odd`` values, which it refuses."""
    default: object = {} if shape is Shape.OBJECT else []
    return Column(name, Kind.JSON, null=null, default=default, shape=shape, odd=odd, lax=True)


def put(column: Column, insert: Put, update: Put) -> Column:
    """Return ``column`` with what a push writes into it."""
    return replace(column, insert=insert, update=update)


def inserted(column: Column) -> Column:
    """Return ``column`` taken when the row is new and left alone by updates."""
    return put(column, Put.GIVEN, Put.KEEP)


def dropped(column: Column) -> Column:
    """Return ``column`` as one that a push cannot write."""
    return put(column, Put.DEFAULT, Put.KEEP)


def cloud_times(*, null: bool = False, modified: Put = Put.NOW, created: Put = Put.KEEP) -> tuple[Column, Column]:
    """Declare last_modified and server_created_at, which are always the cloud's own clock."""
    return (
        put(ts("last_modified", null=null, default=Default.NOW), Put.NOW, modified),
        put(ts("server_created_at", null=null, default=Default.NOW), Put.NOW, created),
    )


def times(*, null: bool = False) -> tuple[Column, ...]:
    """Declare the usual tail of a table that only the cloud writes."""
    return (
        boolean("is_deleted", null=null),
        ts("created_at", null=null, default=Default.NOW),
        ts("updated_at", null=null, default=Default.NOW),
        *cloud_times(null=null),
        ts("deleted_at", null=True),
    )
