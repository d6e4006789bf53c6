"""Patients who came many at once: they are indexed for the search after whoever brought them has the answer.

To index a patient takes as long as to store one. Their numbers stand in ``patients_unsearched`` from the transaction
that stores them; whoever searches indexes first what stands there (hub.actions.records.search_index).
"""

from sqlite_utils import Database

from hub.store.database import Transaction

MANY = 50
"""Of fewer that come at once each is indexed with its row: a patient who was just registered costs no second write."""

_AT_A_TIME = 500
_NEXT = "FROM patients_unsearched WHERE num <= ?"
_LIVE = f"FROM patients WHERE num IN (SELECT num {_NEXT}) AND local_server_deleted_at IS NULL"
_WORDS = "search_words(data, cut), search_name(data, cut)"


def put_off(tx: Transaction, nums: range) -> None:
    """Note that patients who are about to be stored under these numbers are to be indexed later."""
    tx.db.conn.executemany("INSERT OR IGNORE INTO patients_unsearched (num) VALUES (?)", [(num,) for num in nums])


def is_empty(db: Database) -> bool:
    """Return whether every patient is indexed."""
    return db.execute("SELECT 1 FROM patients_unsearched LIMIT 1").fetchone() is None


def index(tx: Transaction) -> None:
    """Index the next of them as they are now; some may have been changed, and so indexed, or deleted meanwhile."""
    sql = "SELECT max(num) FROM (SELECT num FROM patients_unsearched ORDER BY num LIMIT ?)"
    last = tx.db.execute(sql, [_AT_A_TIME]).fetchone()
    for statement in (
        f"DELETE FROM patient_words WHERE rowid IN (SELECT num {_NEXT})",
        f"DELETE FROM patient_numbers WHERE rowid IN (SELECT num {_NEXT})",
        f"INSERT INTO patient_words (rowid, words, name) SELECT num, {_WORDS} {_LIVE}",
        f"INSERT INTO patient_numbers (rowid, numbers) SELECT num, search_numbers(data, cut) {_LIVE}",
        f"DELETE {_NEXT}",
    ):
        tx.db.execute(statement, last)
