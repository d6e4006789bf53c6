"""The first visit: setup code, name, administrator, cloud, first phone; or the hub that was, from its copy.

It cannot be run twice.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec

from hub.actions.people import administrators, setup
from hub.actions.people.failures import Attempts
from hub.actions.people.page_sign_in import AccountKind
from hub.core.errors import SettingsRefused, TooMany
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.field import SettingsBook
from hub.web.frame import Form, Pages
from hub.web.pages import settings
from hub.web.pages.accounts import administrator_wrong
from hub.web.pages.finishing import LEFT, Finishing, about
from hub.web.pages.pairing import PairingOptions
from hub.web.pages.recovering import Recovering, RecoveryControl
from hub.web.pages.spare import Keeping, SpareControl
from hub.web.visitor import Visitor

_SHOWN_CHARS = 80


class SetupControl(msgspec.Struct, frozen=True):
    """What the setup can do beyond the database."""

    book: SettingsBook
    rename: Callable[[str], None]
    recovery: RecoveryControl
    spare: SpareControl
    connect: Callable[[str, str], object]
    """Verifies a key with the cloud at an address and keeps both; raises HubError."""
    pairing: Callable[[], PairingOptions]


def handlers(here: Pages, store: Store, attempts: Attempts, control: SetupControl) -> list[Any]:
    """Return the routes."""
    return _Setup(here, store, attempts, control).routes()


class _Setup:
    """The steps."""

    def __init__(self, here: Pages, store: Store, attempts: Attempts, control: SetupControl) -> None:
        self._here = here
        self._store = store
        self._attempts = attempts
        self._book = control.book
        self._name_hub = control.rename
        self._recovering = Recovering(here, control.recovery)
        self._keeping = Keeping(here, control.spare)
        self._rest = Finishing(here, store, control.connect, control.pairing)

    def routes(self) -> list[Any]:
        """Return them."""
        return [
            self._here.page("/setup", self._show, public=True),
            self._here.action("/setup/code", self._enter, public=True),
            *self._recovering.routes(),
            *self._keeping.routes(),
            self._here.action("/setup/name", self._rename, public=True),
            self._here.action("/setup/administrator", self._finish, public=True),
            *self._rest.routes(),
        ]

    def _page(self, who: Visitor, step: str, *, wrong: str = "", status: int = 200, name: str = "") -> Answer:
        return self._here.render(
            "setup.html",
            who,
            status=status,
            **about(step, behind=("name",) if step == "administrator" else ()),
            wrong=wrong,
            name=name,
            password_chars=administrators.PASSWORD_CHARS_MIN,
        )

    def _show(self, who: Visitor, query: Form) -> Answer:
        step = query.get("step", "")
        if self._is_done():
            return self._left(who, step)
        if who.account is None or who.account.kind is not AccountKind.SETUP:
            return self._page(who, "code")
        if self._recovering.begins_with(step):
            return self._recovering.page(who, step)
        if step == "spare":
            return self._keeping.page(who)
        return self._page(who, "administrator" if step == "administrator" else "name", name=self._here.hub_name())

    def _left(self, who: Visitor, step: str) -> Answer:
        """Go on where the setup was left; it is over for everybody else."""
        if not (who.account and who.name):
            return Go("/sign-in")
        next_step = setup.step(self._store)
        if step in LEFT:
            return self._rest.page(who, step)
        return Go(f"/setup?step={next_step}" if next_step in LEFT else "/")

    def _is_done(self) -> bool:
        return setup.is_done(self._store)

    def _enter(self, who: Visitor, form: Form) -> Answer:
        if self._is_done() or not who.private:
            return Go("/setup")
        code, attempts = form.get("code", ""), self._attempts
        try:
            token = setup.enter(self._store, code, address=who.address, attempts=attempts)
        except TooMany as error:
            wait = who.words.span(error.retry_after_s or 0)
            wrong = who.words.say("Too many wrong codes. Try again in {time}.", time=wait)
            return self._page(who, "code", wrong=wrong, status=429)
        if token is None:
            return self._page(who, "code", wrong=who.words.say("This is not the setup code."), status=403)
        return Go("/setup", token=token)

    def _rename(self, who: Visitor, form: Form) -> Answer:
        if not _is_setting_up(who):
            return Go("/setup")
        wrong = settings.take_name(self._name_hub, who, form)
        if wrong:
            return self._page(who, "name", wrong=wrong, status=400, name=form.get("name", "")[:_SHOWN_CHARS])
        self._speak(who.words.code)
        return Go("/setup?step=administrator")

    def _speak(self, code: str) -> None:
        """Let the box speak the language of this visit, unless its settings name one or cannot be changed here."""
        listed = self._book.listed().fields
        if any(field.name == "hub.language" and field.is_default for field in listed):
            with contextlib.suppress(SettingsRefused):
                self._book.change({"hub.language": code})

    def _finish(self, who: Visitor, form: Form) -> Answer:
        if not _is_setting_up(who) or not who.private:
            return Go("/setup")
        name, password = form.get("name", "").strip(), form.get("password", "")
        wrong = administrator_wrong(who, name, password, form.get("again", ""))
        if wrong:
            return self._page(who, "administrator", wrong=wrong, status=400, name=name[: administrators.NAME_CHARS_MAX])
        token = setup.finish(self._store, name, password)
        return Go("/setup?step=cloud", token=token) if token else Go("/sign-in")


def _is_setting_up(who: Visitor) -> bool:
    return who.account is not None and who.account.kind is AccountKind.SETUP
