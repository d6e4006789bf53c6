"""The relay against a bare peer: a first pull of 100,000 records, 10,000 that wait, and a cycle with no news."""

import json
import logging
import multiprocessing
import random
import resource
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

import ijson
import msgspec
import structlog

from hub.actions.cloud.cycles import advance, progress
from hub.actions.phones import push
from hub.actions.phones.push import Source, TableChanges
from hub.core.cloud import pull_plan
from hub.core.records import codec
from hub.core.records.access import Rights
from hub.core.records.push_decision import Add
from hub.core.records.tables import TABLES
from hub.services.relay.connect import connect
from hub.services.relay.runner import RelayRules, Runner
from hub.store.database import Store
from hub.store.records import record_rows
from tests.bench.rows import Row

PULLED, WAITING = 100_000, 10_000
_PATIENTS = 2_000
_CLINIC = "722ec9fb-c976-5da8-9803-ada1362fa54c"
_USER = "937abbba-7f0a-5f8c-96a6-b1ca3540bc7a"
_TIME = "2026-09-21T06:30:05.784Z"
_MIB = 1024 * 1024
_RATE = 60
"""Requests in a minute that the cloud takes (CLOUD.md 2.4)."""
_spawn = multiprocessing.get_context("spawn")


def run() -> Iterator[Row]:
    """Measure each in a process of its own, beside the peer's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = _write_pull(folder / "pull.json")
        yield from _measured(_first_pull, folder, f"first pull of {PULLED:,} records, {size / 1e6:.0f} MB")
        (folder / "pull.json").rename(folder / "pulled.json")
        yield from _measured(_push, folder, f"relay of {WAITING:,} waiting records")
        yield from _measured(_round_trip, folder, f"{WAITING:,} records to the cloud and back, until it has shown all")
        yield from _measured(_idle, folder, "a cycle with no news")


def _measured(measure: Callable[[str, Path, str], list[Row]], folder: Path, what: str) -> list[Row]:
    server, url = _peer(folder / "pull.json")
    ours, theirs = _spawn.Pipe()
    child = _spawn.Process(target=_child, args=(measure, url, folder, what, theirs))
    child.start()
    theirs.close()
    try:
        rows: list[Row] = ours.recv()
    finally:
        child.join()
        server.terminate()
        server.join()
    return rows


def _child(
    measure: Callable[[str, Path, str], list[Row]], url: str, folder: Path, what: str, answer: Connection
) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    answer.send(measure(url, folder, what))


# What is measured


def _first_pull(url: str, folder: Path, what: str) -> list[Row]:
    store = _hub(folder / "pull", url)
    runner = Runner(store, RelayRules())
    start = time.perf_counter()
    report = runner.run()
    measured = (time.perf_counter() - start) * 1000
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert report is not None
    assert report.pulled.created == PULLED + 1, report
    floor = _floor(store, folder)
    return [
        Row(what, measured, floor=floor, limit=2.5, note="floor: ijson of the same bytes, and the same rows inserted"),
        Row("  peak memory of the process", peak, unit="MB", limit=200),
    ]


def _push(url: str, folder: Path, what: str) -> list[Row]:
    store = _hub(folder / "push", url)
    runner = Runner(store, RelayRules())
    sizes = _fill(store)
    cpu = time.process_time()
    report = runner.run()
    cpu = (time.process_time() - cpu) * 1000
    assert report is not None
    assert report.pushed.stored == WAITING, report
    up = report.traffic.up / sum(sizes)
    return [
        Row(f"{what}: CPU of the hub for each", cpu / WAITING * 1000, unit="µs", limit=1500),
        Row("  bytes sent for each byte of the records' JSON", up, unit="x", limit=1.1),
        Row("  requests", report.traffic.requests, unit="", limit=_RATE),
    ]


def _round_trip(url: str, folder: Path, what: str) -> list[Row]:
    """Push, sync by the schedule and by hand meanwhile, and pull when the overlap reaches the push no more."""
    store = _hub(folder / "round", url)
    runner = Runner(store, RelayRules(requests_per_minute=1000))
    sizes = _fill(store)
    reports = [runner.run(), *(runner.run(is_patient=by_schedule) for by_schedule in (True, False, True, False))]
    later_ms = progress(store).pushed_cloud_ms - pull_plan.OVERLAP_MS - pull_plan.WHOLE_SECOND_MS
    advance(store, pushed_cloud_ms=later_ms)
    reports.append(runner.run(is_patient=True))
    traffic = [report.traffic for report in reports if report]
    assert sum(report.pulled.seen for report in reports if report) == WAITING, reports
    kb = [sum(bytes_) / WAITING for bytes_ in ([each.up for each in traffic], [each.down for each in traffic])]
    size = sum(sizes) / WAITING
    return [
        Row(f"{what}: sent for 1,000 of {size:.0f} bytes", kb[0], unit="kB", limit=size * 1.1),
        Row("  received for 1,000", kb[1], unit="kB", limit=kb[0] * 1.2),
    ]


def _idle(url: str, folder: Path, what: str) -> list[Row]:
    store = _hub(folder / "idle", url)
    runner = Runner(store, RelayRules(requests_per_minute=1000))
    runner.run()
    cycles = 20
    cpu = time.process_time()
    reports = [runner.run() for _ in range(cycles)]
    cpu = (time.process_time() - cpu) * 1000 / cycles
    requests = {report.traffic.requests for report in reports if report}
    return [Row(f"{what}: CPU", cpu, limit=50, note=f"{max(requests)} requests")]


def _floor(store: Store, folder: Path) -> float:
    """Parse the same bytes, and insert the same rows into the same tables, 500 in a transaction."""
    start = time.perf_counter()
    with (folder / "pull.json").open("rb") as file:
        for _ in ijson.items(file, "changes.events.created.item"):
            pass
    parsed = time.perf_counter() - start
    inserted = 0.0
    fresh = Store(folder / "floor")
    for name in ("patients", "events"):
        table = TABLES[name]
        with store.read() as db:
            rows = db.execute(f"SELECT data, cut FROM [{name}] ORDER BY num").fetchall()
        for at in range(0, len(rows), record_rows.CHUNK):
            new = [Add(codec.stored(table, data, cut), data, cut) for data, cut in rows[at : at + record_rows.CHUNK]]
            start = time.perf_counter()
            with fresh.write(durable=False) as tx:
                record_rows.add(tx, table, new, device=0)
            inserted += time.perf_counter() - start
    fresh.close()
    return (parsed + inserted) * 1000


# The hub and its peer


def _hub(data: Path, url: str) -> Store:
    store = Store(data)
    connect(store, url, "hh_bench")
    return store


def _fill(store: Store) -> list[int]:
    """Let phones enter records; returns the size of each one's JSON."""
    rng = random.Random(2)
    rights = Rights(_USER, unrestricted=True, clinics={}, known=frozenset())
    rows = [_event(rng, "", phone=True) for _ in range(WAITING - 2)]
    patient = {"id": _uuid(rng), "given_name": "A", "primary_clinic_id": _CLINIC}
    visit = {"id": _uuid(rng), "patient_id": patient["id"], "clinic_id": _CLINIC, "provider_id": _USER}
    for row in rows:
        row |= {"patient_id": patient["id"], "visit_id": visit["id"]}
    tables = {"patients": [patient], "visits": [visit], "events": rows}
    for name, made in tables.items():
        part = TableChanges(created=[msgspec.Raw(msgspec.json.encode(each)) for each in made])
        with store.write() as tx:
            push.take(tx, {name: part}, Source(1, rights))
    with store.read() as db:
        return [len(data.encode()) for name in tables for (data,) in db.execute(f"SELECT data FROM [{name}]")]


