"""Online mode: what a page, a search, a likeness and a visit cost with ten times the patients."""

import json
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hub.core.records import codec
from hub.core.records.push_decision import Add
from hub.core.records.tables import TABLES
from hub.store.database import Store
from hub.store.records import record_rows
from tests.bench.material import LeanPhone, events, hub, signed_in
from tests.bench.rows import Row, quantiles
from tests.simulator.clinic import Clinic, Provider

FEW, MANY = 10_000, 100_000
_BATCH = 5000
_TIMES = 100
_START_MS = 1_700_000_000_000
_BY = Provider("user-1", "Dr Bench")
_EVENTS_IN_VISIT = 5

CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("page of 20 patients", "get_patients", {"limit": 20, "offset": 0}),
    ("search by two letters", "search_patients", {"filters": {"given_name": "مح"}, "limit": 20, "offset": 0}),
    ("search by full name", "search_patients", {"filters": {"given_name": "Lefevre Jerome"}, "limit": 20, "offset": 0}),
    ("search by 6 digits of an ID", "search_patients", {"filters": {"given_name": "123456"}, "limit": 20, "offset": 0}),
    ("patients.similar", "patients.similar", {"given_name": "Jerom", "surname": "Lefebre", "limit": 10}),
)


def run() -> Iterator[Row]:
    """Measure each query on both hubs, by sealed calls within this process."""
    with tempfile.TemporaryDirectory() as folder:
        few, visit_of_few, store_of_few = _hub(Path(folder) / "few", FEW)
        many, visit_of_many, store_of_many = _hub(Path(folder) / "many", MANY)
        for what, name, params in CALLS:
            yield _row(what, _asking(few, name, params), _asking(many, name, params))
        yield _row(
            "events of a visit",
            _asking(few, "get_visit_events", visit_of_few),
            _asking(many, "get_visit_events", visit_of_many),
        )
        yield _likeness(few)
        store_of_few.close()
        store_of_many.close()


def _row(what: str, few: Callable[[], object], many: Callable[[], object]) -> Row:
    small, large = quantiles(_taken_ms(few)), quantiles(_taken_ms(many))
    return Row(
        f"{what}, {MANY:,} patients against {FEW:,}",
        large[0],
        floor=small[0],
        limit=None if what == "patients.similar" else 4,  # it compares more names, up to a bound
        note=f"p95 {large[1]:.1f} against {small[1]:.1f}",
    )


def _likeness(phone: LeanPhone) -> Row:
    ask = _asking(phone, *CALLS[-1][1:])
    start = time.process_time()
    for _ in range(_TIMES):
        ask()
    spent_ms = (time.process_time() - start) / _TIMES * 1000
    return Row(f"patients.similar, {FEW:,} patients", spent_ms, unit="ms CPU", limit=150)


def _taken_ms(act: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        act()
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def _asking(phone: LeanPhone, name: str, params: dict[str, Any]) -> Callable[[], object]:
    phone.handshake()
    answer = json.loads(phone.call("query", name, params))
    assert answer["data"], f"{name} found nothing"
    return lambda: phone.call("query", name, params)


def _hub(folder: Path, count: int) -> tuple[LeanPhone, dict[str, str], Store]:
    """Make a hub of so many patients and as many events; returns a phone and one visit."""
    store, rpc = hub(folder, 0)
    patients = _patients(store, count)
    visit = {"patient_id": patients[count // 2], "visit_id": str(uuid.uuid4())}
    table = TABLES["events"]
    rows: list[codec.Record] = []
    for number, row in enumerate(events(count)):
        owner = visit if number % (count // _EVENTS_IN_VISIT) == 0 else {"patient_id": patients[number]}
        rows.append(codec.build(table, {**_plain(row), **owner}))
        if len(rows) == _BATCH:
            _keep(store, "events", rows)
    _keep(store, "events", rows)
    phone = signed_in(rpc, "bench")
    return phone, visit, store


def _patients(store: Store, count: int) -> list[str]:
    clinic, table = Clinic(1), TABLES["patients"]
    ids = [str(uuid.UUID(int=number + 1)) for number in range(count)]
    rows: list[codec.Record] = []
    for number, patient_id in enumerate(ids):
        made = _START_MS + number * 1000
        values = clinic.patient(made, _BY)
        if number % 1000 == 0:
            values["government_id"] = f"9{123456_00 + number % 97}"
        rows.append(codec.build(table, {**values, "id": patient_id, "created_at": made, "updated_at": made}))
        if len(rows) == _BATCH:
            _keep(store, "patients", rows)
    _keep(store, "patients", rows)
    return ids


def _keep(store: Store, table: str, rows: list[codec.Record]) -> None:
    with store.write(durable=False) as tx:
        record_rows.add(tx, TABLES[table], [Add(row, *codec.write(row)) for row in rows], device=1)
    rows.clear()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("_")}
