"""Updates by a real RAUC: what is refused and how that is said, what is installed, and the way back."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hub import __version__
from hub.core.status.facts import Facts
from hub.core.update import slots, trial
from hub.core.update.last import Fate, LastUpdate
from hub.core.update.slots import TRIAL, TRIED, Slot
from hub.services.status import file
from hub.services.update import boot_partition, memory
from tests.firmware import started
from tests.updates import TwoSystems

NEWER = "99.0.0"


@pytest.fixture(scope="module")
def two_systems(tmp_path_factory: pytest.TempPathFactory) -> TwoSystems:
    """Return a card of which system A runs."""
    made = TwoSystems(tmp_path_factory.mktemp("two"))
    made.prepare()
    return made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[TwoSystems]:
    """Return one of its own, with RAUC's service."""
    made = TwoSystems(tmp_path)
    made.prepare()
    made.start()
    yield made
    made.stop()


def started_of(box: TwoSystems, *, tryboot: bool = False) -> str | None:
    paths = [path for path in box.boot.rglob("*") if path.is_file()]
    files = {path.relative_to(box.boot).as_posix(): path.read_bytes() for path in paths}
    return started(files, tryboot=tryboot)


def test_a_card_with_one_system_is_told_to_be_flashed_once(two_systems: TwoSystems, tmp_path: Path) -> None:
    (bundle := tmp_path / "some.raucb").touch()
    shown = two_systems.hub("status", "--json", HIKMA_UPDATE_RAUC=str(tmp_path / "none"))
    assert json.loads(shown.out)["version"] == __version__
    assert "one system" in json.loads(shown.out)["update"]
    for words in (["check", bundle], ["install", bundle], ["try"], ["rollback", "--yes"]):
        done = two_systems.hub(*words, HIKMA_UPDATE_RAUC=str(tmp_path / "none"))
        assert (done.status, done.out) == (1, "")
        assert "one system" in done.refused
        assert "nothing is lost" in done.refused


def test_what_runs_and_what_starts_next_is_shown(two_systems: TwoSystems) -> None:
    shown = json.loads(two_systems.hub("status", "--json").out)
    assert shown == {"version": __version__, "running": "A", "usual": "A", "next": "A", "last": None}


def test_an_update_for_this_hub_passes_the_check(two_systems: TwoSystems) -> None:
    done = two_systems.hub("check", "--json", two_systems.bundle(NEWER))
    assert json.loads(done.out) == {"version": NEWER, "current": __version__}, done.refused


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "not signed"), ("ar", "غير موقّع"), ("es", "no está firmada"), ("fr", "n'est pas signée")],
)
def test_an_update_that_a_stranger_signed_is_refused_in_the_hubs_language(
    two_systems: TwoSystems, language: str, words: str
) -> None:
    if not (stranger := two_systems.root / f"{NEWER}-stranger-hikma-hub-test.raucb").exists():
        two_systems.key("stranger")
        two_systems.bundle(NEWER, key="stranger")
    done = two_systems.hub("check", stranger, HIKMA_HUB_HUB_LANGUAGE=language)
    assert words in done.refused


@pytest.mark.parametrize("version", [__version__, "0.1.0", "0.9", ""])
def test_an_update_that_is_not_newer_is_refused_unless_a_person_wants_it(two_systems: TwoSystems, version: str) -> None:
    bundle = two_systems.bundle(version)
    done = two_systems.hub("check", bundle)
    assert f"this hub has {__version__}" in done.refused
    assert two_systems.hub("check", "--older", bundle).status == 0


def test_an_update_for_another_device_is_refused(two_systems: TwoSystems) -> None:
    done = two_systems.hub("check", "--older", two_systems.bundle(NEWER, compatible="toaster"))
    assert "another kind of device" in done.refused


@pytest.mark.parametrize(
    ("left", "words"), [(0, "only part"), (1000, "only part"), (-1, "only part"), (-5000, "only part")]
)
def test_an_update_that_is_cut_off_is_refused(two_systems: TwoSystems, tmp_path: Path, left: int, words: str) -> None:
    (cut := tmp_path / "cut.raucb").write_bytes(two_systems.bundle(f"98.{left % 997}.0").read_bytes()[:left])
    done = two_systems.hub("check", cut)
    assert words in done.refused


