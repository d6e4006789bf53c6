"""Every page in the dark, without a script, by the keyboard alone, and how heavy it is."""

from collections.abc import Callable

import pytest

from tests.browser.visit import PAGE_BYTES_MAX, Visit, administer
from tests.hubs import ServedHub, changes, row

pytestmark = pytest.mark.slow

PAGES = ("/", "/phones", "/pairing", "/cloud", "/quarantine", "/box", "/people", "/settings", "/log")
_LOCALES = {"en": "en-GB", "ar": "ar-LB"}


@pytest.fixture
def lived_in(served: ServedHub) -> ServedHub:
    """Return a hub with phones, records, a quarantine and open pairing."""
    administer(served)
    for number in range(3):
        client = served.client(f"phone-{number}")
        rows = [row("patients", f"p{number}-{index}", given_name="Amina") for index in range(4 + 7 * number)]
        client.push(changes("patients", created=rows))
        client.pull()
    served.client("phone-0").push(changes("patients", created=[{"id": 7}, row("patients", "x", created_at="never")]))
    served.client("phone-old")
    served.cli("device", "revoke", "phone-old")
    return served


def test_the_lamps_stand_as_on_the_box_in_every_direction_of_writing(
    visit: Callable[..., Visit], lived_in: ServedHub
) -> None:
    some = visit(language=_LOCALES["ar"])
    some.sign_in()
    some.go("/box")
    lamps = some.page.locator(".legend .leds").first.locator(".led")
    lefts = [box["x"] for lamp in lamps.all() if (box := lamp.bounding_box())]
    assert len(lefts) > 1
    assert lefts == sorted(lefts)
    assert lived_in.pid


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_is_accessible_in_the_dark(visit: Callable[..., Visit], lived_in: ServedHub, language: str) -> None:
    some = visit(language=_LOCALES[language], dark=True, wide=True)
    some.sign_in()
    for path in PAGES:
        some.go(path)
        some.check()
        some.picture(f"dark-{language}-{path.strip('/') or 'overview'}")
    assert lived_in.pid


def test_no_page_weighs_more_than_it_may(visit: Callable[..., Visit], lived_in: ServedHub) -> None:
    assert 1_000 < visit().weight("/") < PAGE_BYTES_MAX
    some = visit()
    some.sign_in()
    assets = some.weight("/")
    for path in PAGES:
        assert 1_000 < some.weight(path) + assets < PAGE_BYTES_MAX
    assert lived_in.pid


def test_pages_can_be_read_and_used_without_script(visit: Callable[..., Visit], lived_in: ServedHub) -> None:
    some = visit(script=False, wide=True)
    some.go("/")
    while not some.page.get_by_text("kept safely apart").count():  # without a script it is the reader who reloads
        some.page.reload()
    some.sign_in()
    for path in PAGES:
        assert some.go(path).status == 200
        assert some.page.locator("h1").first.is_visible()
    some.go("/pairing")
    some.click("Stop adding phones")
    some.see("Adding phones is off.")
    some.go("/phones")
    some.page.get_by_text("Block …", exact=True).first.click()
    some.page.locator("button.danger:visible").first.click()
    some.see("The phone is blocked.")
    assert lived_in.pid


def test_a_page_can_be_walked_with_the_keyboard_alone(visit: Callable[..., Visit], lived_in: ServedHub) -> None:
    some = visit(wide=True)
    some.go("/sign-in")
    some.page.keyboard.press("Tab")
    assert some.page.evaluate("document.activeElement.className") == "skip"
    some.page.focus("#name")
    some.page.keyboard.type("amal")
    some.page.keyboard.press("Tab")
    some.page.keyboard.type("four words are enough")
    some.page.keyboard.press("Enter")
    some.see("Overview")
    some.go("/phones")
    some.page.get_by_text("Block …", exact=True).first.focus()
    some.page.keyboard.press("Enter")
    some.page.keyboard.press("Tab")
    assert some.page.evaluate("document.activeElement.className") == "danger"
    outline = some.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    assert lived_in.pid


def test_the_language_is_the_browsers_until_another_is_chosen(visit: Callable[..., Visit], served: ServedHub) -> None:
    some = visit(language="es-MX")
    some.go("/")
    some.see("El hub está listo. Ningún teléfono de su lista se ha sincronizado aún.")
    some.click("العربية")
    some.see("جهاز الحكمة جاهز. لم يُزامَن بعد أي هاتف من قائمته.")
    assert some.page.get_attribute("html", "dir") == "rtl"
    some.go("/setup")
    some.see("أهلًا بك. أدخل رمز الإعداد")
    some.check()
    assert served.pid
