"""Looks through dated records of many patients: appointments and prescriptions, filtered and paged."""

from collections.abc import Callable, Iterator
from itertools import islice

from hub.actions.records.charts import ROWS_MAX, ChartReader, Row
from hub.core.records import online
from hub.core.records.codec import Record
from hub.core.records.table import Table
from hub.services.rpc.procedures.patient_access import ListPart, ListRange

PATIENTS = 200
"""How many patients one name stands for, the newest; whoever means another types more of it."""
DAY_MS = 86_400_000


def page(
    charts: ChartReader,
    table: Table,
    column: str,
    *,
    start: float,
    end: float,
    named: str,
    wanted: Callable[[Record], bool],
    part: ListRange,
) -> ListPart[Row]:
    """Return a page of the records that the user may see, whose ``column`` lies in [start, end], the latest first.

    named: what was typed of the patient's name; '' for all patients. Counted up to ROWS_MAX.
    """
    found = _of_named(charts, table, column, named) if named.strip() else None
    records = (
        charts.between(table, column, start, end)
        if found is None
        else (record for record in found if start <= (record.get(column) or 0) <= end)
    )
    seen = list(islice((record for record in records if wanted(record) and charts.sees(table, record)), ROWS_MAX))
    rows = [online.shown(table, record) for record in seen[part.offset : part.offset + part.limit]]
    return ListPart(rows, len(seen), part.limit, part.offset)


def _of_named(charts: ChartReader, table: Table, column: str, named: str) -> Iterator[Record]:
    patients, _ = charts.matching({"given_name": named}, limit=PATIENTS, offset=0)
    found = [record for patient in patients for record in charts.where(table, {"patient_id": patient.id})]
    yield from sorted(found, key=lambda record: record.get(column) or 0, reverse=True)
