"""The demo as people start it: real processes, a real end."""

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.core.status.state import HubState
from tests.simulator import processes, uplink
from tests.simulator.cloud_process import CloudProcess
from tests.simulator.hub_process import HubProcess, HubProcessError
from tests.simulator.processes import free_port
from tests.simulator.uplink import Uplink

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def command(data: Path, *words: str) -> tuple[str, ...]:
    where = ("--data", str(data), "--port", str(free_port()))
    return (*processes.SHOW, *where, "--phones", "2", *words)


def shown(data: Path, *words: str) -> dict[str, Any]:
    """Run a show to its end; returns its summary."""
    done = subprocess.run(
        command(data, "--json", *words), capture_output=True, text=True, check=False, env=processes.environ()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def left_behind(data: Path) -> list[str]:
    """Return the processes that still work in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(data) in words:
            found.append(words)
    return found


def test_a_show_ends_with_phones_hub_and_cloud_alike_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    first, second = (shown(tmp_path, "--seconds", "4") for _ in range(2))
    for summary in (first, second):
        assert summary["same"]
        assert summary["proven"]
        assert summary["failed"] == summary["differences"] == 0
        assert summary["pushed"] > 0
        assert summary["sentence"] == HubState.IN_CLOUD.value.sentence.one
    assert second["in_cloud"] > first["in_cloud"] > 48  # what the organisation had before
    assert second["held"] > first["held"]


def test_a_show_without_a_cloud(tmp_path: Path) -> None:
    summary = shown(tmp_path, "--seconds", "2", "--no-cloud")
    assert summary["same"]
    assert (summary["in_cloud"], summary["proven"]) == (None, None)
    assert summary["sentence"] == HubState.SAFE.value.sentence.one


def test_what_was_entered_without_a_cloud_goes_up_with_the_next_show(tmp_path: Path) -> None:
    """Issue item 8: clinic and staff are known by name and email."""
    before = shown(tmp_path, "--seconds", "2", "--no-cloud")
    summary = shown(tmp_path, "--seconds", "2")
    assert summary["same"]
    assert summary["in_cloud"] > before["held"]


@pytest.mark.parametrize(("times", "status"), [(1, 0), (2, 130)])
def test_ctrl_c_ends_everything(tmp_path: Path, times: int, status: int) -> None:
    """The first one ends the work, and all is compared; a second one ends that as well."""
    with subprocess.Popen(command(tmp_path), stdout=subprocess.PIPE, text=True, env=processes.environ()) as show:
        assert show.stdout is not None
        until(show.stdout, "saw a patient")
        show.send_signal(signal.SIGINT)
        until(show.stdout, "until they rest")
        if times > 1:
            show.send_signal(signal.SIGINT)
        rest = show.stdout.read()
        assert show.wait(60) == status, rest
    assert left_behind(tmp_path) == []
    assert ("the hub and the cloud hold the same" in rest) is (status == 0)


def until(lines: Iterator[str], text: str) -> None:
    """Read on until a line holds this."""
    for line in lines:
        if text in line:
            return
    raise AssertionError(text)


def test_a_line_that_fails_makes_the_hub_wait_for_the_internet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplink, "LINE_S", (0.0, 0.0))
    monkeypatch.setattr(uplink, "_LOOK_S", 0.0)
    said: list[tuple[str, str]] = []
    status = tmp_path / "status.json"
    settings = {"HIKMA_HUB_BOX_STATUS_FILE": str(status)}
    cloud = CloudProcess(tmp_path / "cloud", log=tmp_path / "cloud.log")
    hub = HubProcess(tmp_path / "hub", settings=settings)
    with cloud, hub:
        way = Uplink(hub, cloud, status, lambda *told: said.append(told), line_fails=True)
        way.connect()
        way.look()
        with pytest.raises(HubProcessError, match="cannot be reached"):
            hub.do("relay", "--once")
        assert any(looks(way, said, "There is no internet at the moment."))
        assert way.deliver() == []
    assert next(text for who, text in said if who == "line").startswith("is gone")
    assert left_behind(tmp_path) == []


def looks(way: Uplink, said: list[tuple[str, str]], text: str) -> Iterator[bool]:
    """Look until this was said; a bounded number of looks at what the hub writes every two seconds."""
    way._turns_s = float("inf")
    pause = threading.Event()
    for _ in range(200):
        way.look()
        yield any(text in words for _, words in said)
        pause.wait(0.1)
