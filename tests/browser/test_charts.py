"""The charts as Chromium draws them: every label can be read whole."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from hub.web import look
from hub.words import LANGUAGES, words
from tests.browser.visit import PICTURES
from tests.web import drawn

pytestmark = pytest.mark.slow

_PAGE = (
    '<!doctype html><html lang="{code}" dir="{direction}"><meta name="viewport" content="width=device-width">'
    '<style>{style}</style><main><section class="card"><div class="charts">{charts}</div></section></main></html>'
)
_CUT = """() => [...document.querySelectorAll(".chart svg")].flatMap(svg => {
  const edge = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter(label => {
    const box = label.getBoundingClientRect();
    return box.left < edge.left || box.right > edge.right || box.top < edge.top || box.bottom > edge.bottom;
  }).map(label => label.textContent);
})"""
_ON_ANOTHER = """() => [...document.querySelectorAll(".chart svg")].flatMap(svg => {
  const boxes = [...svg.querySelectorAll("text.x")].map(label => label.getBoundingClientRect());
  return boxes.filter((box, index) => index && box.left <= boxes[index - 1].right).map(box => box.left);
})"""


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("code", LANGUAGES)
def test_no_label_is_cut_off_or_lies_on_another(chromium: Browser, code: str, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 800})
    for hour in (4, 13, 22):
        page.set_content(_page(code, hour))
        assert page.locator(".chart text").count() > 50
        cut: list[Any] = page.evaluate(_CUT)
        assert cut == []
        assert page.evaluate(_ON_ANOTHER) == []
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{code}-{width}-charts.png", full_page=True)
    page.close()


def _page(code: str, hour: int) -> str:
    template = look._environment(code).from_string(
        '{% from "parts.html" import chart %}{% for one in charts %}{{ chart(one) }}{% endfor %}'
    )
    charts = [chart for top in drawn.TOPS for chart in drawn.every(code, hour=hour, top=top)]
    return _PAGE.format(
        code=code,
        direction=words(code).direction,
        style=look._asset("hub.css").decode(),
        charts=template.render(charts=charts),
    )
