"""Sticks that fill, become read-only, fail or hang in the kernel; mounting needs root."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions.box import copying as actions
from hub.app import copying
from hub.core.copy.standing import CopyStanding
from hub.core.errors import OperatorError
from hub.services.copy import writer as writers
from hub.store.database import Store
from tests.hubs import InProcessHub, changes, row
from tests.mounts import ExfatMount, FatMount, Mount
from tests.services.copy.copies import SECRET, contents, copied, rebuilt, standing, until

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


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


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


def test_a_stick_that_is_read_only_from_the_start_counts_as_away_and_is_caught_up(
    hub: InProcessHub, stick: Mount, tmp_path: Path
) -> None:
    with copied(hub.store, stick.path):
        push(hub, "before")
    stick.read_only()
    with copied(hub.store, stick.path, until_is=CopyStanding.AWAY):
        push(hub, "one", "two")
        stick.writable()
        until(lambda: standing(hub.store) is CopyStanding.SAFE)
        before = contents(hub.store)
        store = rebuilt(stick.path, tmp_path / "new")
    assert contents(store) == before
    store.close()


def test_a_copy_is_not_begun_on_a_stick_that_is_read_only(hub: InProcessHub, stick: Mount) -> None:
    stick.read_only()
    with pytest.raises(OperatorError, match="stick"):
        copying.start(hub.store, stick.path, SECRET, hub_name="Test Hub")
    assert actions.config(hub.store) is None


def test_a_stick_of_another_hub_counts_as_away_and_is_left_as_it_is(
    hub: InProcessHub, stick: Mount, tmp_path: Path
) -> None:
    other = Store(tmp_path / "other")
    with copied(other, stick.path):
        pass
    other.close()
    its = files_of(stick.path)
    with copied(hub.store, tmp_path / "own"):
        push(hub, "before")
    (tmp_path / "own").rename(tmp_path / "pocket")
    (tmp_path / "own").symlink_to(stick.path)
    with copied(hub.store, tmp_path / "own", until_is=CopyStanding.AWAY):
        push(hub, "one", "two")
        time.sleep(0.5)
        assert standing(hub.store) is CopyStanding.AWAY
    assert files_of(stick.path) == its


@pytest.mark.parametrize("kind", [FatMount, ExfatMount])
def test_a_stick_as_shops_sell_it_that_fills_and_is_pulled_is_caught_up(
    hub: InProcessHub, tmp_path: Path, kind: type[FatMount]
) -> None:
    stick = kind(tmp_path / "fat")
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
