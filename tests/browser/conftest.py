"""Chromium, driven by Playwright, and a hub that it visits."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.visit import Visit
from tests.hubs import ServedHub, prepare

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--no-sandbox",  # as root, which CI is, Chromium has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Return the machine's own Chromium; Playwright's event loop must not be around in tests that run their own."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    assert path, "these tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedHub]:
    """Return a hub with a clinic and a nurse, that nobody has set up."""
    data = tmp_path / "data"
    prepare(data)
    hub = ServedHub(data, {"HIKMA_HUB_WEB_SHOW_LIGHTS": "true", "HIKMA_HUB_HUB_NAME": "Al-Amal Clinic"})
    hub.start()
    yield hub
    hub.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[ServedHub]:
    """Return a hub with nothing on it, as it comes."""
    hub = ServedHub(tmp_path / "fresh")
    hub.start()
    yield hub
    hub.close()


@pytest.fixture
def visit(
    chromium: Browser, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Iterator[Callable[..., Visit]]:
    """Return a function that opens a browser of its own on the test's hub; all are closed after.

    What was tapped and filled in by hand goes into the report.
    """
    opened: list[Visit] = []

    def open_(**how: object) -> Visit:
        name = "fresh" if "fresh" in request.fixturenames else "served"
        made = Visit(chromium, request.getfixturevalue(name).url, **how)  # type: ignore[arg-type]  # as the caller gives them
        opened.append(made)
        return made

    yield open_
    record_property("did", dict(sum((made.did for made in opened), Counter())))
    for made in opened:
        made.close()
