"""The addresses of this machine."""

from unittest.mock import Mock

import ifaddr
import pytest

from hub.services.discovery import links
from hub.services.discovery.links import NetworkLink


def adapter(name: str, *ips: str | tuple[str, int, int]) -> Mock:
    found = Mock(ips=[ifaddr.IP(ip, 24 if isinstance(ip, str) else 64, name) for ip in ips])
    found.name = name
    return found


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        adapter("lo", "127.0.0.1"),
        adapter("docker0", "172.17.0.1"),
        adapter("wlan0", "192.168.4.1", ("fe80::1", 0, 2)),
        adapter("eth0", "169.254.7.7", "8.8.4.4"),
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: found)


@pytest.mark.usefixtures("machine")
def test_only_addresses_that_phones_can_reach_count() -> None:
    assert links.every() == (NetworkLink("eth0", "8.8.4.4/24"), NetworkLink("wlan0", "192.168.4.1/24"))


@pytest.mark.usefixtures("machine")
def test_the_code_carries_a_private_address_before_others() -> None:
    assert links.reachable("0.0.0.0") == "192.168.4.1"  # noqa: S104
    assert links.addresses("0.0.0.0") == ("192.168.4.1", "8.8.4.4")  # noqa: S104


@pytest.mark.usefixtures("machine")
def test_a_hub_on_one_address_is_reached_there_alone() -> None:
    assert links.addresses("10.0.0.1") == ("10.0.0.1",)
    assert [link.interface for link in links.served("192.168.4.1", links.every())] == ["wlan0"]
    assert links.served("127.0.0.1", links.every()) == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_known_in_all_its_forms(host: str) -> None:
    assert links.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "hub.example"])  # noqa: S104
def test_nothing_else_is_loopback(host: str) -> None:
    assert not links.is_loopback(host)


def test_a_link_knows_its_network() -> None:
    link = NetworkLink("eth0", "10.1.2.3/16")
    assert link.is_local("10.1.9.9")
    assert not link.is_local("10.2.0.1")
    assert not link.is_local("fe80::1")
