"""status.json, by which other processes know how the hub is."""

import time
from pathlib import Path

import msgspec
import pytest

from hub.core.status.facts import FREE_BYTES_LOW, Facts
from hub.core.status.lights import Light
from hub.core.status.state import HubState, state
from hub.services.status import file
from hub.services.status.file import OLD_S, Status

WELL = Facts(free_bytes=FREE_BYTES_LOW, cloud=True, waiting=3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "status.json"


def written(path: Path) -> Status:
    file.write(path, "Clinic", WELL)
    status = file.read(path, time.monotonic())
    assert status is not None
    return status


def seen(path: Path) -> Facts:
    """Return what whoever looks at the file takes for true."""
    return file.facts(path, lambda: pytest.fail("measured"))


def test_what_is_written_is_read(path: Path) -> None:
    status = written(path)
    assert (status.name, status.state, status.light, status.facts) == ("Clinic", "waiting", Light.WAITING, WELL)
    assert seen(path) == WELL
    assert [entry.name for entry in path.parent.iterdir()] == ["status.json"]


def test_a_hub_that_fell_silent_is_not_taken_for_healthy(path: Path) -> None:
    status = written(path)
    assert file.read(path, status.monotonic_s + OLD_S) == status
    assert file.read(path, status.monotonic_s + OLD_S + 0.1) is None
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(status, monotonic_s=time.monotonic() - OLD_S - 1)))
    assert state(seen(path)) is HubState.NOT_ANSWERING


@pytest.mark.parametrize("text", [b"", b"{}", b'{"version": 2}', b"\xff"])
def test_a_file_that_cannot_be_read_is_a_hub_that_does_not_answer(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    assert state(seen(path)) is HubState.NOT_ANSWERING


def test_a_file_of_another_version_is_not_read(path: Path) -> None:
    status = written(path)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(status, version=2)))
    assert state(seen(path)) is HubState.NOT_ANSWERING


def test_a_file_that_is_not_there_is_a_hub_that_does_not_answer(path: Path) -> None:
    assert state(seen(path)) is HubState.NOT_ANSWERING


def test_where_nobody_made_its_folder_no_file_is_written_and_who_looks_measures(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "status.json"
    with pytest.raises(FileNotFoundError):
        file.write(path, "Clinic", WELL)
    assert file.facts(path, lambda: WELL) == WELL
