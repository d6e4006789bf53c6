"""Whether the hub lives, can write, and what it counts."""

from collections.abc import Callable

from litestar import Response, Router, get

from hub.actions.box import facts
from hub.core.errors import Unavailable
from hub.core.status.state import Facts
from hub.services.rpc.dispatch import Rpc
from hub.store.database import Store
from hub.web import metrics


def router(gather: Callable[[], Facts]) -> Router:
    """/healthz and /readyz; ``gather`` tries a write each time."""

    @get("/healthz", sync_to_thread=False)
    def healthz() -> dict[str, str]:
        """Answer while the process lives."""
        return {"status": "alive"}

    @get("/readyz", sync_to_thread=True)
    def readyz() -> dict[str, str]:
        """Answer 200 only after a write that worked."""
        now = gather()
        if now.damage or not now.writable:
            raise Unavailable("the database is damaged" if now.damage else "the database cannot be written")
        return {"status": "ready"}

    return Router("/", route_handlers=[healthz, readyz])


def metrics_router(store: Store, rpc: Rpc, gather: Callable[[], Facts]) -> Router:
    """/metrics, for Prometheus."""

    @get("/metrics", sync_to_thread=True)
    def show() -> Response[bytes]:
        """Answer the counts of now."""
        now = gather()
        for name, count in facts.counts(store).items():
            metrics.RECORDS.labels(name).set(count)
        metrics.WAITING.set(now.waiting)
        metrics.QUARANTINE.set(now.quarantined)
        metrics.DEVICES.labels("paired").set(now.devices)
        metrics.SESSIONS.set(len(rpc.sessions))
        metrics.DATABASE_BYTES.set(store.size_bytes())
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return Router("/", route_handlers=[show])
