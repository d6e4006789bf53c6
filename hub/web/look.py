"""Makes pages: a template, a visitor's language, and the headers that let a page do nothing but be read."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from hub.core.status.lights import PATTERNS, Levels, Pattern
from hub.late import Late
from hub.words import LANGUAGES, Words
from hub.words import words as spoken_in
from hub.words.status import LABELS

if TYPE_CHECKING:
    import jinja2
else:
    jinja2 = Late("jinja2")

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
_KINDS = {"hub.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}
_YEAR = "public, max-age=31536000, immutable"


def page(template: str, words: Words, values: Mapping[str, Any]) -> str:
    """Fill a template in."""
    return _environment(words.code).get_template(template).render(values)


def handlers() -> list[HTTPRouteHandler]:
    """Return the stylesheet and the script; their address changes with their content."""

    @get("/static/{mark:str}/{name:str}", sync_to_thread=False)
    def asset(mark: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        if name not in _KINDS or mark != _mark(name):
            raise NotFoundException
        headers = {"cache-control": _YEAR, "x-content-type-options": "nosniff"}
        return Response(_asset(name), media_type=_KINDS[name], headers=headers)

    return [asset]


@cache
def _environment(code: str) -> "jinja2.Environment":
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hub.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    spoken = spoken_in(code)
    environment.globals.update(
        _=spoken.say,
        _n=spoken.count,
        words=spoken,
        languages=LANGUAGES,
        labels=LABELS,
        asset=lambda name: f"/static/{_mark(name)}/{name}",
    )
    return environment


@cache
def _asset(name: str) -> bytes:
    content = files("hub.web").joinpath("static", name).read_bytes()
    return content + _rhythms().encode() if name == "hub.css" else content


@cache
def _mark(name: str) -> str:
    return hashlib.sha256(_asset(name)).hexdigest()[:12]


def _rhythms() -> str:
    """Write the patterns of the lights as animations, one for each LED that changes."""
    rules = []
    for light, pattern in PATTERNS.items():
        for colour in Levels._fields:
            levels = {getattr(step.levels, colour) for step in pattern.steps}
            if len(levels) > 1:
                name = f"{light}-{colour}"
                rules.append(f"@keyframes {name}{{{_keyframes(pattern, colour)}}}")
                rules.append(f".led-{name}::after{{animation:{name} {pattern.period_ms / 1000}s infinite}}")
    return "\n".join(rules)


def _keyframes(pattern: Pattern, colour: str) -> str:
    """Write one LED's way through a pattern; a glide ends just before the next step begins."""
    frames, at_ms = [], 0
    before = getattr(pattern.steps[-1].levels, colour)
    for step in pattern.steps:
        level = getattr(step.levels, colour)
        start, end = (100 * t_ms / pattern.period_ms for t_ms in (at_ms, at_ms + step.ms))
        if step.glide:
            frames.append(f"{start:.2f}%{{opacity:{before};animation-timing-function:linear}}")
            frames.append(f"{end - 0.01:.2f}%{{opacity:{level};animation-timing-function:step-end}}")
        else:
            frames.append(f"{start:.2f}%{{opacity:{level};animation-timing-function:step-end}}")
        at_ms, before = at_ms + step.ms, level
    return "".join(frames)
