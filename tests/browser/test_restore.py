"""A hub that broke is replaced from its backup file, with a browser and no technician."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error

from hub.words import LANGUAGES as WORDS
from tests.browser.test_setup import LANGUAGES, go_on, setup_code
from tests.browser.visit import SECRET as PASSWORD
from tests.browser.visit import Visit, administer
from tests.hubs import EMAIL, NOW_MS, ServedHub
from tests.hubs import PASSWORD as NURSE_SECRET
from tests.services.copy.copies import until
from tests.simulator.phone import Phone

pytestmark = pytest.mark.slow

SECRET = "four words are enough"


def saved_backup(desk: Visit, to: Path) -> Path:
    """Download a backup, as an administrator does."""
    desk.sign_in()
    desk.go("/box")
    desk.page.locator("#backup summary").click()
    desk.page.fill("#passphrase", SECRET)
    desk.page.fill("#again", SECRET)
    with desk.page.expect_download() as download:
        desk.page.locator("#backup form button").click()
    download.value.save_as(to)
    return to


def added(served: ServedHub, number: int) -> Phone:
    """Return a phone on which somebody signed in."""
    phone = Phone(rng=random.Random(number), now_ms=lambda: NOW_MS, connect=served.connect)
    phone.pair({"type": "sync_hub", "url": served.url})
    phone.login(EMAIL, NURSE_SECRET)
    return phone


def go_on_with(served: ServedHub, phone: Phone, other: Phone) -> None:
    """Let two phones, as they are, sync with a hub that took the place of theirs."""
    for one in (phone, other):
        assert one.session is not None
        one.session.transport = served.connect()
    phone.create("patients", {"given_name": "Badia"})
    assert phone.sync().ok
    assert other.sync().ok
    assert other.holds() == phone.holds()


@pytest.mark.parametrize(("language", "wide"), [("en", False), ("ar", True)])
def test_a_new_hub_becomes_the_one_that_broke_and_its_phone_goes_on(
    chromium: Browser,
    visit: Callable[..., Visit],
    served: ServedHub,
    fresh: ServedHub,
    tmp_path: Path,
    *,
    language: str,
    wide: bool,
) -> None:
    phone, other = (added(served, number) for number in range(2))
    phone.create("patients", {"given_name": "Amina"})
    assert phone.sync().ok
    assert other.sync().ok
    administer(served)
    old = Visit(chromium, served.url, language=LANGUAGES[language], wide=wide)
    file = saved_backup(old, tmp_path / "hub.backup")
    old.close()
    served.kill()

    new = visit(language=LANGUAGES[language], wide=wide)
    page = new.page

    def step(name: str) -> None:
        new.check()
        new.picture(f"restore-{language}-{name}")

    new.go("/setup")
    page.fill("#code", setup_code(fresh))
    go_on(new)
    step("1-name")
    page.locator("a[href='/setup?step=backup']").click()
    step("2-file")
    page.set_input_files("#file", {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8 a photo"})
    go_on(new)
    page.locator(".wrong").wait_for()
    step("3-no-backup")
    page.set_input_files("#file", file)
    go_on(new)
    page.fill("#passphrase", "not the passphrase")
    go_on(new)
    page.locator(".wrong").wait_for()
    step("4-passphrase")
    page.fill("#passphrase", SECRET)
    go_on(new)
    new.picture(f"restore-{language}-5-becoming")
    page.wait_for_url("**/sign-in", timeout=60_000)
    new.complaints.clear()  # the browser's own, while the hub started again
    new.sign_in(password=PASSWORD)
    new.go("/phones")
    assert page.locator("#phones tbody tr").count() == len((phone, other))
    go_on_with(fresh, phone, other)


def test_every_page_of_it_has_room_in_every_language(visit: Callable[..., Visit], fresh: ServedHub) -> None:
    some, desk = visit(), visit(wide=True)
    for one in (some, desk):
        one.go("/setup")
        one.page.fill("#code", setup_code(fresh))
        go_on(one)
    some.go("/setup?step=backup")
    begun = b"age-encryption.org/v1\n-> scrypt of a backup"
    some.page.set_input_files("#file", {"name": "hub.backup", "mimeType": "application/octet-stream", "buffer": begun})
    go_on(some)
    for language in WORDS:
        for one, name in ((some, "phone"), (desk, "desk")):
            for step in ("name", "backup", "recover", "spare"):
                looked_at(one, language, name, step)
    some.page.locator("form[action='/setup/spare'] button").click()
    some.see("hikma-spare:")
    for language in WORDS:
        until(partial(is_looked_at, some, language, "phone", "spare", "is-one"), within_s=90)
    some.check()


def is_looked_at(one: Visit, *what: str) -> bool:
    """Whether the hub was there all the while: some time after it became a spare, it starts anew as that."""
    try:
        looked_at(one, *what)
    except Error:
        one.complaints.clear()  # the browser's own
        return False
    return True


def looked_at(one: Visit, language: str, name: str, step: str, state: str = "") -> None:
    one.go(f"/setup?step={step}&lang={language}")
    one.check_room()
    one.picture(f"restore-{language}-{name}-{step}{state}")
