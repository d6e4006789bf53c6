"""Whether the hub lives, can write, and what it counts."""

import asyncio
import secrets
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from hub.actions.box import facts
from hub.core.errors import Forbidden, Unavailable
from hub.core.status.card import CardShape
from hub.core.status.facts import Facts
from hub.services.rpc.dispatch import Rpc
from hub.store.database import Store
from hub.web import metrics, visitor
from hub.web.body import AnyRequest

_TOKEN_CHARS_MIN = 16


def handlers(gather: Callable[[], Facts], failing: Collection[object] = ()) -> list[HTTPRouteHandler]:
    """/healthz and /readyz; ``gather`` tries a write each time. failing: what fails beside the servers."""

    @get("/healthz", sync_to_thread=False)
    def healthz() -> dict[str, str]:
        """Answer while the process lives."""
        return {"status": "alive"}

    pool = ThreadPoolExecutor(1, thread_name_prefix="health")

    @get("/readyz")
    async def readyz() -> dict[str, str]:
        """Answer 200 only after a write that worked, and say whether what runs beside the servers fails."""
        now = await asyncio.get_running_loop().run_in_executor(pool, gather)
        if now.damage or not now.writable or now.full or not now.card.keeps:
            raise Unavailable(_trouble(now))
        return {"status": "ready", "beside": "failing" if failing else "well"}

    return [healthz, readyz]


def metrics_handlers(
    store: Store, rpc: Rpc, gather: Callable[[], Facts], token_file: Path | None
) -> list[HTTPRouteHandler]:
    """/metrics, for Prometheus on this machine; with the token of ``token_file`` also for others."""

    @get("/metrics", sync_to_thread=True)
    def show(request: AnyRequest) -> Response[bytes]:
        """Answer the counts of now."""
        if not visitor.is_local(request) and not _has_token(request, token_file):
            raise Forbidden("metrics are for this machine, or for who has the token")
        now = gather()
        for name, count in facts.counts(store).items():
            metrics.RECORDS.labels(name).set(count)
        metrics.WAITING.set(now.waiting)
        metrics.UNPROVEN.set(now.unproven)
        metrics.HELD.set(now.held)
        metrics.QUARANTINE.set(now.quarantined)
        metrics.DEVICES.labels("paired").set(now.devices)
        metrics.SESSIONS.set(len(rpc.sessions))
        metrics.DATABASE_BYTES.set(store.size_bytes())
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return [show]


def _trouble(now: Facts) -> str:
    if now.damage:
        return "the database is damaged"
    if now.card is CardShape.PARTLY:
        return "a part of the data cannot be read"
    if not now.card.keeps:
        return "the card takes nothing in"
    return "the storage is full" if now.writable else "the database cannot be written"


def _has_token(request: AnyRequest, file: Path | None) -> bool:
    """Whether a request brings the token; a file that is missing, or a token that can be guessed, opens nothing."""
    try:
        token = file.read_bytes().strip() if file else b""
    except OSError:
        return False
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    is_long = len(token) >= _TOKEN_CHARS_MIN
    return is_long and scheme.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), token)
