"""A hub that broke is replaced by its spare, with a browser and no technician."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_restore import SECRET, added, go_on_with
from tests.browser.test_setup import LANGUAGES, go_on, setup_code
from tests.browser.visit import SECRET as PASSWORD
from tests.browser.visit import Visit, administer
from tests.hubs import ServedHub
from tests.services.copy.copies import until
from tests.simulator import processes

pytestmark = pytest.mark.slow


@pytest.fixture
def other(tmp_path: Path) -> Iterator[ServedHub]:
    """Return a second hub, as it comes."""
    made = ServedHub(tmp_path / "other", {"HIKMA_HUB_COPY_SPARE_PORT": str(processes.free_port())})
    made.start()
    yield made
    made.close()


def keep_copy_there(hub: Visit, code: str) -> None:
    """Let a hub keep its copy on the spare that showed this code."""
    hub.sign_in()
    hub.go("/copy")
    hub.page.locator("details.more summary").click()
    hub.page.fill("#code", code)
    hub.page.fill("#spare-passphrase", SECRET)
    hub.page.fill("#spare-again", SECRET)
    hub.page.locator("details.more form button").click()
    expect(hub.page.locator(".note")).to_be_visible()


@pytest.mark.parametrize(("language", "wide"), [("en", False), ("ar", True)])
def test_a_second_device_is_made_the_spare_of_a_hub_and_takes_over_when_that_breaks(
    chromium: Browser,
    served: ServedHub,
    other: ServedHub,
    record_property: Callable[[str, object], None],
    *,
    language: str,
    wide: bool,
) -> None:
    phone, second = (added(served, number) for number in range(2))
    phone.create("patients", {"given_name": "Amina"})
    assert phone.sync().ok
    assert second.sync().ok
    administer(served)
    hub, spare = (Visit(chromium, one.url, language=LANGUAGES[language], wide=wide) for one in (served, other))
    page = spare.page

    def step(visit: Visit, name: str) -> None:
        visit.check()
        visit.picture(f"spare-{language}-{name}")

    spare.go("/setup")
    page.fill("#code", setup_code(other))
    go_on(spare)
    page.locator("a[href='/setup?step=spare']").click()
    spare.picture(f"spare-{language}-1-offer")
    page.locator("form[action='/setup/spare'] button").click()
    code = page.locator("#spare .code").inner_text()
    step(spare, "2-code")
    keep_copy_there(hub, code)
    hub.picture(f"spare-{language}-3-begun")
    until(lambda: spare.go("/setup?step=spare").ok and page.locator("#spare li .tag.safe").is_visible())
    step(spare, "4-complete")
    phone.create("patients", {"given_name": "Badia"})
    assert phone.sync().ok
    hub.close()
    served.kill()

    page.locator("a[href='/setup?step=recover']").click()
    page.fill("#passphrase", "not the passphrase")
    page.locator("form[action='/setup/recover'] button").click()
    page.locator(".wrong").wait_for()
    step(spare, "5-passphrase")
    page.fill("#passphrase", SECRET)
    page.locator("form[action='/setup/recover'] button").click()
    page.wait_for_url("**/sign-in", timeout=60_000)
    spare.complaints.clear()  # the browser's own, while the hub started again
    spare.sign_in(password=PASSWORD)
    spare.go("/phones")
    expect(page.locator("#phones tbody tr")).to_have_count(len((phone, second)))
    step(spare, "6-is-the-hub")
    spare.close()
    record_property("did", dict(hub.did + spare.did))
    go_on_with(other, phone, second)
