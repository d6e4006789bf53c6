"""Decides what dispensing makes of counters: they are sums of their records, whoever says which figure (P12).

A phone says an absolute figure: what it had, less or more what it handed out. Two phones that say so without knowing
each other are both right about what they did, and wrong about the sum. So the hub keeps by which steps each counter
went, and of a phone's figure takes only the part that its records do not say: figure - (what it had + its own steps
since). Steps add up to the same in every order. What it had is the figure that it said last, or what it was given
later: what a pull brings does not replace a figure that the phone has yet to push.

What a phone handed out counts by its dispensing record: up on the prescription's item, down on the batch in stock.
A figure on an item that has records counts for nothing; one in stock beyond its records is a restock or a count. Of a
phone that has copies under its id it counts for nothing either: nobody knows which of them had which figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from hub.core.records.codec import Pushed, Record

ITEMS = "prescription_items"
STOCK = "clinic_inventory"
RECORDS = "dispensing_records"
DISPENSED = "quantity_dispensed"
AVAILABLE = "quantity_available"

COUNTERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {ITEMS: frozenset({DISPENSED, "refills_used"}), STOCK: frozenset({AVAILABLE, "reserved_quantity"})}
)
"""Table -> its counters."""
STEPS = 64
"""How many steps of a counter are remembered; a figure of a phone that knows an older one is not taken."""


class Step(NamedTuple):
    """A step of a counter: when, by which device (the hub's 0 too), how far, and what it then was."""

    revision: int
    device: int
    step: float
    value: float


class Batch(NamedTuple):
    """A batch of a drug in a clinic's stock."""

    clinic: str
    drug: str
    batch: str


def figures(table: str, pushed: Pushed) -> tuple[str, ...]:
    """Return the counters that a push says: those that it names."""
    return tuple(name for name in pushed.changed if name in COUNTERS.get(table, ()))


def batch(record: Record) -> Batch | None:
    """Return from which batch a record says that something was taken, or which batch a row of the stock is."""
    clinic, drug, taken_from = record.text("clinic_id"), record.text("drug_id"), record.text("batch_id")
    return Batch(clinic, drug, taken_from) if clinic and drug and taken_from else None


def quantity(record: Record) -> float:
    """Return how much a dispensing record hands out."""
    return float(record.row.quantity_dispensed)


def had(value: float, steps: Sequence[Step], known: int) -> float | None:
    """Return what a counter was at a revision; None where nobody knows any more.

    value: what it is now; steps: the newest ones, in their order.
    """
    later = [step for step in steps if step.revision > known]
    if not later:
        return value
    if len(later) == len(steps) >= STEPS:
        return None
    return later[0].value - later[0].step


class Figure(NamedTuple):
    """What a device had or said, and as of which revision."""

    revision: int
    value: float


def had_last(value: float, steps: Sequence[Step], *, device: int, known: int, said: Figure | None) -> Figure | None:
    """Return what a device had before it counted on; None where nobody knows, and somebody else counted too.

    known: the revision as of which it was given the counter, 0 for none; said: the figure that it pushed last.
    """
    if said and said.revision > known:
        return said
    alone = all(step.device == device for step in steps)
    before = had(value, steps, known) if known or alone else None
    return None if before is None else Figure(known, before)


def beside_records(figure: float, before: Figure, steps: Sequence[Step], device: int) -> float:
    """Return the step that a device's figure says beside its records."""
    own = sum(step.step for step in steps if step.device == device and step.revision > before.revision)
    return figure - (before.value + own)


def made_with(figure: float, own: Iterable[Record]) -> float:
    """Return what a new item's figure says beyond the records that came with it."""
    return max(0, figure - sum(map(quantity, own)))


def in_stock(cloud: float, entered: float, unsent: float) -> float:
    """Return what is in stock: the cloud's figure, what phones entered here, less what the cloud has yet to hear of."""
    return cloud + entered - unsent


def is_beyond(table: str, record: Record) -> bool:
    """Whether more was handed out than was prescribed, refills included, or than was in stock."""
    if table == STOCK:
        return bool(record.row.quantity_available < 0)
    allowed = record.row.quantity_prescribed * (1 + max(0, record.row.refills_authorized))
    return bool(record.row.quantity_dispensed > allowed > 0)
