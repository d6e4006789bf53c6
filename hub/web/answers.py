"""What a page answers a visitor with, and how that becomes an HTTP response."""

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Response
from litestar.response import Stream

from hub.web import look, visitor
from hub.web.visitor import Visitor


class Go(msgspec.Struct, frozen=True):
    """Where a form leads: another page, with a note on what was done; ``token`` signs somebody in, "" out."""

    path: str
    done: str = ""
    token: str | None = None


class HtmlPage(msgspec.Struct, frozen=True):
    """A page that is ready, as HTML; ``token`` signs somebody in."""

    html: str
    status: int = 200
    token: str | None = None


class Download(msgspec.Struct, frozen=True):
    """A file to be kept."""

    content: bytes
    name: str
    media_type: str


class Flow(msgspec.Struct, frozen=True):
    """A file to be kept that is made while it is sent, and may be larger than memory."""

    pieces: Iterator[bytes]
    name: str


Answer = HtmlPage | Go | Download | Flow


def respond(answer: Answer, who: Visitor) -> Response[Any]:
    """Make the HTTP response: with our headers, and a cookie for a visitor who needs one and has none."""
    if isinstance(answer, Flow):
        return _flow(answer)
    # Who is only looking needs no cookie; a form does.
    has_form = isinstance(answer, HtmlPage) and 'name="form_key"' in answer.html
    token = who.token if who.is_new and has_form else None
    status, content, kind, headers = 200, b"", "text/plain", {}
    match answer:
        case HtmlPage(html, status, new):
            content, kind = html.encode(), "text/html"
            token = new or token
        case Download(content, name, kind):
            headers = {"content-disposition": f'attachment; filename="{name}"'}
        case Go(path, done, new):
            status, headers = 303, {"location": f"{path}{'&' if '?' in path else '?'}done={done}" if done else path}
            token = new if new is not None else token
    cookies = [] if token is None else [visitor.cookie(token, encrypted=who.encrypted)]
    return Response(content, status_code=status, media_type=kind, headers={**look.HEADERS, **headers}, cookies=cookies)


def _flow(answer: Flow) -> Response[Any]:
    headers = {**look.HEADERS, "content-disposition": f'attachment; filename="{answer.name}"'}
    return Stream(answer.pieces, media_type="application/octet-stream", headers=headers)
