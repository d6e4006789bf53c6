"""The first visit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.actions.box import identity
from hub.actions.people import setup
from hub.actions.people.failures import Attempts
from hub.settings import load
from hub.store.people import administrators, audit
from tests.web.site import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, Site

WHO = {"name": ADMINISTRATOR, "password": ADMINISTRATOR_PASSWORD, "again": ADMINISTRATOR_PASSWORD}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path / "data") as made:
        yield made


def code(site: Site) -> str:
    found = setup.code(site.store)
    assert found is not None
    return found


def enter(site: Site, text: str) -> int:
    return site.submit("/setup/code", {"code": text}, page="/setup").status_code


def test_the_code_is_drawn_once_and_kept(site: Site) -> None:
    assert code(site) == code(site)
    assert len(code(site)) == 9


def test_two_hubs_have_two_codes(site: Site, tmp_path: Path) -> None:
    with Site(tmp_path / "other") as other:
        assert code(site) != code(other)


def test_the_setup_makes_name_and_administrator_and_signs_in(site: Site) -> None:
    assert enter(site, code(site)) == 303
    assert site.submit("/setup/name", {"name": "  Al-Amal   Clinic "}, page="/setup").status_code == 303
    done = site.submit("/setup/administrator", WHO, page="/setup?step=administrator")
    assert done.headers["location"] == "/setup?step=cloud"
    assert site.get("/phones").status_code == 200
    assert site.pages.hub_name() == "Al-Amal Clinic"
    assert identity.name(site.store) == "Al-Amal Clinic"


@pytest.mark.parametrize(("before", "after"), [("", "ar"), ('[hub]\nlanguage = "fr"\n', "fr")])
def test_the_box_speaks_the_language_of_its_setup_unless_its_settings_name_one(
    tmp_path: Path, before: str, after: str
) -> None:
    file = tmp_path / "hub.toml"
    file.write_text(before)
    with Site(tmp_path / "data", settings=load(file, {}), file=file) as site:
        enter(site, code(site))
        site.submit("/setup/name", {"name": "Al-Amal"}, page="/setup", **{"accept-language": "ar"})
        assert site.live.settings.hub.language == after
    assert load(file, {}).hub.language == after


@pytest.mark.parametrize("write", [str.lower, lambda text: text.replace("-", " "), lambda text: f" {text} "])
def test_the_code_may_be_written_in_any_way(site: Site, write: object) -> None:
    assert callable(write)
    assert enter(site, write(code(site))) == 303


def test_without_the_code_nothing_can_be_set_up(site: Site) -> None:
    assert enter(site, "AAAA-AAAA") == 403
    site.submit("/setup/name", {"name": "Mine"}, page="/setup")
    site.submit("/setup/administrator", WHO, page="/setup")
    assert not setup.is_done(site.store)
    assert identity.name(site.store) is None


def test_guessing_the_code_must_wait(site: Site) -> None:
    assert [enter(site, "AAAA-AAAA") for _ in range(5)] == [403] * 5
    assert enter(site, code(site)) == 429


def test_the_setup_cannot_be_run_twice(site: Site) -> None:
    first = code(site)
    enter(site, first)
    site.submit("/setup/administrator", WHO, page="/setup?step=administrator")
    assert setup.code(site.store) is None
    with site.stranger() as other:
        assert other.get("/setup", follow_redirects=False).headers["location"] == "/sign-in"
    assert setup.enter(site.store, first, address="192.0.2.1", attempts=Attempts(5, 30, 900)) is None
    assert setup.finish(site.store, "second", "another password") is None


def test_of_two_who_set_up_at_once_the_slower_one_is_too_late(site: Site) -> None:
    enter(site, code(site))
    setup.finish(site.store, "faster", "another password")
    site.submit("/setup/administrator", WHO, page="/setup?step=administrator")
    with site.store.read() as db:
        assert [host["name"] for host in administrators.every(db)] == ["faster"]
    assert site.get("/phones").status_code == 303


@pytest.mark.parametrize(
    "wrong",
    [{"password": "short", "again": "short"}, {"again": "something else"}, {"name": ""}, {"name": "a@b.example"}],
)
def test_a_bad_administrator_is_refused_with_a_reason(site: Site, wrong: dict[str, str]) -> None:
    enter(site, code(site))
    answer = site.submit("/setup/administrator", {**WHO, **wrong}, page="/setup?step=administrator")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert not setup.is_done(site.store)


def test_the_setup_is_in_the_audit_log(site: Site) -> None:
    enter(site, "AAAA-AAAA")
    enter(site, code(site))
    site.submit("/setup/administrator", WHO, page="/setup?step=administrator")
    with site.store.read() as db:
        events = [entry["event"] for entry in audit.entries(db)]
    assert {"setup.refused", "setup.done", "administrator.added", "page.sign_in"} <= set(events)
