"""The hub's one SQLite file, and transactions on it: one writer, some readers."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import tzinfo
from functools import cached_property, partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol

import msgspec
from sqlite_utils import Database

from hub.core.clock import HubClock, first_ms
from hub.core.copy.entry import Noted
from hub.core.errors import Damaged, StoreError, Unavailable
from hub.core.status.card import CardShape
from hub.store import zone
from hub.store.copy import change_log, rows
from hub.store.copy.capture import Capture
from hub.store.migrations import migrations
from hub.store.records import search

View = Database
"""One unchanging view of everything committed, from ``Store.read`` or ``Transaction.db``."""

FILE_NAME = "hub.db"
_BUSY_MS = 15_000
_WRITER_CACHE_KIB = 16_384
_READER_CACHE_KIB = 2_048
_LOG_BYTES = 8 * 1024 * 1024
"""A larger log than SQLite's default, so that a busy hour writes a page to the card once, not ten times."""
_CHECKPOINT_PAGES = 8_000
"""At 32 MB whoever writes brings the log into the database, if nobody else could."""

QUARANTINE_MAX = 10_000


class Transaction:
    """An open write transaction; ``now_ms`` is its hub time and the revision of all that it changes."""

    def __init__(self, db: Database, clock: HubClock, quarantine_max: int, zone: tzinfo) -> None:
        """Wrap the writer inside BEGIN."""
        self.db = db
        self.quarantine_max = quarantine_max
        self.zone = zone
        self._clock = clock

    @cached_property
    def now_ms(self) -> int:
        """Return the transaction's hub time; the first use keeps it in the same transaction."""
        now_ms = self._clock.tick(hub_time(self.db), time.monotonic_ns())
        self.db.execute("UPDATE hub SET value = ? WHERE key = 'time'", [now_ms])
        return now_ms

    @contextmanager
    def attempt(self) -> Iterator[Callable[[], object]]:
        """Do a part of the transaction that may be undone, by calling what is yielded at its end."""
        self.db.execute("SAVEPOINT attempt")
        yield partial(self.db.execute, "ROLLBACK TO attempt")
        self.db.execute("RELEASE attempt")


class Copier(Protocol):
    """Keeps a second copy of what transactions change, on another medium."""

    def take(self, noted: Noted, read: Callable[[], Iterator[bytes]]) -> None:
        """Begin to copy a transaction that is about to be committed; ``read`` gives its parts. Must not wait."""

    def take_back(self, noted: Noted) -> None:
        """Forget a transaction that could not be committed."""

    @property
    def is_safe(self) -> bool:
        """Whether the copy has all that was committed, as far as is known."""

    def wait(self, noted: Noted) -> bool:
        """Wait for the copy of a committed transaction, outside of every lock; returns whether it is there."""


