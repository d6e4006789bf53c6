"""What pages and files show of patients, and to whom (S1, S9): the part of the rights matrix that is on the web."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.routes import HTTPRoute

from hub.web import body, probes
from tests.hubs import changes, row
from tests.store import pushes
from tests.web.site import Site

NAME = "Hananaziza"
OPEN = {"/", "/code", "/healthz", "/readyz", "/rpc/heartbeat", "/sign-in", *probes.PATHS}
"""What a stranger may load; none of it shows a name."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Return pages of a hub with a patient, and with one in quarantine."""
    with Site(tmp_path / "data") as made:
        made.set_up()
        pushes.push(made.store, changes("patients", created=[row("patients", "p", given_name=NAME)]))
        pushes.push(made.store, changes("patients", created=[{"id": "q", "given_name": NAME, "created_at": "x"}]))
        yield made


def paths(site: Site, method: str) -> set[str]:
    return {
        route.path
        for route in site.client.app.routes
        if isinstance(route, HTTPRoute) and method in route.methods and "{" not in route.path
    }


def test_s9_no_page_and_no_file_shows_a_patient_to_a_stranger(site: Site) -> None:
    with site.stranger():
        for path in paths(site, "GET") - {"/events"}:
            answer = site.get(path)
            assert NAME not in answer.text, path
            assert (answer.status_code in {200, 204}) is (path in OPEN), path
        for path in paths(site, "POST"):
            answer = site.client.post(path, data={}, headers={"accept": "text/html"}, follow_redirects=False)
            assert NAME not in answer.text, path
            assert answer.status_code != 200, path
    assert pushes.live(site.store, "patients") == {"p"}


def test_s9_no_page_shows_a_name_even_to_an_administrator(site: Site) -> None:
    assert site.sign_in().status_code in {302, 303}
    shown = paths(site, "GET") - {"/events"}
    for path in shown:
        assert NAME not in site.get(path).text, path
    assert "quarantine" in site.get("/quarantine").text.lower()


def test_an_administrator_accepts_what_its_author_may_not_enter_on_the_page(site: Site) -> None:
    nobody = pushes.EVERYTHING.__class__("nurse", unrestricted=False, clinics={}, known=frozenset({"a"}))
    made = row("patients", "r", primary_clinic_id="a")
    assert pushes.push(site.store, changes("patients", created=[made]), rights=nobody).quarantined == 1
    site.sign_in()
    assert site.submit("/quarantine/accept", {"num": "2"}, page="/quarantine").status_code in {302, 303}
    assert pushes.live(site.store, "patients") == {"p", "r"}


def test_s8_who_is_not_signed_in_sends_no_large_form(site: Site) -> None:
    large = {"name": "a" * body.SMALL_BYTES}
    with site.stranger():
        answer = site.client.post("/sign-in/form", data=large, headers={"accept": "text/html"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/")
    site.sign_in()
    assert site.client.post("/people/add", data=large, follow_redirects=False).status_code == 403, "it has no form key"
