"""What the procedures about patients' charts share: the shapes they take and answer, and opening the charts (S5)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import UnsetType

from hub.actions.records import charts
from hub.actions.records.charts import ChartReader, ChartWriter, Row
from hub.core.errors import BadRecord, Forbidden, Malformed, NotAllowed
from hub.core.records import column_types
from hub.services.rpc.procedures.registry import Call

Moment = str | int | float | None
"""ISO text or epoch ms."""
Given = str | UnsetType | None
Number = int | float | UnsetType | None
Whole = int | UnsetType | None
Json = dict[str, Any] | list[Any] | str | UnsetType | None
T = TypeVar("T")

PAGE_ROWS = 500
_OFFSET_MAX = 10_000_000


class OfPatient(msgspec.Struct, frozen=True):
    """Whose records."""

    patient_id: str


class ById(msgspec.Struct, frozen=True):
    """Which record."""

    id: str


class ListRange(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a long list."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_ROWS)] = 20
    offset: Annotated[int, msgspec.Meta(ge=0, le=_OFFSET_MAX)] = 0


class Made(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: str


class Done(msgspec.Struct, frozen=True):
    """It was done."""

    ok: bool = True


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """A whole list."""

    data: list[T]


class ListPart(msgspec.Struct, Generic[T], frozen=True):
    """A part of a list; there is more while offset + limit < total."""

    data: list[T]
    total: int
    limit: int
    offset: int


@contextmanager
def reader(call: Call) -> Iterator[ChartReader]:
    """Open the charts for reading."""
    with charts.reading(call.store, call.user) as opened:
        yield opened


@contextmanager
def searcher(call: Call) -> Iterator[ChartReader]:
    """Open the charts for reading, and for finding patients by what is typed."""
    with charts.searching(call.store, call.user) as opened:
        yield opened


@contextmanager
def writer(call: Call) -> Iterator[ChartWriter]:
    """Open the charts for writing: all that is written is on disk when the block ends, or nothing is (P1).

    A record that a push would quarantine is refused: Malformed, or Forbidden where a permission is missing.
    """
    try:
        with charts.writing(call.store, call.user, device=call.device.num) as opened:
            yield opened
    except NotAllowed as error:
        raise Forbidden(str(error)) from None
    except BadRecord as error:
        raise Malformed(str(error)) from None


def sent(params: msgspec.Struct) -> Row:
    """Return the parameters that were sent, by the names of their columns."""
    return charts.given_values(msgspec.structs.asdict(params))


def moment_ms(name: str, moment: Moment) -> float:
    """Read a parameter that must be a moment; raises Malformed, which names it."""
    if isinstance(moment, str):
        try:
            return column_types.moment_ms(moment)
        except ValueError:
            pass
    elif moment is not None:
        return moment
    raise Malformed(f"{name} should be a time: ISO text or epoch ms")
