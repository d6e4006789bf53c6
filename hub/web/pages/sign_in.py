"""Signing in and out: an administrator of this hub, or a Hikma user who is clinic administrator (S4)."""

import threading
from typing import Any

from hub.actions.people import setup
from hub.core.errors import TooMany
from hub.store.people import administrators, audit, page_sessions, users
from hub.store.people.page_sessions import Account, Kind
from hub.store.people.users import PASSWORD_BYTES_MAX
from hub.store.phones import sessions
from hub.web.answers import Answer, Go
from hub.web.desk import Desk, Form, may_administer
from hub.web.visitor import Visitor

_NAME_CHARS_MAX = 320
_HOME = "/"


def handlers(here: Desk) -> list[Any]:
    """Return the routes."""
    guesses = Guesses(here)

    def show(who: Visitor, query: Form) -> Answer:
        with here.store.read() as db:
            if not setup.is_done(db) and not any(users.every(db)):
                return Go("/setup")
        return Go(_HOME) if who.account and who.name else page(who, query)

    def page(who: Visitor, query: Form, *, wrong: str = "", status: int = 200) -> Answer:
        return here.render(
            "sign_in.html", who, status=status, wrong=wrong, name=query.get("name", ""), next=_inside(query.get("next"))
        )

    def sign_in(who: Visitor, form: Form) -> Answer:
        if not who.private:
            return page(who, {}, status=403)
        try:
            account = guesses.check(who.address, form.get("name", ""), form.get("password", ""))
        except TooMany as error:
            wait = who.words.span(error.retry_after_s or 0)
            wrong = who.words.say("Too many wrong passwords. Try again in {time}.", time=wait)
            return page(who, form, wrong=wrong, status=429)
        if account is None:
            return page(who, form, wrong=who.words.say("The name or the password is wrong."), status=401)
        with here.store.write() as tx:
            token = page_sessions.begin(tx, account)
        return Go(_inside(form.get("next")), token=token)

    def sign_out(who: Visitor, _form: Form) -> Answer:
        with here.store.write() as tx:
            page_sessions.end(tx, who.token)
        return Go(_HOME, "signed_out", token="")

    return [
        here.page("/sign-in", show, public=True),
        here.action("/sign-in/form", sign_in, public=True),
        here.action("/sign-out", sign_out, public=True),
    ]


class Guesses:
    """Checks passwords one at a time: parallel ones would all be tried before the first failure is counted."""

    def __init__(self, here: Desk) -> None:
        self._here = here
        self._turn = threading.Lock()

    def check(self, address: str, name: str, password: str) -> Account | None:
        """Return whose name and password these are; raises TooMany while it must be waited."""
        name = name.strip()[:_NAME_CHARS_MAX]
        keys = [f"account:{name.casefold()}", f"address:{address}"]
        with self._turn:
            self.wait(keys)
            account = self._account(name, password)
            with self._here.store.write() as tx:
                if account:
                    sessions.forget_failures(tx, keys)
                else:
                    sessions.note_failure(tx, keys)
                    audit.note(tx, "page.refused")
        return account

    def wait(self, keys: list[str]) -> None:
        """Raise TooMany while any of ``keys`` must wait."""
        options = self._here.options
        with self._here.store.read() as db:
            sessions.check_attempts(
                db,
                keys,
                now_ms=self._here.store.now_ms(db),
                free=options.attempts,
                wait_s=options.wait_s,
                wait_max_s=options.wait_max_s,
            )

    def _account(self, name: str, password: str) -> Account | None:
        with self._here.store.read() as db:
            if "@" not in name or administrators.exists(db, name):
                is_one = administrators.opens_with(db, name, password)
                return Account(Kind.ADMINISTRATOR, name) if is_one else None
            user = users.find_by_email(db, name)
            fits = len(password.encode()) <= PASSWORD_BYTES_MAX and (user or users.nobody()).opens_with(password)
            return Account(Kind.USER, user.id) if user and fits and may_administer(db, user) else None


def _inside(path: str | None) -> str:
    """Return a path of this hub; anything else, such as another site, becomes the first page."""
    is_path = path and path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if path and is_path else _HOME
