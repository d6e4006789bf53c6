"""A new device keeps the copies of other hubs: beginning and ending it, its code, and how far each copy goes."""

from collections.abc import Callable
from typing import Any

import msgspec

from hub.core.errors import OperatorError
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.pages.recovering import may_recover
from hub.web.visitor import Visitor


class KeptCopy(msgspec.Struct, frozen=True):
    """The copy of a hub that is kept here."""

    hub_name: str
    written_s: float
    """How long ago the last of it was written, in seconds."""
    is_whole: bool
    """This device could become that hub."""


class SpareControl(msgspec.Struct, frozen=True):
    """What a new device can do as a spare."""

    is_one: Callable[[], bool]
    code: Callable[[], str]
    """Begins it, once, and returns the code by which a hub joins; raises OperatorError."""
    kept: Callable[[], list[KeptCopy]]
    end: Callable[[bool], object]
    """Ends it; true: and deletes the copies."""


class Keeping(msgspec.Struct, frozen=True):
    """The pages of it, for whoever sets the device up."""

    here: Pages
    control: SpareControl

    def routes(self) -> list[Any]:
        """Return those of its forms."""
        return [
            self.here.action("/setup/spare", self._begin, public=True),
            self.here.action("/setup/spare/end", self._end, public=True),
        ]

    def page(self, who: Visitor, *, wrong: str = "") -> Answer:
        """Show whether this device is a spare."""
        is_one = self.control.is_one()
        return self.here.render(
            "spare.html",
            who,
            status=400 if wrong else 200,
            is_one=is_one,
            code=self.control.code() if is_one else "",
            kept=self.control.kept(),
            wrong=wrong,
        )

    def _begin(self, who: Visitor, _form: Form) -> Answer:
        if not may_recover(who):
            return Go("/setup")
        try:
            self.control.code()
        except OperatorError:
            return self.page(who, wrong=who.words.say("This device takes no copies: a setting forbids it."))
        return Go("/setup?step=spare")

    def _end(self, who: Visitor, form: Form) -> Answer:
        if not may_recover(who):
            return Go("/setup")
        self.control.end("delete" in form)
        return Go("/setup?step=spare")
