from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.services.relay import world as worlds
from tests.services.relay.world import World


@pytest.fixture(autouse=True)
def plain_log() -> None:
    """Log as by default, whatever a command that ran in this process before set up."""
    structlog.reset_defaults()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with worlds.world(tmp_path) as made:
        yield made


@pytest.fixture
def connected(world: World) -> World:
    """Return a world whose hub has pulled everything once."""
    world.cycle()
    return world
