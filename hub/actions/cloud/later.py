"""Sends what a later app enters, once the cloud shows that it takes it (core.records.tables.NEXT_TABLES).

Of such a table the hub does not know the columns in the cloud's forms. So it takes in no rows: it sends its own, knows
by their ids in a pull that they arrived, and counts the others.
"""

from collections.abc import Sequence

from hub.core.cloud.pull_tally import PullTally
from hub.core.cloud.shown import Shown
from hub.core.records.table import Table
from hub.store.cloud import connection, outbox
from hub.store.database import Store
from hub.store.records import record_rows


def take_up(store: Store, table: Table) -> None:
    """Queue all records of a table that a pull names for the first time."""
    with store.read() as db:
        if table.name in connection.takes(db):
            return
    with store.write() as tx:
        connection.note_takes(tx, table.name)
        outbox.add_new(tx, table, range(1, record_rows.next_num(tx, table)))


def arrived(store: Store, table: Table, ids: Sequence[str], tally: PullTally, shown: Shown | None) -> None:
    """Take out of the outbox what the cloud shows by its id. shown: takes what a full pull shows."""
    with store.write(durable=False) as tx:
        nums = [row.num for row in record_rows.find(tx.db, table, ids).values()]
        if shown is not None:
            shown.add(table.name, nums)
        sent = [num for num, entry in outbox.entries(tx.db, table, nums).items() if entry.is_sent]
        tally.seen += outbox.remove(tx, table, sent)
        tally.later += len(set(ids)) - len(nums)
