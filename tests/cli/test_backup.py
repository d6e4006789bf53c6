"""hikma-hub backup and restore."""

from pathlib import Path

import pytest

from hub.core.encrypted_stream import age
from hub.store.database import Store
from hub.store.people import audit
from tests.cli.conftest import Run

SECRET = "four words are enough\n"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a guess cost nothing."""
    monkeypatch.setattr(age, "_WORK_FACTOR", 4)


def test_o4_a_backup_is_written_for_its_owner_alone_and_noted_and_makes_a_hub(
    run: Run, store: Store, tmp_path: Path
) -> None:
    out, new = tmp_path / "hub.backup", tmp_path / "new"
    done = run("backup", "--out", str(out), "--passphrase-stdin", data=store.path.parent, stdin=SECRET)
    assert (done.status, str(out) in done.out) == (0, True)
    assert out.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.glob(".*")] == []
    with store.read() as db:
        assert next(audit.entries(db))["event"] == "backup.made"
    done = run("restore", str(out), "--passphrase-stdin", data=new, stdin=SECRET)
    assert (done.status, "go on by themselves" in done.out, "force upload" in done.out) == (0, True, False)
    assert run("status", data=new).status == 0


def test_a_wrong_passphrase_a_full_folder_and_another_file_are_refused(run: Run, store: Store, tmp_path: Path) -> None:
    out, data = tmp_path / "hub.backup", store.path.parent
    run("backup", "--out", str(out), "--passphrase-stdin", data=data, stdin=SECRET)
    wrong = run("restore", str(out), "--passphrase-stdin", data=tmp_path / "new", stdin="another long one\n")
    assert (wrong.status, "passphrase is wrong" in wrong.err) == (1, True)
    full = run("restore", str(out), "--passphrase-stdin", data=data, stdin=SECRET)
    assert (full.status, "needs an empty folder" in full.err) == (1, True)
    other = run("restore", str(store.path), "--passphrase-stdin", data=tmp_path / "new", stdin=SECRET)
    assert (other.status, "not a backup" in other.err) == (1, True)


def test_a_short_passphrase_makes_no_file(run: Run, store: Store, tmp_path: Path) -> None:
    out = tmp_path / "hub.backup"
    done = run("backup", "--out", str(out), "--passphrase-stdin", data=store.path.parent, stdin="short\n")
    assert (done.status, "12 characters" in done.err) == (1, True)
    assert not out.exists()


def test_a_backup_that_cannot_be_written_leaves_nothing(run: Run, store: Store, tmp_path: Path) -> None:
    out = tmp_path / "no" / "hub.backup"
    done = run("backup", "--out", str(out), "--passphrase-stdin", data=store.path.parent, stdin=SECRET)
    assert (done.status, "cannot be written" in done.err) == (1, True)
    assert not list(store.path.parent.glob("*backup*"))
