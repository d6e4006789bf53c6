"""Shows people the rows of the cloud that are no records; the cloud has them still, and the pull goes on (P7)."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.actions.records import refused
from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.pull_tally import PullTally
from hub.core.reasons import Reason
from hub.core.records import codec
from hub.store import quarantine
from hub.store.database import Store, Transaction
from hub.store.quarantine import Action, Refused
from hub.store.records.record_rows import HUB

HELD_MAX = 1000
"""Rows of the cloud in quarantine: one that sends nothing else must not take the place of what phones bring."""
HELD_CHARS = 65_536


def hold(store: Store, table_name: str, rows: Sequence[tuple[str, Reason]], tally: PullTally) -> None:
    """Show in quarantine rows that are no records, each by its id and why."""
    with store.write(durable=False) as tx:
        for record_id, reason in rows:
            show(tx, table_name, {"id": record_id} if record_id else {}, reason)
    tally.refused += len(rows)


def show(tx: Transaction, table_name: str, raw: Mapping[str, Any], reason: Reason) -> None:
    """Show a row in quarantine, whole if it is small; beyond a bound it is only counted: the cloud has it still."""
    if quarantine.count_of(tx.db, Action.PULL) >= HELD_MAX or not refused.has_room(tx, HUB):
        return
    record_id = raw.get("id")
    record_id = record_id[: codec.ID_CHARS] if isinstance(record_id, str) else None
    text = cloud_forms.plain_json(raw)
    entry = Refused(
        table_name=table_name,
        record_id=record_id,
        action=Action.PULL,
        reason=reason,
        raw=text if len(text) <= HELD_CHARS else cloud_forms.plain_json({"id": record_id}),
        device=HUB,
        user_id="",
    )
    refused.keep(tx, entry)
