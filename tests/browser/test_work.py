"""The work that people do with the pages: letting phones join, shutting them out, mending, watching."""

import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from hub.core.records.access import Permission
from hub.store.database import Store
from hub.store.people import users
from tests.browser.visit import Visit, administer
from tests.hubs import EMAIL, NOW_MS, PASSWORD, ServedHub, changes, row
from tests.simulator.phone import Phone

pytestmark = pytest.mark.slow


def sentence(visit: Visit, text: str | re.Pattern[str]) -> None:
    """Wait until the large sentence says this, without loading the page."""
    expect(visit.page.locator("h1")).to_contain_text(text, timeout=20_000)


def test_a_phone_is_added_by_the_code_on_the_screen_and_is_blocked_again(
    visit: Callable[..., Visit], served: ServedHub
) -> None:
    administer(served)
    served.cli("pairing", "close")
    desk = visit(wide=True)
    desk.sign_in()
    desk.go("/pairing")
    desk.see("Adding phones is off.")
    desk.click("Add phones for the next 10 minutes")
    desk.see("Open for another")
    qr = desk.scan()
    assert qr["url"] == served.url

    phone = Phone(rng=random.Random(1), now_ms=lambda: NOW_MS, connect=served.connect, name="phone")
    phone.pair(qr, check_pk=True)
    phone.login(EMAIL, PASSWORD)
    desk.see("Phone 1")  # by itself: the page is live
    phone.create("patients", {"given_name": "Amina"})
    assert phone.sync().ok

    desk.click("Stop adding phones")
    desk.see("Adding phones is off.")
    assert phone.sync().ok
    other = Phone(rng=random.Random(2), now_ms=lambda: NOW_MS, connect=served.connect)
    with pytest.raises(Exception, match="403"):
        other.pair(qr)

    nurse = visit()
    nurse.go()
    nurse.click("Code for signing in on a phone")
    nurse.check()
    again = nurse.scan()
    assert again == qr
    phone.unpair()
    phone.pair(again, check_pk=True)
    phone.login(EMAIL, PASSWORD)
    assert phone.sync().ok
    with pytest.raises(Exception, match="403"):
        other.pair(again)

    desk.go("/phones")
    desk.see("up to date")
    desk.click("Block …")
    desk.click("Block Phone 1")
    desk.see("The phone is blocked.")
    assert not phone.sync().ok
    desk.go("/log")
    desk.see("Phone 1 was blocked")
    desk.check()


@pytest.mark.parametrize(("language", "wide"), [("en-GB", False), ("ar-LB", True)])
def test_a_lost_phone_is_blocked_and_replaced(
    visit: Callable[..., Visit], served: ServedHub, *, language: str, wide: bool
) -> None:
    administer(served)
    phones = [Phone(rng=random.Random(seed), now_ms=lambda: NOW_MS, connect=served.connect) for seed in range(2)]
    for phone in phones:
        phone.pair({"type": "sync_hub", "url": served.url})
        phone.login(EMAIL, PASSWORD)
        assert phone.sync().ok
    desk = visit(language=language, wide=wide)
    desk.sign_in()
    desk.go("/phones")
    desk.page.locator("a[href='/lost-phone']").click()
    desk.page.locator("main a", has_text="Phone 1").click()
    desk.page.locator("[name='everywhere']").check()
    desk.check()
    desk.picture(f"lost-phone-{language[:2]}")
    desk.page.locator("main .danger").click()
    assert not any(phone.sync().ok for phone in phones)
    desk.page.locator("form[action='/pairing/open'] button").click()
    expect(desk.page.locator(".qr svg")).to_be_visible()
    new = Phone(rng=random.Random(3), now_ms=lambda: NOW_MS, connect=served.connect)
    new.pair(desk.scan(), check_pk=True)
    new.login(EMAIL, PASSWORD)
    assert new.sync().ok


def test_the_countdown_runs_by_itself(visit: Callable[..., Visit], served: ServedHub) -> None:
    administer(served)
    desk = visit()
    desk.sign_in()
    desk.go("/pairing")
    clock = desk.page.locator("[data-left]")
    expect(clock).to_have_text(re.compile(r"^(\d+:)?\d+:\d\d$"), timeout=5_000)
    before = clock.inner_text()
    expect(clock).not_to_have_text(before, timeout=5_000)


