"""Receives visitors of the pages: recognises them, keeps out who may not come in, hands forms on (S4, S6)."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Response, get, route
from litestar.handlers import HTTPRouteHandler

from hub.actions.box import identity
from hub.actions.people import audit, page_sign_in
from hub.actions.people.failures import Attempts
from hub.actions.people.page_sign_in import Kind
from hub.core.errors import Forbidden, Malformed
from hub.core.phone.reach import Moved
from hub.services.machine.switch import Switch
from hub.services.rpc.dispatch import Rpc
from hub.services.status.watch import StatusWatch
from hub.store.database import Store
from hub.web import body, look, visitor
from hub.web.answers import Answer, Go, Page, respond
from hub.web.body import AnyRequest
from hub.web.field import Book
from hub.web.notes import NOTES
from hub.web.visitor import Visitor
from hub.words import LANGUAGES

FORM_BYTES_MAX = 64 * 1024
_FIELDS_MAX = 100

Form = Mapping[str, str]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say about the pages."""

    data: Path
    """Folder of the hub's data."""
    port: int
    """Where phones find the hub."""
    plain_sign_in: bool
    """Take passwords over a line that others can listen to."""
    idle_minutes: int
    show_lights: bool
    pairing_minutes: int
    pairing_always: bool
    quarantine_max: int
    attempts: Attempts
    host: Callable[[], str]
    """Gives the address that the QR code carries."""
    moved: Callable[[], list[Moved]]
    """Gives the addresses that phones use and the hub has not got any more."""
    language: str
    """Code of the language for browsers that ask for none of the hub's."""


class Relay(msgspec.Struct, frozen=True):
    """What a page can do about the cloud."""

    connect: Callable[[str, str], object]
    """Checks a key with the cloud at an address and keeps it; raises HubError."""
    disconnect: Callable[[], None]
    sync: Callable[[], None]
    """Begins a cycle now, and does not wait for it."""


class SignInNeeded(Exception):
    """Nobody is signed in."""


class Desk:
    """What the pages share, and the way in to them."""

    def __init__(
        self,
        store: Store,
        rpc: Rpc,
        watch: StatusWatch,
        *,
        switch: Switch,
        relay: Relay,
        settings: Book,
        support: Callable[[], bytes],
        backup: Callable[[str], Iterator[bytes]],
        options: Options,
    ) -> None:
        self.store = store
        self.rpc = rpc
        self.watch = watch
        self.switch = switch
        self.relay = relay
        self.settings = settings
        self.support = support
        """Makes the support file, a zip."""
        self.backup = backup
        """Gives the backup, locked with a passphrase; raises OperatorError before its first piece."""
        self.options = options
        self.after_form: list[Callable[[], None]] = []
        """Called in the event loop when a form has done something: what it changed may have to be told on."""
        self.https_port = 0
        """Where the pages are served over TLS; 0 for nowhere."""

    def page(self, path: str, show: Callable[[Visitor, Form], Answer], *, public: bool = False) -> HTTPRouteHandler:
        """Return the route of a page; ``show`` runs in a thread, with the visitor and the query."""

        @get(path)
        async def handler(request: AnyRequest) -> Response[Any]:
            query = dict(parse_qsl(request.url.query, max_num_fields=_FIELDS_MAX))
            return await asyncio.to_thread(self._answer, request, show, query, public=public)

        return handler

    def action(self, path: str, act: Callable[[Visitor, Form], Answer], *, public: bool = False) -> HTTPRouteHandler:
        """Return the route of a form; ``act`` runs in a thread, when the form came from a page of this hub.

        Whoever loads the address of a form again, or lets a page follow live that refused one, gets its page.
        """

        @route(path, http_method=["GET", "POST"], status_code=200)
        async def handler(request: AnyRequest) -> Response[Any]:
            if request.method != "POST":
                return Response(b"", status_code=303, headers={"location": f"/{path.split('/')[1]}"})
            _check_origin(request)
            form = _form(await body.read(request, FORM_BYTES_MAX))
            answer = await asyncio.to_thread(self._answer, request, act, form, public=public, is_form=True)
            await self.watch.refresh()
            for tell in self.after_form:
                tell()
            return answer

        return handler

    def render(self, template: str, who: Visitor, *, status: int = 200, **values: object) -> Page:
        """Make a page of a template."""
        facts = self.watch.facts
        common = {
            "who": who,
            "closed": False,
            "note": who.words.say(NOTES[who.done]) if who.done in NOTES else "",
            "secure_sign_in": self.secure_url(who, "/sign-in"),
            "secure_setup": self.secure_url(who, "/setup"),
            "form_key": who.form_key,
            "facts": facts,
            "hub_name": self.name(),
            "secure_url": self.secure_url(who),
            "options": self.options,
            "revision": self.watch.revision,
        }
        return Page(look.page(template, who.words, {**common, **values}), status)

    def recognise(self, request: AnyRequest) -> Visitor:
        """Read who asks from a request; nobody is signed in yet."""
        options = self.options
        return visitor.recognise(request, plain_allowed=options.plain_sign_in, language=options.language)

    def name(self) -> str:
        """Return the hub's name."""
        return self.rpc.name

    def rename(self, new: str) -> None:
        """Return the hub a name, on its page and to phones."""
        identity.rename(self.store, new)
        self.rpc.name = new

    def obey(self, options: Options) -> None:
        """Go by what the settings say now."""
        self.options = options

    def secure_url(self, who: Visitor, path: str = "") -> str:
        """Return the address of a page over TLS; "" when the hub has none."""
        port = self.https_port
        return f"https://{who.host}:{port}{path or who.path}" if port and who.host else ""

    def _answer(
        self,
        request: AnyRequest,
        make: Callable[[Visitor, Form], Answer],
        given: Form,
        *,
        public: bool,
        is_form: bool = False,
    ) -> Response[Any]:
        who = self._signed_in(self.recognise(request))
        if not is_form and given.get("lang") in LANGUAGES:
            return _in_language(who, given)
        if not public and (who.account is None or who.account.kind is Kind.SETUP):
            raise SignInNeeded
        if is_form and (who.is_new or not who.owns(given.get("form_key", ""))):
            raise Forbidden("the form is too old; load the page again")
        with audit.by(who.account.actor if who.account else f"address:{who.address}"):
            return respond(make(who, given), who)

    def _signed_in(self, who: Visitor) -> Visitor:
        """Look up who is signed in; nobody is whose account has gone or lost its permission meanwhile."""
        if who.is_new:
            return who
        found = page_sign_in.recognise(self.store, who.token, idle_ms=self.options.idle_minutes * 60_000)
        return msgspec.structs.replace(who, account=found.account, name=found.name) if found else who


def _in_language(who: Visitor, query: Form) -> Response[Any]:
    """Keep the language that was chosen, and come back without it in the address."""
    rest = urlencode({name: value for name, value in query.items() if name != "lang"})
    response = respond(Go(f"{who.path}?{rest}" if rest else who.path), who)
    response.cookies.append(visitor.language_cookie(query["lang"]))
    return response


def _check_origin(request: AnyRequest) -> None:
    """Refuse forms that another site sends; browsers say where a form comes from, and a page cannot change it."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", "")
    host = request.headers.get("host", "")
    if site not in {"same-origin", "none"} or (origin and origin.split("://")[-1] != host):
        raise Forbidden("the form came from another site")


def _form(raw: bytes | bytearray) -> Form:
    try:
        return dict(parse_qsl(bytes(raw).decode(), keep_blank_values=True, max_num_fields=_FIELDS_MAX))
    except ValueError:
        raise Malformed("not a form") from None
