"""A full disk stops what phones send, and nothing else: they pull, and the hub starts and says what is wrong."""

from pathlib import Path

import pytest

from hub.actions.box import facts
from hub.actions.records import charts
from hub.core.errors import Unavailable
from hub.core.status.facts import FREE_BYTES_FULL
from hub.core.status.state import HubState, state
from hub.store import reserve
from hub.store.database import Store
from tests.hubs import InProcessHub
from tests.mounts import Mount, mount
from tests.store.pulls import OTHER, ids, patients, settled
from tests.store.pushes import EVERYTHING, push

__all__ = ["mount"]


def test_phones_pull_from_a_hub_whose_disk_is_full_and_lose_nothing_of_it(mount: Mount) -> None:
    hub = InProcessHub(mount.path / "hub")
    client, cursor = settled(hub)
    push(hub.store, patients("a"), device=OTHER)
    mount.fill()
    pushed = [client.push(patients(*[f"{turn}-{number}" for number in range(200)])).status for turn in range(8)]
    assert pushed[-1] == 503
    answer = client.pull(cursor)
    assert (answer.status, ids(answer.json, "patients")) == (200, ["a"])
    later = client.pull(answer.json["timestamp"])
    assert later.status == 200
    assert state(facts.gather(hub.store)) in {HubState.READ_ONLY, HubState.DISK_FULL}
    mount.empty()
    for _ in range(4):
        later = client.pull(later.json["timestamp"])
        assert later.status == 200
    assert later.json["changes"] == {}
    assert client.push(patients("b")).status == 200
    hub.close()


def test_a_hub_takes_no_more_while_it_has_room_to_send_on_what_it_has(mount: Mount) -> None:
    hub = InProcessHub(mount.path / "hub")
    client, _ = settled(hub)
    mount.fill(but=FREE_BYTES_FULL - 4096)
    assert client.push(patients("a")).status == 503
    with pytest.raises(Unavailable), charts.writing(hub.store, EVERYTHING, device=1):
        pass
    assert state(facts.gather(hub.store)) is HubState.DISK_FULL
    mount.fill(but=FREE_BYTES_FULL + 1024 * 1024)
    assert client.push(patients("a")).status == 200
    hub.close()


def test_a_hub_starts_on_a_full_disk_and_says_that_it_is_full(mount: Mount) -> None:
    hub = InProcessHub(mount.path / "hub")
    hub.client()
    hub.close()
    (mount.path / "hub" / "reserve").write_bytes(bytes(reserve.BYTES))
    mount.fill()
    reserve.give(mount.path / "hub")
    store = Store(mount.path / "hub")
    found = facts.gather(store)
    assert found.full
    assert state(found) in {HubState.READ_ONLY, HubState.DISK_FULL}
    store.close()


def test_room_is_kept_where_there_is_plenty_and_given_back_where_there_is_none(mount: Mount) -> None:
    reserve.keep(mount.path)
    assert not (mount.path / "reserve").exists()  # on 64 MB it is needed for what phones send
    (mount.path / "reserve").write_bytes(bytes(reserve.BYTES))
    reserve.give(mount.path)
    assert (mount.path / "reserve").exists()
    mount.fill()
    reserve.give(mount.path)
    assert not (mount.path / "reserve").exists()


def test_the_room_that_is_kept_is_really_taken(tmp_path: Path) -> None:
    reserve.keep(tmp_path)
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= reserve.BYTES
