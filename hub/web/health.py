"""Whether the hub lives, can write, and what it counts."""

from litestar import Response, Router, get

from hub.core.errors import Unavailable
from hub.core.tables import TABLES  # noqa: F401  the tables that RECORDS counts
from hub.services.rpc.dispatch import Rpc
from hub.store import facts
from hub.store.database import Store
from hub.web import metrics


def router(store: Store, rpc: Rpc, damage: tuple[str, ...]) -> Router:
    """Give /healthz, /readyz and /metrics."""

    @get("/healthz", sync_to_thread=False)
    def healthz() -> dict[str, str]:
        """Answer while the process lives."""
        return {"status": "alive"}

    @get("/readyz", sync_to_thread=True)
    def readyz() -> dict[str, str]:
        """Answer 200 only after a write that worked."""
        if damage or not facts.can_write(store):
            message = "the database is damaged" if damage else "the database cannot be written"
            raise Unavailable(message)
        return {"status": "ready"}

    @get("/metrics", sync_to_thread=True)
    def show_metrics() -> Response[bytes]:
        """Give the counts."""
        with store.read() as db:
            for name, count in facts.counts(db).items():
                metrics.RECORDS.labels(name).set(count)
        now = facts.gather(store, damage=damage)
        metrics.WAITING.set(now.waiting)
        metrics.QUARANTINE.set(now.quarantined)
        metrics.DEVICES.labels("paired").set(now.devices)
        metrics.SESSIONS.set(len(rpc.sessions))
        metrics.DATABASE_BYTES.set(store.size_bytes())
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return Router("/", route_handlers=[healthz, readyz, show_metrics])