class Store:
    """The database: opened, migrated, checked on request, shared by the threads of one process."""

    def __init__(self, data: Path, *, quarantine_max: int = QUARANTINE_MAX, clinic_zone: tzinfo | None = None) -> None:
        """Open or make ``data/hub.db``; raises StoreError when it cannot be opened, Damaged when it is no database."""
        self.path = data / FILE_NAME
        self.quarantine_max = quarantine_max
        """How many records quarantine holds: what a phone pushes past it is refused as a whole."""
        self.zone = clinic_zone or zone.of_machine()
        """The clinic's time zone: days that phones pick are days there."""
        self.after_commit: list[Callable[[], None]] = []
        """Called after each durable transaction of this process, by the thread that made it; must not raise."""
        self.is_stopped = False
        """Whether phones are refused for a while; who serves them asks for each message."""
        self.is_replaced = False
        """Another box is this hub now: this one takes no records."""
        self.card = CardShape.SOUND
        """Of one that does not keep what is written no records are taken."""
        self.copier: Copier | None = None
        """Copies what is written by this process; what others write it finds in the log of changes."""
        self._lock = threading.Lock()
        self._checkpointing = threading.Lock()
        self._log = data / f"{FILE_NAME}-wal"
        self._readers: SimpleQueue[Database] = SimpleQueue()
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            self._writer = self._connect(_WRITER_CACHE_KIB)
            self._writer.conn.execute("PRAGMA journal_mode = WAL")
            self._writer.conn.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            self._writer.conn.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
            self._migrate()
            self._capture, self._is_captured = Capture(self._writer), False
            self._clock = self._anchored()
        except (sqlite3.Error, OSError) as error:
            kind = StoreError if isinstance(error, sqlite3.OperationalError | OSError) else Damaged
            raise kind(f"cannot open {self.path}: {error}") from error

    def close(self) -> None:
        """Close every connection."""
        with self._checkpointing:
            pass
        while True:
            try:
                self._readers.get_nowait().close()
            except Empty:
                break
        self._writer.close()

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Transaction]:
        """Open a write transaction; it is on disk when the block ends (P1).

        durable=False spares the fsync: a power cut may take it back, but never without taking every later
        write with it. For what may be forgotten: when a phone was last seen.
        """
        with self._lock, _translated():
            self._writer.conn.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with self._copied() as noted, _immediate(self._writer):
                self._follow_copy()
                yield Transaction(self._writer, self._clock, self.quarantine_max, self.zone)
                self._note(noted)
        self._shorten_log()
        if durable:
            if self.copier and noted:
                self.copier.wait(noted[0])
            for hear in tuple(self.after_commit):
                hear()

    def need_room(self, free_bytes: int) -> None:
        """Raise Unavailable when less than this is free: storage is full before nothing can be written any more."""
        if shutil.disk_usage(self.path.parent).free < free_bytes:
            raise Unavailable("storage is full")

    def _shorten_log(self) -> None:
        """Bring a long log into the database, beside the answer to whoever wrote: it is on disk already.

        The log itself is cut to its usual length when it is begun anew, also after a reader that took long.
        """
        is_long = self._log.exists() and self._log.stat().st_size > _LOG_BYTES
        if is_long and self._checkpointing.acquire(blocking=False):
            threading.Thread(target=self._checkpoint, name="checkpoint").start()

    def _checkpoint(self) -> None:
        try:
            with closing(sqlite3.connect(self.path, timeout=0)) as conn:
                conn.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error:
            pass  # whoever writes does it at _CHECKPOINT_PAGES, and hears of what is wrong
        finally:
            self._checkpointing.release()

    def _follow_copy(self) -> None:
        """Note what this transaction changes, or do no more, as it is wanted now."""
        is_wanted = _has_copy(self._writer)
        if is_wanted != self._is_captured:
            self._capture.follow(is_on=is_wanted)
            self._is_captured = is_wanted

    def _note(self, noted: list[Noted]) -> None:
        """Log what the transaction changed, and let the copy of it begin beside the commit."""
        changed = self._capture.taken() if self._is_captured else None
        if changed:
            noted.append(change_log.note(self._writer, changed))
            if self.copier:
                self.copier.take(noted[0], partial(rows.parts, self._writer, self._capture.tables, changed))

    @contextmanager
    def _copied(self) -> Iterator[list[Noted]]:
        noted: list[Noted] = []
        before = self._is_captured
        try:
            yield noted
        except BaseException:
            if before or self._is_captured:
                self._capture.forget()
                self._is_captured = before
            if self.copier and noted:
                self.copier.take_back(noted[0])
            raise

    @contextmanager
    def read(self) -> Iterator[Database]:
        """Open a read transaction: one unchanging view of everything committed."""
        with _translated():
            try:
                db = self._readers.get_nowait()
            except Empty:
                db = self._connect(_READER_CACHE_KIB)
                db.conn.execute("PRAGMA query_only = ON")
            try:
                db.conn.execute("BEGIN")
                yield db
            finally:
                db.conn.rollback()
                self._readers.put(db)

    def is_taken(self) -> bool:
        """Return whether another process is writing just now; does not wait for it."""
        is_taken = False
        with self._lock:
            self._writer.conn.execute("PRAGMA busy_timeout = 0")
            try:
                with _immediate(self._writer):
                    pass
            except sqlite3.OperationalError as error:
                is_taken = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            finally:
                self._writer.conn.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        return is_taken

    def now_ms(self, db: Database) -> int:
        """Return the hub time of now without keeping it: for comparing, never for stamping."""
        return self._clock.tick(hub_time(db), time.monotonic_ns())

    @property
    def run_ms(self) -> int:
        """Return the hub time at which this run of the machine began."""
        return self._clock.anchor_ms

    def check(self, *, full: bool = False) -> list[str]:
        """Check the file's integrity; returns what is wrong, nothing if all is well."""
        try:
            with self.read() as db:
                lines = [row[0] for row in db.execute(f"PRAGMA {'integrity_check' if full else 'quick_check'}(20)")]
        except Unavailable as error:
            return [error.reason]
        return [] if lines == ["ok"] else lines

    def size_bytes(self) -> int:
        """Return what the database takes on disk, its log included."""
        return sum(path.stat().st_size for path in (self.path, *self.path.parent.glob(f"{FILE_NAME}-*")))

    def _connect(self, cache_kib: int) -> Database:
        conn = sqlite3.connect(self.path, timeout=_BUSY_MS / 1000, check_same_thread=False, isolation_level=None)
        conn.execute(f"PRAGMA cache_size = -{cache_kib}")
        conn.execute("PRAGMA temp_store = MEMORY")
        search.register(conn)
        return Database(conn, recursive_triggers=False, execute_plugins=False)

    def _migrate(self) -> None:
        if migrations.pending(self._writer):
            with _immediate(self._writer):  # another process may be at it: what is left to do is asked again inside
                migrations.apply(self._writer)

    def _anchored(self) -> HubClock:
        """Return the clock of this boot; the first process after a boot sets its anchor where hub time last stood."""
        with self._lock:
            known = _clock(self._writer)
            if known is not None:  # whoever reads needs no turn at writing
                return known
            with _immediate(self._writer):
                return _clock(self._writer) or _new_clock(self._writer)


