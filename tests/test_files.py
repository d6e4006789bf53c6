import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import files


def test_a_file_is_written_with_its_mode_and_its_size_is_told(tmp_path: Path) -> None:
    path = tmp_path / "new"
    assert files.replace(path, [b"one", b"two"], mode=0o640) == 6
    assert path.read_bytes() == b"onetwo"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        files.replace(path, broken())
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept"]
    assert path.read_bytes() == b"old"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    files.replace(tmp_path / "link", [b"new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_what_a_power_cut_left_half_written_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".file.new").write_bytes(b"a longer half of something")
    files.replace(tmp_path / "file", [b"short"], durable=False)
    assert (tmp_path / "file").read_bytes() == b"short"


def test_two_names_change_places_and_the_old_content_is_removed_only_then(tmp_path: Path) -> None:
    files.exchange(tmp_path / "file", [b"old"])
    old = (tmp_path / "file").stat().st_ino
    swapped = files.swap
    seen: list[tuple[bytes, bytes]] = []

    def swap(one: Path, other: Path) -> None:
        swapped(one, other)
        seen.append((one.read_bytes(), other.read_bytes()))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(files, "swap", swap)
        files.exchange(tmp_path / "file", [b"n", b"ew"], mode=0o644)
    assert seen == [(b"old", b"new")]
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").stat().st_ino != old
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_a_name_that_is_missing_changes_no_places(tmp_path: Path) -> None:
    (tmp_path / "one").touch()
    with pytest.raises(FileNotFoundError):
        files.swap(tmp_path / "one", tmp_path / "none")


@pytest.fixture
def waited_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names under which files and folders are waited for, in order."""
    fsync, names = os.fsync, []

    def note(handle: int) -> None:
        names.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    return names


def test_a_file_is_waited_for_once_more_under_its_new_name(tmp_path: Path, waited_for: list[str]) -> None:
    files.replace(path := tmp_path / "file", [b"x"])
    assert waited_for == [str(tmp_path / ".file.new"), str(path), str(tmp_path)]


def test_so_is_one_that_is_put_on_a_fat(tmp_path: Path, waited_for: list[str]) -> None:
    files.exchange(path := tmp_path / "file", [b"x"])
    assert waited_for == [str(tmp_path / ".file.new"), str(path), str(tmp_path)]


def test_two_that_changed_places_are_waited_for_together_before_one_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"old")
    call, there = files._call, []

    def note(name: str, *given: object) -> None:
        call(name, *given)
        there.append((name, sorted(path.name for path in tmp_path.iterdir())))

    monkeypatch.setattr(files, "_call", note)
    files.exchange(tmp_path / "file", [b"new"])
    assert there == [("renameat2", [".file.new", "file"]), ("syncfs", [".file.new", "file"])]
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new"]