def test_an_update_that_was_changed_is_refused(two_systems: TwoSystems, tmp_path: Path) -> None:
    content = bytearray(two_systems.bundle("97.0.0").read_bytes())
    content[500_000] ^= 1
    (changed := tmp_path / "changed.raucb").write_bytes(content)
    assert "damaged or changed" in two_systems.hub("check", changed).refused


def test_an_update_is_installed_tried_and_kept(served: TwoSystems) -> None:
    bundle = served.bundle(NEWER)
    done = served.hub("install", bundle)
    assert done.status == 0, done.refused
    written = (served.root / f"content-{NEWER}-update-hikma-hub-test/rootfs.img").read_bytes()
    assert (served.root / "b.img").read_bytes()[: len(written)] == written
    assert served.restarts == ["reboot --reboot-argument=0 tryboot"]
    assert (started_of(served), started_of(served, tryboot=True)) == ("slot-A", "slot-B")
    served.runs(Slot.B)
    assert served.hub("settle").out == "trial\n"
    assert served.hub("install", "--older", bundle).refused.count("still being tested") == 1
    assert served.hub("backend", "set-state", "B", "good").status == 0
    assert started_of(served) == "slot-B"
    assert served.hub("settle").out == "usual\n"
    served.hub("rollback", "--yes")
    assert f"taken back from version {NEWER}" in served.hub("status").out
    assert served.restarts[1:] == ["reboot"]
    assert started_of(served) == "slot-A"


def test_an_update_that_did_not_start_is_told_and_not_tried_again(served: TwoSystems) -> None:
    served.hub("install", served.bundle(NEWER))
    assert (served.boot / TRIED).exists()
    assert served.hub("settle").out == "return\n"
    assert not (served.boot / TRIAL).exists()
    told = json.loads(served.hub("status", "--json").out)["last"]
    assert told == f"The update to version {NEWER} did not start. The hub has gone back to version {__version__}."
    assert served.hub("settle").out == "usual\n"
    assert "no update is installed" in served.hub("try").refused


@pytest.fixture
def on_trial(two_systems: TwoSystems) -> Iterator[TwoSystems]:
    """Return a card of which system B runs on trial."""
    for name in ("cmdline.txt", "config.txt", "kernel8.img"):
        (two_systems.boot / "slot-B").mkdir(exist_ok=True)
        (two_systems.boot / "slot-B" / name).write_bytes((two_systems.boot / "slot-A" / name).read_bytes())
    boot_partition.seal(two_systems.boot, Slot.B)
    boot = boot_partition.read(two_systems.boot)
    boot_partition.perform(two_systems.boot, slots.make_primary(boot, Slot.B))
    last = LastUpdate(version=NEWER, before=__version__, fate=Fate.TRYING, lights=False)
    memory.keep(two_systems.root / "data", last)
    two_systems.runs(Slot.B)
    yield two_systems
    two_systems.runs(Slot.A)


class Ready(BaseHTTPRequestHandler):
    """A hub that says that it can serve."""

    beside = "well"

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.OK if self.path == "/readyz" else HTTPStatus.NOT_FOUND)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "ready", "beside": self.beside}).encode())


class WithoutRelay(Ready):
    """One whose relay does not start."""

    beside = "failing"


