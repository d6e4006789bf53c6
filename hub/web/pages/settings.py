"""Settings: the hub's name, which the page can change, and all others, which the settings file says."""

from typing import Any

from hub.web.desk import Answer, Desk, Form, Go
from hub.web.visitor import Visitor

_NAME_CHARS_MAX = 80


def handlers(here: Desk) -> list[Any]:
    """Give the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        return page(who)

    def page(who: Visitor, wrong: str = "") -> Answer:
        sections: dict[str, list[tuple[str, str, bool]]] = {}
        for section, key, value, is_default in here.options.listed:
            sections.setdefault(section, []).append((key, value, is_default))
        return here.render("settings.html", who, status=400 if wrong else 200, sections=sections, wrong=wrong)

    def rename(who: Visitor, form: Form) -> Answer:
        name = " ".join(form.get("name", "").split())
        if not name.isprintable() or not 0 < len(name) <= _NAME_CHARS_MAX:
            return page(
                who, who.words.say("A name has 1 to {most} characters.", most=who.words.number(_NAME_CHARS_MAX))
            )
        here.rename(name)
        return Go("/settings", "renamed")

    return [here.page("/settings", show), here.action("/settings/name", rename)]
