"""Sticks that fill, become read-only, fail or hang in the kernel; mounting needs root."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core.copy.standing import CopyStanding
from hub.services.copy import writer as writers
from tests.hubs import InProcessHub, changes, row
from tests.mounts import FatMount, Mount
from tests.services.copy.copies import contents, copied, rebuilt, standing, until

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a guess at the passphrase cost nothing, and look for the stick often."""
    monkeypatch.setattr("hub.core.encrypted_stream.recipient._WORK_FACTOR", 4)
    monkeypatch.setattr(writers, "_LOOK_S", 0.05)
    monkeypatch.setattr(writers, "_BASE_PAUSE_S", 0.1)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Mount]:
    """Return a stick: a file system of its own."""
    made = Mount(tmp_path / "stick")
    yield made
    made.close()


def push(hub: InProcessHub, *names: str) -> None:
    client = hub.client()
    made = [row("patients", name, given_name="Name" * 200) for name in names]
    assert client.push(changes("patients", created=made)).status == 200


def test_a_full_stick_counts_as_away_and_is_caught_up(hub: InProcessHub, stick: Mount, tmp_path: Path) -> None:
    with copied(hub.store, stick.path):
        stick.fill()
        push(hub, *(f"p-{number}" for number in range(50)))
        until(lambda: standing(hub.store) is CopyStanding.AWAY)
        stick.empty()
        until(lambda: standing(hub.store) is CopyStanding.SAFE)
        before = contents(hub.store)
        store = rebuilt(stick.path, tmp_path / "new")
    assert contents(store) == before
    store.close()


def test_a_stick_that_fails_under_the_hub_harms_nobody(hub: InProcessHub, stick: Mount) -> None:
    with copied(hub.store, stick.path):
        stick.fail()
        push(hub, "one", "two")
        until(lambda: standing(hub.store) is CopyStanding.AWAY)
        push(hub, "three")
    assert hub.store.check() == []


def test_a_stick_that_hangs_in_the_kernel_delays_one_phone_once(
    hub: InProcessHub, stick: Mount, tmp_path: Path
) -> None:
    with copied(hub.store, stick.path, wait_s=0.3):
        stick.freeze()
        try:
            for number in range(5):
                push(hub, f"p-{number}")
            assert standing(hub.store) is CopyStanding.AWAY
        finally:
            stick.thaw()
        until(lambda: standing(hub.store) is CopyStanding.SAFE)
        before = contents(hub.store)
        store = rebuilt(stick.path, tmp_path / "new")
    assert contents(store) == before
    store.close()


def test_a_stick_of_fat_that_fills_and_is_pulled_is_caught_up(hub: InProcessHub, tmp_path: Path) -> None:
    stick = FatMount(tmp_path / "fat")
    try:
        with copied(hub.store, stick.path):
            push(hub, "before")
            stick.fill()
            push(hub, *(f"p-{number}" for number in range(50)))
            until(lambda: standing(hub.store) is CopyStanding.AWAY)
            stick.empty()
            until(lambda: standing(hub.store) is CopyStanding.SAFE)
            stick.pull()
            push(hub, "away")
            until(lambda: standing(hub.store) is CopyStanding.AWAY)
            stick.plug()
            until(lambda: standing(hub.store) is CopyStanding.SAFE)
            push(hub, "after")
            before = contents(hub.store)
            store = rebuilt(stick.path, tmp_path / "new")
        assert contents(store) == before
        store.close()
    finally:
        stick.close()
