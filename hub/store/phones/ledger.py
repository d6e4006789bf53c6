"""Keeps, for each phone, which records it holds and which it is owed (P5, P6).

A phone's ledger has, for each table, bitmaps of record numbers

    held     what the phone holds, in whatever version: it gets those as ``updated``, others as ``created``
    owed     what it lacks or holds in an old version
    hidden   what its user may not see; looked at again when that changes

and one revision: everything that changed up to it is accounted for in ``owed``. A pull adds what changed since,
leaving out what the phone itself pushed, and delivers from ``owed``. A delivery is written off only when the phone
comes back with its timestamp: then the phone has stored all of it. Any other timestamp than that of a delivery or
of the last one written off says nothing about what the phone holds, and everything is owed again (but see TRUST).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pyroaring import BitMap
from sqlite_utils import Database

from hub.core.records.tables import TABLES, Table
from hub.store.database import Transaction, hub_time

DELIVERIES = 8
"""How many unconfirmed answers of a phone are remembered."""
TRUST = -1
"""In the place of the timestamp last written off, after a backup was put back: the phone may have synced with the hub
that died since, so whatever cursor it comes with is taken for that one, until it confirms an answer of this hub."""
_DOUBT_WAIT_MS = 3_600_000
"""How long a doubtful record waits for its first retry; each further wait is twice as long."""


class Sheet:
    """The part of a ledger that is about one table."""

    __slots__ = ("_stored", "frontier", "held", "hidden", "owed")

    def __init__(self) -> None:
        """Begin with nothing; ``frontier`` is how far down (made_ms) a long backlog was delivered."""
        self.held = BitMap()
        self.owed = BitMap()
        self.hidden = BitMap()
        self.frontier: int | None = None
        self._stored = self._copy()

    @classmethod
    def stored(cls, held: bytes, owed: bytes, hidden: bytes, frontier: int | None) -> "Sheet":
        """Read a stored one."""
        sheet = cls()
        sheet.held, sheet.owed, sheet.hidden = map(BitMap.deserialize, (held, owed, hidden))
        sheet.frontier = frontier
        sheet._stored = sheet._copy()
        return sheet

    def touched(self) -> bool:
        """Return whether it differs from what is stored."""
        return self._stored != self._copy()

    def _copy(self) -> tuple[BitMap, BitMap, BitMap, int | None]:
        return self.held.copy(), self.owed.copy(), self.hidden.copy(), self.frontier


class Delivered(NamedTuple):
    """What one answer carried of one table."""

    nums: BitMap
    frontier: int | None


class Doubt(NamedTuple):
    """A record of which nobody knows whether the phone has it: it was sent as ``updated`` to let the others pass.

    Either its user deleted it there, and as ``created`` it fails the sync; or the phone never got it. So it goes as
    ``created`` again, alone, now and then, until the phone has stored it.
    """

    table_name: str
    num: int


class _Delivery(NamedTuple):
    """One answer: when it was stamped, and the revision of the view that it was read from."""

    timestamp: int
    revision: int
    retry: bool
    tables: dict[str, Delivered]


class Ledger:
    """One phone's ledger, read in one view of the database and worked on in memory until it is saved."""

    def __init__(self, db: Database, device: int, *, scope: str | None = None) -> None:
        """Read its head; ``scope`` names the clinics that the user may not see, None for those of last time."""
        self.device = device
        self.sheets: dict[str, Sheet] = {}
        self.settled_now = False
        self._revision = hub_time(db)
        self._moved = int((db.execute("SELECT value FROM hub WHERE key = 'moved'").fetchone() or [0])[0])
        self._stale: list[tuple[str, int, BitMap]] = []
        self._resolved: list[Doubt] = []
        head = db.execute(
            "SELECT revision, since, settled, attempts, scope FROM ledger_heads WHERE device = ?", [device]
        ).fetchone()
        self.known = head is not None
        accounted, since, settled, attempts, old_scope = head or (0, 0, 0, 0, scope)
        self.attempts: int = attempts
        self._accounted: int = accounted
        self._since: int = since
        self._settled: int = settled
        self._old_scope: str | None = old_scope
        self._scope = old_scope if scope is None else scope

    def open(self, db: Database, cursor: float) -> None:
        """Bring it up to date for a phone that comes with ``cursor``, the timestamp it kept; 0 for none."""
        delivery = self._delivery(db, cursor) if cursor else None
        if self.known and cursor and (delivery or self._settled in {cursor, TRUST}):
            self._read(db)
            if delivery:
                self._settle(delivery)
            self._absorb(db)
            if delivery:
                self._owe_overtaken(db, delivery)
        else:
            self._forget(db, fresh=not self.known and not cursor)

    @property
    def settled(self) -> int:
        """Return the timestamp that was last written off; 0 for none, TRUST for any."""
        return self._settled

    def behind(self) -> int:
        """Count the records that the phone is owed."""
        return sum(len(sheet.owed) for sheet in self.sheets.values())

    def due(self, db: Database, now_ms: int) -> Doubt | None:
        """Return a doubtful record that is to be tried again; only while the phone confirms what it gets."""
        if not self.known or self.attempts:
            return None
        row = db.execute(
            "SELECT table_name, num FROM doubts WHERE device = ? AND due <= ? ORDER BY due LIMIT 1",
            [self.device, now_ms],
        ).fetchone()
        return Doubt(*row) if row else None

    def save(self, tx: Transaction) -> None:
        """Keep the ledger as it is now."""
        if self.settled_now or not self.known:
            tx.db.execute("DELETE FROM deliveries WHERE device = ?", [self.device])
        if not self.known:
            tx.db.execute("DELETE FROM doubts WHERE device = ?", [self.device])
        tx.db.conn.executemany(
            "DELETE FROM doubts WHERE device = ? AND table_name = ? AND num = ?",
            [(self.device, *doubt) for doubt in self._resolved],
        )
        if self.settled_now:
            tx.db.execute("DELETE FROM debts WHERE device = ? AND revision <= ?", [self.device, self._accounted])
        tx.db.execute(
            "INSERT OR REPLACE INTO ledger_heads (device, revision, since, settled, attempts, scope)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [self.device, self._revision, self._since, self._settled, self.attempts, self._scope],
        )
        self._save_sheets(tx)

    def deliver(
        self, tx: Transaction, delivered: Mapping[str, Delivered], *, doubt: Doubt | None = None, retry: bool = False
    ) -> int:
        """Keep the ledger and a new answer; returns the timestamp that the phone will come back with.

        doubt: the record in it that is doubtful; retry: it goes as ``created`` once more.
        """
        self.attempts += not retry
        self.save(tx)
        if doubt:
            tx.db.execute(
                "INSERT INTO doubts (device, table_name, num, due, wait)"
                " VALUES (:device, :table, :num, :now + :wait, :wait)"
                " ON CONFLICT DO UPDATE SET wait = :longer * wait, due = :now + :longer * wait",
                {"device": self.device, "table": doubt.table_name, "num": doubt.num, "now": tx.now_ms}
                | {"wait": _DOUBT_WAIT_MS, "longer": 2 if retry else 1},  # only a retry that failed says something
            )
        parts = delivered or {"": Delivered(BitMap(), None)}
        tx.db.conn.executemany(
            "INSERT INTO deliveries (device, timestamp, table_name, revision, nums, frontier, retry)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (self.device, tx.now_ms, name, self._revision, _pack(part.nums), part.frontier, retry)
                for name, part in parts.items()
            ],
        )
        tx.db.execute(
            "DELETE FROM deliveries WHERE device = :device AND timestamp NOT IN (SELECT DISTINCT timestamp FROM"
            " deliveries WHERE device = :device ORDER BY timestamp DESC LIMIT :most)",
            {"device": self.device, "most": DELIVERIES},
        )
        return tx.now_ms

    def _delivery(self, db: Database, timestamp: float) -> _Delivery | None:
        rows = db.execute(
            "SELECT timestamp, revision, table_name, nums, frontier, retry FROM deliveries"
            " WHERE device = ? AND timestamp = ?",
            [self.device, timestamp],
        ).fetchall()
        if not rows:
            return None
        tables = {row[2]: Delivered(BitMap.deserialize(row[3]), row[4]) for row in rows if row[2]}
        return _Delivery(rows[0][0], rows[0][1], bool(rows[0][5]), tables)

    def _read(self, db: Database) -> None:
        rows = db.execute(
            "SELECT table_name, held, owed, hidden, frontier FROM ledger WHERE device = ?", [self.device]
        ).fetchall()
        stored = {row[0]: row[1:] for row in rows}
        for name in TABLES:
            self.sheets[name] = Sheet.stored(*stored[name]) if name in stored else Sheet()
        self._stale = [
            (name, revision, BitMap.deserialize(nums))
            for name, revision, nums in db.execute(
                "SELECT table_name, revision, nums FROM stale WHERE device = ?", [self.device]
            )
        ]
        if self._old_scope != self._scope or self._moved > self._accounted:
            for sheet in self.sheets.values():
                sheet.owed |= sheet.hidden
                sheet.hidden = BitMap()

    def _settle(self, delivery: _Delivery) -> None:
        """Write off a delivery that arrived; what changed after the view it was read from is absorbed anew."""
        for name, part in delivery.tables.items():
            sheet = self.sheets[name]
            sheet.held |= part.nums
            sheet.owed -= part.nums
            sheet.frontier = part.frontier
        for name, _, nums in self._stale:
            if name in delivery.tables:
                nums -= delivery.tables[name].nums  # noqa: PLW2901  in place
        if delivery.retry:
            self._resolved = [Doubt(name, num) for name, part in delivery.tables.items() for num in part.nums]
        self._accounted = min(self._accounted, delivery.revision)
        self._settled = delivery.timestamp
        self.attempts = 0
        self.settled_now = True

    def _absorb(self, db: Database) -> None:
        """Add what changed since the revision that is accounted for, except what the phone itself made of it."""
        if self._revision == self._accounted:
            return
        for name, sheet in self.sheets.items():
            rows = db.execute(
                "SELECT num, device, origin, local_server_created_at"
                f" FROM [{name}] INDEXED BY [{name}_changed] WHERE local_server_last_modified > ?",
                [self._accounted],
            ).fetchall()
            if rows:
                self._absorb_table(name, sheet, rows)
        for name, num in db.execute(
            "SELECT table_name, num FROM debts WHERE device = ? AND revision > ?", [self.device, self._accounted]
        ):
            self._owe(name, BitMap([num]), self._accounted)

    def _absorb_table(self, name: str, sheet: Sheet, rows: Iterable[tuple[int, int, int, int]]) -> None:
        changed, own = BitMap(), BitMap()
        for num, device, origin, created in rows:
            (own if device == self.device else changed).add(num)
            # It holds what it made, unless its database was emptied since.
            if device == self.device or (origin == self.device and created > self._since):
                sheet.held.add(num)
        self._owe(name, changed, self._accounted)
        sheet.owed -= own
        sheet.hidden -= changed

    def _owe(self, name: str, nums: BitMap, held_revision: int) -> None:
        """Owe records, and remember up to which revision the phone holds those that it has."""
        sheet = self.sheets[name]
        newly = (nums & sheet.held) - sheet.owed
        if newly:
            self._stale.append((name, held_revision, newly))
        sheet.owed |= nums

    def _owe_overtaken(self, db: Database, arrived: _Delivery) -> None:
        """Owe again what changed since the view of an answer that may have come late, over something newer.

        Two syncs of a phone can overlap. Of the answers that it did not confirm nobody knows whether they came and
        when; if it confirms one that is not the newest, that one came late itself.
        """
        rows = db.execute(
            "SELECT timestamp, revision, table_name, nums FROM deliveries WHERE device = ? AND table_name <> ''",
            [self.device],
        ).fetchall()
        newest = max((row[0] for row in rows), default=0)
        for timestamp, revision, name, nums in rows:
            if timestamp == arrived.timestamp == newest:
                continue
            overtaken = BitMap.deserialize(nums) & _changed_since(db, name, revision)
            self._owe(name, overtaken, arrived.revision)

    def _forget(self, db: Database, *, fresh: bool) -> None:
        """Owe everything. A phone that may hold records from before is told of every tombstone too."""
        for name, table in TABLES.items():
            sheet = self.sheets[name] = Sheet()
            sheet.owed = everything(db, table) - (tombstones(db, table) if fresh else BitMap())
        self._since = self._revision
        self._settled = 0
        self.known = False

    def _save_sheets(self, tx: Transaction) -> None:
        if not self.known:
            tx.db.execute("DELETE FROM ledger WHERE device = ?", [self.device])
        tx.db.conn.executemany(
            "INSERT OR REPLACE INTO ledger (device, table_name, held, owed, hidden, frontier)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (self.device, name, _pack(sheet.held), _pack(sheet.owed), _pack(sheet.hidden), sheet.frontier)
                for name, sheet in self.sheets.items()
                if sheet.touched()
            ],
        )
        tx.db.execute("DELETE FROM stale WHERE device = ?", [self.device])
        tx.db.conn.executemany(
            "INSERT OR REPLACE INTO stale (device, table_name, revision, nums) VALUES (?, ?, ?, ?)",
            [(self.device, name, revision, _pack(nums)) for name, revision, nums in self._stale if nums],
        )


