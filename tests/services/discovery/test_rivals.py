"""Who else goes by the hub's host name."""

import socket

import pytest
from zeroconf import (  # type: ignore[attr-defined]  # exported, though not listed
    DNSAddress,
    DNSOutgoing,
    DNSQuestion,
    RecordUpdate,
    Zeroconf,
)

from hub.services.discovery.rivals import Probes, Rivals, must_give_way

NAME = "hikma-hub.local"
OWN = frozenset({socket.inet_aton("10.0.0.5"), socket.inet_aton("10.0.0.7")})
QUERY, RESPONSE, A, ANY, IN = 0, 0x8400, 1, 255, 1


def told(rivals: Rivals, address: str, *, name: str = NAME, ttl: int = 120) -> None:
    record = DNSAddress(f"{name}.", A, IN, ttl, socket.inet_aton(address))
    rivals.async_update_records(Zeroconf.__new__(Zeroconf), 0, [RecordUpdate(record, None)])


def asked(name: str, type_: int, flags: int = QUERY) -> bytes:
    out = DNSOutgoing(flags)
    out.add_question(DNSQuestion(f"{name}.", type_, IN))
    return out.packets()[0]


def test_the_lower_of_two_that_took_one_name_at_once_gives_way() -> None:
    assert must_give_way(OWN, {socket.inet_aton("10.0.0.8")})
    assert not must_give_way(OWN, {socket.inet_aton("10.0.0.6")})


def test_another_address_under_the_name_is_a_rival_until_it_is_withdrawn() -> None:
    rivals = Rivals(NAME, OWN)
    told(rivals, "10.0.0.7")
    told(rivals, "10.0.0.9", name="other.local")
    assert rivals.addresses == set()
    told(rivals, "10.0.0.9", name="Hikma-Hub.local")
    assert rivals.addresses == {socket.inet_aton("10.0.0.9")}
    told(rivals, "10.0.0.9", ttl=0)
    assert rivals.addresses == set()


@pytest.mark.parametrize(
    ("message", "times"),
    [
        (asked(NAME, ANY), 1),
        (asked("HIKMA-HUB.local", ANY), 1),
        (asked("hikma-hub-2.local", ANY), 0),
        (asked(NAME, A), 0),  # zeroconf answers that
        (asked(NAME, ANY, RESPONSE), 0),
        (b"", 0),
        (b"\xff" * 40, 0),
    ],
)
def test_a_probe_for_the_name_is_answered_and_nothing_else(message: bytes, times: int) -> None:
    done: list[int] = []
    Probes(NAME, lambda: done.append(1)).datagram_received(message, ("10.0.0.9", 5353))
    assert len(done) == times


def test_a_flood_of_probes_is_not_answered_with_a_flood() -> None:
    done: list[int] = []
    probes = Probes(NAME, lambda: done.append(1))
    for _ in range(100):
        probes.datagram_received(asked(NAME, ANY), ("10.0.0.9", 5353))
    assert len(done) < 5
