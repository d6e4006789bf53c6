"""hikma-hub copy: begun, looked at and ended."""

from pathlib import Path

from tests.cli.conftest import Run
from tests.hubs import prepare

SECRET = "four words are enough\n"


def test_a_copy_is_begun_shown_and_ended(run: Run, tmp_path: Path) -> None:
    data, stick = tmp_path / "hub", tmp_path / "stick"
    prepare(data)
    stick.mkdir()
    run("copy", "start", str(stick), "--passphrase-stdin", data=data, stdin=SECRET)
    assert run("copy", "status", "--json", data=data).json["standing"] == "away"  # no hub runs that would write it
    assert run("copy", "verify", data=data).status == 1  # nothing is there yet
    run("copy", "stop", data=data)
    assert run("copy", "status", "--json", data=data).json == {"kept": False}


def test_a_short_passphrase_begins_no_copy(run: Run, tmp_path: Path) -> None:
    data, stick = tmp_path / "hub", tmp_path / "stick"
    prepare(data)
    stick.mkdir()
    assert run("copy", "start", str(stick), "--passphrase-stdin", data=data, stdin="short\n").status == 1
    assert list(stick.iterdir()) == []
