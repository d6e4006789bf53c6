"""Erasing from the page: the box does it by itself, and switches itself off."""

import re
from pathlib import Path

import httpx
import pytest

from tests.device import card
from tests.device.conftest import _BARE, EMAIL, PASSWORD, Keys, toml
from tests.device.guest import Guest

_FORM_KEY = re.compile(r'name="form_key" value="(\w+)"')
_KEY_SLOT = b'"type":"luks2"'
_NAME = "Nord Süd عيادة"


def submit(browser: httpx.Client, path: str, page: str, **fields: str) -> httpx.Response:
    """Send a form as a browser does that loaded its page just now."""
    shown = browser.get(page)
    found = _FORM_KEY.search(shown.text)
    assert found, f"{shown.status_code} {shown.headers}: {shown.text}"
    origin = str(browser.base_url).rstrip("/")
    return browser.post(path, data={"form_key": found[1], **fields}, headers={"accept": "text/html", "origin": origin})


def header(made: Path) -> bytes:
    """Return where the data partition says by what keys it opens."""
    with made.open("rb") as whole:
        whole.seek(card.data_start(made))
        return whole.read(16 * 1024**2)


@pytest.mark.long
def test_an_administrator_erases_the_box_on_its_page(keys: Keys, tmp_path: Path) -> None:
    made = card.flash(tmp_path, "card", toml(keys))
    with Guest(made, keys.private, words=_BARE) as board:
        assert _KEY_SLOT in header(made)
        url = f"https://127.0.0.1:{board.ports['https']}"
        with httpx.Client(base_url=url, verify=False, trust_env=False, timeout=60) as browser:  # noqa: S501  its own certificate
            assert submit(browser, "/sign-in/form", "/sign-in", name=EMAIL, password=PASSWORD).status_code == 303
            told = submit(browser, "/box/erase", "/box", name=_NAME, password=PASSWORD)
            assert told.status_code == 303, told.text
        board.wait_until_off()
        assert "The keys of the data are destroyed." in board.serial
        assert "Switch the box off now" in board.serial
    assert _KEY_SLOT not in header(made)
    assert "hikma-hub.toml" not in card.boot_names(made)
