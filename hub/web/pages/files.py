"""Files that are taken away from the page of the box: the backup, and the support file (O4, S6)."""

import time
from itertools import chain
from typing import Any

import structlog

from hub.actions.people import audit
from hub.core import encrypted_stream
from hub.core.errors import OperatorError
from hub.web.answers import Answer, Download, Flow, Go
from hub.web.desk import Desk, Form
from hub.web.pages import box
from hub.web.visitor import Visitor
from hub.words import Words

log = structlog.get_logger()


def handlers(here: Desk) -> list[Any]:
    """Return the routes."""

    def support(_who: Visitor, _form: Form) -> Answer:
        audit.note(here.store, "support.exported")
        return Download(here.support(), _named("hikma-hub-support-%Y%m%d-%H%M.zip"), "application/zip")

    def backup(who: Visitor, form: Form) -> Answer:
        if not who.unheard:
            return Go("/box")
        passphrase = form.get("passphrase", "")
        wrong = _wrong(who.words, passphrase, form.get("again", ""))
        if wrong:
            return box.page(here, who, wrong)
        try:
            pieces = here.backup(passphrase)
            first = next(pieces)  # the copy is made before it: what fails can still be told on the page
        except OperatorError as error:
            log.warning("backup", reason=str(error))
            return box.page(here, who, who.words.say("The backup could not be made. Is there room for another copy?"))
        audit.note(here.store, "backup.made")
        return Flow(chain([first], pieces), _named("hikma-hub-%Y%m%d-%H%M.backup"))

    return [here.action("/box/support-file", support), here.action("/box/backup", backup)]


def _named(form: str) -> str:
    return time.strftime(form, time.gmtime())


def _wrong(words: Words, passphrase: str, again: str) -> str:
    """Say what is wrong with a passphrase; "" if nothing is."""
    if not encrypted_stream.is_fit(passphrase):
        least = words.number(encrypted_stream.PASSPHRASE_CHARS_MIN)
        return words.say("A passphrase has at least {least} characters.", least=least)
    return "" if passphrase == again else words.say("The two passphrases are not the same.")
