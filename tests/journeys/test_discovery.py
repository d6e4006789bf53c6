"""Hubs on a LAN, found by avahi and by each other."""

import shutil
import signal
import sys
from contextlib import closing

import pytest

from hub.actions.box import copying, identity
from hub.store.database import Store
from tests.hubs import EMAIL, PASSWORD, prepare
from tests.journeys import probe
from tests.journeys.lan import Host, Lan, lan, until

__all__ = ["lan"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

HUBS = "_hikma-hub._tcp"
SHAKE = """
import sys
from tests.simulator.transport import HttpTransport
from tests.hubs import Client
phone = Client(HttpTransport(sys.argv[1]))
assert phone.shake().status == 200
if sys.argv[2:]:
    assert phone.login(*sys.argv[2:]).status == 200
    assert phone.shake().status == 200
"""
RENAME = """
import re, sys
import httpx
url, code = sys.argv[1:]
with httpx.Client(base_url=url, trust_env=False) as browser:
    def send(path, **fields):
        key = re.search(r'name="form_key" value="(.+?)"', browser.get("/setup").text)[1]
        assert browser.post(path, data={"form_key": key, **fields}).status_code == 303
    send("/setup/code", code=code)
    send("/setup/name", name="South clinic")
"""


def announced(host: Host) -> str:
    """Wait until a hub says that it has announced itself."""
    return until(
        lambda: next((line for line in host.output("hub.log").splitlines() if "discovery.announced" in line), ""),
        "the hub announced itself",
    )


@pytest.fixture
def clinic(lan: Lan) -> Host:
    """Return a machine that runs a hub."""
    host = lan.host("hub", "10.11.0.2/24")
    host.hub(HUB_NAME="North clinic")
    announced(host)
    return host


@pytest.fixture
def peer(lan: Lan) -> Host:
    """Return a machine that runs avahi."""
    host = lan.host("peer", "10.11.0.3/24")
    host.avahi("peer")
    return host


def test_avahi_sees_the_hub_with_its_name_address_port_and_text(clinic: Host, peer: Host) -> None:
    [[name, host, address, port, text]] = until(lambda: peer.browse(HUBS), "avahi sees the hub")
    assert name.startswith("North\\032clinic\\032")
    assert (host, address, port) == ("hikma-hub.local", "10.11.0.2", "4001")
    for part in ('"txtvers=1"', '"proto=1"', '"name=North clinic"', '"pairing=closed"', '"fp=', '"id='):
        assert part in text
    assert [page[1:4] for page in peer.browse("_http._tcp")] == [["hikma-hub.local", "10.11.0.2", "4001"]]
    assert peer.resolve("hikma-hub.local") == "10.11.0.2"
    assert clinic.discover()[0]["host"] == "hikma-hub.local"


def test_pairing_is_told_when_it_opens_and_when_it_closes(clinic: Host, peer: Host) -> None:
    until(lambda: peer.browse(HUBS), "avahi sees the hub")
    clinic.cli("pairing", "open")
    until(lambda: '"pairing=open"' in peer.browse(HUBS)[0][4], "pairing is announced as open")
    clinic.cli("pairing", "close")
    until(lambda: '"pairing=closed"' in peer.browse(HUBS)[0][4], "pairing is announced as closed")


def test_a_hub_that_is_renamed_on_its_page_is_known_by_the_new_name_without_a_restart(clinic: Host, peer: Host) -> None:
    peer.listen(HUBS)
    until(lambda: "+;eth0;IPv4;North\\032clinic" in peer.output("heard.log"), "a listener hears the hub")
    clinic.call(sys.executable, "-c", RENAME, "http://127.0.0.1:4001", clinic.cli("setup-code").strip())
    until(lambda: "+;eth0;IPv4;South\\032clinic" in peer.output("heard.log"), "the listener hears the new name")
    until(lambda: "-;eth0;IPv4;North\\032clinic" in peer.output("heard.log"), "and the old one say goodbye")
    [[name, host, address, _, text]] = peer.browse(HUBS)
    assert name.startswith("South\\032clinic\\032")
    assert (host, address) == ("hikma-hub.local", "10.11.0.2")
    assert '"name=South clinic"' in text
    assert clinic.output("hub.log").count("discovery.announced") == 1  # the host name was not claimed again


def test_a_hub_that_stops_says_goodbye(lan: Lan, peer: Host) -> None:
    host = lan.host("hub", "10.11.0.2/24")
    child = host.hub()
    announced(host)
    until(lambda: peer.browse(HUBS), "avahi sees the hub")
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 0
    # Without a goodbye avahi would keep it for 75 minutes.
    until(lambda: not peer.browse(HUBS), "avahi forgets the hub")


def test_a_dead_hub_that_comes_back_hears_of_the_one_that_took_its_place_and_takes_nothing_more(lan: Lan) -> None:
    new, old = lan.host("new", "10.11.0.2/24"), lan.host("old", "10.11.0.3/24")
    prepare(new.folder / "data")
    with closing(Store(new.folder / "data")) as store:
        identity.load(store)
    shutil.copytree(new.folder / "data", old.folder / "data")
    with closing(Store(new.folder / "data")) as store, store.write() as tx:
        copying.begin_anew(tx)
    for host in (new, old):
        host.hub()
        announced(host)
    with closing(Store(old.folder / "data")) as store:
        until(lambda: copying.is_replaced(store), "the old hub says that another one has taken its place")
    with closing(Store(new.folder / "data")) as store:
        assert not copying.is_replaced(store)


def test_the_second_hub_takes_the_next_name_and_keeps_it(lan: Lan, clinic: Host, peer: Host) -> None:
    other = lan.host("other", "10.11.0.4/24")
    child = other.hub(HUB_NAME="North clinic")
    assert "host=hikma-hub-2.local" in announced(other)
    assert {hub[1] for hub in until(lambda: peer.browse(HUBS), "avahi sees hubs")} == {
        "hikma-hub.local",
        "hikma-hub-2.local",
    }
    assert peer.resolve("hikma-hub-2.local") == "10.11.0.4"
    assert peer.resolve("hikma-hub.local") == "10.11.0.2"
    seen = {hub["id"]: hub["url"] for hub in peer.discover(3)}
    assert sorted(seen.values()) == ["http://10.11.0.2:4001", "http://10.11.0.4:4001"]

    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 0
    (clinic.folder / "hub.log").unlink()
    (other.folder / "hub.log").unlink()
    other.hub(HUB_NAME="North clinic")
    assert "host=hikma-hub-2.local" in announced(other)


def test_two_hubs_that_wake_up_together_after_a_power_cut_end_with_two_names(lan: Lan, peer: Host) -> None:
    hosts = [lan.host(f"hub{number}", f"10.11.0.{number}/24") for number in (11, 12)]
    for host in hosts:
        host.hub()
    until(
        lambda: (
            {(hub[1], hub[2]) for hub in peer.browse(HUBS)}
            in (
                {("hikma-hub.local", "10.11.0.12"), ("hikma-hub-2.local", "10.11.0.11")},
                {("hikma-hub.local", "10.11.0.11"), ("hikma-hub-2.local", "10.11.0.12")},
            )
        ),
        "each hub has a name of its own",
    )


def test_a_machine_that_comes_later_with_the_same_name_has_to_take_another(lan: Lan, clinic: Host) -> None:
    late = lan.host("late", "10.11.0.250/24")
    late.avahi("hikma-hub")
    until(lambda: "hikma-hub-2.local" in late.output("avahi.log"), "avahi takes another name")
    assert late.resolve("hikma-hub.local") == "10.11.0.2"
    assert "gives_way" not in clinic.output("hub.log")


def test_the_question_whether_the_name_is_taken_is_answered_before_the_asker_gives_up(lan: Lan, clinic: Host) -> None:
    late = lan.host("late", "10.11.0.250/24")
    answered_ms = late.call(sys.executable, probe.__file__, "10.11.0.250", "hikma-hub.local")
    assert int(answered_ms) < 250  # after that it would ask again, and take the name after three times
    assert late.call(sys.executable, probe.__file__, "10.11.0.250", "hikma-hub-7.local") == "free\n"
    assert "gives_way" not in clinic.output("hub.log")


def test_a_hub_takes_another_name_than_a_machine_that_was_there_before(lan: Lan) -> None:
    early = lan.host("early", "10.11.0.3/24")
    early.avahi("hikma-hub")
    host = lan.host("hub", "10.11.0.2/24")
    host.hub()
    assert "host=hikma-hub-2.local" in announced(host)
    assert early.resolve("hikma-hub.local") == "10.11.0.3"


def test_a_new_address_is_followed_without_a_restart(clinic: Host, peer: Host) -> None:
    assert peer.resolve("hikma-hub.local") == "10.11.0.2"
    clinic.ip("address", "add", "10.11.0.77/24", "dev", "eth0")
    clinic.ip("address", "delete", "10.11.0.2/24", "dev", "eth0")
    clinic.ip("address", "replace", "10.11.0.77/24", "dev", "eth0")
    until(lambda: peer.resolve("hikma-hub.local") == "10.11.0.77", "the name leads to the new address")
    until(lambda: [hub[2] for hub in peer.browse(HUBS)] == ["10.11.0.77"], "and so does the service")


def test_phones_that_know_the_old_address_are_spoken_of_when_it_has_changed(lan: Lan) -> None:
    clinic = lan.host("hub", "10.11.0.2/24")
    prepare(clinic.folder / "data")
    clinic.hub()
    announced(clinic)
    clinic.cli("pairing", "open")
    clinic.call(sys.executable, "-c", SHAKE, "http://10.11.0.2:4001", EMAIL, PASSWORD)
    assert "looks for the hub" not in clinic.cli("console", "--once")
    clinic.ip("address", "add", "10.11.0.77/24", "dev", "eth0")
    clinic.ip("address", "delete", "10.11.0.2/24", "dev", "eth0")
    clinic.ip("address", "replace", "10.11.0.77/24", "dev", "eth0")
    assert "1 phone is looking for the hub at its old address 10.11.0.2" in clinic.cli("console", "--once")
    clinic.call(sys.executable, "-c", SHAKE, "http://10.11.0.77:4001")
    assert "looks for the hub" not in clinic.cli("console", "--once")


def test_going_from_cable_to_wifi_is_followed(lan: Lan, clinic: Host, peer: Host) -> None:
    assert peer.resolve("hikma-hub.local") == "10.11.0.2"
    clinic.ip("link", "delete", "eth0")
    clinic.plug("wlan0", "10.11.0.88/24")
    assert lan.ports
    until(lambda: peer.resolve("hikma-hub.local") == "10.11.0.88", "the name leads to the Wi-Fi address")


def test_a_hub_that_finds_no_network_announces_itself_when_one_comes(lan: Lan, peer: Host) -> None:
    host = lan.host("hub")
    host.hub()
    until(lambda: "serving" in host.output("hub.log"), "the hub serves")
    host.plug("eth0", "10.11.0.5/24")
    until(lambda: peer.resolve("hikma-hub.local") == "10.11.0.5", "it is found")


def test_each_link_is_told_the_address_that_works_there_and_no_other(lan: Lan, clinic: Host, peer: Host) -> None:
    clinic.plug("wlan0", "192.168.4.1/24", network="hotspot")
    guest = lan.host("guest")
    guest.plug("eth0", "192.168.4.20/24", network="hotspot")
    guest.avahi("guest")
    until(lambda: guest.resolve("hikma-hub.local") == "192.168.4.1", "the hotspot's guests find it")
    until(lambda: peer.resolve("hikma-hub.local") == "10.11.0.2", "the clinic's network finds it")
    assert {hub["addresses"][0] for hub in guest.discover()} == {"192.168.4.1"}
    assert [hub["addresses"] for hub in peer.discover()] == [["10.11.0.2"]]
    assert "gives_way" not in clinic.output("hub.log")


def test_a_hub_on_loopback_or_with_discovery_off_is_silent(lan: Lan, peer: Host) -> None:
    for number, settings in ((21, {"SERVER_HOST": "127.0.0.1"}), (22, {"DISCOVERY_ENABLED": "false"})):
        host = lan.host(f"quiet{number}", f"10.11.0.{number}/24")
        host.hub(**settings)
        until(lambda host=host: "serving" in host.output("hub.log"), "the hub serves")  # type: ignore[misc]
    assert peer.discover(4) == []
    assert peer.resolve("hikma-hub.local") == ""
