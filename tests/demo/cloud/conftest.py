"""A cloud over each database: SQLite in a temporary directory, and a private PostgreSQL cluster."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from litestar.testing import TestClient

from hub.demo.cloud import Seed, create_app, open_store
from hub.demo.cloud.store import Store
from tests.demo.cloud.world import PASSWORD, World


def _postgres_binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    path = str(found[0]) if found else shutil.which(name)
    if path is None:
        pytest.fail(f"PostgreSQL's {name} is missing: install it with `apt-get install postgresql`")
    return path


def _as_postgres(*command: str) -> None:
    """Run as the postgres user when we are root, because PostgreSQL refuses to run as root."""
    user = "postgres" if os.geteuid() == 0 else None
    subprocess.run(command, check=True, user=user, cwd="/", stdout=subprocess.DEVNULL, timeout=60)  # noqa: S603


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Run a private cluster on a Unix socket and yield the connection string of its server, without a database."""
    # Not pytest's tmp_path: a socket's path is short, and the postgres user must be able to enter it.
    directory = Path(tempfile.mkdtemp(prefix="hikma-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(directory, account.pw_uid, account.pw_gid)
    data = str(directory / "data")
    quick = f"-c listen_addresses='' -k {directory} -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    try:
        _as_postgres(_postgres_binary("initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        control = _postgres_binary("pg_ctl")
        _as_postgres(control, "-D", data, "-w", "-l", str(directory / "log"), "-o", quick, "start")
        try:
            yield f"host={directory} user=postgres"
        finally:
            _as_postgres(control, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def postgres_dsn(postgres: str) -> Iterator[str]:
    """Make a database of its own for one test."""
    name = f"test_{os.urandom(6).hex()}"
    with psycopg.connect(f"{postgres} dbname=postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield f"{postgres} dbname={name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Open an empty cloud in either database."""
    opened = open_store(tmp_path if request.param == "sqlite" else str(request.getfixturevalue("postgres_dsn")))
    yield opened
    opened.close()


@pytest.fixture
def world(store: Store) -> Iterator[World]:
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
