"""A cloud over each database: SQLite in a temporary directory, and a private PostgreSQL cluster."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from litestar.testing import TestClient

from tests.simulated.cloud.postgres import cluster
from tests.simulated.cloud.world import PASSWORD, World
from tests.simulator.cloud import Seed, create_app, open_store
from tests.simulator.cloud.store import CloudStore
from tests.simulator.cloud.tables import CREATION_ORDER


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Run a private cluster for all tests of this process."""
    with cluster() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_tables(postgres: str) -> str:
    """Make a database with the cloud's tables, once, and return its connection string."""
    with psycopg.connect(f"{postgres} dbname=postgres", autocommit=True) as server:
        server.execute("CREATE DATABASE cloud")
    dsn = f"{postgres} dbname=cloud"
    open_store(dsn).close()
    return dsn


@pytest.fixture
def postgres_dsn(postgres_tables: str) -> str:
    """Empty the database for one test."""
    names = ", ".join(f'"{table.name}"' for table in CREATION_ORDER)
    with psycopg.connect(postgres_tables, autocommit=True) as server:
        server.execute(f"TRUNCATE {names}".encode())
    return postgres_tables


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CloudStore]:
    """Open an empty cloud in either database."""
    opened = open_store(tmp_path if request.param == "sqlite" else str(request.getfixturevalue("postgres_dsn")))
    yield opened
    opened.close()


@pytest.fixture
def world(store: CloudStore) -> Iterator[World]:
    """Set up a small organisation whose cloud has no rate limit to speak of."""
    seed = Seed(store)
    here, elsewhere = seed.clinic("Al Noor"), seed.clinic("Green Valley")
    admin = seed.user("Amal Admin", "admin@test", PASSWORD, clinic=elsewhere, role="admin")
    provider = seed.user("Pia Provider", "pia@test", PASSWORD, clinic=here)
    drug = seed.drug("Amoxicillin")
    with TestClient(create_app(store, rate_limit=10_000), raise_server_exceptions=True) as http:
        yield World(
            http=http,
            seed=seed,
            hub=seed.hub("hub-1", here),
            here=here,
            elsewhere=elsewhere,
            admin=admin,
            provider=provider,
            form=seed.event_form("General visit"),
            drug=drug,
            batch=seed.stock(here, drug, 200),
        )
