"""The first page: one large sentence that says whether everything entered is safe, and what to do (O2)."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from hub.actions.box import history
from hub.actions.people import setup
from hub.core.status import state as states
from hub.core.status.facts import Facts
from hub.core.status.lights import PATTERNS
from hub.core.status.state import HubState
from hub.services.status.watch import StatusWatch
from hub.store.database import Store
from hub.web import answers, charts, look, visitor
from hub.web.answers import Answer, HtmlPage
from hub.web.body import AnyRequest
from hub.web.charts import Chart
from hub.web.frame import Form, PageOptions, Pages
from hub.web.live import Live
from hub.web.pages import files
from hub.web.seldom import Seldom
from hub.web.visitor import Visitor
from hub.words import status as said

_DAY_H, _WEEK_H = 24, 168
_DAYS_PART_H = 6
_BACKUP_OLD_S = 7 * 86_400
_SUPPORT_S = 60
"""Whoever asks again and again keeps the hub from nothing."""
_MEDIA = 2
"""The card and the stick."""
_PLACES = {
    **dict.fromkeys((HubState.KEY_REFUSED, HubState.ON_HOLD, HubState.CLOUD_FAILING), ("/cloud", "Cloud")),
    HubState.QUARANTINE: ("/quarantine", "Records to check"),
    HubState.TURNED_AWAY: ("/phones", "Phones"),
    HubState.STOPPED: ("/box", "This device"),
    HubState.ONE_COPY: ("/copy", "Copies of everything"),
    HubState.NO_PHONE: ("/pairing", "Add a phone"),
}
"""The page on which somebody can act on a state."""


def handlers(here: Pages, store: Store) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        is_in = bool(who.account and who.name)
        return here.render(
            "public.html",
            who,
            **_said(who, here.watch.facts, is_always_open=here.options().pairing_always),
            set_up=setup.is_done(store),
            backup_due=is_in and is_backup_due(here.watch.facts),
            unfinished=is_in and setup.step(store),
            place=_place(who, here.watch.facts) if is_in else None,
            kinds=_kinds(who, here.watch.facts) if is_in else [],
            charts=_charts(store, who, cloud=here.watch.facts.cloud) if is_in else [],
        )

    return [here.page("/", show, public=True), events(here.watch)]


def events(watch: StatusWatch) -> Any:  # noqa: ANN401  a route
    """Return the route of the server-sent events."""

    @get("/events")
    async def follow(request: AnyRequest) -> ASGIApp:
        return Live(watch, visitor.address(request))

    return follow


def closed_handlers(
    name: str, language: str, gather: Callable[[], Facts], make_support: Callable[[], bytes]
) -> list[HTTPRouteHandler]:
    """Return the first page of a hub whose database cannot be used, and its support file.

    That is for anybody: nobody can sign in there, and it holds nothing that may not be sent by email.
    """
    support = Seldom(make_support, _SUPPORT_S)

    @get("/", sync_to_thread=True)
    def show(request: AnyRequest) -> Response[bytes]:
        who = visitor.recognise(request, plain_allowed=False, language=language)
        facts = gather()
        html = look.page(
            "public.html",
            who.words,
            {
                **_said(who, facts),
                "who": who,
                "form_key": "",
                "facts": facts,
                "hub_name": name,
                "revision": 0,
                "options": PageOptions(),
                "set_up": True,
                "unfinished": False,
                "backup_due": False,
                "closed": True,
                "note": "",
                "place": None,
                "kinds": [],
                "charts": [],
            },
        )
        return answers.respond(HtmlPage(html), msgspec.structs.replace(who, is_new=False))

    @get("/support-file", sync_to_thread=True)
    def save(request: AnyRequest) -> Response[bytes]:
        who = visitor.recognise(request, plain_allowed=False, language=language)
        return answers.respond(files.support_file(support.get()), msgspec.structs.replace(who, is_new=False))

    return [show, save]


def _said(who: Visitor, facts: Facts, *, is_always_open: bool = False) -> dict[str, Any]:
    state, light = states.state(facts), states.light(facts)
    return {
        "level": state.level,
        "sentence": said.sentence(who.words, facts),
        "remedy": said.remedy(who.words, facts),
        "synced": said.last_sync(who.words, facts),
        "pairing": said.pairing(who.words, facts, is_always_open=is_always_open),
        "light": light,
        "pattern": PATTERNS[light],
    }


def is_backup_due(facts: Facts) -> bool:
    """Whether records are on this device alone that no backup of the last days has, and no stick."""
    is_old = facts.backed_up_s is None or facts.backed_up_s > _BACKUP_OLD_S
    return is_old and facts.records > 0 and (facts.copies or 1) < _MEDIA


def _place(who: Visitor, facts: Facts) -> tuple[str, str] | None:
    """Return the page on which an administrator acts on the hub's state: its address and name."""
    place = _PLACES.get(states.state(facts))
    return (place[0], who.words.say(place[1])) if place else None


def _kinds(who: Visitor, facts: Facts) -> list[tuple[str, int]]:
    """Return what people ask for: patients, their visits, and the forms that were filled in."""
    say = who.words.say
    say = who.words.say
    asked = {said.LABELS[name]: getattr(facts, name) for name in ("patients", "visits", "completed_forms")}
    rest = facts.records - sum(asked.values())
    return [*((say(label), count) for label, count in asked.items()), (say("Everything else"), rest)]


def _charts(store: Store, who: Visitor, *, cloud: bool) -> list[Chart]:
    words = who.words
    past = history.recent(store)
    day = charts.slots(past.buckets, now_ms=past.now_ms, wall_ms=past.wall_ms, hours=_DAY_H, step_h=1)
    week = charts.slots(past.buckets, now_ms=past.now_ms, wall_ms=past.wall_ms, hours=_WEEK_H, step_h=_DAYS_PART_H)
    drawn = [
        charts.records(words, words.say("Records per hour, last 24 hours"), day, with_cloud=cloud, by_day=False),
        charts.records(words, words.say("Records per 6 hours, last 7 days"), week, with_cloud=cloud, by_day=True),
    ]
    if cloud:
        drawn += [
            charts.waiting(words, words.say("Waiting for the cloud, last 24 hours"), day, by_day=False),
            charts.waiting(words, words.say("Waiting for the cloud, last 7 days"), week, by_day=True),
        ]
    return drawn
