"""A browser that was led to the hub by somebody else's name is told so."""

import pytest

from hub.core import own_names

OWN = own_names.names(["hikma-hub-2.local", "clinic-pi", ""], "hub.clinic.example  Other.Example")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "hikma-hub-2.local",
        "HIKMA-HUB-2.LOCAL.",
        "clinic-pi",
        "clinic-pi.lan",
        "other.example",
        "hub.clinic.example",
        "192.168.4.1",
        "127.0.0.1",
        "[::1]",
        "[fe80::1]",
        "169.254.7.7",
        "8.8.4.4",
    ],
)
def test_own_names_and_addresses_lead_here(host: str) -> None:
    assert own_names.is_own(host, OWN, ["8.8.4.4"])


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "clinic-pi.evil.example",
        "evil.local",
        "127.0.0.1.evil.example",
        "8.8.8.8",
        "[",
        "٣.٣.٣.٣",
        "localhost.evil.example",
        "hikma-hub-3.local",
        "2130706433",
        "0x7f.1",
        "~",
    ],
)
def test_other_names_do_not(host: str) -> None:
    assert not own_names.is_own(host, OWN, ["8.8.4.4"])
