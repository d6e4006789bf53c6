"""status.json, by which other processes know how the hub is."""

import time
from pathlib import Path

import msgspec
import pytest

from hub.core.status.lights import Light
from hub.core.status.state import FREE_BYTES_LOW, Facts, State, state
from hub.services.status import file

WELL = Facts(free_bytes=FREE_BYTES_LOW, cloud=True, waiting=3)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    file.write(path, "Clinic", WELL)
    report = file.read(path)
    assert report is not None
    assert (report.name, report.state, report.light, report.facts) == ("Clinic", "waiting", Light.WAITING, WELL)
    assert report.sentence == "3 records are safe on this hub, and will be sent to the cloud."
    assert file.current(path) == WELL
    assert [entry.name for entry in tmp_path.iterdir()] == ["status.json"]


def test_a_hub_that_fell_silent_is_not_taken_for_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "status.json"
    file.write(path, "Clinic", WELL)
    later = time.monotonic() + file.OLD_S + 1
    monkeypatch.setattr("hub.services.status.file.time.monotonic", lambda: later)
    assert state(file.current(path)) is State.NOT_ANSWERING


@pytest.mark.parametrize("text", [b"", b"{}", b'{"version": 2}', b"\xff"])
def test_a_file_that_cannot_be_read_is_a_hub_that_does_not_answer(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "status.json"
    path.write_bytes(text)
    assert file.read(path) is None
    assert state(file.current(path)) is State.NOT_ANSWERING


def test_a_file_of_another_version_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    file.write(path, "Clinic", WELL)
    report = file.read(path)
    assert report is not None
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(report, version=2)))
    assert file.read(path) is None


def test_it_is_not_written_where_nobody_made_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        file.write(tmp_path / "missing" / "status.json", "Clinic", WELL)
