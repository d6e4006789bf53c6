"""The page of the copy on a USB stick or a spare: whether it has everything, beginning and ending it."""

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

_CODE_CHARS_MAX = 400


class CopyControl(msgspec.Struct, frozen=True):
    """What the page can do."""

    is_seen: Callable[[], bool]
    """Whether a stick is in, on which a copy can be begun."""
    start: Callable[[str], object]
    """Begins a copy on it, for a recovery passphrase; raises OperatorError."""
    join: Callable[[str, str], object]
    """Begins a copy on another hub, for its code and a recovery passphrase; raises OperatorError."""
    stop: Callable[[], object]
    is_on_spare: Callable[[], bool]
    """Whether the copy that is kept is on a spare."""
    prints: Callable[[], bool]
    """Whether the passphrase goes onto the sheet for the safe, this once: it is not kept."""


def handlers(here: Pages, control: CopyControl, sheet: Callable[[Visitor, str], Answer]) -> list[Any]:
    """Return the routes; ``sheet`` shows the emergency sheet with a passphrase on it."""

    def show(who: Visitor, _query: Form) -> Answer:
        return page(who)

    def page(who: Visitor, wrong: str = "", code: str = "") -> Answer:
        return here.render(
            "copy.html",
            who,
            status=400 if wrong else 200,
            wrong=wrong,
            code=code,
            where=said.copies(who.words, here.watch.facts),
            is_seen=control.is_seen(),
            is_on_spare=control.is_on_spare(),
            passphrase_chars=encrypted_stream.PASSPHRASE_CHARS_MIN,
        )

    def start(who: Visitor, form: Form) -> Answer:
        if not who.unheard:
            return Go("/copy")
        wrong = passphrase_wrong(who.words, form.get("passphrase", ""), form.get("again", ""))
        code = form.get("code", "").strip()[:_CODE_CHARS_MAX]
        wrong = wrong or _begun(who, control, code, form["passphrase"])
        if wrong:
            return page(who, wrong, code)
        if control.prints():
            return sheet(who, form["passphrase"])
        return Go("/copy", "copy_joined" if code else "copy_started")

    def stop(_who: Visitor, _form: Form) -> Answer:
        control.stop()
        return Go("/copy", "copy_stopped")

    return [here.page("/copy", show), here.action("/copy/start", start), here.action("/copy/stop", stop)]


def _begun(who: Visitor, control: CopyControl, code: str, passphrase: str) -> str:
    """Begin a copy, with a code on a spare; returns what went wrong, "" if nothing did."""
    try:
        if code:
            control.join(code, passphrase)
        else:
            control.start(passphrase)
    except OperatorError:
        if code:
            return who.words.say(
                "The spare does not answer, or this is not its code. Both devices must be in one network."
            )
        return who.words.say("The stick cannot be written. Try another one.")
    return ""
