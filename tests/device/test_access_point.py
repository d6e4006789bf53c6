"""The hub's own network, for clinics without Wi-Fi: two radios that the kernel simulates, one of them a phone's."""

import re

from tests.device.guest import Guest

_PASSWORD = "sed -n s/^psk=//p /etc/NetworkManager/system-connections/hikma-access-point.nmconnection"
_ACTIVE = "nmcli -g NAME connection show --active"
_UP = f"{_ACTIVE} | grep -x hikma-access-point && ip -4 addr | grep 10.42.0.1/"
_IN_IT = "iw dev $(nmcli -g GENERAL.DEVICES connection show hikma-access-point) station dump | grep -q ."
_PHONE = f"""
nmcli -g DEVICE,TYPE,STATE device | grep :wifi:disconnected | cut -d: -f1 >/run/radio
radio=$(cat /run/radio)
ip netns add phone
iw phy $(cat /sys/class/net/$radio/phy80211/name) set netns name phone
printf 'network={{\n ssid="Hikma Nord"\n psk="%s"\n}}\n' "$({_PASSWORD})" >/run/phone.conf
ip netns exec phone wpa_supplicant -B -i $radio -c /run/phone.conf
ip -n phone addr add 10.42.0.77/24 dev $radio
timeout 120 sh -c 'until {_IN_IT}; do sleep 1; done'
"""
_TOLD = "journalctl -b -u hikma-hub-roam --no-pager -n 12"
_VISIT = """
import urllib.request
for url in ("http://10.42.0.1:4001/rpc/heartbeat", "http://10.42.0.1/"):
    print(urllib.request.urlopen(url, timeout=60).status)
"""
_TRY = """
import socket, struct, urllib.request
for name in ("connectivitycheck.gstatic.com", "captive.apple.com", "hikma-hub.local"):
    asked = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.settimeout(30)
        dns.sendto(struct.pack(">6H", 7, 256, 1, 0, 0, 0) + asked + struct.pack(">2H", 1, 1), ("10.42.0.1", 53))
        print(socket.inet_ntoa(dns.recv(512)[-4:]))
android = urllib.request.Request("http://10.42.0.1/generate_204", headers={"Host": "connectivitycheck.gstatic.com"})
print(urllib.request.urlopen(android, timeout=60).status)
"""


def test_without_a_known_wifi_the_hub_makes_its_own_and_a_phone_in_it_reaches_the_hub(board: Guest) -> None:
    board.ssh("modprobe mac80211_hwsim radios=2")
    board.until(_UP)
    password = board.ssh(_PASSWORD).strip()
    assert re.fullmatch("[a-z2-9]{12}", password)
    board.ssh(_PHONE)
    offered = board.ssh("ip netns exec phone iw dev $(cat /run/radio) scan dump")
    assert "RSN:" in offered
    assert "WPA:" not in offered
    assert "TKIP" not in offered
    assert board.ssh("ip netns exec phone python3 -", stdin=_VISIT).split() == ["200", "200"]
    told = board.ssh("ip netns exec phone python3 -", stdin=_TRY).split()
    assert told == ["10.42.0.1", "10.42.0.1", "10.42.0.1", "204"], "a phone that tries the network stays in it"
    assert ":67 " in board.ssh("ss -Hlun"), "it gives phones their addresses"


def test_while_a_phone_is_in_it_the_own_network_stays_and_then_a_known_one_is_looked_for(board: Guest) -> None:
    board.ssh("systemctl start hikma-hub-roam")
    assert "skipped" in board.ssh(_TOLD), "a phone is in it"
    board.ssh("kill $(ip netns pids phone); ip netns del phone")
    board.until("nmcli device set $(cat /run/radio) managed no")  # a Pi has but one radio
    board.until(f"! {_IN_IT}")
    board.ssh("systemctl start hikma-hub-roam")
    told = board.ssh(_TOLD)  # an emulated board may run into the time limit before its radio has looked everywhere
    assert "The Wi-Fi network could not be found" in told or "Timeout expired" in told
    assert "hikma-access-point" in board.ssh(_ACTIVE).splitlines(), "no known one is in reach, so the own one again"
    board.ssh("modprobe -r mac80211_hwsim")
