"""Files that are taken away from the page of the box: the backup, and the support file (O4, S6)."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any

import structlog

from hub.actions.people import audit
from hub.core import encrypted_stream
from hub.core.errors import OperatorError
from hub.core.log_events import LogEvent
from hub.services.machine.switch import Switch
from hub.store.database import Store
from hub.web.answers import Answer, Download, Flow, Go
from hub.web.frame import Form, Pages
from hub.web.pages import box
from hub.web.visitor import Visitor
from hub.words import Words

log = structlog.get_logger()


def handlers(
    here: Pages,
    store: Store,
    switch: Switch,
    *,
    make_support: Callable[[], bytes],
    make_backup: Callable[[str], Iterator[bytes]],
) -> list[Any]:
    """Return the routes."""
    box_page = partial(box.page, here, store, switch)

    def support(_who: Visitor, _form: Form) -> Answer:
        audit.note(store, "support.exported")
        return support_file(make_support())

    def backup(who: Visitor, form: Form) -> Answer:
        if not who.unheard:
            return Go("/box")
        passphrase = form.get("passphrase", "")
        wrong = passphrase_wrong(who.words, passphrase, form.get("again", ""))
        if wrong:
            return box_page(who, wrong)
        try:
            pieces = make_backup(passphrase)
            first = next(pieces)  # the copy is made before it: what fails can still be told on the page
        except OperatorError as error:
            log.warning(LogEvent.BACKUP_FAILED, reason=str(error))
            return box.page(
                here,
                store,
                switch,
                who,
                who.words.say("Backup failed: there is not enough free space for another copy."),
            )
        audit.note(store, "backup.made")
        return Flow(chain([first], pieces), _named("hikma-hub-%Y%m%d-%H%M.backup"))

    return [here.action("/box/support-file", support), here.action("/box/backup", backup)]


def support_file(content: bytes) -> Download:
    """Return the answer that brings the support file."""
    return Download(content, _named("hikma-hub-support-%Y%m%d-%H%M.zip"), "application/zip")


def _named(form: str) -> str:
    return time.strftime(form, time.gmtime())


def passphrase_wrong(words: Words, passphrase: str, again: str) -> str:
    """Say what is wrong with a passphrase; "" if nothing is."""
    if not encrypted_stream.is_fit(passphrase):
        return words.count(
            "A passphrase needs at least {count} character.",
            "A passphrase needs at least {count} characters.",
            encrypted_stream.PASSPHRASE_CHARS_MIN,
        )
    return "" if passphrase == again else words.say("The two passphrases are not the same.")
