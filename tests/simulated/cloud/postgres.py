"""A private PostgreSQL cluster in a temporary directory, gone when its user is."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def cluster() -> Iterator[str]:
    """Run a cluster on a Unix socket and yield its connection string, in which no database is named."""
    # Not pytest's tmp_path: a socket's path is short, and the postgres user must be able to enter it.
    directory = Path(tempfile.mkdtemp(prefix="hikma-pg-"))
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(directory, account.pw_uid, account.pw_gid)
    data = str(directory / "data")
    quick = f"-c listen_addresses='' -k {directory} -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    try:
        _as_postgres(_binary("initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        control = _binary("pg_ctl")
        _as_postgres(control, "-D", data, "-w", "-l", str(directory / "log"), "-o", quick, "start")
        try:
            yield f"host={directory} user=postgres"
        finally:
            _as_postgres(control, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    path = str(found[0]) if found else shutil.which(name)
    if path is None:
        pytest.fail(f"PostgreSQL's {name} is missing: install it with `apt-get install postgresql`")
    return path


def _as_postgres(*command: str) -> None:
    """Run as the postgres user when we are root, because PostgreSQL refuses to run as root."""
    user = "postgres" if os.geteuid() == 0 else None
    subprocess.run(command, check=True, user=user, cwd="/", stdout=subprocess.DEVNULL, timeout=60)
