"""Erasing the hub from its page: for who means it and proves who they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.settings import BoxSettings, Settings
from tests.hubs import EMAIL, PASSWORD, add_clinic, add_user
from tests.services.copy.copies import until
from tests.web.site import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, Site

PATIENT = "Amina-Zahra"


@pytest.fixture
def erasable(tmp_path: Path) -> Iterator[tuple[Site, Path]]:
    """Return pages of a machine that can be erased, and the file that asks for it."""
    wish = tmp_path / "erase"
    with Site(tmp_path / "data", settings=Settings(box=BoxSettings(erase_command=f"touch {wish}"))) as site:
        site.set_up()
        site.sign_in()
        yield site, wish


@pytest.mark.parametrize(
    ("name", "password", "told"),
    [
        ("another", ADMINISTRATOR_PASSWORD, "not the name of this hub"),
        ("Hikma Hub", "a wrong password", "not your password"),
        ("", "", "not the name"),
    ],
)
def test_nothing_is_erased_without_name_and_password(
    erasable: tuple[Site, Path], name: str, password: str, told: str
) -> None:
    site, wish = erasable
    answer = site.submit("/box/erase", {"name": name, "password": password}, page="/box")
    assert answer.status_code == 400
    assert told in answer.text
    assert ("box.erased", f"administrator:{ADMINISTRATOR}") not in site.noted()
    assert not wish.exists()


def test_an_administrator_who_means_it_has_everything_erased(erasable: tuple[Site, Path]) -> None:
    site, wish = erasable
    given = {"name": "Hikma Hub", "password": ADMINISTRATOR_PASSWORD}
    with site.stranger():
        assert site.submit("/box/erase", given, page="/box").status_code != 200
    assert site.submit("/box/erase", given, page="/box").headers["location"] == "/box?done=erasing"
    assert ("box.erased", f"administrator:{ADMINISTRATOR}") in site.noted()
    until(wish.exists)


def test_guessing_the_password_of_who_is_signed_in_must_wait(erasable: tuple[Site, Path]) -> None:
    site, wish = erasable
    answers = [site.submit("/box/erase", {"name": "Hikma Hub", "password": str(n)}, page="/box") for n in range(12)]
    assert "Too many wrong passwords" in answers[-1].text
    given = {"name": "Hikma Hub", "password": ADMINISTRATOR_PASSWORD}
    assert "Too many wrong passwords" in site.submit("/box/erase", given, page="/box").text
    assert not wish.exists()


def test_a_user_who_may_administer_proves_it_by_their_own_password(erasable: tuple[Site, Path]) -> None:
    site, wish = erasable
    add_user(site.store, add_clinic(site.store, "North"), role="super_admin")
    given = {"name": "Hikma Hub", "password": ADMINISTRATOR_PASSWORD}
    with site.stranger():
        site.sign_in(EMAIL, PASSWORD)
        assert "not your password" in site.submit("/box/erase", given, page="/box").text
        assert site.submit("/box/erase", {**given, "password": PASSWORD}, page="/box").status_code == 303
    until(wish.exists)


def test_a_machine_that_is_not_the_hubs_alone_cannot_be_erased_from_the_page(tmp_path: Path) -> None:
    with Site(tmp_path / "data") as site:
        site.set_up()
        site.sign_in()
        assert 'id="erase"' not in site.get("/box").text
        assert site.submit("/box/erase", {}, page="/box").status_code == 404