@contextmanager
def _immediate(db: Database) -> Iterator[None]:
    """Open a transaction that has the write lock from the start."""
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.conn.execute("COMMIT")
    except BaseException:
        db.conn.rollback()
        raise


@contextmanager
def _translated() -> Iterator[None]:
    """Turn a failing disk into what a phone must know: not now, nothing was stored."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        is_damaged = type(error) is sqlite3.DatabaseError  # SQLITE_CORRUPT and NOTADB; each other cause has a class
        found = "the database is damaged; see 'hikma-hub doctor'" if is_damaged else "the database failed"
        raise Unavailable(f"{found} ({error})") from error


def _clock(db: Database) -> HubClock | None:
    """Return the clock of this boot, if one was set."""
    row = db.execute("SELECT value FROM hub WHERE key = 'clock'").fetchone()
    clock = msgspec.json.decode(row[0], type=HubClock) if row else None
    return clock if clock and clock.boot == _boot() else None


def _new_clock(db: Database) -> HubClock:
    db.execute("INSERT OR IGNORE INTO hub (key, value) VALUES ('time', ?)", [first_ms(_wall_ms())])
    clock = HubClock(hub_time(db), time.monotonic_ns(), _boot())
    kept = msgspec.json.encode(clock).decode()
    db.execute("INSERT OR REPLACE INTO hub (key, value) VALUES ('clock', ?)", [kept])
    return clock


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _has_copy(db: Database) -> bool:
    return db.execute("SELECT 1 FROM hub WHERE key = 'copy'").fetchone() is not None


def hub_time(db: Database) -> int:
    """Return the last hub time that was kept: no later than any committed revision is possible."""
    return int(db.execute("SELECT value FROM hub WHERE key = 'time'").fetchone()[0])
