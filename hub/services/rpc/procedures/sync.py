"""sync_pull and sync_push: a phone brings what it has and takes what it lacks."""

from typing import Any

import msgspec

from hub.actions.phones import push
from hub.actions.phones.push import Source, TableChanges
from hub.core.errors import Malformed
from hub.services.rpc.procedures.registry import Call, command, query
from hub.store.box import counters
from hub.store.phones import devices, pages
from hub.store.phones.ledger import Ledger

_SEALED_SHARE = 3 / 4
"""How much of a payload is JSON: base64url makes four characters of three bytes."""
_CURSOR_MAX = 2**62


class SyncPull(msgspec.Struct, frozen=True):
    """A phone's cursor, under either name: the timestamp of the last answer that it kept."""

    camel: Any = msgspec.field(default=None, name="lastPulledAt")
    snake: Any = msgspec.field(default=None, name="last_pulled_at")

    @property
    def cursor(self) -> float:
        """Return the cursor; 0 for none and for whatever is not a number, as the phone itself reads it."""
        given = self.camel if self.camel is not None else self.snake
        if isinstance(given, bool) or not isinstance(given, int | float):
            return 0
        if abs(given) < _CURSOR_MAX:
            return given
        try:
            return float(given)
        except OverflowError:  # hundreds of digits: infinite to the phone
            return 0


class SyncPush(SyncPull, frozen=True):
    """What a phone has changed."""

    changes: dict[str, TableChanges | None] | None = None


@query("sync_pull")
def sync_pull(call: Call, params: SyncPull) -> bytes:
    """Answer what the phone is owed, a page at a time; it comes back with the timestamp when it has stored it."""
    store = call.context.store
    hidden = call.user.hidden()
    with call.context.turn(call.device.num):
        with store.read() as db:
            ledger = Ledger(db, call.device.num, scope=",".join(sorted(hidden)))
            ledger.open(db, params.cursor)
            budget = int(call.context.policy.page_bytes * _SEALED_SHARE)
            page = pages.read(db, ledger, budget_bytes=budget, hidden=hidden, now_ms=store.now_ms(db))
        timestamp: float = params.cursor
        if page.records or not ledger.known:
            with store.write() as tx:
                timestamp = ledger.deliver(tx, page.delivered, doubt=page.doubt, retry=page.retry)
                devices.seen(tx, call.device.num, synced=True)
        else:
            with store.write(durable=False) as tx:
                if ledger.settled_now:
                    ledger.save(tx)
                devices.seen(tx, call.device.num, synced=True)
    return page.json(timestamp)


@command("sync_push")
def sync_push(call: Call, params: SyncPush) -> dict[str, bool]:
    """Take in what the phone changed; when this answers, it is on disk (P1)."""
    if params.changes is None:
        raise Malformed("changes are missing")
    source = Source(call.device.num, call.user, call.context.policy.quarantine_max)
    with call.context.turn(call.device.num), call.context.store.write() as tx:
        receipt = push.take(tx, params.changes, source)
        counters.add(tx, entered=receipt.created + receipt.updated + receipt.deleted)
        devices.seen(tx, call.device.num)
    return {"success": True}
