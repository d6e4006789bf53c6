"""The frame around every page: its route, the gatekeeper before it, and what all templates show."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
from litestar import Response, get, route
from litestar.handlers import HTTPRouteHandler

from hub.actions.people import audit
from hub.core.errors import Malformed, OperatorError
from hub.services.status.watch import StatusWatch
from hub.web import body, look, visitor
from hub.web.answers import Answer, Go, HtmlPage, respond
from hub.web.body import AnyRequest
from hub.web.gatekeeper import Gatekeeper, SignInNeeded
from hub.web.notes import NOTES
from hub.web.passwords import Passwords
from hub.web.unsent import Unsent
from hub.web.upload import Upload
from hub.web.visitor import Visitor
from hub.words import LANGUAGES

FORM_BYTES_MAX = 64 * 1024
_FIELDS_MAX = 100
_THREADS = 4
"""Of their own: whoever loads pages without end keeps neither phones nor the watchdog waiting."""
_DONE = 303

Form = Mapping[str, str]
Show = Callable[[Visitor, Form], Answer]
_T = TypeVar("_T")


class PageOptions(msgspec.Struct, frozen=True):
    """What the settings say about how pages look."""

    show_lights: bool = False
    pairing_always: bool = False
    changes_network: bool = False
    updates: bool = False
    updates_there: int = 0
    """How many could be installed."""


class Pages:
    """Makes routes of pages and forms, and renders them."""

    def __init__(
        self,
        gatekeeper: Gatekeeper,
        watch: StatusWatch,
        passwords: Passwords,
        *,
        hub_name: Callable[[], str],
        options: Callable[[], PageOptions],
    ) -> None:
        """Take name and options as functions, for they may change while the hub runs."""
        self.gatekeeper = gatekeeper
        self.watch = watch
        self.passwords = passwords
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="pages")
        self.hub_name = hub_name
        self.options = options
        self.after_form: list[Callable[[], None]] = []
        """Called in the event loop after a form succeeded, for example to announce the hub's new name."""
        self.failing: set[Callable[..., object]] = set()
        """What runs beside the servers and has failed lately."""
        self.https_port = 0
        """Where the pages are served over TLS; 0 for nowhere."""
        self.fingerprint = ""
        """SHA-256 of the certificate that they are served with."""

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown()
        self.passwords.close()

    def page(self, path: str, show: Show, *, public: bool = False) -> HTTPRouteHandler:
        """Return the route of a page; ``show`` runs in a thread, with the visitor and the query."""

        @get(path)
        async def handler(request: AnyRequest) -> Response[Any]:
            query = _form(request.url.query.encode("utf-8", "replace"))
            return await self._work(partial(self._shown, request, show, query, public=public))

        return handler

    def action(self, path: str, act: Show, *, public: bool = False, checks_password: bool = False) -> HTTPRouteHandler:
        """Return the route of a form; ``act`` runs in a thread, when the form came from a page of this hub.

        checks_password: it runs in turn, raising Unavailable when too many wait.
        Whoever loads the address of a form again, or lets a page follow live that refused one, gets its page.
        """

        @route(path, http_method=["GET", "POST"], status_code=200)
        async def handler(request: AnyRequest) -> Response[Any]:
            if request.method != "POST":
                return Response(b"", status_code=303, headers={"location": f"/{path.split('/')[1]}"})
            self.gatekeeper.check_origin(request)
            form = _form(await body.read(request, FORM_BYTES_MAX, partial(self._admit_large, request)))
            work = partial(self._acted, request, act, form, public=public)
            address = visitor.address(request)
            answer = await (self.passwords.check(address, work) if checks_password else self._work(work))
            if answer.status_code == _DONE:  # who is refused makes nobody look
                await self.watch.refresh()
                for call in self.after_form:
                    call()
            return answer

        return handler

    def upload(
        self,
        path: str,
        place: Upload,
        act: Callable[[Visitor, OperatorError | None], Answer],
        *,
        may: Callable[[Visitor], bool],
    ) -> HTTPRouteHandler:
        """Return the route of a form that brings a file; ``act`` is told what went wrong, if anything did.

        may: who may send it; of others nothing is read.
        """

        @route(path, http_method=["GET", "POST"], status_code=200)
        async def handler(request: AnyRequest) -> Response[Any]:
            back = Response(b"", status_code=_DONE, headers={"location": f"/{path.split('/')[1]}"})
            if request.method != "POST":
                return back
            self.gatekeeper.check_origin(request)
            who = await self._work(partial(self.gatekeeper.identify, request))
            if not may(who):
                return back
            failure = None
            try:
                await place.receive(request, lambda fields: self.gatekeeper.check_form(who, fields.get("form_key", "")))
            except OperatorError as error:
                failure = error
            return await self._work(partial(_answered, who, act, failure))

        return handler

    async def _admit_large(self, request: AnyRequest) -> None:
        """Let a form be large if somebody is signed in; raises SignInNeeded."""
        self.gatekeeper.admit(await self._work(partial(self.gatekeeper.identify, request)))

    async def _work(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def render(self, template: str, who: Visitor, *, status: int = 200, **values: object) -> HtmlPage:
        """Fill a template in; ``values`` are for this page, what every page shows comes with it."""
        common = {
            "who": who,
            "closed": False,
            "note": who.words.say(NOTES[who.done]) if who.done in NOTES else "",
            "secure_sign_in": self._secure_url(who, "/sign-in"),
            "secure_setup": self._secure_url(who, "/setup"),
            "form_key": who.form_key,
            "facts": self.watch.facts,
            "hub_name": self.hub_name(),
            "secure_url": self._secure_url(who),
            "fingerprint": self.fingerprint,
            "options": self.options(),
            "revision": self.watch.revision,
        }
        return HtmlPage(look.page(template, who.words, {**common, **values}), status)

    def _shown(self, request: AnyRequest, show: Show, query: Form, *, public: bool) -> Response[Any]:
        who = self.gatekeeper.identify(request)
        if query.get("lang") in LANGUAGES:
            return _in_language(who, query)
        if not public:
            self.gatekeeper.admit(who)
        return _answered(who, show, query)

    def _acted(self, request: AnyRequest, act: Show, form: Form, *, public: bool) -> Response[Any]:
        who = self.gatekeeper.identify(request)
        if not public:
            unsent = Unsent.of(who.path, form)
            try:
                self.gatekeeper.admit(who)
            except SignInNeeded:
                if unsent.fields:
                    return respond(self.sign_in_again(who, unsent), who)
                raise
        self.gatekeeper.check_form(who, form.get("form_key", ""))
        return _answered(who, act, form)

    def sign_in_again(self, who: Visitor, unsent: Unsent) -> HtmlPage:
        """Ask whoever sent a form after their sign-in had ended to sign in, and keep the form meanwhile."""
        return self.render("sign_in.html", who, status=401, wrong="", name="", next="/", unsent=unsent)

    def _secure_url(self, who: Visitor, path: str = "") -> str:
        """Return the address of a page over TLS; "" when the hub has none."""
        port = self.https_port
        return f"https://{who.host}:{port}{path or who.path}" if port and who.host else ""


def _answered(who: Visitor, make: Callable[[Visitor, _T], Answer], given: _T) -> Response[Any]:
    with audit.by(who.account.actor if who.account else f"address:{who.address}"):
        return respond(make(who, given), who)


def _in_language(who: Visitor, query: Form) -> Response[Any]:
    """Keep the language that was chosen, and come back without it in the address."""
    rest = urlencode({name: value for name, value in query.items() if name != "lang"})
    path = "/" + quote(who.path.lstrip("/"))
    response = respond(Go(f"{path}?{rest}" if rest else path), who)
    response.cookies.append(visitor.language_cookie(query["lang"]))
    return response


def _form(raw: bytes | bytearray) -> Form:
    try:
        return dict(parse_qsl(bytes(raw).decode(), keep_blank_values=True, max_num_fields=_FIELDS_MAX))
    except ValueError:
        raise Malformed("not a form") from None