class Holdings:
    """Tells up to which revision a phone is known to hold a record: what its edits were made knowing."""

    def __init__(self, db: Database, device: int) -> None:
        """Read what the ledger last kept; tables are read when they are asked for."""
        self._db = db
        self._device = device
        self._sheets: dict[str, tuple[BitMap, BitMap]] = {}
        row = db.execute("SELECT revision FROM ledger_heads WHERE device = ?", [device]).fetchone()
        self._revision = int(row[0]) if row else 0

    def revision(self, table: Table, num: int) -> int:
        """Return that revision; 0 where nothing is known."""
        held, owed = self._sheet(table.name)
        if num not in held:
            return 0
        if num not in owed:
            return self._revision
        rows = self._db.execute(
            "SELECT revision, nums FROM stale WHERE device = ? AND table_name = ? ORDER BY revision DESC",
            [self._device, table.name],
        )
        return next((int(revision) for revision, nums in rows if num in BitMap.deserialize(nums)), 0)

    def _sheet(self, name: str) -> tuple[BitMap, BitMap]:
        if name not in self._sheets:
            row = self._db.execute(
                "SELECT held, owed FROM ledger WHERE device = ? AND table_name = ?", [self._device, name]
            ).fetchone()
            self._sheets[name] = (_unpack(row[0]), _unpack(row[1])) if row else (BitMap(), BitMap())
        return self._sheets[name]


