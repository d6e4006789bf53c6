"""What phones ask a Wi-Fi without internet, by the names of those who they think answer."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.web import probes
from tests.outside import PROJECT
from tests.web.site import Site

NAMES = PROJECT / "ansible/roles/network/files/dnsmasq.conf"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path / "data") as made:
        yield made


@pytest.mark.parametrize(
    ("host", "path", "status", "body"),
    [
        ("connectivitycheck.gstatic.com", "/generate_204", 204, ""),
        ("clients3.google.com", "/gen_204", 204, ""),
        ("captive.apple.com", "/hotspot-detect.html", 200, "<BODY>Success</BODY>"),
        ("www.msftconnecttest.com", "/connecttest.txt", 200, "Microsoft Connect Test"),
        ("detectportal.firefox.com", "/success.txt", 200, "success\n"),
    ],
)
def test_a_phone_that_tries_the_own_wifi_stays_in_it(site: Site, host: str, path: str, status: int, body: str) -> None:
    answer = site.get(path, host=host)
    assert answer.status_code == status
    assert body in answer.text
    assert "set-cookie" not in answer.headers
    assert f"address=/{host}/10.42.0.1" in NAMES.read_text()


def test_nothing_else_is_answered_by_those_names(site: Site) -> None:
    strangers = [name for name in re.findall(r"address=/([^/]+)/", NAMES.read_text()) if name != "hikma-hub.local"]
    assert strangers
    assert {site.get(path, host=host).status_code for host in strangers for path in ("/", "/sign-in")} == {421}


def test_each_path_is_answered(site: Site) -> None:
    assert [path for path in probes.PATHS if site.get(path, host="x.example").status_code not in {200, 204}] == []