def _write_pull(path: Path) -> int:
    rng = random.Random(1)
    patients = [_uuid(rng) for _ in range(_PATIENTS)]
    with path.open("w", encoding="utf-8") as file:
        file.write('{"success":true,"changes":{"patients":{"created":[')
        file.write(",".join(json.dumps(_patient(patient), separators=(",", ":")) for patient in patients))
        file.write('],"updated":[],"deleted":[]},"clinics":{"created":[')
        file.write(json.dumps({"id": _CLINIC, "name": "Bench", "metadata": {}, "attributes": [], "created_at": _TIME}))
        file.write('],"updated":[],"deleted":[]},"events":{"created":[')
        for number in range(PULLED - _PATIENTS):
            event = json.dumps(_event(rng, rng.choice(patients), phone=False), separators=(",", ":"))
            file.write(("," if number else "") + event)
        file.write('],"updated":[],"deleted":[]}},"timestamp":1795156207195}')
    return path.stat().st_size


def _patient(patient: str) -> dict[str, Any]:
    times = dict.fromkeys(("created_at", "updated_at", "last_modified", "server_created_at"), _TIME)
    return {
        "id": patient,
        "given_name": f"Layla {patient[:4]}",
        "surname": "Haddad",
        "date_of_birth": "1984-02-29T00:00:00.000Z",
        "phone": "0791234567",
        "sex": "female",
        "additional_data": {"note": 0},
        "metadata": {},
        "is_deleted": False,
        "deleted_at": None,
        "primary_clinic_id": _CLINIC,
        **times,
    }


