"""The page of the copy on a USB stick: whether it has everything, beginning and ending it."""

from collections.abc import Callable
from typing import Any

import msgspec

from hub.core import encrypted_stream
from hub.core.errors import OperatorError
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.pages.files import passphrase_wrong
from hub.web.visitor import Visitor
from hub.words import status as said


class CopyControl(msgspec.Struct, frozen=True):
    """What the page can do."""

    is_seen: Callable[[], bool]
    """Whether a stick is in, on which a copy can be begun."""
    start: Callable[[str], object]
    """Begins a copy on it, for a recovery passphrase; raises OperatorError."""
    stop: Callable[[], object]


def handlers(here: Pages, control: CopyControl) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        return page(who)

    def page(who: Visitor, wrong: str = "") -> Answer:
        return here.render(
            "copy.html",
            who,
            status=400 if wrong else 200,
            wrong=wrong,
            where=said.copies(who.words, here.watch.facts),
            is_seen=control.is_seen(),
            passphrase_chars=encrypted_stream.PASSPHRASE_CHARS_MIN,
        )

    def start(who: Visitor, form: Form) -> Answer:
        if not who.unheard:
            return Go("/copy")
        wrong = passphrase_wrong(who.words, form.get("passphrase", ""), form.get("again", ""))
        if wrong:
            return page(who, wrong)
        try:
            control.start(form["passphrase"])
        except OperatorError:
            return page(who, who.words.say("The stick cannot be written. Try another one."))
        return Go("/copy", "copy_started")

    def stop(_who: Visitor, _form: Form) -> Answer:
        control.stop()
        return Go("/copy", "copy_stopped")

    return [here.page("/copy", show), here.action("/copy/start", start), here.action("/copy/stop", stop)]
