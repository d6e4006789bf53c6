"""The fixtures that every test shares, and which tests take long."""

import gc
from typing import Any

import argon2
import bcrypt
import pytest
from hypothesis import settings

from hub.core.people import administrators, users
from tests.draws import QUICK
from tests.hubs import hub, serve, store

__all__ = ["hub", "serve", "store"]

settings.register_profile("hub", deadline=None)
settings.register_profile(QUICK, deadline=None, max_examples=10)
settings.load_profile("hub")  # a machine that is busy fails no test

_SLOW = {
    "serve": "a hub as a process of its own",
    "world": "a cloud that listens on a port, or one over each kind of database",
    "alone": "the same, not connected",
    "strict": "the same, which counts requests",
    "cloud": "the same, as a process",
    "postgres": "a database server",
    "fleet_server": "a database, a gate and a web server",
    "own_fleet_server": "the same, for one test",
    "site": "a hub with all its pages, set up by its forms",
    "served": "the same, shared by a module",
    "inside": "the same, with somebody signed in",
    "box": "the same, with all that can happen to a box",
    "faces": "the same, beside all other faces",
    "fuzzed": "a hub that takes whatever is drawn",
    "card": "disks and partitions, made by other programs",
    "plugged": "file systems that are mounted as a stick's would be",
    "two_systems": "keys, bundles and a command as a process each time",
}
"""Fixtures that make what takes long, and what that is."""
_SLOW_PATHS = {
    "actions/phones/test_page_size.py": "records of megabytes",
    "adversary/": "attacks on a whole hub",
    "cli/test_lights.py": "lamps in a process of their own",
    "firstboot/test_cuts.py": "first boots that are cut at each step",
    "firstboot/test_steps.py": "the steps of a first boot, one after the other",
    "fleet/test_rules.py": "a run of promtool for each alert",
    "journeys/": "phones, hub and cloud for many steps",
    "services/rpc/procedures/test_permissions.py": "each procedure for each permission",
    "simulated/cloud/": "the stand-in cloud over its database",
    "simulated/test_hub_process.py": "hubs that start and end",
    "simulated/test_show.py": "the whole demonstration",
    "web/test_page_tls.py": "two listeners, and their certificates",
}
"""Where tests lie that take long, and what they do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make check` leaves out: what asks for such a fixture, even through another one, or lies there.

    Files with such tests come first, or the last of them would run when nothing is left to run beside it.
    """
    paths = tuple(f"tests/{path}" for path in _SLOW_PATHS)
    for item in items:
        asks = not _SLOW.keys().isdisjoint(getattr(item, "fixturenames", ()))
        if asks or item.nodeid.startswith(paths):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Look for no garbage in the tests themselves: there is none, and it takes a tenth of their time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords quickly, but where the hashing itself is the matter (tests/core/people)."""
    if "core/people" not in request.path.as_posix():
        monkeypatch.setattr(administrators, "_HASHER", argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        monkeypatch.setattr(users, "ROUNDS", 4)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which every hashing of bcrypt adds how much work it was."""
    done: list[int] = []
    hashpw = bcrypt.hashpw

    def counted(password: bytes, salt: bytes) -> Any:  # noqa: ANN401  what bcrypt returns
        made = hashpw(password, salt)
        done.append(2 ** int(salt[4:6]))
        return made

    monkeypatch.setattr(bcrypt, "hashpw", counted)
    return done
