"""The first visit, with a real browser."""

import random
from collections.abc import Callable

import pytest

from tests.browser.visit import NAME, SECRET, Visit
from tests.hubs import NOW_MS, ServedHub
from tests.simulator.phone import Phone

pytestmark = pytest.mark.slow

LANGUAGES = {"en": "en-GB", "ar": "ar-LB"}
NURSE, NURSE_SECRET = "huda@clinic.example", "warm tea at six"


def setup_code(served: ServedHub) -> str:
    return served.cli("setup-code").stdout.strip()


def go_on(visit: Visit) -> None:
    """Press the button that leads to the next step."""
    visit.page.locator("main section form > button, main section form .row > button").first.click()


@pytest.mark.parametrize(("language", "wide"), [("en", False), ("ar", True)])
def test_from_the_first_visit_to_the_first_phone_that_has_synced(
    visit: Callable[..., Visit], fresh: ServedHub, *, language: str, wide: bool
) -> None:
    first = visit(language=LANGUAGES[language], wide=wide)
    page = first.page

    def step(name: str) -> None:
        first.check()
        first.picture(f"setup-{language}-{name}")

    first.go("/setup")
    step("1-code")
    page.fill("#code", setup_code(fresh).lower())
    go_on(first)
    step("2-name")
    page.fill("#name", "Clinic of the North")
    go_on(first)
    step("3-administrator")
    page.fill("#name", NAME)
    page.fill("#password", SECRET)
    page.fill("#again", SECRET)
    go_on(first)
    step("4-cloud")
    page.locator("form[action='/setup/go'] button").click()
    step("5-people")
    page.fill("#name", "Huda")
    page.fill("#email", NURSE)
    page.fill("#password", NURSE_SECRET)
    go_on(first)
    first.see("Huda")
    step("5-people-added")
    page.locator("form[action='/setup/go'] button").click()
    step("6-phone")
    go_on(first)
    phone = Phone(rng=random.Random(1), now_ms=lambda: NOW_MS, connect=fresh.connect, name="phone")
    phone.pair(first.scan(), check_pk=True)
    phone.login(NURSE, NURSE_SECRET)
    first.see("Phone 1")
    step("6-phone-added")
    phone.create("patients", {"given_name": "Amina"})
    assert phone.sync().ok
    page.locator("form[action='/setup/go'] button").click()
    first.see("Clinic of the North")
    step("7-summary")
    page.locator("form[action='/setup/go'] button").click()
    assert page.url.rstrip("/") == fresh.url
    assert page.locator("a[href='/setup']").count() == 0


def test_a_setup_that_was_left_goes_on_where_it_was(visit: Callable[..., Visit], fresh: ServedHub) -> None:
    first = visit()
    first.go("/setup")
    first.page.fill("#code", setup_code(fresh))
    first.click("Continue")
    first.page.fill("#name", "Nroth")
    first.click("Continue")
    first.click("Back")
    first.page.fill("#name", "North")
    first.click("Continue")
    for field, value in (("#name", NAME), ("#password", SECRET), ("#again", SECRET)):
        first.page.fill(field, value)
    first.click("Continue")
    first.click("Not now")
    first.see("Who enters records?")
    again = visit()
    again.sign_in()
    again.go("/")
    again.see("The setup is not finished")
    again.click("Continue the setup")
    again.see("Who enters records?")
    again.see("North")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_nobody_does_the_setup_again(visit: Callable[..., Visit], fresh: ServedHub, *, script: bool) -> None:
    first = visit(script=script)
    first.go()
    first.click("Start setup")
    first.page.fill("#code", setup_code(fresh))
    first.click("Continue")
    first.click("Continue")
    for field, value in (("#name", NAME), ("#password", SECRET), ("#again", SECRET)):
        first.page.fill(field, value)
    first.click("Continue")
    first.see("Connect to the Hikma cloud?")
    again = visit(script=script)
    again.go("/setup")
    assert again.page.url.endswith("/sign-in")
    assert "no setup code" in fresh.cli("setup-code").stdout


def test_a_wrong_code_is_told_at_once(visit: Callable[..., Visit], fresh: ServedHub) -> None:
    first = visit(language="fr-FR")
    first.go("/setup")
    first.page.fill("#code", "AAAA-AAAA")
    first.page.locator("main button").click()
    first.see("Ce n'est pas le code de configuration.")
    first.check()
    assert setup_code(fresh)
