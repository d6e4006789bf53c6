"""A stand-in for the Hikma cloud: behaves as CLOUD.md says, faults included, over PostgreSQL or SQLite."""

from hub.demo.cloud.app import create_app
from hub.demo.cloud.faults import Fault, Faults, Kind
from hub.demo.cloud.open import open_store
from hub.demo.cloud.seed import Hub, Seed
from hub.demo.cloud.serve import running

__all__ = ["Fault", "Faults", "Hub", "Kind", "Seed", "create_app", "open_store", "running"]
