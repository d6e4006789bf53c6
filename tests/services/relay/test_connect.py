"""Connecting, and what may be believed of an address and a key (CLOUD.md 1)."""

import pytest

from hub.core.cloud.link import Progress
from hub.core.errors import CloudFailing, KeyRefused, OperatorError
from hub.services.relay.client import check_url
from hub.services.relay.connect import connect
from hub.store.cloud import connection
from tests.services.relay.world import Kind, World


def test_connecting_says_who_the_hub_is_and_keeps_the_key_where_only_the_hub_reads(world: World) -> None:
    link = world.connect()
    assert (link.name, link.clinics, link.status) == ("hub-1", (world.here,), "active")
    assert world.store.path.stat().st_mode & 0o077 == 0
    with world.store.read() as db:
        assert connection.api_key(db) == world.hub.api_key


def test_disconnecting_forgets_the_key_and_keeps_what_waits(connected: World) -> None:
    connected.patient()
    with connected.store.write() as tx:
        connection.disconnect(tx)
    assert connected.hub.api_key not in connected.text()
    assert connected.try_cycle().outcome.word == "no_cloud"
    connected.connect()
    assert connected.cycle().pushed.stored == 1


@pytest.mark.parametrize(
    "url", ["http://cloud.example.org", "http://192.0.2.1", "ftp://cloud.example.org", "cloud.example.org", "https://"]
)
def test_an_address_that_is_not_encrypted_or_none_is_refused(world: World, url: str) -> None:
    with pytest.raises(OperatorError):
        connect(world.store, url, world.hub.api_key)


def test_an_address_loses_its_last_slash() -> None:
    assert check_url("https://cloud.example.org/hikma/") == "https://cloud.example.org/hikma"


@pytest.mark.parametrize("key", ["", "   ", "hh_\x07", "schlüssel", "x" * 600])
def test_a_key_that_cannot_be_one_is_not_sent(world: World, key: str) -> None:
    with pytest.raises(OperatorError):
        connect(world.store, world.url, key)


def test_1_an_unknown_key_is_refused(world: World) -> None:
    with pytest.raises(KeyRefused):
        connect(world.store, world.url, "hh_unknown")


def test_1_a_key_of_a_laptop_is_refused_though_the_cloud_takes_it(world: World) -> None:
    laptop = world.seed.hub("laptop", world.here, device_type="laptop")
    with pytest.raises(OperatorError, match="laptop"):
        connect(world.store, world.url, laptop.api_key)


def test_a_web_page_is_no_cloud(world: World) -> None:
    world.fail(Kind.HTML, on="verify")
    with pytest.raises(CloudFailing, match="web page"):
        world.connect()


def test_a_cycle_that_ends_after_disconnecting_does_not_connect_again(connected: World) -> None:
    with connected.store.read() as db:
        link, progress, last = connection.link(db), connection.progress(db), connection.last(db)
    assert link is not None
    with connected.store.write() as tx:
        connection.disconnect(tx)
        connection.update(tx, link)
        connection.advance(tx, pulls=progress.pulls)
        connection.save_last(tx, last)
    with connected.store.read() as db:
        assert (connection.link(db), connection.progress(db)) == (None, Progress())


def test_connecting_as_another_device_begins_anew(connected: World) -> None:
    other = connected.seed.hub("hub-2", connected.elsewhere)
    connect(connected.store, connected.url, other.api_key)
    assert connected.progress().cursor_cloud_ms == 0
    assert connected.cycle().full
