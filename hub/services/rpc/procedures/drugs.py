"""The drug catalogue: searched, looked up."""

from typing import Annotated, Any

import msgspec

from hub.core.errors import NotFound
from hub.core.records import online, search
from hub.core.records.codec import Record
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import patient_access
from hub.services.rpc.procedures.patient_access import ById, Listing
from hub.services.rpc.procedures.registry import Call, query

DrugRow = Annotated[dict[str, Any], msgspec.Meta(title="drug_catalogue row")]

_DRUGS = TABLES["drug_catalogue"]


class SearchDrugs(msgspec.Struct, frozen=True):
    """What is known of a drug."""

    search_term: str | None = None
    form: str | None = None
    route: str | None = None
    is_active: bool | None = None


class Barcode(msgspec.Struct, frozen=True):
    """A barcode."""

    barcode: str


def is_called(drug: Record, typed: str) -> bool:
    """Return whether a drug's names or barcode hold everything that was typed."""
    names = search.fold(" ".join(str(drug.get(name) or "") for name in ("generic_name", "brand_name", "barcode")))
    return all(word in names for word in search.fold(typed).split())


@query("drugs.search")
def search_drugs(call: Call, params: SearchDrugs) -> Listing[DrugRow]:
    """Search drugs by parts of their names or barcode, by name."""
    with patient_access.reader(call) as charts:
        found = [drug for drug in charts.every(_DRUGS) if _fits(drug, params)]
    return Listing(sorted((online.shown(_DRUGS, drug) for drug in found), key=lambda row: str(row["generic_name"])))


@query("drugs.get")
def get(call: Call, params: ById) -> DrugRow:
    """Return a drug."""
    with patient_access.reader(call) as charts:
        return _shown(charts.find(_DRUGS, params.id))


@query("drugs.by_barcode")
def by_barcode(call: Call, params: Barcode) -> DrugRow:
    """Return the drug with a barcode."""
    with patient_access.reader(call) as charts:
        return _shown(next(iter(charts.where(_DRUGS, {"barcode": params.barcode})), None))


def _shown(drug: Record | None) -> DrugRow:
    if drug is None:
        raise NotFound("no such drug")
    return online.shown(_DRUGS, drug)


def _fits(drug: Record, params: SearchDrugs) -> bool:
    wanted = {"form": params.form, "route": params.route, "is_active": params.is_active}
    return is_called(drug, params.search_term or "") and all(
        value is None or value == "" or drug.get(name) == value for name, value in wanted.items()
    )
