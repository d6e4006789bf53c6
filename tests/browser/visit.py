"""A visit to the pages with a real browser: clicks, looks, checks and keeps pictures."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect

from tests.hubs import ServedHub

PICTURES = Path("build/screenshots")
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}
PAGE_BYTES_MAX = 100_000
NAME, SECRET = "amal", "four words are enough"
_AXE = Path(__file__).with_name("axe") / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_CUT = """() => [...document.querySelectorAll("main *, .top *, .menu a, .rail *")].filter(one => {
  if (one.closest(".hidden, .scroll, svg, .picture, .brand, select") || !one.checkVisibility()) return false;
  const head = one.closest("thead");  // on a phone it is for who listens alone
  if (!one.clientWidth || (head && getComputedStyle(head).position === "absolute")) return false;
  const speaks = [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  return speaks && one.scrollWidth > one.clientWidth + 1;
}).map(one => one.tagName + " " + one.className + ": " + one.textContent.trim().slice(0, 60))"""
"""The texts that are wider than what they stand in; a long name of the hub and what can be scrolled may be."""
_ROWS = "new Set([...document.querySelectorAll('.menu a')].map(one => one.getBoundingClientRect().top)).size"
_COUNT = """{
  const filled = new WeakSet();
  addEventListener("click", event => {
    if (event.target.closest("a, button, summary, [type=checkbox]")) tapped("taps");
  }, true);
  addEventListener("input", event => {
    if (event.target.type === "checkbox" || filled.has(event.target)) return;
    filled.add(event.target);
    tapped("fields");
  }, true);
}"""
"""Tells what a person did, each field once a page."""


class Visit:
    """One browser, with its own cookies.

    wide: a desktop's screen instead of a phone's. script: whether JavaScript is on.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        language: str = "en-GB",
        wide: bool = False,
        script: bool = True,
        dark: bool = False,
    ) -> None:
        self.url = url
        self.complaints: list[str] = []
        self._context = browser.new_context(
            viewport=DESKTOP if wide else PHONE,  # type: ignore[arg-type]  # Playwright's own dict
            device_scale_factor=1 if wide else 2,
            locale=language,
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
            ignore_https_errors=True,  # the hub makes its certificate itself
        )
        self.did: Counter[str] = Counter()
        """How often something was tapped, and how many fields were filled."""
        self._context.expose_function("tapped", lambda what: self.did.update([what]))
        self._context.add_init_script(_COUNT)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._complain)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def close(self) -> None:
        """Close it."""
        self._context.close()

    def go(self, path: str = "/") -> Response:
        """Load a page."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        return answer

    def click(self, text: str) -> None:
        """Press the one button or link of this name."""
        self.page.locator("a, button, summary").filter(has_text=text).filter(visible=True).first.click()

    def see(self, text: str) -> None:
        """Wait until this can be read."""
        expect(self.page.locator("body")).to_contain_text(text, timeout=15_000)

    def sign_in(self, name: str = NAME, password: str = SECRET) -> None:
        """Sign in."""
        self.go("/sign-in")
        self.page.fill("#name", name)
        self.page.fill("#password", password)
        self.page.locator("main form button").click()
        expect(self.page.locator("main h1, main .wrong").first).to_be_visible()

    def picture(self, name: str) -> Path:
        """Keep a picture of the whole page for looking at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        self.page.screenshot(path=path, full_page=True, animations="disabled", scale="css")
        return path

    def scan(self) -> dict[str, object]:
        """Read the code from a picture of the screen, as the camera of a phone does."""
        with Image.open(self.picture("pairing-to-scan")) as picture:
            found = zxingcpp.read_barcodes(picture.convert("L"))
        assert [code.format for code in found] == [zxingcpp.BarcodeFormat.QRCode]
        return msgspec.json.decode(found[0].text, type=dict[str, object])

    def check(self) -> None:
        """Hold the page to WCAG AA as far as axe can tell, to its width, and to having complained of nothing."""
        self.page.evaluate(_AXE.read_text("utf-8"))
        found: dict[str, Any] = self.page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", _RULES
        )
        told = [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found["violations"]]
        assert told == [], json.dumps(told, indent=1, ensure_ascii=False)
        self.check_room()
        assert not self.complaints, self.complaints

    def check_room(self) -> None:
        """Hold the page to its width, and every text on it to the room that it has."""
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{self.page.url} is {wide} pixels too wide"
        assert self.page.evaluate(_ROWS) <= 1, f"{self.page.url}: the menu has more than one row"
        cut: list[str] = self.page.evaluate(_CUT)
        assert cut == [], f"{self.page.url}: {cut}"

    def weight(self, path: str) -> int:
        """Return the bytes of a page with all that it loads, from an empty cache."""
        bytes_of: list[int] = []

        def keep(answer: Response) -> None:
            bytes_of.append(int(answer.headers.get("content-length", "0")))

        self.page.on("response", keep)
        self.go(path)
        self.page.wait_for_load_state("load")
        self.page.remove_listener("response", keep)
        return sum(bytes_of)

    def _complain(self, message: ConsoleMessage) -> None:
        # Chromium notes a page that was answered with 400 or 403; a page may be.
        is_page = "status of 4" in message.text and "/static/" not in message.location["url"]
        is_gone = "ERR_CONNECTION_REFUSED" in message.text  # of a hub that a test has killed
        if message.type in {"error", "warning"} and not (is_page or is_gone):
            self.complaints.append(message.text)


def administer(served: ServedHub, name: str = NAME, password: str = SECRET) -> None:
    """Make an administrator, which ends the setup."""
    done = served.cli("admin", "add", name, "--password-stdin", stdin=f"{password}\n")
    assert done.returncode == 0, done.stderr
