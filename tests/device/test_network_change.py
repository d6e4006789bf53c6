"""Another Wi-Fi from the page, with NetworkManager and radios that the kernel simulates: the second one is a router.

The wish is written as the page writes it, by the hub's own user; systemd sees it, and grants it in the unit's sandbox.
It has not passed yet. A wrong password was told and the hub went back to its own network; one out of reach was told as
such in one run and as a failure in another, and one without addresses as out of reach: an emulated radio outlasts the
time that the hub gives a network. The rest has not run.
"""

import json

import pytest

from tests.device.guest import Guest

pytestmark = pytest.mark.long

_ROUTER = """
nmcli -g DEVICE,TYPE device | grep :wifi$ | cut -d: -f1 | tail -n 1 >/run/router
radio=$(cat /run/router)
nmcli device set $radio managed no
ip netns add router
iw phy $(cat /sys/class/net/$radio/phy80211/name) set netns name router
printf 'network={\n ssid="Clinic two"\n mode=2\n frequency=2412\n key_mgmt=WPA-PSK\n psk="its own secret"\n}\n' \
  >/run/router.conf
ip netns exec router wpa_supplicant -B -i $radio -c /run/router.conf
ip -n router link set $radio up
ip -n router addr add 192.168.77.1/24 dev $radio
"""
_ADDRESSES = """
ip netns exec router dnsmasq --interface=$(cat /run/router) --bind-interfaces --port=0 --pid-file=/run/router.pid \
  --dhcp-range=192.168.77.10,192.168.77.99 --dhcp-leasefile=/run/router.leases
"""
_WRITE = "umask 077; cd /run/hikma-hub; cat >wish; mv wish network"
_WISH = f"runuser -u hikma-hub -- sh -c '{_WRITE}'"
_TOLD = "cat /run/hikma-hub-network.json"
_IS_OVER = f'test ! -e /run/hikma-hub/network && {_TOLD} | grep -q \'"trying":null,"last":{{\''
_OWN_IS_UP = "nmcli -g NAME connection show --active | grep -qx hikma-access-point"


def asked(board: Guest, name: str, password: str) -> dict[str, object]:
    """Ask for a network and wait for the end; returns how it went."""
    board.ssh(_WISH, stdin=json.dumps({"type": "join", "name": name, "password": password, "hidden": False}))
    board.until(f'{_TOLD} | grep -q \'"name":"{name}"\' && {_IS_OVER}')
    return dict(json.loads(board.ssh(_TOLD))["last"])


def test_a_wrong_wifi_leaves_the_hub_on_its_own_and_a_right_one_is_joined_for_good(board: Guest) -> None:
    board.ssh("modprobe mac80211_hwsim radios=2")
    board.ssh(_ROUTER)
    board.until(_OWN_IS_UP)
    wrong = asked(board, "Clinic two", "not its own secret")
    assert wrong["end"] == "password"
    assert wrong["now_on"] == "Hikma Nord"
    assert asked(board, "Nowhere", "its own secret")["end"] == "not_found"
    assert asked(board, "Clinic two", "its own secret")["end"] == "no_address", "nothing gives addresses there yet"
    assert board.ssh(_OWN_IS_UP + " && echo up").strip() == "up"
    board.ssh(_ADDRESSES)
    assert asked(board, "Clinic two", "its own secret")["end"] == "done"
    assert "192.168.77." in board.ssh("ip -4 addr")
    assert json.loads(board.ssh(_TOLD))["known"] == ["Clinic two", "Clinic"]
    board.ssh("systemctl restart NetworkManager")
    board.until("ip -4 addr | grep 192.168.77.")
    board.ssh("kill $(ip netns pids router); ip netns del router; modprobe -r mac80211_hwsim")
