"""The page of updates: what runs, what is there to install, how the last one went, and the way back."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from hub import __version__
from hub.actions.people import audit
from hub.core.errors import NoRoom, OperatorError
from hub.core.log_events import LogEvent
from hub.core.update.refusal import Refusal
from hub.core.update.told import Told
from hub.core.update.wishes import Discard, GoBack, Install, Look, Source, Try, Wish
from hub.desk import Desk
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.gatekeeper import SignInNeeded
from hub.web.upload import Upload
from hub.web.visitor import Visitor
from hub.words import updates as said

SOURCES: Final = {
    Source.STICK: "On the USB stick",
    Source.UPLOAD: "Sent to the hub",
    Source.ADDRESS: "At the organisation's address",
}

log = structlog.get_logger()


class UpdateControl(msgspec.Struct, frozen=True):
    """What the page can do; nothing where the desk is not open."""

    desk: Desk
    upload: Upload
    url: Callable[[], str]
    """The organisation's address; "" for none."""
    may_fetch: Callable[[int], bool]
    """Whether so many bytes may still come over the internet connection this month."""
    has_two: bool = False
    """Whether the card has two systems."""


class UpdatePages(msgspec.Struct, frozen=True):
    """The page and its forms."""

    here: Pages
    store: Store
    control: UpdateControl

    def routes(self) -> list[Any]:
        """Return them; none where this machine cannot be updated from here."""
        if not self.control.desk.is_open:
            return []
        return [
            self.here.page("/updates", lambda who, _query: self._page(who)),
            self.here.action("/updates/look", self._look),
            self.here.action("/updates/install", self._install),
            self.here.action("/updates/try", lambda who, _form: self._ask(who, Try(), "box.update_asked")),
            self.here.action("/updates/back", lambda who, _form: self._ask(who, GoBack(), "box.update_back")),
            self.here.action("/updates/discard", lambda who, _form: self._ask(who, Discard())),
            self.here.upload("/updates/send", self.control.upload, self._sent, may=self._may_send),
        ]

    def _page(self, who: Visitor, wrong: str = "") -> Answer:
        told = self.control.desk.told(Told)
        return self.here.render(
            "updates.html",
            who,
            status=400 if wrong else 200,
            version=__version__,
            told=told,
            is_waiting=self.control.desk.is_waiting,
            is_busy=self._is_busy,
            last=said.became(who.words, told.last) if told.last else "",
            has_two=self.control.has_two,
            one_system=who.words.say(Refusal.ONE_SYSTEM.sentence),
            sources=SOURCES,
            say=partial(said.found, who.words),
            url=self.control.url(),
            wrong=wrong,
        )

    def _look(self, who: Visitor, _form: Form) -> Answer:
        return self._ask(who, Look(address=bool(self.control.url())))

    def _install(self, who: Visitor, form: Form) -> Answer:
        told = self.control.desk.told(Told)
        found = next((one for one in told.installable if one.source == form.get("source")), None)
        if found is None:
            return self._page(who, who.words.say(Refusal.NOT_THERE.sentence))
        if found.source is Source.ADDRESS and not self.control.may_fetch(found.size_bytes):
            return self._page(who, who.words.say(Refusal.OVER_BUDGET.sentence))
        return self._ask(who, Install(found.source), "box.update_asked")

    def _ask(self, who: Visitor, wish: Wish, event: str = "") -> Answer:
        if self._is_busy:
            return self._page(who, who.words.say(Refusal.BUSY.sentence))
        if event:
            audit.note(self.store, event)
        try:
            self.control.desk.ask(wish)
        except OSError as error:
            log.warning(LogEvent.UPDATE_REFUSED, reason=str(error))
            return self._page(who, who.words.say(Refusal.FAILED.sentence, detail=str(error)))
        return Go("/updates")

    def _sent(self, who: Visitor, failure: OperatorError | None) -> Answer:
        match failure:
            case None:
                return self._ask(who, Look(), "box.update_sent")
            case NoRoom():
                return self._page(who, no_room(who, failure))
            case _:
                return self._page(who, who.words.say(Refusal.FAILED.sentence, detail=str(failure)))

    def _may_send(self, who: Visitor) -> bool:
        """Whether somebody may send a file now: what would be looked at is not changed meanwhile."""
        try:
            self.here.gatekeeper.admit(who)
        except SignInNeeded:
            return False
        return not self._is_busy

    @property
    def _is_busy(self) -> bool:
        return self.control.desk.is_waiting or self.control.desk.told(Told).doing is not None


def no_room(who: Visitor, error: NoRoom) -> str:
    """Say that a file was too large for the hub, and what to do."""
    return " ".join(
        (
            who.words.say(
                "There is not enough free space: {needed} are needed, {free} are free.",
                needed=who.words.size(error.needed_bytes),
                free=who.words.size(error.free_bytes),
            ),
            who.words.say("Bring the update on a USB stick instead."),
        )
    )
