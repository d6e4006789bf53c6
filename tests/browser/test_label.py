"""The label as Chromium prints it: one page, whose code a camera reads at the size it is printed in."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pypdfium2
import pytest
import zxingcpp
from click.testing import CliRunner
from playwright.sync_api import Browser

from hub.actions.box import identity
from hub.actions.people import setup
from hub.cli import hikma_hub
from hub.store.database import Store
from hub.words import LANGUAGES
from tests.browser.visit import PICTURES, Visit, administer
from tests.hubs import ServedHub

pytestmark = pytest.mark.slow

_DPI = 150
_QR_MM = 60
_SETTINGS = '[hub]\nlanguage = "{code}"\n[server]\nhost = "192.168.4.1"\nport = 4001\n'


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_label_is_one_printed_page_whose_code_a_camera_reads(chromium: Browser, tmp_path: Path, code: str) -> None:
    label, setup_code = written(tmp_path, code)
    page = chromium.new_page()
    page.goto(label.as_uri())
    document = pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True))
    page.close()
    assert len(document) == 1
    text = document[0].get_textpage().get_text_bounded()
    for expected in (setup_code, "http://192.168.4.1:4001", "http://hikma-hub.local:4001"):
        assert expected in text
    picture = document[0].render(scale=_DPI / 72).to_pil().convert("L")
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture.save(PICTURES / f"label-{code}.png")
    found = zxingcpp.read_barcodes(picture)
    assert [msgspec.json.decode(one.text)["url"] for one in found] == ["http://192.168.4.1:4001"]
    corners = found[0].position
    width_mm = (corners.top_right.x - corners.top_left.x) / _DPI * 25.4
    assert width_mm > _QR_MM * 0.88  # without the two white modules on each side


def written(folder: Path, code: str) -> tuple[Path, str]:
    """Write the label of a hub that nobody has set up, with a long name; returns it and the setup code."""
    store = Store(folder / "data")
    identity.rename(store, "Centre de santé communautaire de la vallée du Nord, antenne mobile numéro trois")
    setup_code = setup.code(store)
    assert setup_code
    store.close()
    (folder / "data" / "hub.toml").write_text(_SETTINGS.format(code=code))
    output = folder / "label.html"
    done = CliRunner().invoke(hikma_hub, ["label", "--data", str(folder / "data"), "--output", str(output)])
    assert done.exit_code == 0, done.output
    return output, setup_code


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_emergency_sheet_is_one_printed_page(visit: Callable[..., Visit], served: ServedHub, code: str) -> None:
    administer(served)
    desk = visit(wide=True)
    desk.sign_in()
    desk.go(f"/emergency-sheet?lang={code}")
    document = pypdfium2.PdfDocument(desk.page.pdf(prefer_css_page_size=True))
    assert len(document) == 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    document[0].render(scale=_DPI / 72).to_pil().convert("L").save(PICTURES / f"emergency-sheet-printed-{code}.png")
