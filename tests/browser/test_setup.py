"""The first visit, with a real browser."""

from collections.abc import Callable

import pytest

from tests.browser.visit import NAME, SECRET, Visit
from tests.hubs import ServedHub

pytestmark = pytest.mark.slow


def setup_code(served: ServedHub) -> str:
    return served.cli("setup-code").stdout.strip()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_the_first_visitor_sets_the_hub_up_and_nobody_does_it_again(
    visit: Callable[..., Visit], served: ServedHub, *, script: bool
) -> None:
    first = visit(script=script)
    page = first.page

    def step(name: str) -> None:
        if script:
            first.check()
            first.picture(f"setup-{name}")

    first.go()
    first.click("Start setup")
    step("1-code")
    page.fill("#code", setup_code(served).lower())
    first.click("Continue")
    step("2-name")
    page.fill("#name", "Clinic of the North")
    first.click("Continue")
    step("3-administrator")
    page.fill("#name", NAME)
    page.fill("#password", SECRET)
    page.fill("#again", SECRET)
    first.click("Continue")
    step("4-cloud")
    first.click("Not now")
    step("5-phone")
    first.click("Show the QR code")
    first.see("Phones can be added now.")
    assert page.locator(".qr svg").is_visible()

    again = visit(script=script)
    again.go("/setup")
    assert again.page.url.endswith("/sign-in")
    again.see("Clinic of the North")
    assert "no setup code" in served.cli("setup-code").stdout


def test_a_wrong_code_is_told_at_once(visit: Callable[..., Visit], served: ServedHub) -> None:
    first = visit(language="fr-FR")
    first.go("/setup")
    first.page.fill("#code", "AAAA-AAAA")
    first.page.locator("main button").click()
    first.see("Ce n'est pas le code de configuration.")
    first.check()
    assert served.cli("setup-code").stdout.strip()
