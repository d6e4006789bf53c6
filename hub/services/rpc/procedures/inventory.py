"""Inventory: what a clinic has in stock."""

from typing import Annotated, Any

import msgspec

from hub.actions.records.charts import ChartReader
from hub.core.errors import NotFound
from hub.core.records import online, search
from hub.core.records.access import Owner
from hub.core.records.codec import Record
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import drugs, patient_access, stock
from hub.services.rpc.procedures.clinics import OfClinic
from hub.services.rpc.procedures.patient_access import Listing
from hub.services.rpc.procedures.registry import Call, query
from hub.services.rpc.procedures.stock import INVENTORY

StockRow = Annotated[dict[str, Any], msgspec.Meta(title="clinic_inventory row")]


class SearchStock(msgspec.Struct, frozen=True):
    """What was typed of a drug's name or of a batch number."""

    clinic_id: str
    search_term: str | None = ""


class Wanted(msgspec.Struct, frozen=True):
    """How much of which drug is wanted where."""

    drug_id: str
    clinic_id: str
    required_quantity: int = 1


class Availability(msgspec.Struct, frozen=True):
    """Whether there is enough, and how much there is that has not expired."""

    available: bool
    total_available: int


@query("inventory.by_clinic")
def by_clinic(call: Call, params: OfClinic) -> Listing[StockRow]:
    """List what a clinic of the user has in stock."""
    with patient_access.reader(call) as charts:
        return Listing([online.shown(INVENTORY, batch) for batch in _batches(charts, params.clinic_id)])


@query("inventory.search")
def search_stock(call: Call, params: SearchStock) -> Listing[StockRow]:
    """Search the stock of a clinic of the user by the drug's name or the batch number."""
    typed = params.search_term or ""
    with patient_access.reader(call) as charts:
        found = [batch for batch in _batches(charts, params.clinic_id) if _is_called(charts, batch, typed)]
    return Listing([online.shown(INVENTORY, batch) for batch in found])


@query("inventory.check_availability")
def check_availability(call: Call, params: Wanted) -> Availability:
    """Return whether a clinic of the user has enough of a drug."""
    with patient_access.reader(call) as charts:
        _batches(charts, params.clinic_id)
        total = stock.available(stock.usable(charts, params.clinic_id, params.drug_id, charts.now_ms))
    return Availability(total >= params.required_quantity, total)


def _batches(charts: ChartReader, clinic_id: str) -> list[Record]:
    batches = [batch for batch in charts.where(INVENTORY, {"clinic_id": clinic_id}) if charts.sees(INVENTORY, batch)]
    if not batches:
        _check_clinic(charts, clinic_id)
    return batches


def _check_clinic(charts: ChartReader, clinic_id: str) -> None:
    if not (charts.rights.is_known(clinic_id) and charts.rights.belongs(Owner(clinic_id))):
        raise NotFound("no such clinic of the user")


def _is_called(charts: ChartReader, batch: Record, typed: str) -> bool:
    if search.number(typed) in search.number(str(batch.row.batch_number)):
        return True
    drug = charts.find(TABLES["drug_catalogue"], batch.row.drug_id)
    return drug is not None and drugs.is_called(drug, typed)
