"""Another Wi-Fi, as the page asks for it: tried, kept if it works, and what was before comes back if not."""

import os
import re
from pathlib import Path

import msgspec
import pytest

from hub.core.errors import OperatorError
from hub.core.wifi import Attempt, End, Join, Networks, Offer
from hub.firstboot import network, network_change
from hub.firstboot.card_config import AccessPointTable, CardConfig, WifiTable
from hub.firstboot.machine import Machine
from hub.firstboot.network import ACCESS_POINT, FOLDER
from hub.firstboot.network_change import TOLD, WISH
from hub.firstboot.report import REPORT, FirstBootReport, first_boot
from tests.simulator.radio import InReach, Radio

OLD, NEW = "Old router", "عيادة"
SECRET = r" it's a \secret"
_NMCLI = ("env", "LC_ALL=C", "nmcli")


class Board(Machine):
    """A board that is on its old network; its power fails before the command ``cut_at``."""

    radio: Radio
    cut_at: int
    commands: int

    def __init__(self, root: Path, cut_at: int = 10**6, **in_reach: InReach) -> None:
        super().__init__(root)
        folder = self.path(FOLDER)
        folder.mkdir(parents=True)
        self.path(WISH).parent.mkdir(parents=True)
        old = WifiTable(OLD, "the old secret")
        network.apply(self, CardConfig(wifi=(old,), access_point=AccessPointTable("Hikma", "its own secret")))
        seen = {OLD: InReach("the old secret"), NEW: InReach(SECRET), **in_reach}
        object.__setattr__(self, "radio", Radio(str(folder), seen, ["hikma-wifi-0", ACCESS_POINT], "hikma-wifi-0"))
        object.__setattr__(self, "commands", 0)
        object.__setattr__(self, "cut_at", cut_at)

    def run(self, *command: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,)) -> str:
        object.__setattr__(self, "commands", self.commands + 1)
        if self.commands > self.cut_at:
            raise KeyboardInterrupt
        if command[: len(_NMCLI)] != _NMCLI:
            return "" if command[0] == "chown" else super().run(*command, stdin=stdin, accept=accept)
        status, said, complaint = self.radio.run(list(command[len(_NMCLI) :]))
        if status not in accept:
            raise OperatorError(f"env LC_ALL=C failed with {status}: {complaint}")
        return said

    def now_on(self) -> str | None:
        return network.network_name(self.path(FOLDER), str(self.radio.active))


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path / "board", Full=InReach("what it wants", gives_address=False), Third=InReach("third secret"))


def wish(board: Board, wanted: Join | Offer | bytes) -> Attempt | None:
    raw = wanted if isinstance(wanted, bytes) else msgspec.json.encode(wanted)
    board.path(WISH).write_bytes(raw)
    return network_change.carry_out(board)


def told(board: Board) -> Networks:
    return msgspec.json.decode(board.path(TOLD).read_bytes(), type=Networks)


def joined_by_itself(board: Board) -> set[str | None]:
    """Return the networks that the next start would join."""
    folder = board.path(FOLDER)
    return {
        network.network_name(folder, file.stem)
        for file in folder.glob("hikma-wifi-*")
        if not re.search("^autoconnect=false$", file.read_text(), re.MULTILINE)
    }


def test_a_network_that_works_is_kept_and_comes_first(board: Board) -> None:
    assert wish(board, Join(NEW, SECRET)) == Attempt(NEW, is_own=False, end=End.DONE, now_on=NEW)
    assert told(board).known == (NEW, OLD)
    assert joined_by_itself(board) == {NEW, OLD}
    assert board.now_on() == NEW
    assert not board.path(WISH).exists()


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Join(NEW, "not the secret"), End.PASSWORD),
        (Join(NEW, None), End.PASSWORD),
        (Join("Elsewhere", SECRET), End.NOT_FOUND),
        (Join("Full", "what it wants"), End.NO_ADDRESS),
    ],
    ids=["wrong password", "no password", "not in reach", "no address"],
)
def test_the_box_is_back_where_it_was_and_tells_why(board: Board, wanted: Join, why: End) -> None:
    files = {file.name: file.read_bytes() for file in board.path(FOLDER).iterdir()}
    assert wish(board, wanted) == Attempt(wanted.name, is_own=False, end=why, now_on=OLD)
    assert board.radio.active == "hikma-wifi-0"
    assert {file.name: file.read_bytes() for file in board.path(FOLDER).iterdir()} == files
    assert told(board) == Networks(
        known=(OLD,),
        own=Offer("Hikma", "its own secret", "fallback"),
        last=Attempt(wanted.name, is_own=False, end=why, now_on=OLD),
    )


