"""A phone was lost: which one, what that means, blocking it, and adding the one that replaces it."""

from typing import Any

from hub.actions.phones import devices
from hub.core.errors import NotThere
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.pages import phones
from hub.web.visitor import Visitor


def handlers(here: Pages, store: Store) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, query: Form) -> Answer:
        known, _ = devices.newest(store, phones.SHOWN_MAX)
        rows = [phones.row(who.words, found) for found in known]
        chosen = [row for row in rows if row.client_id == query.get("phone")]
        choice = [row for row in rows if not row.is_revoked]
        return here.render("lost.html", who, chosen=chosen[0] if chosen else None, rows=choice)

    def block(_who: Visitor, form: Form) -> Answer:
        phone = form.get("phone", "")
        try:
            devices.report_lost(store, phone, everywhere="everywhere" in form)
        except NotThere:
            return Go("/lost-phone", "gone")
        return Go(f"/lost-phone?phone={phone}")

    return [here.page("/lost-phone", show), here.action("/lost-phone/block", block)]
