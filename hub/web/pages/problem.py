"""What a visitor sees when something is refused or fails: what it means and the way back."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from litestar import Response

from hub.web import refusals
from hub.web.answers import respond
from hub.web.body import AnyRequest
from hub.web.frame import Pages

SENTENCES = {
    403: "This form has expired. Reload the page and try again.",
    404: "This page does not exist.",
    413: "That is too large to send.",
    421: "This is not a name of this hub. Open its page by its IP address, or by the name on its label.",
    429: "The hub is busy. Try again in a minute.",
    503: "The hub cannot do this now. See the Overview for the reason.",
    500: "Something went wrong on the hub. The details are saved for your technician.",
}


def ask(request: AnyRequest, _error: Exception) -> Response[bytes]:
    """Lead to the sign-in page, and back here after it."""
    back = request.url.path if request.method == "GET" else "/"
    return Response(b"", status_code=303, headers={"location": f"/sign-in?next={quote(back)}"}, media_type="text/plain")


def explain(here: Pages) -> Callable[[Any, Exception], Response[bytes]]:
    """Return what answers a failure with a page, and with JSON whoever did not ask for one."""

    def answer(request: AnyRequest, error: Exception) -> Response[bytes]:
        plain = refusals.refuse(request, error)
        if "text/html" not in request.headers.get("accept", "") or request.url.path == "/events":
            return plain
        status = plain.status_code or 500
        usual = 404 if status < 500 else 500  # noqa: PLR2004
        who = here.gatekeeper.recognise(request)
        page = here.render("problem.html", who, status=status, sentence=SENTENCES.get(status, SENTENCES[usual]))
        response = respond(page, who)
        response.headers.update({name: value for name, value in plain.headers.items() if name == "retry-after"})
        return response

    return answer
