"""The hub's own network, for clinics without Wi-Fi: two radios that the kernel simulates, one of them a phone's."""

import re

from tests.device.guest import Guest

_PASSWORD = "sed -n s/^psk=//p /etc/NetworkManager/system-connections/hikma-access-point.nmconnection"
_ACTIVE = "nmcli -g NAME connection show --active"
_PHONE = """
phy=$(cat /sys/class/net/wlan1/phy80211/name)
ip netns add phone
iw phy $phy set netns name phone
printf 'network={{\\n ssid="Hikma Nord"\\n psk="%s"\\n}}\\n' "$({password})" >/run/phone.conf
ip netns exec phone wpa_supplicant -B -i wlan1 -c /run/phone.conf
ip -n phone addr add 10.42.0.77/24 dev wlan1
ip netns exec phone timeout 120 sh -c 'until ping -c 1 -W 2 10.42.0.1; do sleep 1; done'
"""
_VISIT = """
import urllib.request
for url in ("http://10.42.0.1:4001/rpc/heartbeat", "http://10.42.0.1/"):
    print(urllib.request.urlopen(url, timeout=60).status)
"""


def test_without_a_known_wifi_the_hub_makes_its_own_and_a_phone_in_it_reaches_the_hub(board: Guest) -> None:
    board.ssh("modprobe mac80211_hwsim radios=2")
    board.until(f"{_ACTIVE} | grep -x hikma-access-point && ip -4 addr show dev wlan0 | grep 10.42.0.1")
    password = board.ssh(_PASSWORD).strip()
    assert re.fullmatch("[a-z2-9]{12}", password)
    board.ssh(_PHONE.format(password=_PASSWORD))
    assert board.ssh("ip netns exec phone python3 -", stdin=_VISIT).split() == ["200", "200"]
    assert ":67 " in board.ssh("ss -Hlun"), "it gives phones their addresses"


def test_while_a_phone_is_in_it_the_own_network_stays_and_then_a_known_one_is_looked_for(board: Guest) -> None:
    board.ssh("systemctl start hikma-hub-roam")
    assert "condition" in board.ssh("systemctl show -P Result hikma-hub-roam")
    board.ssh("ip netns del phone")
    board.until("! iw dev wlan0 station dump | grep -q .")
    board.ssh("systemctl start hikma-hub-roam")
    assert board.ssh("systemctl show -P Result hikma-hub-roam").strip() == "success"
    assert "hikma-access-point" in board.ssh(_ACTIVE).splitlines(), "no known one is in reach: the own one again"
    board.ssh("modprobe -r mac80211_hwsim")
