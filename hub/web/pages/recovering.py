"""A new hub becomes one that was: of the copy that is found, or of a backup file that a browser brings."""

from collections.abc import Callable
from typing import Any

import msgspec

from hub.actions.people.page_sign_in import AccountKind
from hub.core.errors import HubError, NoRoom, NotABackup, OperatorError, TooNew, WrongPassphrase
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.upload import Upload
from hub.web.visitor import Visitor


class FoundCopy(msgspec.Struct, frozen=True):
    """The copy of a hub that this one could become."""

    hub_name: str
    written_ms: int
    """By the clock of the hub that wrote it."""


class FoundFile(msgspec.Struct, frozen=True):
    """A backup file that was uploaded; of which hub, only its passphrase tells."""

    size_bytes: int


class RecoveryControl(msgspec.Struct, frozen=True):
    """What becomes of a copy that is there, or of a backup file."""

    found: Callable[[], FoundCopy | FoundFile | None]
    is_under_way: Callable[[], bool]
    failure: Callable[[], Exception | None]
    begin: Callable[[str], object]
    """Begins to make the hub of it, for a passphrase; raises OperatorError for a wrong one."""
    upload: Upload
    look_at_upload: Callable[[], object]
    """Removes what was uploaded if it is no backup, and raises NotABackup."""


class Recovering(msgspec.Struct, frozen=True):
    """The pages of it, for whoever sets a hub up."""

    here: Pages
    control: RecoveryControl

    def routes(self) -> list[Any]:
        """Return those of its forms."""
        return [
            self.here.upload("/setup/backup", self.control.upload, self._uploaded, may=may_recover),
            self.here.action("/setup/recover", self._recover, public=True),
        ]

    def begins_with(self, step: str) -> bool:
        """Whether a step of the setup is one of these pages."""
        if self.control.is_under_way() or step == "backup":
            return True
        return step in {"", "recover"} and self.control.found() is not None

    def page(self, who: Visitor, step: str, *, wrong: str = "") -> Answer:
        """Show what is found, or the form for a backup file."""
        found = self.control.found()
        is_under_way = self.control.is_under_way()
        failure = self.control.failure()
        if step == "backup" and not is_under_way:
            found = None
        return self.here.render(
            "recover.html",
            who,
            status=400 if wrong else 200,
            copy=found if isinstance(found, FoundCopy) else None,
            file=found if isinstance(found, FoundFile) else None,
            is_under_way=is_under_way,
            wrong=wrong or (explained(who, failure) if failure and found else ""),
        )

    def _uploaded(self, who: Visitor, failure: OperatorError | None) -> Answer:
        try:
            if failure:
                raise failure
            self.control.look_at_upload()
        except OperatorError as error:
            return self.page(who, "backup", wrong=explained(who, error))
        return Go("/setup?step=recover")

    def _recover(self, who: Visitor, form: Form) -> Answer:
        """Become that hub. A guess at the passphrase costs a second, and somebody knew the code."""
        if not may_recover(who) or not self.control.found():
            return Go("/setup")
        try:
            self.control.begin(form.get("passphrase", ""))
        except OperatorError as error:
            return self.page(who, "recover", wrong=explained(who, error))
        return Go("/setup?step=recover")


def may_recover(who: Visitor) -> bool:
    """Whether this is somebody who sets a new hub up, over a line on which a passphrase may be asked for."""
    return who.account is not None and who.account.kind is AccountKind.SETUP and who.private


def explained(who: Visitor, error: HubError | Exception) -> str:
    """Say why a hub could not be made, and what to do."""
    words = who.words
    match error:
        case WrongPassphrase():
            return words.say(
                "This passphrase does not open it, or the copy is damaged. Small and capital letters differ."
            )
        case NotABackup():
            return words.say("This file is not a backup of a hub. Its name ends with .backup.")
        case TooNew():
            return words.say("A newer hub made this backup. A technician updates this device first.")
        case NoRoom():
            return words.say(
                "There is not enough free space: {needed} are needed, {free} are free.",
                needed=words.size(error.needed_bytes),
                free=words.size(error.free_bytes),
            )
        case _:
            return words.say("This did not work: the copy is damaged or incomplete. Try another one if there is one.")
