from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.relay import world as worlds
from tests.services.relay.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with worlds.world(tmp_path) as made:
        yield made


@pytest.fixture
def connected(world: World) -> World:
    """Give a world whose hub has pulled everything once."""
    world.cycle()
    return world
