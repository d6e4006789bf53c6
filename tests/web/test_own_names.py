"""Pages answer to the hub's own names alone, whatever letters a request holds, and phones are asked for none (S4)."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.settings.tree import Settings, WebSettings
from tests.web.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path / "data") as made:
        yield made


ODD = ("✓", "é", "\x7f", "%00", "%ff%fe", "%E2%9C%93", "a" * 3000, "%0d%0aX-E:%201", "\udcff", "%", "=&=&;")
PATHS = ("/", "/sign-in", "/setup", "/phones", "/pairing", "/metrics", "/healthz", "/static/x/y", "/nowhere")


@pytest.mark.parametrize("path", ["/", "/sign-in", "/phones", "/readyz", "/metrics", "/static/1/hub.css", "/events"])
def test_a_page_that_was_reached_by_another_sites_name_is_refused(site: Site, path: str) -> None:
    for host in ("rebind.evil.example", "hikma-hub.local.evil.example:4001", "evil.local"):
        answer = site.get(path, host=host)
        assert answer.status_code == 421, host
        assert "evil.example" not in answer.text


@pytest.mark.parametrize("host", ["192.168.4.1:4001", "localhost", "hikma-hub", "hikma-hub.local:4443", "[::1]:4001"])
def test_own_names_and_addresses_are_answered(site: Site, host: str) -> None:
    assert site.get("/sign-in", host=host).status_code in {200, 303}


def test_an_organisation_can_add_names_of_its_own(tmp_path: Path) -> None:
    settings = Settings(web=WebSettings(host_names="hub.clinic.example proxy.example"))
    with Site(tmp_path / "data", settings=settings) as site:
        assert site.get("/", host="HUB.clinic.example").status_code == 200
        assert site.get("/", host="other.example").status_code == 421


def test_a_phone_reaches_the_hub_by_any_name(site: Site) -> None:
    for path in ("/rpc/heartbeat", "/rpc/handshake"):
        answer = site.client.request("POST" if "hand" in path else "GET", path, headers={"host": "old.name.example"})
        assert answer.status_code != 421


@pytest.mark.parametrize("after", ["/✓", "/é", "//evil.example/✓", "/\u202e"])
def test_what_can_be_no_address_leads_nowhere_after_a_sign_in(site: Site, after: str) -> None:
    site.set_up()
    given = {"name": "root", "password": "wrong", "next": after}
    assert site.submit("/sign-in/form", given, page="/sign-in").status_code == 400
    assert site.client.get("/sign-in", params={"next": after}).status_code == 400


def test_no_letters_in_header_cookie_or_query_are_a_fault_of_the_hub(site: Site) -> None:
    site.set_up()
    for path, odd in itertools.product(PATHS, ODD):
        raw = odd.encode("utf-8", "surrogateescape")
        for query in ("lang", "next", "done", odd):
            text = "".join(letter if letter.isascii() and letter.isprintable() else "%E2%9C%93" for letter in query)
            answer = site.client.get(f"{path}?{text}={text}&lang={'ar' if query == 'next' else ''}")
            assert answer.status_code < 500, (path, query)
        for name in (b"cookie", b"accept-language", b"accept", b"origin", b"x-forwarded-for", b"x-forwarded-proto"):
            value = b"hikma-hub-language=" + raw + b"; __Host-hikma-hub=" + raw if name == b"cookie" else raw
            assert site.client.get(path, headers=[(name, value)]).status_code < 500, (path, name, odd)


def test_more_fields_than_any_page_has_are_refused(site: Site) -> None:
    assert site.client.get("/sign-in?" + "a=1&" * 5000).status_code == 400


def test_a_language_is_chosen_on_this_hub_alone(site: Site) -> None:
    answer = site.client.get("//sign-in?lang=ar", follow_redirects=False)
    assert not answer.headers.get("location", "/").startswith("//")