@contextlib.contextmanager
def answering(hub: type[Ready]) -> Iterator[str]:
    """Let a hub answer; gives its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield str(server.server_port)
        server.shutdown()


def test_a_system_that_proves_itself_is_kept(on_trial: TwoSystems, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "TRIAL_S", 0)  # not ten minutes
    monkeypatch.setattr(trial, "STEADY_S", 1e-9)  # not a minute
    (report := on_trial.root / "report.json").write_text('{"hub_id": "x"}')
    with answering(Ready) as port:
        done = on_trial.hub("prove", HIKMA_UPDATE_REPORT=str(report), HIKMA_HUB_SERVER_PORT=port)
    assert done.refused == ""
    assert started_of(on_trial) == "slot-B"
    assert f"updated from version {__version__} to version {NEWER}" in on_trial.hub("status").out
    on_trial.hub("rollback", "--yes")
    assert started_of(on_trial) == "slot-A"


def test_a_system_that_does_not_prove_itself_makes_way_and_says_why(
    on_trial: TwoSystems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "TRIAL_S", 0)  # not ten minutes
    before = len(on_trial.restarts)
    on_trial.hub("prove", HIKMA_UPDATE_REPORT=str(on_trial.root / "none"), HIKMA_HUB_SERVER_PORT="1")
    assert on_trial.restarts[before:] == ["reboot"]
    assert (started_of(on_trial), (on_trial.boot / TRIAL).exists()) == ("slot-A", False)
    told = on_trial.hub("status").out
    assert "was not well. The hub has gone back" in told
    assert "The hub did not answer." in told
    assert "The data could not be opened." in told


def test_a_system_whose_hub_serves_phones_and_cannot_send_on_makes_way(
    on_trial: TwoSystems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "TRIAL_S", 0)  # not ten minutes
    (report := on_trial.root / "report.json").write_text('{"hub_id": "x"}')
    with answering(WithoutRelay) as port:
        on_trial.hub("prove", HIKMA_UPDATE_REPORT=str(report), HIKMA_HUB_SERVER_PORT=port)
    assert started_of(on_trial) == "slot-A"
    assert "A part of the program did not start." in on_trial.hub("status").out


def test_a_hub_that_could_not_send_on_before_its_update_may_keep_it(
    served: TwoSystems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "TRIAL_S", 0)  # not ten minutes
    monkeypatch.setattr(trial, "STEADY_S", 1e-9)  # not a minute
    (report := served.root / "report.json").write_text('{"hub_id": "x"}')
    with answering(WithoutRelay) as port:
        done = served.hub("install", served.bundle(NEWER), HIKMA_HUB_SERVER_PORT=port)
        assert done.refused == ""
        served.runs(Slot.B)
        served.hub("prove", HIKMA_UPDATE_REPORT=str(report), HIKMA_HUB_SERVER_PORT=port)
    assert started_of(served) == "slot-B"


def test_a_system_that_can_save_nothing_makes_way_too(on_trial: TwoSystems, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "TRIAL_S", 0)  # not ten minutes
    before = len(on_trial.restarts)
    (on_trial.root / "data/update.json").unlink()
    (on_trial.root / "data/update.json").mkdir()
    try:
        with pytest.raises(IsADirectoryError):
            on_trial.hub("prove", HIKMA_UPDATE_REPORT=str(on_trial.root / "none"), HIKMA_HUB_SERVER_PORT="1")
    finally:
        (on_trial.root / "data/update.json").rmdir()
    assert on_trial.restarts[before:] == ["reboot"]
    assert started_of(on_trial) == "slot-A"


@pytest.mark.parametrize(
    ("facts", "uptime", "words"),
    [
        ({}, "299.9 1", "less than five minutes"),
        ({"syncing": 1}, "900 1", "phone is syncing"),
        ({"relaying": True}, "900 1", "cloud"),
    ],
)
def test_an_update_waits_while_somebody_is_served(
    two_systems: TwoSystems, facts: dict[str, Any], uptime: str, words: str
) -> None:
    file.write(two_systems.root / "data/status.json", "Test", Facts(**facts))
    (two_systems.root / "proc/uptime").write_text(uptime)
    assert words in two_systems.hub("install", two_systems.bundle(f"96.{len(words)}.0")).refused
    (two_systems.root / "data/status.json").unlink()
    two_systems.runs(Slot.A)


def test_raucs_own_status_shows_both_systems(served: TwoSystems) -> None:
    done = served.rauc("status", "--output-format=json")
    shown = json.loads(done.stdout)
    states = {name: slot["boot_status"] for slots in shown["slots"] for name, slot in slots.items()}
    assert (shown["boot_primary"], states) == ("rootfs.0", {"rootfs.0": "good", "rootfs.1": "bad"})


@pytest.mark.parametrize(
    "words", [["set-state", "A"], ["get-primary", "A"], ["set-primary"], ["get-state", "B", "bad"]]
)
def test_what_rauc_does_not_ask_is_refused(two_systems: TwoSystems, words: list[str]) -> None:
    assert two_systems.hub("backend", *words).status == 2