def owe(tx: Transaction, device: int, table: Table, num: int) -> None:
    """Owe a phone a record that did not change: its push of it ended otherwise than the phone believes."""
    tx.db.execute(
        "INSERT OR IGNORE INTO debts (device, revision, table_name, num) VALUES (?, ?, ?, ?)",
        [device, tx.now_ms, table.name, num],
    )


def behind(db: Database, device: int) -> int:
    """Estimate how many records a phone lacks, taking it that the newest answer arrived."""
    ledger = Ledger(db, device)
    newest = db.execute("SELECT max(timestamp) FROM deliveries WHERE device = ?", [device]).fetchone()[0]
    ledger.open(db, newest or ledger.settled)
    return ledger.behind()


def everything(db: Database, table: Table) -> BitMap:
    """Return the numbers of all records; numbers are given without gaps and a reader drops what is not there."""
    first, last = db.execute(f"SELECT min(num), max(num) FROM [{table.name}]").fetchone()
    return BitMap(range(first, last + 1)) if last else BitMap()


def _changed_since(db: Database, name: str, revision: int) -> BitMap:
    rows = db.execute(
        f"SELECT num FROM [{name}] INDEXED BY [{name}_changed] WHERE local_server_last_modified > ?", [revision]
    )
    return BitMap([row[0] for row in rows])


def tombstones(db: Database, table: Table) -> BitMap:
    """Return the numbers of deleted records."""
    rows = db.execute(f"SELECT num FROM [{table.name}] WHERE local_server_deleted_at IS NOT NULL")
    return BitMap([row[0] for row in rows])


def _pack(nums: BitMap) -> bytes:
    nums.run_optimize()
    return nums.serialize()


def _unpack(blob: bytes | None) -> BitMap:
    return BitMap.deserialize(blob) if blob else BitMap()
