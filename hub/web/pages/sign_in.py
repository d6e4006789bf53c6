"""Signing in and out: an administrator of this hub, or a Hikma user who is clinic administrator (S4)."""

from typing import Any

import msgspec

from hub.actions.people import page_sign_in, setup
from hub.actions.people.failures import Attempts
from hub.core.errors import Malformed, TooMany
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.unsent import Unsent
from hub.web.visitor import Visitor

_HOME = "/"


def handlers(here: Pages, store: Store, attempts: Attempts) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, query: Form) -> Answer:
        if setup.is_pending(store):
            return Go("/setup")
        return Go(_HOME) if who.account and who.name else page(who, query)

    def page(who: Visitor, query: Form, *, wrong: str = "", status: int = 200) -> Answer:
        return here.render(
            "sign_in.html",
            who,
            status=status,
            wrong=wrong,
            name=query.get("name", ""),
            next=_inside(query.get("next")),
            unsent=Unsent.found(query),
        )

    def sign_in(who: Visitor, form: Form) -> Answer:
        if not who.private:
            return page(who, {}, status=403)
        after = _inside(form.get("next"))
        try:
            token = page_sign_in.sign_in(
                store,
                form.get("name", ""),
                form.get("password", ""),
                address=who.address,
                attempts=attempts,
            )
        except TooMany as error:
            wait = who.words.span(error.retry_after_s or 0)
            wrong = who.words.say("Too many wrong passwords. Try again in {time}.", time=wait)
            return page(who, form, wrong=wrong, status=429)
        if token is None:
            return page(who, form, wrong=who.words.say("The name or the password is wrong."), status=401)
        unsent = Unsent.found(form)
        return resume(msgspec.structs.replace(who, token=token), unsent) if unsent else Go(after, token=token)

    def resume(who: Visitor, unsent: Unsent) -> Answer:
        shown = here.render("resume.html", who, unsent=unsent)
        return msgspec.structs.replace(shown, token=who.token)

    def sign_out(who: Visitor, _form: Form) -> Answer:
        page_sign_in.sign_out(store, who.token)
        return Go(_HOME, "signed_out", token="")

    return [
        here.page("/sign-in", show, public=True),
        here.action("/sign-in/form", sign_in, public=True, checks_password=True),
        here.action("/sign-out", sign_out, public=True),
    ]


def _inside(path: str | None) -> str:
    """Return a path of this hub; anything else, such as another site, becomes the first page.

    Raises Malformed for what can be no address: other letters than a browser writes in one.
    """
    if path and not path.isascii():
        raise Malformed("not an address")
    is_path = path and path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if path and is_path else _HOME
