"""The program as it is started by people and by systemd: from any folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hubs import ServedHub, prepare
from tests.outside import PROJECT
from tests.simulator import processes

pytestmark = pytest.mark.slow

_COMMAND = (str(Path(sys.executable).with_name("hikma-hub")),)


@pytest.fixture(autouse=True)
def decoy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder where ``hub`` and ``tests`` are packages that must not be loaded."""
    for name in ("hub", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong package was loaded')\n")
    monkeypatch.chdir(tmp_path)


def ran(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, env=processes.environ(), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("program", [_COMMAND, processes.HUB], ids=["command", "module"])
def test_a_folder_called_hub_is_not_taken_for_the_program(program: tuple[str, ...], tmp_path: Path) -> None:
    prepare(tmp_path / "data")
    hub = ServedHub(tmp_path / "data", program=program)
    assert (
        "hikma-hub, version"
        in subprocess.run((*program, "--version"), capture_output=True, text=True, check=False).stdout
    )
    assert "make run" in hub.cli("demo").stderr
    try:
        hub.start()
        assert hub.client().pull().status == 200
        assert json.loads(hub.do("pairing", "show", "--json"))["type"] == "sync_hub"
    finally:
        hub.close()


def test_the_show_runs_in_a_folder_that_holds_a_folder_called_hub(tmp_path: Path) -> None:
    words = ("--data", str(tmp_path / "data"), "--port", str(processes.free_port()), "--phones", "1", "--seconds", "1")
    done = subprocess.run(
        (*processes.SHOW, *words, "--json"), env=processes.environ(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["same"]


def test_every_unit_of_the_box_starts_a_program_and_no_module() -> None:
    lines = [line for unit in (PROJECT / "systemd").glob("*.service") for line in unit.read_text("utf-8").splitlines()]
    commands = [line for line in lines if line.startswith("ExecStart") and "hikma" in line]
    assert commands
    assert [line for line in commands if " -m " in line] == []
    assert "python3 -P -m hub.cli" in (PROJECT / "image/steps/20-program").read_text("utf-8")
