"""What the box does by itself at night: nothing that a power cut could make a card of that never starts again."""

import hashlib

from tests.device.guest import Guest

_BOOT = slice(4 * 1024**2, 260 * 1024**2)
_TRIGGER = """
mount -o remount,rw / && dpkg-trigger --no-await update-initramfs && dpkg --triggers-only --pending
mount -o remount,ro / || true
findmnt -no OPTIONS /boot/firmware
"""
_METERED = """
line=$(nmcli -g NAME connection show --active | head -n 1)
nmcli connection modify "$line" connection.metered yes && nmcli device reapply eth0 >/dev/null
systemctl start apt-daily-upgrade; systemctl show -P Result apt-daily-upgrade
nmcli connection modify "$line" connection.metered unknown && nmcli device reapply eth0 >/dev/null
"""


def boot_partition(board: Guest) -> str:
    board.ssh("sync")
    with board.card.open("rb") as file:
        file.seek(_BOOT.start)
        return hashlib.sha256(file.read(_BOOT.stop - _BOOT.start)).hexdigest()


def test_an_update_never_writes_what_starts_the_box(board: Guest) -> None:
    before = boot_partition(board)
    assert "ro" in board.ssh(_TRIGGER).split("\n")[-2].split(",")
    assert boot_partition(board) == before


def test_a_line_that_is_paid_by_the_megabyte_is_left_to_the_records(board: Guest) -> None:
    assert board.ssh(_METERED).strip() == "exec-condition"
