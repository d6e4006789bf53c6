"""Which tables of a later app a phone has: those that it sent (core.records.tables.NEXT_TABLES)."""

from collections.abc import Iterable

from sqlite_utils import Database

from hub.core.records.tables import NEXT_TABLES
from hub.store.database import Transaction

_NEXT = frozenset(table.name for table in NEXT_TABLES)


def of(db: Database, ledger: int) -> frozenset[str]:
    """Return the tables that the phone of a ledger has."""
    return frozenset(row[0] for row in db.execute("SELECT table_name FROM phone_tables WHERE device = ?", [ledger]))


def note(tx: Transaction, ledger: int, sent: Iterable[str]) -> None:
    """Note which tables a phone sent, if it is known whose ledger it has."""
    tx.db.conn.executemany(
        "INSERT OR IGNORE INTO phone_tables (device, table_name)"
        " SELECT :device, :name WHERE EXISTS (SELECT 1 FROM ledger_heads WHERE device = :device)",
        [{"device": ledger, "name": name} for name in sorted(_NEXT.intersection(sent))],
    )
