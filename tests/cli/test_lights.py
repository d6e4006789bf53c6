"""hikma-hub lights."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub import settings
from hub.actions.phones import pairing
from hub.cli import lights
from hub.cli.lights import STARTING_S, HubLight
from hub.core.errors import OperatorError
from hub.core.status import label
from hub.core.status.facts import Facts
from hub.core.status.lights import Light
from hub.services.status import file
from hub.services.status.file import OLD_S
from hub.settings import Settings
from hub.store.database import Store
from tests.cli.conftest import Run
from tests.simulator import processes

SAFE = Facts(free_bytes=10**12, synced_ago_s=60)
PINS = {"GPIOZERO_PIN_FACTORY": "mock", "GPIOZERO_MOCK_PIN_CLASS": "mockpwmpin"}
NOBODY = HubLight(Path("nowhere"), 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "status.json"


def written(path: Path) -> float:
    """Write the file; returns the moment."""
    file.write(path, "Hub", SAFE)
    report = file.read(path, time.monotonic())
    assert report
    return report.monotonic_s


def test_the_light_is_the_one_that_the_hub_wrote(path: Path) -> None:
    now_s = written(path)
    assert HubLight(path, now_s).light(now_s) is Light.SAFE


def test_a_hub_that_falls_silent_is_at_fault(path: Path) -> None:
    now_s = written(path)
    light = HubLight(path, now_s)
    assert light.light(now_s + OLD_S) is Light.SAFE
    assert light.light(now_s + OLD_S + 0.1) is Light.FAULT


def test_a_hub_that_is_on_its_way_is_starting_but_not_for_ever(path: Path) -> None:
    light = HubLight(path, 100.0)
    assert light.light(100.0 + STARTING_S - 1) is Light.STARTING
    assert light.light(100.0 + STARTING_S) is Light.FAULT


def test_a_hub_that_went_away_is_at_fault_at_once(path: Path) -> None:
    now_s = written(path)
    light = HubLight(path, now_s)
    light.light(now_s)
    path.unlink()
    assert light.light(now_s + 1) is Light.FAULT


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b'{"version": 1}', b"\xff" * 100])
def test_a_file_that_cannot_be_read_is_a_fault(path: Path, junk: bytes) -> None:
    path.write_bytes(junk)
    assert HubLight(path, 0).light(1) is Light.FAULT


def test_a_file_of_another_version_is_a_fault(path: Path) -> None:
    now_s = written(path)
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":99'))
    assert HubLight(path, now_s).light(now_s) is Light.FAULT


def test_the_button_opens_pairing_in_the_hub_beside_which_it_hangs(store: Store) -> None:
    lights._actions(store.path.parent, Settings(), NOBODY).open_pairing()
    assert 0 < pairing.left_s(store) <= Settings().pairing.minutes * 60


def test_the_button_switches_off_by_the_command_of_the_settings(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    command = {"HIKMA_HUB_BOX_SHUTDOWN_COMMAND": f"touch {asked}"}
    lights._actions(tmp_path, settings.load(None, command), NOBODY).shut_down()
    assert asked.exists()


def test_a_button_without_a_hub_says_that_it_cannot(tmp_path: Path) -> None:
    with pytest.raises(OperatorError):
        lights._actions(tmp_path, Settings(), NOBODY).open_pairing()


def test_the_lights_and_the_status_command_need_nothing_of_the_pages() -> None:
    program = "import hub.cli.lights, hub.cli.upkeep, sys; print([name for name in sys.modules if 'hub.web' in name])"
    done = subprocess.run((sys.executable, "-P", "-c", program), capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_label_is_printed_as_text_and_as_a_drawing(run: Run) -> None:
    assert run("lights", "--label", "text").out.rstrip() == label.as_text()
    assert run("lights", "--label", "svg").out == f"{label.as_svg()}\n"


def test_a_machine_without_pins_is_told_so(run: Run, tmp_path: Path) -> None:
    done = run("lights", data=tmp_path, env={"HIKMA_HUB_LIGHTS_GREEN_PIN": "22"})
    assert done.status == 1
    assert "[lights]" in done.err


def test_settings_that_change_are_taken_over_and_wrong_ones_are_not(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    newest = lights.Newest(None, tmp_path)
    assert (newest.changed(), newest.settings.lights.brightness) == (False, 60)
    settings.amend(file, {("lights", "brightness"): 20})
    assert (newest.changed(), newest.settings.lights.brightness) == (True, 20)
    assert not newest.changed()
    file.write_text("[lights\n")
    assert (newest.changed(), newest.settings.lights.brightness) == (False, 20)
    file.unlink()
    assert (newest.changed(), newest.settings.lights.brightness) == (True, 60)


def test_the_lamps_that_hang_follow_the_settings_file_without_a_restart(tmp_path: Path) -> None:
    child = subprocess.Popen(
        (*processes.HUB, "lights", "--data", str(tmp_path)),
        env={**os.environ, **PINS},
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    while not _handles_sigterm(child.pid):
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.1)
    settings.amend(tmp_path / "hub.toml", {("lights", "green_pin"): 27})  # where the blue one hangs
    _, said = child.communicate(timeout=60)
    assert (child.returncode, b"two of the pins in [lights] are the same" in said) == (1, True)


def test_the_process_ends_when_it_is_told_to(tmp_path: Path) -> None:
    child = subprocess.Popen(
        (sys.executable, "-c", "import hub.cli, sys; print('up', flush=True); hub.cli.main()", "lights", "--data", "."),
        env={**os.environ, **PINS},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
    )
    assert child.stdout
    assert child.stdout.readline() == b"up\n"
    for _ in range(200):  # it is told again until its handler is there; the end itself is what is waited for
        try:
            assert child.wait(0.1) == 0
            break
        except subprocess.TimeoutExpired:
            if _handles_sigterm(child.pid):
                child.send_signal(signal.SIGTERM)
    child.stdout.close()
    assert child.returncode == 0


def _handles_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
