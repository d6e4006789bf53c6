"""sync_pull and sync_push: a phone brings what it has and takes what it lacks."""

from typing import Any

import msgspec

from hub.actions.phones import pull, push
from hub.actions.phones.push import Source, TableChanges
from hub.core.errors import Malformed
from hub.core.phone.pull_page import PullPage
from hub.services.rpc.procedures.registry import Call, Work, command, query

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


@query("sync_pull", one_at_a_time=True, work=Work.PAGE)
def sync_pull(call: Call, params: SyncPull) -> bytes:
    """Answer with what is due to the phone, as much as fits; it comes back with the timestamp when it has stored it."""
    most = call.policy.page_bytes
    pulled = pull.pull(call.store, call.device.num, call.user, params.cursor, most_bytes=most)
    return _json(pulled.page, pulled.timestamp)


@command("sync_push", one_at_a_time=True)
def sync_push(call: Call, params: SyncPush) -> dict[str, bool]:
    """Take in what the phone changed; when this answers, it is on disk (P1)."""
    if params.changes is None:
        raise Malformed("changes are missing")
    push.push(call.store, params.changes, Source(call.device.num, call.user, cursor=params.cursor))
    return {"success": True}


def _json(page: PullPage, timestamp: float) -> bytes:
    """Write the answer; its records are JSON already."""
    pieces: list[bytes] = [b'{"changes":{']
    for index, (name, part) in enumerate(page.parts.items()):
        pieces.append(b',"%b":{"created":[' % name.encode() if index else b'"%b":{"created":[' % name.encode())
        pieces.append(b",".join(part.created))
        pieces.append(b'],"updated":[')
        pieces.append(b",".join(part.updated))
        pieces.append(b'],"deleted":[')
        pieces.append(b",".join(part.deleted))
        pieces.append(b"]}")
    pieces.append(b'},"timestamp":%b}' % msgspec.json.encode(timestamp))
    return b"".join(pieces)
