"""Counts for Prometheus; no label ever names a person, a phone or a record."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
CALLS = Counter("hikma_hub_calls", "Calls answered.", ["procedure"], registry=REGISTRY)
REFUSALS = Counter("hikma_hub_refusals", "Requests refused.", ["status"], registry=REGISTRY)
SECONDS = Histogram("hikma_hub_call_seconds", "Time to answer a call.", ["procedure"], registry=REGISTRY)
ANSWER_BYTES = Counter("hikma_hub_answer_bytes", "Bytes of sealed answers.", registry=REGISTRY)
SESSIONS = Gauge("hikma_hub_sessions", "Live sessions.", registry=REGISTRY)
RECORDS = Gauge("hikma_hub_records", "Live records.", ["table"], registry=REGISTRY)
WAITING = Gauge("hikma_hub_waiting_records", "Records that are to be sent to the cloud.", registry=REGISTRY)
UNPROVEN = Gauge("hikma_hub_unproven_records", "Records sent, that the cloud has yet to show.", registry=REGISTRY)
HELD = Gauge("hikma_hub_held_records", "Records that cannot go to the cloud as they are.", registry=REGISTRY)
QUARANTINE = Gauge("hikma_hub_quarantined_records", "Records in quarantine.", registry=REGISTRY)
DEVICES = Gauge("hikma_hub_devices", "Devices by state.", ["state"], registry=REGISTRY)
DATABASE_BYTES = Gauge("hikma_hub_database_bytes", "Size of the database.", registry=REGISTRY)


def text() -> bytes:
    """Return all counts in Prometheus' text format."""
    return generate_latest(REGISTRY)
