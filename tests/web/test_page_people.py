"""The page of people: what is changed there, in which language, and a form that came after the sign-in had ended."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions.people import clinics, page_sign_in
from hub.actions.people import users as accounts
from hub.core.records.access import Permission
from hub.store.people import users
from hub.store.phones import callers
from hub.web import messages
from hub.web.pages.accounts import too_short
from hub.words import words
from tests.hubs import add_clinic
from tests.web.site import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, Site


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path / "data") as made:
        made.set_up()
        made.sign_in()
        yield made


def test_a_person_gets_another_name_role_and_clinic(inside: Site) -> None:
    north, south = (add_clinic(inside.store, name) for name in ("Old", "New"))
    made = accounts.add(
        inside.store, email="z@x.example", name="Zoé", role="provider", clinic_id=north, password="secret1"
    )
    fields = {"user": made.id, "name": "Zoé Haddad", "role": "admin", "clinic": south}
    answer = inside.submit("/people/edit", fields, page="/people")
    assert answer.headers["location"] == "/people?done=user_edited"
    with inside.store.read() as db:
        user = users.find(db, made.id)
        granted = callers.rights(db, made.id, "admin").clinics
    assert user is not None
    assert (user.name, user.role, user.clinic_id) == ("Zoé Haddad", "admin", south)
    assert user.opens_with("secret1")
    assert not granted.get(north)
    assert Permission.ADMIN in granted[south]
    assert inside.submit("/people/edit", {**fields, "name": " "}, page="/people").status_code == 400
    assert inside.submit("/people/edit", {**fields, "clinic": "none"}, page="/people").status_code == 400


def test_a_clinic_is_renamed_and_phones_get_its_new_name(inside: Site) -> None:
    clinic = add_clinic(inside.store, "Nroth")
    answer = inside.submit("/people/rename-clinic", {"clinic": clinic, "name": "North clinic"}, page="/people")
    assert answer.headers["location"] == "/people?done=renamed"
    assert {"id": clinic, "name": "North clinic"} in clinics.every(inside.store)
    assert inside.submit("/people/rename-clinic", {"clinic": "no", "name": "x"}, page="/people").status_code == 303
    assert "North clinic" in inside.get("/people").text
    assert "Nroth" in inside.get("/log").text


def test_an_administrator_changes_the_own_password_and_stays_signed_in(inside: Site) -> None:
    new = {"given": ADMINISTRATOR_PASSWORD, "password": "another password", "again": "another password"}
    wrong = inside.submit("/people/own-password", {**new, "given": "not this one"}, page="/people")
    assert wrong.status_code == 400
    assert "This is not your current password." in wrong.text
    assert inside.submit("/people/own-password", new, page="/people").status_code == 303
    assert inside.get("/people").status_code == 200
    with inside.stranger():
        assert inside.sign_in().status_code == 401
        assert inside.sign_in(password="another password").status_code == 303


@pytest.mark.parametrize("language", ["ar", "es", "fr"])
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/people/clinic", {"name": " "}),
        ("/people/rename-clinic", {"clinic": "c", "name": ""}),
        ("/people/add", {"name": "Z", "email": "z@x", "role": "provider", "clinic": "gone", "password": "secret1"}),
        ("/people/add", {"name": "Z", "email": "z@x", "role": "provider", "clinic": "c", "password": "é" * 40}),
        ("/people/remove-administrator", {"name": ADMINISTRATOR}),
        ("/people/edit", {"user": "u", "name": "", "role": "provider", "clinic": "c"}),
    ],
)
def test_no_refusal_of_people_is_english_on_a_page_in_another_language(
    inside: Site, language: str, path: str, fields: dict[str, str]
) -> None:
    add_clinic(inside.store, "North")
    answer = inside.submit(path, fields, page="/people", **{"accept-language": language})
    assert answer.status_code == 400
    said = re.search(r'class="wrong" role="alert"[^>]*>([^<]*)<', answer.text)
    assert said
    catalogue = {message: words(language).say(message) for message in messages.every() if isinstance(message, str)}
    assert html.unescape(said[1]) in {*catalogue.values(), too_short(words(language), 6)} - set(catalogue)


def test_a_form_that_was_sent_after_the_sign_in_had_ended_is_kept(inside: Site) -> None:
    clinic = add_clinic(inside.store, "South")
    page = inside.get("/people").text
    page_sign_in.sign_out(inside.store, inside.client.cookies["__Host-hikma-hub"])
    fields = {"name": "Zoé <b>", "email": "z@x.example", "role": "provider", "clinic": clinic, "password": "secret1"}
    asked = inside.client.post("/people/add", data={**fields, "form_key": "old"}, headers={"accept": "text/html"})
    assert asked.status_code == 401
    assert "Your sign-in has ended" in asked.text
    assert "secret1" not in asked.text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', asked.text))
    given = {name: html.unescape(value) for name, value in hidden.items()}
    signed = inside.client.post(
        "/sign-in/form", data={**given, "name": ADMINISTRATOR, "password": ADMINISTRATOR_PASSWORD}
    )
    assert signed.status_code == 200
    assert "Go on where you were" in signed.text
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', signed.text)
    sent = inside.client.post("/people/add", data={name: html.unescape(value) for name, value in found})
    assert 'value="Zoé &lt;b&gt;"' in sent.text  # everything but the password, which is asked for
    assert "A password needs at least" in sent.text
    assert "secret1" not in page
