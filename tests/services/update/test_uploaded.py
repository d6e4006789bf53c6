"""What the hub's user put there is root's alone before it is looked at, or it is gone."""

import os
from pathlib import Path

import pytest

from hub.core.errors import UpdateRefused
from hub.services.update import uploaded


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    (path := tmp_path / "hub/update.raucb").parent.mkdir()
    path.write_bytes(b"bundle")
    return path


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "update.raucb"


def test_it_is_taken_out_of_the_hubs_folder_and_only_its_owner_can_read_it(sent: Path, kept: Path) -> None:
    sent.chmod(0o666)
    uploaded.take(sent, kept)
    assert not sent.exists()
    assert kept.read_bytes() == b"bundle"
    assert (kept.stat().st_uid, kept.stat().st_mode & 0o777) == (os.geteuid(), 0o600)


def test_one_that_somebody_could_still_change_is_not_taken(sent: Path, kept: Path) -> None:
    with sent.open("r+b"), pytest.raises(UpdateRefused):
        uploaded.take(sent, kept)
    assert not kept.exists()


@pytest.mark.parametrize("kind", ["link", "folder", "fifo"])
def test_what_is_no_file_is_removed(sent: Path, kept: Path, kind: str, tmp_path: Path) -> None:
    sent.unlink()
    (secret := tmp_path / "secret").write_text("root's")
    secret.chmod(0o640)
    match kind:
        case "link":
            sent.symlink_to(secret)
        case "folder":
            (sent / "inner").mkdir(parents=True)
        case _:
            os.mkfifo(sent)
    with pytest.raises(UpdateRefused):
        uploaded.take(sent, kept)
    assert not os.path.lexists(kept)
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("root's", 0o640)


def test_where_nothing_was_sent_what_is_kept_stays(sent: Path, kept: Path) -> None:
    uploaded.take(sent, kept)
    uploaded.take(sent, kept)
    assert kept.exists()
