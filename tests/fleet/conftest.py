from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet import engines
from tests.fleet.engines import Fleet


@pytest.fixture(scope="module")
def fleet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Return a fleet server that the tests of a file share."""
    with engines.fleet(tmp_path_factory.mktemp("fleet") / "server") as made:
        yield made


@pytest.fixture
def own_fleet_server(tmp_path: Path) -> Iterator[Fleet]:
    """Return a fleet server for one test, to be broken."""
    with engines.fleet(tmp_path / "server") as made:
        yield made
