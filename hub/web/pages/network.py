"""The page of the Wi-Fi: which one the hub joins, its own, and how the last change went."""

from typing import Any, Final

import structlog

from hub.actions.people import audit
from hub.core import wifi
from hub.core.log_events import LogEvent
from hub.core.wifi import Attempt, End, Join, Networks, Offer, Unfit, Wish
from hub.desk import Desk
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.visitor import Visitor
from hub.words import Words

ENDS: Final = {
    End.DONE: "The hub is connected to {name}.",
    End.PASSWORD: "The hub is not connected to {name}: the password is wrong.",
    End.NOT_FOUND: "The hub is not connected to {name}: it is not in reach, or its name is written differently.",
    End.NO_ADDRESS: "The hub is not connected to {name}: the router there gave it no address.",
    End.NO_RADIO: "The hub is not connected to {name}: it has no Wi-Fi that could.",
    End.FAILED: "The Wi-Fi was not changed to {name}: that did not work. Try again.",
}
OWN_IS: Final = "The hub's own Wi-Fi is {name} now. Print the label again."

log = structlog.get_logger()


def handlers(here: Pages, store: Store, desk: Desk) -> list[Any]:
    """Return the routes; none where this machine's networks cannot be changed from here."""

    def show(who: Visitor, _query: Form) -> Answer:
        return page(who)

    def page(who: Visitor, wish: Wish | None = None, wrong: str = "") -> Answer:
        networks = desk.told(Networks)
        last = networks.last
        return here.render(
            "network.html",
            who,
            status=400 if wrong else 200,
            is_trying=desk.is_waiting or networks.trying is not None,
            networks=networks,
            told=ended(who.words, last) if last else "",
            failed=last.name if last and last.end is not End.DONE and not last.is_own else "",
            join=wish if isinstance(wish, Join) else None,
            own=wish if isinstance(wish, Offer) else networks.own,
            wrong=wrong,
        )

    def join(who: Visitor, form: Form) -> Answer:
        name, password = form.get("name", "").strip(), form.get("password", "")
        return asked(who, Join(name, password or None, hidden="hidden" in form))

    def offer(who: Visitor, form: Form) -> Answer:
        when: wifi.When = "always" if form.get("when") == "always" else "fallback"
        return asked(who, Offer(form.get("name", "").strip(), form.get("password", ""), when))

    def asked(who: Visitor, wish: Wish) -> Answer:
        unfit = wifi.unfit(wish)
        if unfit and who.unheard:
            return page(who, wish, explained(who.words, unfit))
        if not who.unheard or desk.is_waiting or desk.told(Networks).trying:
            return Go("/network")
        audit.note(store, "network.asked", detail=wish.name)
        try:
            desk.ask(wish)
        except OSError as error:
            log.warning(LogEvent.NETWORK_NOT_CHANGED, reason=str(error))
            return page(who, wish, ended(who.words, Attempt(wish.name, isinstance(wish, Offer), End.FAILED)))
        return Go("/network")

    if not desk.is_open:
        return []
    return [here.page("/network", show), here.action("/network/join", join), here.action("/network/offer", offer)]


def explained(words: Words, unfit: Unfit) -> str:
    """Say what no network can have."""
    match unfit:
        case Unfit.NAME:
            return words.say("A Wi-Fi name has 1 to 32 letters; one that is not Latin counts as two or more.")
        case Unfit.PASSWORD:
            return words.say("A Wi-Fi password has 8 to 63 letters without accents, digits and signs.")


def ended(words: Words, attempt: Attempt) -> str:
    """Say how a change went."""
    told = OWN_IS if attempt.is_own and attempt.end is End.DONE else ENDS[attempt.end]
    return words.say(told, name=attempt.name)
