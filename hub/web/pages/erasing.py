"""Erasing everything on this hub for good, for an administrator who proves by name and password to mean it."""

from collections.abc import Callable
from typing import Any

from hub.actions.people import page_sign_in
from hub.actions.people.failures import Attempts
from hub.actions.people.page_sign_in import Account
from hub.core.errors import TooMany
from hub.services.machine.switch import Switch
from hub.store.database import Store
from hub.web.answers import Answer
from hub.web.frame import Form, Pages
from hub.web.pages.box import later
from hub.web.visitor import Visitor

BoxPage = Callable[..., Answer]
"""Shows the page of the box; ``erase_wrong`` says why nothing was erased."""


def handlers(here: Pages, store: Store, switch: Switch, attempts: Attempts, box_page: BoxPage) -> list[Any]:
    """Return the routes; none where this machine cannot be erased from here."""

    def erase(who: Visitor, form: Form) -> Answer:
        wrong = _wrong(who, form)
        return box_page(who, erase_wrong=wrong) if wrong else later(store, "box.erased", switch.erase, "erasing")

    def _wrong(who: Visitor, form: Form) -> str:
        if form.get("name", "").strip() != here.hub_name():
            return who.words.say("This is not the name of this hub. Nothing was erased.")
        try:
            if who.unheard and who.account and _is_theirs(who, who.account, form.get("password", "")):
                return ""
        except TooMany as error:
            wait = who.words.span(error.retry_after_s or 0)
            return who.words.say("Too many wrong passwords. Try again in {time}.", time=wait)
        return who.words.say("This is not your password. Nothing was erased.")

    def _is_theirs(who: Visitor, account: Account, password: str) -> bool:
        return page_sign_in.confirm(store, account, password, address=who.address, attempts=attempts)

    return [here.action("/box/erase", erase, checks_password=True)] if switch.erase_command else []
