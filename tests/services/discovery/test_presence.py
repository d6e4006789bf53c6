"""What a hub tells the network of itself, and what it makes of what others tell."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from zeroconf import RecordUpdate, ServiceInfo

from hub.actions.box import copying, identity
from hub.actions.phones import pairing
from hub.core.copy import succession
from hub.core.phone import keys
from hub.services.discovery import presence
from hub.services.discovery.links import NetworkLink
from hub.services.discovery.presence import HUBS, Options, Presence
from hub.services.discovery.successor import Successor
from hub.store.database import Store

LINK = NetworkLink("eth0", "10.0.0.2/24")
OPTIONS = Options(name="North clinic", host="0.0.0.0", port=4001, host_name="hikma-hub", always_open=False)  # noqa: S104


def told(text: bytes) -> ServiceInfo:
    return ServiceInfo(
        HUBS, f"x.{HUBS}", port=4001, server="x.local.", properties=text, addresses=[LINK.address.packed]
    )


@given(st.text(min_size=1, max_size=80))
def test_any_name_fits_into_the_limits_of_dns(name: str) -> None:
    hub = Presence("3f2a0000-0000", name.encode(errors="ignore").decode() or "x", "00" * 16, is_open=False)
    assert len(hub.label().encode()) <= 63
    assert "." not in hub.label()
    assert hub.label().endswith(" 3f2a")
    assert all(len(f"{key}={value}".encode()) <= 255 and len(key) <= 9 for key, value in hub.text().items())


def test_a_hub_reads_back_what_it_announces() -> None:
    hub = Presence("3f2a0000", "عيادة الشمال", "ab" * 16, is_open=True)
    found = presence.found(presence.services(hub, "hikma-hub-2.local", 4001, LINK)[0])
    assert found == presence.Found(
        name="عيادة الشمال",
        url="http://10.0.0.2:4001",
        host="hikma-hub-2.local",
        addresses=("10.0.0.2",),
        pairing="open",
        id="3f2a0000",
        fingerprint="ab" * 16,
        protocol="1",
    )


def test_a_hub_that_was_made_of_a_copy_proves_it_and_the_dead_one_hears_it(store: Store) -> None:
    who = identity.load(store)
    heard = Successor(partial(succession.is_successor, identity=who.keys, times=0))

    def hear() -> bool:
        info = presence.services(presence.read(store, OPTIONS), "hikma-hub.local", 4001, LINK)[0]
        heard.async_update_records(None, 0.0, [RecordUpdate(info.dns_text(), None)])  # type: ignore[arg-type]
        return heard.is_here

    assert not hear()
    with store.write() as tx:
        copying.begin_anew(tx)
    assert hear()


def test_pairing_and_the_key_are_told_as_they_are_now(store: Store) -> None:
    first = presence.read(store, OPTIONS)
    assert (first.name, first.is_open) == ("North clinic", False)
    pairing.open_for(store, 5)
    with store.write() as tx:
        new = identity.new_keys(tx)
    identity.rename(store, "South clinic")
    later = presence.read(store, OPTIONS)
    assert later.is_open
    assert later.fingerprint == keys.fingerprint(new.public) != first.fingerprint
    assert later.name == "South clinic"


def test_what_strangers_tell_cannot_move_the_cursor_of_a_terminal() -> None:
    found = presence.found(told(b"\x0cname=a\x1b[2Jb"))
    assert found is not None
    assert found.name == "a?[2Jb"


@given(st.binary(max_size=300))
def test_whatever_strangers_tell_is_read_or_left_out(text: bytes) -> None:
    found = presence.found(told(text))
    assert found is None or found.name.isprintable()