def test_a_record_in_quarantine_is_taken_in_when_its_reason_is_mended(
    visit: Callable[..., Visit], served: ServedHub
) -> None:
    administer(served)
    grant(served, without=Permission.REGISTER)
    nurse = served.client("phone-1")
    nurse.pull()
    nurse.push(changes("patients", created=[row("patients", "p1")]))

    desk = visit(wide=True)
    desk.go("/")
    sentence(desk, "1 record needs checking")
    desk.sign_in()
    desk.go("/quarantine")
    desk.see("The person does not have permission to register patients (patients).")
    desk.check()
    desk.picture("quarantine-1-refused")
    desk.page.get_by_role("button", name="Try again").click()
    desk.see("Still not accepted")

    with desk.page.expect_download() as download:
        desk.click("Save as a file …")
        desk.click("Save the file")
    assert '"p1"' in download.value.path().read_text("utf-8").replace("\\", "")

    grant(served)
    desk.go("/quarantine")
    desk.page.get_by_role("button", name="Try again").click()
    desk.see("Record accepted.")
    desk.see("There are no records to check.")
    desk.picture("quarantine-2-taken")
    desk.go("/")
    sentence(desk, "Everything the phones have sent is safe on this hub.")


@pytest.mark.parametrize(("language", "wide"), [("en-GB", False), ("ar-LB", True)])
def test_a_record_that_nobody_can_put_right_is_set_aside_and_can_be_taken_back(
    visit: Callable[..., Visit], served: ServedHub, *, language: str, wide: bool
) -> None:
    administer(served)
    grant(served, without=Permission.REGISTER)
    nurse = served.client("phone-1")
    nurse.pull()
    nurse.push(changes("patients", created=[row("patients", "p1")]))
    desk = visit(language=language, wide=wide)
    page = desk.page
    desk.sign_in()
    page.locator(".menu a[href='/quarantine']").click()
    page.locator("summary", has=page.locator("xpath=../div//form[@action='/quarantine/set-aside']")).click()
    page.fill("form[action='/quarantine/set-aside'] [name='note']", "The patient was entered twice")
    desk.check()
    page.locator("form[action='/quarantine/set-aside'] button").click()
    expect(page.locator("#aside")).to_contain_text("The patient was entered twice")
    desk.check()
    desk.picture(f"set-aside-{language[:2]}")
    desk.go("/")
    expect(page.locator("#now h1, h1").first).to_be_visible()
    assert page.locator(".menu .count, .menu .tag").count() == 0
    desk.go("/quarantine")
    page.locator("form[action='/quarantine/take-back'] button").click()
    expect(page.locator("form[action='/quarantine/retry']")).to_have_count(1)


def grant(served: ServedHub, without: Permission | None = None) -> None:
    """Return the nurse every permission in every clinic, but perhaps one."""
    store = Store(served.data)
    with store.write() as tx:
        user = users.find_by_email(tx.db, EMAIL)
        assert user is not None
        for clinic in list(users.clinics(tx.db)):
            users.grant(tx, user.id, clinic["id"], set(Permission) - {without})
    store.close()


def test_the_page_follows_the_hub_without_being_loaded_again(visit: Callable[..., Visit], served: ServedHub) -> None:
    anyone = visit(language="ar-LB")
    anyone.go("/")
    sentence(anyone, "جهاز الحكمة جاهز. لم يُزامَن بعد أي هاتف من قائمته.")
    served.client("phone-1").push(changes("patients", created=[{"id": 1}, {"id": 2}]))
    sentence(anyone, "سجلان يحتاجان إلى مراجعة")
    anyone.picture("ar-live-attention")
    anyone.check()


