"""A box that is given away: what its card keeps is noise."""

from tests.device import card
from tests.device.conftest import PASSPHRASE
from tests.device.guest import Guest

_RETIRE = """
cp /etc/hikma-hub/data.key /run/old.key
hikma-hub retire --name "$(cat /etc/hostname)"
for way in /run/old.key -; do
    cryptsetup open --test-passphrase --key-file $way /dev/vda4 2>/dev/null && echo OPENED
done
ls /etc/hikma-hub /etc/ssh/hub /etc/ssh/authorized_keys
cat /etc/machine-id
"""


def test_a_retired_box_cannot_be_read_with_its_own_key_nor_with_the_passphrase(losing: Guest) -> None:
    if not losing.is_on:
        losing.power_on()
    told = losing.ssh(_RETIRE, stdin=PASSPHRASE, check=False)
    assert "Switch the box off now" in told
    assert "OPENED" not in told
    for drawn in ("data.key\n", "ssh_host", "technician", losing.identity["machine-id"]):
        assert drawn not in told
    losing.cut()
    assert "hikma-hub.toml" not in card.boot_names(losing.card)
