"""The copy on another box: it has what was acknowledged, it delays nobody, and only who may write there does."""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from hub.actions.box import copying as actions
from hub.app import copying, recovery
from hub.app import spare as spares
from hub.core.copy import join_code
from hub.core.copy.standing import CopyStanding, Spare
from hub.core.errors import OperatorError
from hub.services.copy import shelf
from hub.services.copy import spare as line
from hub.services.copy import writer as writers
from hub.settings import Settings
from hub.store.database import Store
from tests.hubs import InProcessHub, ServedHub, changes, new_store, row
from tests.services.copy.copies import SECRET, contents, copied, standing, until
from tests.simulator import processes
from tests.web.site import Site

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a guess at the passphrase cost nothing, and look for the spare often."""
    monkeypatch.setattr("hub.core.encrypted_stream.recipient._WORK_FACTOR", 4)
    monkeypatch.setattr(writers, "_LOOK_S", 0.05)
    monkeypatch.setattr(line, "_LOOK_S", 0.05)


def new_spare(data: Path) -> ServedHub:
    """Return another box, which keeps copies; it does not run yet."""
    new_store(data).close()
    return ServedHub(data, {"HIKMA_HUB_COPY_SPARE_PORT": str(processes.free_port())})


def code_of(spare: ServedHub) -> str:
    return spare.do("spare", "start").split("CODE: ")[1].strip()


@pytest.fixture
def spare(tmp_path: Path) -> Iterator[ServedHub]:
    made = new_spare(tmp_path / "spare-hub")
    code_of(made)
    made.start()
    yield made
    made.close()


Push = Callable[..., None]


@pytest.fixture
def push(hub: InProcessHub) -> Push:
    client = hub.client()

    def do(*ids: str) -> None:
        made = [row("patients", one, given_name="Name") for one in ids]
        assert client.push(changes("patients", created=made)).status == 200

    return do


def join(hub: InProcessHub, spare: ServedHub) -> Spare:
    """Let the hub keep its copy on the spare."""
    found = line.join(join_code.parse(code_of(spare)))
    copying.start(hub.store, found, SECRET, hub_name="Test Hub")
    return found


def place(found: Spare, *, token: str) -> contextlib.closing[line.SparePlace]:
    """Reach the spare with another token."""
    return contextlib.closing(line.SparePlace(msgspec.structs.replace(found, token=token)))


def taken_over(spare: ServedHub) -> Store:
    """Let the spare become the hub, and open what it has."""
    (copy,) = shelf.copies(spare.data)
    store = Store(spare.data)
    spares.take_over(store, copy, SECRET)
    store.close()
    spare.kill()
    recovery.take(spare.data)
    return Store(spare.data)


def test_the_spare_becomes_the_hub_and_the_old_one_hears_of_it(hub: InProcessHub, spare: ServedHub, push: Push) -> None:
    join(hub, spare)
    with copied(hub.store, hub.data, wait_s=1.0):
        push("one")
        push(*(f"many-{number}" for number in range(700)))
        before = contents(hub.store)
        store = taken_over(spare)
        assert contents(store) == before
        assert actions.config(store) is None, "it keeps no copy on itself"
        assert actions.epoch(store) == 1
        store.close()
        spare.start()
        until(lambda: actions.is_replaced(hub.store), within_s=60)
        assert hub.client().push(changes("patients", created=[row("patients", "late")])).status == 503


@pytest.mark.parametrize("fault", ["killed", "stalled", "torn"])
def test_a_spare_that_fails_delays_one_phone_once_and_is_caught_up(
    fault: str, hub: InProcessHub, spare: ServedHub, push: Push
) -> None:
    join(hub, spare)
    with copied(hub.store, hub.data, wait_s=0.5):
        push("before")
        if fault == "stalled":
            os.kill(spare.pid, signal.SIGSTOP)
        else:
            spare.kill()
        for number in range(3):
            push(f"away-{number}")
        until(lambda: standing(hub.store) is CopyStanding.AWAY)
        if fault == "torn":
            newest = max(spare.data.glob("spare/*/*/journal-*"))
            newest.write_bytes(newest.read_bytes()[:-5] + bytes(3))
        if fault == "stalled":
            os.kill(spare.pid, signal.SIGCONT)
        else:
            spare.start()
        until(lambda: standing(hub.store) is CopyStanding.SAFE, within_s=60)
        push("after")
        before = contents(hub.store)
    store = taken_over(spare)
    assert contents(store) == before
    store.close()


def test_nothing_is_confirmed_that_comes_after_the_copy_was_taken(
    hub: InProcessHub, spare: ServedHub, push: Push
) -> None:
    join(hub, spare)
    with copied(hub.store, hub.data, wait_s=0.5) as writer:
        push("one")
        (copy,) = shelf.copies(spare.data)
        with contextlib.suppress(ZeroDivisionError), shelf.taken(copy):
            push("two")
            assert not writer.is_safe
            raise ZeroDivisionError
        until(lambda: writer.is_safe, within_s=60)  # the attempt failed: it goes on


def test_a_stranger_reads_and_writes_nothing_and_is_not_taken_for_the_spare(
    hub: InProcessHub, spare: ServedHub
) -> None:
    code = join_code.parse(code_of(spare))
    found = join(hub, spare)
    with place(found, token="00" * 16) as refused, pytest.raises(OSError, match="refuses"):
        refused.epoch("any")
    with httpx.Client(base_url=found.url, verify=line._pinned(found.certificate)) as http:
        for method, path in (
            ("GET", "there"),
            ("GET", "copies/00000000"),
            ("PUT", "copies/00000000"),
            ("POST", "copies/00000000/files/journal-00000001.hhj?at=0"),
        ):
            assert http.request(method, f"/spare/{path}", content=b"x").status_code == 401
    spare.kill()
    shutil.rmtree(spare.data / "spare")
    other = shelf.begin(spare.data)
    spare.start()
    with pytest.raises(OperatorError, match="another machine"):
        line.join(code)
    with place(found, token=other.token.hex()) as another, pytest.raises(OSError, match="does not answer"):
        another.epoch("any")


def test_a_hub_joins_a_spare_by_the_page(tmp_path: Path, spare: ServedHub) -> None:
    with Site(tmp_path / "joining") as site:
        site.set_up()
        site.sign_in()
        fields = {"code": code_of(spare), "passphrase": SECRET, "again": SECRET}
        answer = site.submit("/copy/start", fields, page="/copy")
        assert answer.headers["location"] == "/copy?done=copy_joined"
        kept = actions.config(site.store)
    assert kept is not None
    assert kept.spare is not None


def test_a_spare_that_was_ended_takes_no_more_and_keeps_what_it_has(
    hub: InProcessHub, spare: ServedHub, push: Push
) -> None:
    join(hub, spare)
    with copied(hub.store, hub.data, wait_s=1.0):
        push("kept")
        assert "no copies" in spare.do("spare", "stop")
        until(lambda: standing(hub.store) is CopyStanding.AWAY)
    assert [one.mark.hub_name for one in shelf.copies(spare.data)] == ["Test Hub"]
    spare.do("spare", "stop", "--delete")
    assert shelf.copies(spare.data) == []


def test_a_hub_with_people_becomes_no_other(hub: InProcessHub) -> None:
    with pytest.raises(OperatorError, match="only a new one"):
        spares.begin(hub.store, Settings())