def test_a_hub_stops_at_once_though_pages_follow_it(visit: Callable[..., Visit], served: ServedHub) -> None:
    for _ in range(3):
        visit().go("/")
    assert served.stop() == 0


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_setting_is_changed_on_the_page(visit: Callable[..., Visit], served: ServedHub, *, script: bool) -> None:
    administer(served)
    desk = visit(script=script)
    desk.sign_in()
    desk.go("/settings")
    desk.page.get_by_label("Time for adding phones (minutes)").fill("25")
    desk.page.get_by_label("The QR code contains").select_option("name")
    form(desk, "pairing.minutes").get_by_role("button", name="Save").click()
    desk.see("Settings saved.")
    assert (served.data / "hub.toml").read_text() == '[pairing]\nminutes = 25\naddress = "name"\n'
    desk.page.get_by_label("Technical log").select_option("debug")
    form(desk, "log.level").get_by_role("button", name="Save").click()
    desk.see("Some changes take effect after a restart.")
    if script:
        desk.check()
        desk.picture("settings-waiting")
    desk.go("/pairing")
    desk.click("Stop adding phones")
    desk.see("Add phones for the next 25 minutes")


@pytest.mark.parametrize("language", ["en-GB", "ar-LB"])
def test_what_is_wrong_with_a_setting_is_told_beside_it(
    visit: Callable[..., Visit], served: ServedHub, language: str
) -> None:
    administer(served)
    desk = visit(language=language)
    desk.sign_in()
    desk.go("/settings")
    desk.page.evaluate("for (const form of document.forms) form.noValidate = true")  # as browsers without checks do
    field = desk.page.locator('[id="pairing.minutes"]')
    field.fill("999")
    form(desk, "pairing.minutes").locator("button").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("999")
    desk.check()
    desk.picture(f"settings-wrong-{language[:2]}")
    assert not (served.data / "hub.toml").exists()


def form(visit: Visit, setting: str) -> Locator:
    """Find the form of a setting."""
    return visit.page.locator("form", has=visit.page.locator(f'[id="{setting}"]'))


def test_a_backup_and_a_support_file_are_saved_from_the_page(
    visit: Callable[..., Visit], served: ServedHub, tmp_path: Path
) -> None:
    administer(served)
    served.client("phone-1").push(changes("patients", created=[row("patients", "p1", given_name="Amina")]))
    desk = visit()
    desk.sign_in()
    desk.go("/box")
    desk.click("Make a backup")
    desk.page.fill("#passphrase", "four words are enough")
    desk.page.fill("#again", "four words are not enough")
    desk.click("Save the backup")
    desk.see("The two passphrases are not the same.")
    desk.check()
    desk.picture("box-backup-wrong")
    desk.page.fill("#passphrase", "four words are enough")
    desk.page.fill("#again", "four words are enough")
    with desk.page.expect_download() as download:
        desk.click("Save the backup")
    assert download.value.suggested_filename.endswith(".backup")
    backup = download.value.path()
    where = ("restore", str(backup), "--passphrase-stdin")
    restored = ServedHub(tmp_path / "restored").cli(*where, stdin="four words are enough\n")
    assert restored.returncode == 0, restored.stderr
    with desk.page.expect_download() as download:
        desk.click("Save a support file")
    with zipfile.ZipFile(download.value.path()) as file:
        assert file.testzip() is None


@pytest.mark.parametrize(
    ("language", "said"), [("en-GB", r"No contact with the hub since \d\d:\d\d\."), ("ar-LB", "[٠-٩]{2}:[٠-٩]{2}")]
)
def test_a_page_says_when_it_has_no_contact_with_the_hub(
    visit: Callable[..., Visit], served: ServedHub, language: str, said: str
) -> None:
    some = visit(language=language, wide=language == "ar-LB")
    some.go("/")
    note = some.page.locator("#lost")
    expect(note).to_be_hidden()
    served.kill()
    expect(note).to_contain_text(re.compile(said), timeout=30_000)
    some.complaints.clear()  # the browser's own, of what it could not load
    some.check()
    some.picture(f"no-contact-{language[:2]}")
    served.start()
    expect(note).to_be_hidden(timeout=60_000)


def test_a_page_whose_sign_in_has_ended_shows_nothing_old(visit: Callable[..., Visit], served: ServedHub) -> None:
    administer(served)
    desk, other = visit(), visit()
    desk.sign_in()
    desk.go("/phones")
    other.sign_in()
    desk.page.context.clear_cookies()
    served.client("phone-1")
    expect(desk.page.locator("#password")).to_be_visible(timeout=30_000)