def test_the_newly_chosen_takes_the_place_of_what_was_chosen_before_or_has_its_name(board: Board) -> None:
    wish(board, Join(NEW, SECRET))
    wish(board, Join("Third", "third secret"))
    assert told(board).known == ("Third", OLD)
    wish(board, Join(OLD, "the old secret"))
    assert told(board).known == (OLD,)


def test_a_power_cut_at_any_moment_leaves_only_networks_that_worked(board: Board, tmp_path: Path) -> None:
    wish(board, Join(NEW, SECRET))
    for moment in range(board.commands):
        cut = Board(tmp_path / str(moment), cut_at=moment)
        with pytest.raises(KeyboardInterrupt):
            wish(cut, Join(NEW, SECRET))
        assert OLD in joined_by_itself(cut)
        assert NEW not in joined_by_itself(cut) or cut.now_on() == NEW


def test_what_the_page_chose_stays_when_the_card_file_changes(board: Board) -> None:
    wish(board, Join(NEW, SECRET))
    network.apply(board, CardConfig(wifi=(WifiTable("Third", "third secret"),)))
    assert network.networks(board).known == (NEW, "Third")


def test_its_own_network_changes_and_the_label_knows(board: Board) -> None:
    board.path(REPORT).write_bytes(msgspec.json.encode(FirstBootReport(access_point="Hikma")))
    own = Offer("Ward 7", "come in please", "fallback")
    assert wish(board, own) == Attempt("Ward 7", is_own=True, end=End.DONE, now_on=OLD)
    assert told(board).own == own
    assert board.radio.active == "hikma-wifi-0", "it is not opened while the radio has better to do"
    report = first_boot(board.path(REPORT))
    assert (report.access_point, report.access_point_password) == ("Ward 7", "come in please")
    always = Offer("Ward 7", "come in please", "always")
    assert wish(board, always) == Attempt("Ward 7", is_own=True, end=End.DONE, now_on="Ward 7")
    wish(board, Join(NEW, SECRET))
    assert told(board).own == own, "an own network that is always there would take the radio at the next start"


def test_an_own_network_that_does_not_open_is_as_it_was(board: Board) -> None:
    board.radio.opens_own = False
    done = wish(board, Offer("Ward 7", "come in please", "always"))
    assert done == Attempt("Ward 7", is_own=True, end=End.FAILED, now_on=OLD)
    assert told(board).own == Offer("Hikma", "its own secret", "fallback")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"\xff" * 100,
        b'{"type":"join","name":"x","password":"short"}',
        b'{"type":"join","name":"x\\nssid=y","password":"long enough"}',
        b'{"type":"offer","name":"x","password":"long enough","when":"never"}',
        b'{"type":"join","name":"' + b"x" * 5000 + b'"}',
    ],
)
def test_of_a_wish_nothing_is_believed(board: Board, raw: bytes) -> None:
    assert wish(board, raw) is None
    assert not board.path(WISH).exists(), "it would be granted again and again"
    assert board.radio.active == "hikma-wifi-0"


def test_a_wish_that_is_a_link_or_never_ends_is_not_read(board: Board, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(msgspec.json.encode(Join(NEW, SECRET)))
    board.path(WISH).symlink_to(tmp_path / "other")
    assert network_change.carry_out(board) is None
    os.mkfifo(board.path(WISH))
    assert network_change.carry_out(board) is None
    assert not board.path(WISH).exists()


def test_where_networkmanager_does_not_run_the_page_hears_that_it_failed(board: Board) -> None:
    board.radio.is_managed = False
    done = wish(board, Join(NEW, SECRET))
    assert done is not None
    assert done.end is End.FAILED
    assert told(board).trying is None
