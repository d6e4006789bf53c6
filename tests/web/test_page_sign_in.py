"""Who comes in, how long they stay, and what a page may do to them (S4)."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hub.actions.people import administrators
from hub.core.people import page_session
from hub.core.records.access import Permission
from hub.settings import Settings, WebSettings
from hub.store.people import page_sessions, users
from tests.hubs import EMAIL, PASSWORD, add_clinic, add_user
from tests.web.site import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, Site, set_web

PAGES = ("/phones", "/pairing", "/cloud", "/quarantine", "/box", "/people", "/settings", "/log")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path / "data") as made:
        made.set_up()
        yield made


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_before_signing_in(site: Site, path: str) -> None:
    answer = site.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")


@pytest.mark.parametrize("path", PAGES)
def test_an_administrator_sees_every_page(site: Site, path: str) -> None:
    site.sign_in()
    assert site.get(path).status_code == 200


def test_signing_in_leads_back_to_the_page_that_was_wanted(site: Site) -> None:
    fields = {"name": ADMINISTRATOR, "password": ADMINISTRATOR_PASSWORD, "next": "/box"}
    assert site.submit("/sign-in/form", fields, page="/sign-in").headers["location"] == "/box"


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "box", "/a\r\nb"])
def test_signing_in_never_leads_to_another_site(site: Site, elsewhere: str) -> None:
    fields = {"name": ADMINISTRATOR, "password": ADMINISTRATOR_PASSWORD, "next": elsewhere}
    assert site.submit("/sign-in/form", fields, page="/sign-in").headers["location"] == "/"


@pytest.mark.parametrize(
    ("name", "password"), [(ADMINISTRATOR, "wrong"), ("nobody", ADMINISTRATOR_PASSWORD), ("", ""), ("\ud800", "x")]
)
def test_a_wrong_name_and_a_wrong_password_look_alike(site: Site, name: str, password: str) -> None:
    answer = site.sign_in(name.encode("utf-8", "replace").decode(), password)
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text


def test_guessing_must_wait_and_the_wait_survives_a_restart(site: Site, tmp_path: Path) -> None:
    assert [site.sign_in(password="wrong").status_code for _ in range(5)] == [401] * 5
    assert site.sign_in().status_code == 429
    with Site(tmp_path / "data") as again:
        assert again.sign_in().status_code == 429


def test_a_clinic_administrator_signs_in_by_email(site: Site) -> None:
    add_user(site.store, add_clinic(site.store, "North"))
    assert site.sign_in(EMAIL, PASSWORD).status_code == 303
    assert site.get("/phones").status_code == 200


def test_a_user_who_administers_no_clinic_is_refused(site: Site) -> None:
    add_user(site.store, add_clinic(site.store, "North"), without=[Permission.ADMIN])
    assert site.sign_in(EMAIL, PASSWORD).status_code == 401


def test_a_user_who_is_shut_out_is_out_at_once(site: Site) -> None:
    user = add_user(site.store, add_clinic(site.store, "North"))
    site.sign_in(EMAIL, PASSWORD)
    with site.store.write() as tx:
        users.disable(tx, user)
    assert site.get("/phones").status_code == 303


def test_a_removed_administrator_is_out_at_once(site: Site) -> None:
    site.sign_in()
    administrators.add(site.store, "other", "another password")
    administrators.remove(site.store, ADMINISTRATOR)
    assert site.get("/phones").status_code == 303


def test_the_last_administrator_cannot_be_removed(site: Site) -> None:
    site.sign_in()
    answer = site.submit("/people/remove-administrator", {"name": ADMINISTRATOR}, page="/people")
    assert answer.status_code == 400
    assert site.get("/people").status_code == 200


def test_who_does_nothing_for_a_while_is_signed_out(site: Site) -> None:
    site.sign_in()
    set_web(site, idle_minutes=0)
    assert site.get("/phones").status_code == 303


def test_a_session_ends_after_a_long_day(site: Site) -> None:
    site.sign_in()
    with site.store.write() as tx:
        tx.db.execute("UPDATE page_sessions SET issued = issued - ?", [page_session.LONGEST_MS])
    assert site.get("/phones").status_code == 303


def test_signing_out_ends_the_session_on_the_hub_too(site: Site) -> None:
    site.sign_in()
    cookie = dict(site.client.cookies)
    assert site.submit("/sign-out", {}, page="/phones").status_code == 303
    with site.stranger(cookie) as other:
        assert other.get("/phones", follow_redirects=False).status_code == 303


def test_a_new_session_has_a_new_token(site: Site) -> None:
    site.get("/sign-in")
    before = dict(site.client.cookies)
    site.sign_in()
    assert dict(site.client.cookies) != before


def test_sessions_are_bounded(site: Site) -> None:
    with site.store.write() as tx:
        for _ in range(page_session.MOST + 5):
            page_sessions.begin(tx, page_sessions.Account(page_sessions.AccountKind.ADMINISTRATOR, ADMINISTRATOR))
        assert tx.db.execute("SELECT count(*) FROM page_sessions").fetchone()[0] == page_session.MOST


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_lines(site: Site) -> None:
    cookie = site.sign_in().headers["set-cookie"]
    assert cookie.startswith("__Host-hikma-hub=")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_what_is_stored_opens_nothing(site: Site, tmp_path: Path) -> None:
    site.sign_in()
    token = site.client.cookies["__Host-hikma-hub"]
    rows = sqlite3.connect(tmp_path / "data" / "hub.db").execute("SELECT * FROM page_sessions").fetchall()
    assert rows
    assert token not in repr(rows)
    hashed = sqlite3.connect(tmp_path / "data" / "hub.db").execute("SELECT hashed_password FROM administrators")
    assert hashed.fetchone()[0].startswith("$argon2id$")


def test_a_form_without_the_key_of_its_page_is_refused(site: Site) -> None:
    site.sign_in()
    answer = site.client.post("/pairing/open", data={}, headers={"accept": "text/html"})
    assert answer.status_code == 403
    assert "This form has expired" in answer.text


def test_the_form_key_of_another_visitor_is_refused(site: Site) -> None:
    site.sign_in()
    with site.stranger() as other:
        key = re.search(r'name="form_key" value="(\w+)"', other.get("/sign-in").text)
    assert key
    assert site.client.post("/pairing/open", data={"form_key": key[1]}).status_code == 403


@pytest.mark.parametrize("header", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}])
def test_a_form_from_another_site_is_refused(site: Site, header: dict[str, str]) -> None:
    site.sign_in()
    assert site.submit("/pairing/open", {}, page="/pairing", **header).status_code == 403


def test_the_address_of_a_form_leads_to_its_page(site: Site) -> None:
    site.sign_in()
    assert site.get("/people/add").headers["location"] == "/people"


def test_a_form_that_is_too_large_is_refused(site: Site) -> None:
    site.sign_in()
    assert site.submit("/settings/name", {"name": "x" * 70_000}, page="/settings").status_code == 413


def test_a_page_may_run_and_load_nothing_from_elsewhere(site: Site) -> None:
    headers = site.get("/").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


# A line that others can listen to


def test_over_plain_http_from_another_machine_no_password_is_asked_for(tmp_path: Path) -> None:
    with Site(tmp_path / "plain", url="http://192.0.2.9:4001") as site:
        site.set_up()
        site.pages.https_port = 4443
        page = site.get("/sign-in").text
        assert 'type="password"' not in page
        assert "https://192.0.2.9:4443/sign-in" in page


def test_over_plain_http_from_another_machine_no_password_is_taken(tmp_path: Path) -> None:
    with Site(tmp_path / "plain", url="http://192.0.2.9:4001") as site:
        site.set_up()
        site.get("/sign-in")
        assert site.sign_in().status_code == 403
        assert site.get("/phones").status_code == 303


def test_the_setting_allows_passwords_over_plain_http(tmp_path: Path) -> None:
    settings = Settings(web=WebSettings(plain_sign_in=True))
    with Site(tmp_path / "plain", url="http://192.0.2.9:4001", settings=settings) as site:
        site.set_up()
        assert site.sign_in().status_code == 303
        assert "Secure" not in site.client.get("/sign-in").headers.get("set-cookie", "")


def test_what_another_machine_says_of_a_proxy_is_not_believed(tmp_path: Path) -> None:
    with Site(tmp_path / "plain", url="http://192.0.2.9:4001") as site:
        site.set_up()
        assert 'type="password"' not in site.get("/sign-in", **{"x-forwarded-proto": "https"}).text


@pytest.mark.parametrize("name", [f" {ADMINISTRATOR} ", f"\u200f{ADMINISTRATOR}", f"{ADMINISTRATOR}\ufeff"])
def test_a_blank_that_a_keyboard_adds_to_a_name_keeps_nobody_out(site: Site, name: str) -> None:
    assert site.sign_in(name).status_code == 303


def test_s4_a_refusal_costs_the_same_for_every_email(site: Site, work: list[int]) -> None:
    clinic = add_clinic(site.store, "A")
    add_user(site.store, clinic, email="known@x.example", role="admin")
    empty = add_user(site.store, clinic, email="empty@x.example", role="admin")
    with site.store.write() as tx:
        users.put(tx, msgspec.structs.replace(empty, hashed_password=""))
    administrators.add(site.store, "boss@x.example", ADMINISTRATOR_PASSWORD)
    told = set()
    for name in ("known@x.example", "empty@x.example", "boss@x.example", "nobody@x.example"):
        work.clear()
        told.add((site.sign_in(name, "wrong").status_code, sum(work)))
    assert told == {(401, 2**4)}
