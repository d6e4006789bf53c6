"""hikma-hub support-file."""

import contextlib
import zipfile
from pathlib import Path

from hub.store.database import Store
from tests.cli.conftest import Run
from tests.mounts import Mount


def test_a_support_file_is_written_for_its_owner_alone_and_noted(run: Run, store: Store, tmp_path: Path) -> None:
    out = tmp_path / "support.zip"
    done = run("support-file", "--out", str(out), data=store.path.parent)
    assert (done.status, str(out) in done.out) == (0, True)
    assert out.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(out) as file:
        assert file.testzip() is None
        assert b"support.exported" in file.read("audit.json")
        assert b"no records" in file.read("about.txt")


def test_a_damaged_hub_makes_one_too(run: Run, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "support.zip"
    data.mkdir()
    (data / "hub.db").write_bytes(b"no database at all" * 500)
    assert run("support-file", "--out", str(out), data=data).status == 0
    with zipfile.ZipFile(out) as file:
        assert b"file is not a database" in file.read("status.json")


def test_a_place_that_cannot_be_written_is_said(run: Run, store: Store, tmp_path: Path) -> None:
    done = run("support-file", "--out", str(tmp_path / "no" / "support.zip"), data=store.path.parent)
    assert done.status == 1
    assert "cannot be written: No such file or directory" in done.err


def test_a_full_disk_keeps_nobody_from_help(run: Run, tmp_path: Path) -> None:
    """The file goes elsewhere; that it was made cannot be noted."""
    with contextlib.closing(Mount(tmp_path / "card")) as card:
        Store(card.path / "data").close()
        card.fill()
        out = tmp_path / "support.zip"
        assert run("support-file", "--out", str(out), data=card.path / "data").status == 0
    with zipfile.ZipFile(out) as file:
        assert "index.html" in file.namelist()