def _event(rng: random.Random, patient: str, *, phone: bool) -> dict[str, Any]:
    """Make an event as a phone pushes it, or as the cloud sends it."""
    form = [
        {"name": "Complaint", "value": "headache, fièvre" + "x" * 100, "fieldId": _uuid(rng), "fieldType": "free-text"},
        {"name": "Severity", "value": "low", "fieldId": _uuid(rng), "fieldType": "options", "inputType": "select"},
    ]
    event: dict[str, Any] = {"id": _uuid(rng), "patient_id": patient, "visit_id": patient, "event_type": "Visit"}
    event |= {"form_id": _CLINIC, "is_deleted": False, "deleted_at": None, "recorded_by_user_id": _USER}
    if phone:
        text = msgspec.json.encode(form).decode()
        return event | {"form_data": text, "metadata": "{}", "created_at": 1.8e12, "updated_at": 1_800_000_000_000}
    times = dict.fromkeys(("created_at", "updated_at", "last_modified", "server_created_at"), _TIME)
    return event | times | {"form_data": form, "metadata": {"providerId": _USER}}


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


class _Cloud(BaseHTTPRequestHandler):
    """Answers as briefly as a cloud could."""

    protocol_version = "HTTP/1.1"
    pull: Path
    pulled = False
    pushed: ClassVar[list[tuple[int, dict[str, Any]]]] = []
    """When what came."""

    def do_GET(self) -> None:
        """Return the whole pull once, then what was pushed since."""
        cls = type(self)
        since = int(self.path.partition("lastPulledAt=")[2].partition("&")[0])
        if cls.pulled or not cls.pull.exists() or since != 1:
            self._answer(self._news(since))
            return
        cls.pulled = True
        self._answer(self.pull.read_bytes())

    def do_POST(self) -> None:
        """Verify, or take whatever is pushed."""
        body = self.rfile.read(int(self.headers["content-length"]))
        if "verify" not in self.path:
            self.pushed.append((time.time_ns() // 1_000_000, json.loads(body)))
        device = {"id": "d", "name": "bench", "device_type": "sync_hub", "status": "active", "clinic_ids": [_CLINIC]}
        self._answer(json.dumps(device).encode() if "verify" in self.path else b'{"success":true}')

    def _news(self, since_ms: int) -> bytes:
        """Write what was pushed since as a pull has it, with the columns that the cloud adds."""
        stamps = dict.fromkeys(("last_modified", "server_created_at"), _TIME)
        changes: dict[str, dict[str, list[Any]]] = {}
        for at_ms, body in self.pushed:
            for table, lists in body.items() if at_ms > since_ms else ():
                part = changes.setdefault(table, {"created": [], "updated": [], "deleted": []})
                part["created"] += [{**row, **stamps} for row in lists["created"]]
        answer = {"success": True, "changes": changes, "timestamp": time.time_ns() // 1_000_000}
        return json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _peer(pull: Path) -> tuple[multiprocessing.process.BaseProcess, str]:
    ours, theirs = _spawn.Pipe()
    server = _spawn.Process(target=_serve, args=(pull, theirs), daemon=True)
    server.start()
    return server, f"http://127.0.0.1:{ours.recv()}"


def _serve(pull: Path, port: Connection) -> None:
    _Cloud.pull = pull
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Cloud)
    port.send(server.server_address[1])
    server.serve_forever()
