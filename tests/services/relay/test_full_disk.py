"""A hub whose storage is full: what phones entered goes to the cloud all the same, where it is safe."""

import shutil
import uuid
from collections.abc import Iterator

import msgspec
import pytest

from hub.actions.phones import push
from hub.actions.phones.push import Source, TableChanges
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.errors import Unavailable
from hub.core.status.facts import FREE_BYTES_FULL, FREE_BYTES_SPENT
from hub.store.database import Store
from tests.hubs import row
from tests.mounts import Mount, mount
from tests.services.relay.world import World
from tests.store.pushes import EVERYTHING

__all__ = ["mount"]

_BLOCK = 4096
_NAMED = {"given_name": "Layla", "surname": "Haddad", "date_of_birth": "1984-02-29", "additional_data": "{}"}


@pytest.fixture
def small(connected: World, mount: Mount) -> Iterator[World]:
    """Return a world whose hub has a small disk of its own."""
    connected.close()
    connected.store.close()
    at = connected.store.path.parent
    shutil.copytree(at, mount.path / "hub")
    connected.store = Store(mount.path / "hub")
    yield connected
    connected.close()
    connected.store.close()
    connected.store = Store(at)


def enter_until_refused(world: World) -> set[str]:
    """Push as a phone until there is no room; returns what the hub promised to keep."""
    entered: set[str] = set()
    while True:
        made = [row("patients", str(uuid.uuid4()), primary_clinic_id=world.here, **_NAMED) for _ in range(20)]
        changed = {"patients": TableChanges(created=[msgspec.Raw(msgspec.json.encode(each)) for each in made])}
        try:
            push.push(world.store, changed, Source(1, EVERYTHING))
        except Unavailable:
            return entered
        entered |= {str(each["id"]) for each in made}


@pytest.mark.parametrize("free_bytes", [FREE_BYTES_SPENT // 4, FREE_BYTES_FULL + FREE_BYTES_SPENT // 8])
def test_r10_what_phones_entered_until_the_disk_was_full_goes_to_the_cloud(
    small: World, mount: Mount, free_bytes: int
) -> None:
    entered = {str(small.patient()["id"]) for _ in range(20)}
    mount.fill(but=free_bytes)
    entered |= enter_until_refused(small)
    for _ in range(3):
        small.try_cycle()
    assert {str(row["id"]) for row in small.seed.rows("patients")} >= entered
    mount.empty()
    small.cycle()
    assert not any(small.waiting().values())


def test_what_the_cloud_sends_stays_there_until_there_is_room(small: World, mount: Mount) -> None:
    there = small.seed.add("patients", primary_clinic_id=small.here)
    mount.fill(but=FREE_BYTES_SPENT - _BLOCK)
    assert small.try_cycle().outcome is Outcome.NO_PLACE
    mount.empty()
    small.cycle()
    assert small.here_is("patients", there)
