"""A card that was a hub, with one block of it gone, or one that takes nothing in any more (seen on real cards)."""

import contextlib
import html
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.device import card
from tests.device.conftest import _BARE, EMAIL, PASSWORD, WIFI_PASSWORD, Keys, paired, tell, toml
from tests.device.guest import Guest
from tests.device.test_first_boot import report

pytestmark = pytest.mark.long
_ZERO_THE_FOLDERS_INODE = """
systemctl stop hikma-hub hikma-hub-lights hikma-hub-console
fsfreeze --freeze /data  # or the kernel may write it once more, as it was
found='s/.*located at block ([0-9]+), offset (0x[0-9a-f]+).*/\\1 \\2/p'
set -- $(debugfs -R 'imap /hub' /dev/mapper/hikma-data 2>/dev/null | sed -nE "$found")
dd if=/dev/zero of=/dev/mapper/hikma-data bs=256 seek=$(($1 * 16 + $2 / 256)) count=1 conv=fsync && echo zeroed
"""
"""Of 256 bytes in a block of 4,096; with the whole block go the inodes of what is in the folder, the database's too."""
_DESTROY = """
mount -o remount,rw / && rm /etc/hikma-hub/data.header && sync
dd if=/dev/zero of=/dev/vda4 bs=1M count=16 conv=fsync 2>/dev/null
"""
_PAGE_S = 400


@dataclass(frozen=True)
class Worn:
    """The card of a hub at work, taken out of its board."""

    card: Path
    ports: dict[str, int]


@pytest.fixture(scope="module")
def worn(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Worn:
    made = card.flash(tmp_path_factory.mktemp("worn"), "card", toml(keys))
    with Guest(made, keys.private, words=_BARE) as board:
        board.ssh("hikma-hub pairing open --minutes 240")
        phone = paired(board, 1)
        phone.create("patients", {"given_name": "Zibbelquorn", "surname": "B"})
        assert phone.sync().ok
        board.ssh("poweroff", check=False)
        board.wait_until_off()
    return Worn(made, board.ports)


@pytest.fixture
def board(worn: Worn, keys: Keys, tmp_path: Path) -> Iterator[Guest]:
    """Return a board, still without power, with a card of its own that is like the worn one."""
    made = tmp_path / "card.img"
    card.run("cp", "--sparse=always", str(worn.card), str(made))
    given = Guest(made, keys.private, words=_BARE, ports=worn.ports)
    yield given
    given.close()


def page(board: Guest) -> str:
    """Return the first page, as soon as there is one."""
    deadline = time.monotonic() + _PAGE_S
    url = f"http://127.0.0.1:{board.ports['http']}/"
    while time.monotonic() < deadline:
        assert board.is_on, board.serial[-3000:]
        with contextlib.suppress(httpx.HTTPError):
            return html.unescape(httpx.get(url, headers={"Accept-Language": "en"}, timeout=20, trust_env=False).text)
        time.sleep(1)
    raise AssertionError(board.evidence())


def test_a_folder_whose_inode_was_lost_comes_back_with_its_records(board: Guest) -> None:
    board.power_on()
    records = board.hub("status")["records"]
    assert records
    assert "zeroed" in board.ssh(_ZERO_THE_FOLDERS_INODE)
    board.cut()
    board.power_on()
    tell(f"a lost block of inodes: {report(board)['card']}, ready after {board.boot_s:.0f} s")
    assert report(board)["card"] == "mended"
    assert board.hub("status")["records"] == records


def test_a_card_that_takes_nothing_in_is_read_by_phones_and_takes_no_records(board: Guest) -> None:
    board.read_only = True
    board.plug_in()
    assert "The hub's card is worn out" in page(board)
    assert report(board)["card"] == "failed"
    other = board.phone(2)
    other.pair({"type": "sync_hub", "url": board.url()})
    other.login(EMAIL, PASSWORD)
    other.sync()
    assert [row["given_name"] for row in other.store.rows("patients")] == ["Zibbelquorn"]
    other.create("patients", {"given_name": "Too", "surname": "Late"})
    assert not other.sync().ok


def test_a_card_whose_data_is_gone_says_so_keeps_its_network_and_begins_anew_when_told(board: Guest) -> None:
    board.power_on()
    was = report(board)["hub_id"]
    board.ssh(_DESTROY)
    board.cut()
    board.plug_in()
    assert "cannot be found on its card" in page(board)
    assert report(board)["card"] == "gone"
    assert WIFI_PASSWORD in board.ssh("cat /etc/NetworkManager/system-connections/hikma-wifi-0.nmconnection")
    assert board.ssh("nmcli -g connection.id connection show hikma-wifi-0").strip() == "hikma-wifi-0"
    board.cut()
    card.put(board.card, "hikma-hub-start-anew.txt", "")
    board.power_on()
    assert report(board)["card"] == "sound"
    assert report(board)["hub_id"] not in {"", was}
    assert "hikma-hub-start-anew.txt" not in card.boot_names(board.card)
