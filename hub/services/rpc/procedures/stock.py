"""Chooses from stock: which batches of a drug a clinic has, and from which a quantity is handed out.

The dispensing record takes it from the batch that it names, here and in the cloud (hub.core.records.counters).
"""

import math
from collections.abc import Mapping

import msgspec

from hub.actions.records.charts import ChartReader
from hub.core.errors import Insufficient
from hub.core.records.codec import Record
from hub.core.records.tables import TABLES

INVENTORY = TABLES["clinic_inventory"]
_DAY_MS = 86_400_000


class Chosen(msgspec.Struct, frozen=True):
    """How much is handed out of one batch."""

    batch_id: str
    quantity: int


def usable(charts: ChartReader, clinic_id: str, drug_id: str, now_ms: float) -> list[Record]:
    """Return the batches that have not expired, the first to expire first."""
    batches = charts.where(INVENTORY, {"clinic_id": clinic_id, "drug_id": drug_id})
    return sorted(
        (batch for batch in batches if _expires(batch) > now_ms), key=lambda batch: (_expires(batch), batch.id)
    )


def available(batches: list[Record]) -> int:
    """Count what is there."""
    return sum(max(0, math.floor(batch.row.quantity_available)) for batch in batches)


def choose(
    charts: ChartReader, clinic_id: str, drug_id: str, quantity: int, batch_id: str | None = None
) -> list[Chosen]:
    """Choose a quantity from the batches that expire first, or from one batch; raises Insufficient."""
    batches = usable(charts, clinic_id, drug_id, charts.now_ms)
    if batch_id:
        batches = [batch for batch in batches if batch.row.batch_id == batch_id]
    if available(batches) < quantity:
        raise Insufficient(f"only {available(batches)} available")
    chosen = []
    for batch in batches:
        part = min(quantity, available([batch]))
        if part:
            chosen.append(Chosen(batch.row.batch_id, part))
            quantity -= part
    return chosen


def choose_each(charts: ChartReader, clinic_id: str, drug_id: str, quantities: Mapping[str, int]) -> list[Chosen]:
    """Choose quantities from batches that are named."""
    return [
        part
        for batch_id, quantity in quantities.items()
        for part in choose(charts, clinic_id, drug_id, quantity, batch_id)
    ]


def _expires(batch: Record) -> float:
    """Return when a batch's last day ends; never, where no date is known."""
    date = float(batch.row.batch_expiry_date)
    return date + _DAY_MS if date else math.inf
