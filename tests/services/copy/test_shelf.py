"""What a spare lets a hub write: files of its copy, each piece where the last one ended."""

from pathlib import Path

import msgspec
import pytest

from hub.core.errors import OperatorError
from hub.services.copy import shelf as shelves
from hub.services.copy.shelf import Shelf, This
from hub.services.copy.stick import Mark

ID = "0123abcd"
JOURNAL = "journal-00000001.hhj"


def mark(copy_id: str = ID, *, epoch: int = 0) -> bytes:
    return msgspec.json.encode(Mark(id=copy_id, hub_id="hub", hub_name="Test Hub", epoch=epoch, salt=bytes(16)))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path, lambda: This("spare", 0))
    made.open(ID, mark())
    return made


@pytest.mark.parametrize(
    "name", ["../../hub.db", "hub.db", "copy.json", "taken", "journal-1.hhj", "base-000000000001.part"]
)
def test_nothing_but_a_file_of_a_copy_is_written(name: str, shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="not a file of a copy"):
        shelf.add(ID, name, 0, b"x")
    assert not (tmp_path / "hub.db").exists()


@pytest.mark.parametrize("copy_id", ["..", "0123ABCD", "0123abcd/..", ""])
def test_nothing_is_written_outside_of_a_copy(copy_id: str, shelf: Shelf) -> None:
    with pytest.raises(OperatorError, match="not a copy"):
        shelf.add(copy_id, JOURNAL, 0, b"x")


def test_a_piece_comes_where_the_last_one_ended_or_not_at_all(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(ID, JOURNAL, 0, b"one")
    for at in (0, 2, 4):
        with pytest.raises(OperatorError, match="not where the file ends"):
            shelf.add(ID, JOURNAL, at, b"two")
    shelf.add(ID, JOURNAL, 3, b"two")
    assert (tmp_path / "spare/hikma-hub-copy" / ID / JOURNAL).read_bytes() == b"onetwo"


def test_a_backup_has_its_name_only_when_it_reads_back_as_it_was_sent(shelf: Shelf, tmp_path: Path) -> None:
    name = "base-000000000001.age"
    shelf.add(ID, name, 0, b"whole")
    assert shelf.kept(ID).base is None
    with pytest.raises(OperatorError, match="reads back differently"):
        shelf.whole(ID, name, "00" * 32)
    assert list((tmp_path / "spare/hikma-hub-copy" / ID).glob("base-*")) == []


def test_a_copy_that_was_taken_grows_no_more_and_one_of_an_older_epoch_is_not_begun(
    shelf: Shelf, tmp_path: Path
) -> None:
    (copy,) = shelves.copies(tmp_path)
    with shelves.taken(copy):
        pass
    with pytest.raises(OperatorError, match="took over"):
        shelf.add(ID, JOURNAL, 0, b"x")
    assert shelves.copies(tmp_path) == []
    became = Shelf(tmp_path, lambda: This("hub", 1))
    assert became.epoch("hub") == 1
    with pytest.raises(OperatorError, match="another box"):
        became.open("ffffffff", mark("ffffffff"))


def test_a_spare_keeps_so_many_copies_and_not_more(shelf: Shelf) -> None:
    for number in range(15):
        shelf.open(f"{number:08x}", mark(f"{number:08x}"))
    with pytest.raises(OperatorError, match="too many"):
        shelf.open("ffffffff", mark("ffffffff"))


def test_a_card_that_is_nearly_full_keeps_its_room_for_the_hub_that_it_may_become(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "_FREE_BYTES_MIN", 2**62)
    with pytest.raises(OperatorError, match="no room"):
        shelf.add(ID, JOURNAL, 0, b"x")
