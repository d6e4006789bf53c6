"""Whether phones look for the hub where it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.phone import reach
from hub.core.phone.reach import Moved

OWN = {"192.168.1.9", "hikma-hub.local"}


def test_phones_at_an_address_that_is_gone_are_counted_most_first() -> None:
    reached = {"192.168.1.5": 2, "192.168.1.9": 7, "10.0.0.1": 3}
    assert reach.moved(reached, OWN) == [Moved("10.0.0.1", 3), Moved("192.168.1.5", 2)]


def test_names_of_the_local_network_count_as_addresses_do() -> None:
    assert reach.moved({"hikma-hub.local": 1, "hikma-hub-2.local": 1}, OWN) == [Moved("hikma-hub-2.local", 1)]


@pytest.mark.parametrize("host", ["hub.clinic.example", "127.0.0.1", "127.3.2.1", "localhost", "[fd00::1]"])
def test_what_cannot_be_judged_is_left_out(host: str) -> None:
    assert reach.moved({host: 5}, OWN) == []


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("192.168.1.9:4001", "192.168.1.9"),
        ("192.168.1.9", "192.168.1.9"),
        ("Hikma-Hub.local.:4001", "hikma-hub.local"),
        ("[fd00::1]:4001", "[fd00::1]:4001"),
        ("<script>", ""),
        ("a" * 300, ""),
        ("", ""),
    ],
)
def test_the_host_is_taken_from_its_header(header: str, host: str) -> None:
    assert reach.host_of(header) == host


@given(st.text())
def test_any_header_gives_a_short_plain_host_or_none(header: str) -> None:
    host = reach.host_of(header)
    assert len(host) <= 253
    assert host.isascii()
