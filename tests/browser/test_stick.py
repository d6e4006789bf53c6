"""A hub that broke is replaced from its USB stick, with a browser and no technician."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_restore import SECRET, added, go_on_with
from tests.browser.test_setup import LANGUAGES, go_on, setup_code
from tests.browser.visit import SECRET as PASSWORD
from tests.browser.visit import Visit, administer
from tests.hubs import ServedHub, prepare
from tests.services.copy.copies import until

pytestmark = pytest.mark.slow
_COMPLETE = {"en": "on the hub and in its copy", "ar": "على جهاز الحكمة وفي نسخته"}


@pytest.fixture
def hubs(tmp_path: Path) -> Iterator[tuple[ServedHub, ServedHub]]:
    """Return a hub with a clinic and a nurse and one as it comes, for which one stick is in; none is started."""
    (tmp_path / "stick").mkdir()
    prepare(tmp_path / "old")
    where = {"HIKMA_HUB_COPY_FOLDER": str(tmp_path / "stick")}
    made = ServedHub(tmp_path / "old", where), ServedHub(tmp_path / "new", where)
    yield made
    for hub in made:
        hub.close()


@pytest.mark.parametrize(("language", "wide"), [("en", False), ("ar", True)])
def test_a_copy_is_begun_on_a_stick_and_another_device_goes_on_with_it(
    chromium: Browser,
    hubs: tuple[ServedHub, ServedHub],
    record_property: Callable[[str, object], None],
    *,
    language: str,
    wide: bool,
) -> None:
    old, new = hubs
    old.start()
    phone, second = (added(old, number) for number in range(2))
    administer(old)
    desk = Visit(chromium, old.url, language=LANGUAGES[language], wide=wide)
    begin_copy(desk, language)
    phone.create("patients", {"given_name": "Amina"})
    assert phone.sync().ok
    assert second.sync().ok
    old.kill()
    shutil.rmtree(old.data)

    new.start()
    other = Visit(chromium, new.url, language=LANGUAGES[language], wide=wide)
    other.go("/setup")
    other.page.fill("#code", setup_code(new))
    become(other, language)
    expect(other.page.locator("#phones tbody tr")).to_have_count(len((phone, second)))
    look(other, language, "5-is-the-hub")
    for visit in (desk, other):
        visit.close()
    record_property("did", dict(desk.did + other.did))
    go_on_with(new, phone, second)


def begin_copy(desk: Visit, language: str) -> None:
    """Begin a copy as an administrator, and wait until it has everything."""
    desk.sign_in()
    desk.go("/copy")
    desk.page.fill("#passphrase", SECRET)
    desk.page.fill("#again", SECRET)
    look(desk, language, "1-begin")
    desk.page.locator("form[action='/copy/start'] button").first.click()
    expect(desk.page.locator(".note")).to_be_visible()
    until(lambda: desk.go("/copy").ok and _COMPLETE[language] in desk.page.locator("#copy").inner_text())
    look(desk, language, "2-complete")


def become(other: Visit, language: str) -> None:
    """Make a device whose setup code was filled in the hub of the stick, and sign in there."""
    page = other.page
    go_on(other)
    look(other, language, "3-found")
    page.fill("#passphrase", "not the passphrase")
    go_on(other)
    page.locator(".wrong").wait_for()
    look(other, language, "4-wrong-passphrase")
    page.fill("#passphrase", SECRET)
    go_on(other)
    page.wait_for_url("**/sign-in", timeout=60_000)
    other.complaints.clear()  # the browser's own, while the hub started again
    other.sign_in(password=PASSWORD)
    page.locator(".menu a[href='/phones']").click()


def look(visit: Visit, language: str, name: str) -> None:
    """Check a page and keep its picture."""
    visit.check()
    visit.picture(f"stick-{language}-{name}")
