"""Pulls and pushes against plain SQLite, AES-GCM and base64url on the same data, in one process."""

import base64
import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.services.rpc.dispatch import Rpc
from hub.store.database import Store
from tests.bench.material import LeanPhone, events, hub, nurse, patients, rpc, signed_in
from tests.bench.rows import Row, median_ms
from tests.simulator.taps import Past

MANY, FEW = 100_000, 1_000
_PUSH = 10_000
_OF_A_CLINIC = 42_000
_PHONES = 5
_PAGE_LIMIT = 4
_CHANGED = 20


def run() -> Iterator[Row]:
    """Measure a page, a small pull on hubs of two sizes, and pushes."""
    with tempfile.TemporaryDirectory() as folder:
        store, served = hub(Path(folder, "many"), MANY)
        small_store, small = hub(Path(folder, "few"), FEW)
        past = Past(Path(folder, "past"), _OF_A_CLINIC)
        with past.hub.store.write() as tx:
            nurse(tx, past.hub.clinic_id)
        yield _page(past.hub.store, rpc(past.hub.store), "first page of 4 MB, of a clinic's patients", skip=0)
        past.close()
        yield _page(store, served, "first page of 4 MB, of visits alone", skip=0)
        yield _page(store, served, "tenth page of 4 MB", skip=9)
        yield _small_pull(signed_in(served, "a"), signed_in(served, "b"), signed_in(small, "a"), signed_in(small, "b"))
        yield _push(Path(folder), signed_in(small, "push"), "events", f"push of {_PUSH:,} records", events)
        yield _push(Path(folder), signed_in(small, "people"), "patients", f"push of {_PUSH:,} patients", patients)
        yield _push_one(Path(folder), signed_in(small, "one"))
        store.close()
        small_store.close()


def _page(store: Store, served: Rpc, what: str, *, skip: int) -> Row:
    """Read rows, seal, and write as base64url: the hub, which chooses and keeps a ledger on disk, against just that.

    Each time it is another phone: one that does not confirm an answer gets less in the next.
    """
    asked = [_answer(signed_in(served, f"{what} {number}"), skip) for number in range(_PHONES)]
    taken_ms, size, changes = [each[0] for each in asked], asked[0][1], asked[0][2]
    counts = {name: len(part["created"]) for name, part in changes.items()}
    conn = sqlite3.connect(store.path)
    key = AESGCM(os.urandom(32))

    def floor() -> int:
        reads = [f"SELECT data FROM [{name}] ORDER BY num DESC LIMIT {count}" for name, count in counts.items()]
        plain = ("[" + ",".join(row[0] for read in reads for row in conn.execute(read)) + "]").encode()
        nonce = os.urandom(12)
        text = base64.urlsafe_b64encode(nonce + key.encrypt(nonce, plain, b"query_response"))
        return len(b'{"payload":"' + text + b'"}')

    note = f"{sum(counts.values()):,} records, {size:,} bytes"
    return Row(what, statistics.median(taken_ms), floor=median_ms(floor, times=9), limit=_PAGE_LIMIT, note=note)


def _answer(phone: LeanPhone, skip: int) -> tuple[float, int, dict[str, Any]]:
    """Pull once behind so many pages; returns the time in ms, the size in bytes and the changes."""
    cursor = 0
    for _ in range(skip):
        cursor = json.loads(phone.call("query", "sync_pull", {"lastPulledAt": cursor}))["timestamp"]
    body = phone.body("query", "sync_pull", {"lastPulledAt": cursor})
    started = time.perf_counter()
    answer = phone._post("/rpc/query", body)
    return (time.perf_counter() - started) * 1000, len(answer), json.loads(phone.open("query", answer))["changes"]


def _small_pull(writer: LeanPhone, reader: LeanPhone, small_writer: LeanPhone, small_reader: LeanPhone) -> Row:
    """Pull 20 changed records on a hub of 100,000 and on one of 1,000."""
    large = _changed_pull(writer, reader)
    return Row(
        f"pull of {_CHANGED} changed records, {MANY:,} on the hub against {FEW:,}",
        large,
        floor=_changed_pull(small_writer, small_reader),
        limit=3,
    )


def _changed_pull(writer: LeanPhone, reader: LeanPhone) -> float:
    cursor = [_drain(reader)]
    seeds = iter(range(1000, 2000))

    def change() -> None:
        rows = list(events(_CHANGED, seed=next(seeds)))
        writer.call("command", "sync_push", {"changes": {"events": {"created": rows, "updated": [], "deleted": []}}})

    def pull() -> None:
        answer = json.loads(reader.call("query", "sync_pull", {"lastPulledAt": cursor[0]}))
        assert len(answer["changes"]["events"]["created"]) == _CHANGED
        cursor[0] = answer["timestamp"]

    return median_ms(pull, times=15, before=change)


def _drain(phone: LeanPhone) -> int:
    cursor = 0
    while True:
        answer = json.loads(phone.call("query", "sync_pull", {"lastPulledAt": cursor}))
        cursor = answer["timestamp"]
        if not answer["changes"]:
            return int(cursor)


def _push(folder: Path, phone: LeanPhone, table: str, what: str, made: Callable[..., Iterator[dict[str, Any]]]) -> Row:
    """Push 10,000 new records in one request: the hub against open, parse, upsert and one FULL commit."""
    seeds = iter(range(5000, 6000))
    body = [b""]

    def ask() -> None:
        rows = list(made(_PUSH, seed=next(seeds)))
        body[0] = phone.body("command", "sync_push", {"changes": {table: {"created": rows}}})

    measured = median_ms(lambda: phone._post("/rpc/command", body[0]), times=5, before=ask)
    conn = _plain(folder / f"floor-{table}.db")

    def floor() -> None:
        sealed = base64.urlsafe_b64decode(json.loads(body[0])["payload"] + "==")
        plain = AESGCM(phone.key).decrypt(sealed[:12], sealed[12:], b"command")
        rows = msgspec.json.decode(plain)["data"]["changes"][table]["created"]
        _upsert(conn, [(row["id"], msgspec.json.encode(row)) for row in rows])

    return Row(what, measured, floor=median_ms(floor, times=5, before=ask), limit=2.5)


def _push_one(folder: Path, phone: LeanPhone) -> Row:
    """Push one record: the hub against one upsert with a FULL commit."""
    seeds = iter(range(7000, 8000))
    body = [b""]

    def ask() -> None:
        rows = list(events(1, seed=next(seeds)))
        body[0] = phone.body("command", "sync_push", {"changes": {"events": {"created": rows}}})

    measured = median_ms(lambda: phone._post("/rpc/command", body[0]), times=50, before=ask)
    conn = _plain(folder / "floor-one.db")
    row = next(events(1))
    floor = median_ms(lambda: _upsert(conn, [(os.urandom(8).hex(), msgspec.json.encode(row))]), times=50)
    return Row("push of 1 record", measured, floor=floor, note="one transaction, one fsync")


def _plain(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    conn.execute("CREATE TABLE t (id TEXT PRIMARY KEY, data)")
    return conn


def _upsert(conn: sqlite3.Connection, rows: list[tuple[str, bytes]]) -> None:
    conn.execute("BEGIN")
    conn.executemany("INSERT INTO t VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data", rows)
    conn.execute("COMMIT")
