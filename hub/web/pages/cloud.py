"""The cloud: whether one is connected, what waits for it and why, and how the last tries ended (R1)."""

from collections.abc import Callable
from typing import Any

import msgspec

from hub.actions.cloud import matching
from hub.actions.cloud.overview import overview
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.errors import HubError, KeyRefused, NoLine, OperatorError
from hub.core.reasons import Code, Reason
from hub.core.status.state import HubState
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.visitor import Visitor
from hub.words import Words
from hub.words.reasons import said
from hub.words.tables import named

_AGES_S = (3600, 86_400, 7 * 86_400)


class Shelf(msgspec.Struct, frozen=True):
    """Records of one age that wait: up to ``label``, ``share`` percent of all."""

    label: str
    count: int
    share: int


class _Reason(msgspec.Struct, frozen=True):
    text: str
    is_english: bool
    """It has no translation."""
    count: int
    kind: str
    """What people call a record of the table."""
    table: str


class CloudControl(msgspec.Struct, frozen=True):
    """What the page can do about the cloud."""

    connect: Callable[[str, str], object]
    """Verifies a key with the cloud at an address and keeps both; raises HubError."""
    disconnect: Callable[[], object]
    sync: Callable[[], None]
    """Begins a cycle now, and does not wait for it."""


def handlers(here: Pages, store: Store, control: CloudControl) -> list[Any]:
    """Return the routes."""
    return _Cloud(here, store, control).routes()


class _Cloud:
    """What is known and what can be done."""

    def __init__(self, here: Pages, store: Store, control: CloudControl) -> None:
        self._here = here
        self._store = store
        self._control = control

    def routes(self) -> list[Any]:
        """Return them."""
        return [
            self._here.page("/cloud", self._show),
            self._here.action("/cloud/connect", self._connect),
            self._here.action("/cloud/disconnect", self._disconnect),
            self._here.action("/cloud/sync", self._sync),
        ]

    def _show(self, who: Visitor, _query: Form) -> Answer:
        return self._page(who)

    def _page(self, who: Visitor, *, wrong: str = "", url: str = "") -> Answer:
        words = who.words
        seen = overview(self._store, _AGES_S)

        def ago(at: int) -> str:
            return words.ago((seen.now_ms - at) / 1000) if at else ""

        return self._here.render(
            "cloud.html",
            who,
            status=400 if wrong else 200,
            wrong=wrong,
            url=url,
            link=seen.link,
            clinics=matching.names_of(self._store, seen.link.clinics) if seen.link else [],
            counts=seen.counts,
            shelves=_shelves(words, seen.ages),
            reasons=[
                _Reason(*_said(words, row.reason), row.records, named(words, row.table), row.table)
                for row in seen.causes
            ],
            missed=[_Reason(*_said(words, row.reason), 1, named(words, row.table), row.table) for row in seen.missed],
            tried=ago(seen.last.tried_ms),
            succeeded=ago(seen.last.succeeded_ms),
            outcome=_outcome(words, seen.last.outcome),
            is_well=seen.last.outcome in {"", Outcome.DONE.word},
            lost=_lost(words, seen.progress.lost),
            later=seen.progress.later,
            month_bytes=seen.progress.month_bytes,
        )

    def _connect(self, who: Visitor, form: Form) -> Answer:
        url, key = form.get("url", "").strip(), form.get("key", "").strip()
        if not who.private:
            return Go("/cloud")
        try:
            self._control.connect(url, key)
        except HubError as error:
            return self._page(who, wrong=refusal(who.words, error), url=url)
        return Go("/cloud", "connected")

    def _disconnect(self, _who: Visitor, _form: Form) -> Answer:
        self._control.disconnect()
        return Go("/cloud", "disconnected")

    def _sync(self, _who: Visitor, _form: Form) -> Answer:
        self._control.sync()
        return Go("/cloud", "syncing")


def refusal(words: Words, error: HubError) -> str:
    """Say why the cloud was not connected."""
    match error:
        case KeyRefused():
            return words.say("The cloud does not accept this key.")
        case NoLine():
            return words.say("The cloud cannot be reached.")
        case OperatorError():
            return words.say("The address of a cloud starts with https://.")
        case _:
            return words.say("The cloud answered with an error.")


def _lost(words: Words, records: int) -> str:
    text = HubState.CLOUD_LOST.texts[0]
    return words.count(text.one, text.many, records) if records else ""


def _shelves(words: Words, ages: list[int]) -> list[Shelf]:
    labels = (
        words.say("up to an hour"),
        words.say("up to a day"),
        words.say("up to a week"),
        words.say("longer than a week"),
    )
    most = max(*ages, 1)
    return [Shelf(label, count, 100 * count // most) for label, count in zip(labels, ages, strict=True)]


def _said(words: Words, reason: Reason) -> tuple[str, bool]:
    return said(words, reason), reason.code is Code.OTHER


def _outcome(words: Words, word: str) -> str:
    sentence = next((outcome.sentence for outcome in Outcome if outcome.word == word), "")
    return words.say(sentence) if sentence else ""
