"""A stand-in for the Hikma cloud: behaves as CLOUD.md says, faults included, over PostgreSQL or SQLite."""

from tests.simulator.cloud.app import create_app
from tests.simulator.cloud.faults import Fault, Faults, Kind
from tests.simulator.cloud.open import open_store
from tests.simulator.cloud.seed import RegisteredHub, Seed
from tests.simulator.cloud.serve import running

__all__ = ["Fault", "Faults", "Kind", "RegisteredHub", "Seed", "create_app", "open_store", "running"]
