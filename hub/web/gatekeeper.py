"""Who visits and what they may: recognises visitors, keeps pages for those who signed in, and checks forms (S4, S6)."""

from collections.abc import Callable

import msgspec

from hub.actions.people import page_sign_in
from hub.actions.people.page_sign_in import AccountKind
from hub.core.errors import Forbidden
from hub.store.database import Store
from hub.web import visitor
from hub.web.body import AnyRequest
from hub.web.visitor import Visitor


class EntryRules(msgspec.Struct, frozen=True):
    """What the settings say about visitors."""

    plain_sign_in: bool
    """Take passwords over a connection that others can listen to."""
    idle_minutes: int
    language: str
    """Code of the language for browsers that ask for none of the hub's."""


class SignInNeeded(Exception):
    """Nobody is signed in."""


class Gatekeeper:
    """Decides who a request comes from, and whether a page or a form is for them."""

    def __init__(self, store: Store, rules: Callable[[], EntryRules]) -> None:
        """Take the rules as a function, for they may change while the hub runs."""
        self._store = store
        self._rules = rules

    def recognise(self, request: AnyRequest) -> Visitor:
        """Read who asks from a request; nobody is signed in yet."""
        rules = self._rules()
        return visitor.recognise(request, plain_allowed=rules.plain_sign_in, language=rules.language)

    def identify(self, request: AnyRequest) -> Visitor:
        """Return the visitor, with the account if somebody is signed in."""
        who = self.recognise(request)
        if who.is_new:
            return who
        found = page_sign_in.recognise(self._store, who.token, idle_ms=self._rules().idle_minutes * 60_000)
        return msgspec.structs.replace(who, account=found.account, name=found.name) if found else who

    def admit(self, who: Visitor) -> None:
        """Raise SignInNeeded unless an administrator, or a user who may administer, is signed in."""
        if who.account is None or who.account.kind is AccountKind.SETUP:
            raise SignInNeeded

    def check_form(self, who: Visitor, form_key: str) -> None:
        """Raise Forbidden unless a form comes from a page that this visitor was shown."""
        if who.is_new or not who.owns(form_key):
            raise Forbidden("the form is too old; load the page again")

    def check_origin(self, request: AnyRequest) -> None:
        """Refuse forms that another site sends; browsers say where a form comes from, and a page cannot change it."""
        site = request.headers.get("sec-fetch-site", "same-origin")
        origin = request.headers.get("origin", "")
        host = request.headers.get("host", "")
        if site not in {"same-origin", "none"} or (origin and origin.split("://")[-1] != host):
            raise Forbidden("the form came from another site")
