"""Settings: the hub's name, what an administrator may change, and the rest, which the settings file alone says."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hub.core.errors import SettingsRefused
from hub.web.answers import Answer, Go
from hub.web.field import FieldKind, SettingField, SettingsBook
from hub.web.frame import Form, Pages
from hub.web.visitor import Visitor
from hub.words import LANGUAGES, Words

_NAME_CHARS_MAX = 80

GROUPS: Final = {
    "Language and signing in": ("hub.language", "web.idle_minutes", "login.token_days"),
    "New phones": ("pairing.minutes", "pairing.address"),
    "The line to the cloud": ("relay.minutes", "relay.hours_from", "relay.hours_to", "relay.month_mb"),
    "The box": ("lights.brightness", "web.show_lights", "discovery.enabled", "log.level"),
}
"""What is changed together, by what stands above it."""

LABELS: Final = {
    "hub.language": "Language of the screen and the label, and of these pages for who asks for no other",
    "pairing.minutes": "How many minutes new phones may join",
    "pairing.address": "What the code for phones leads to",
    "relay.minutes": "After how many minutes the hub looks for news in the cloud",
    "relay.hours_from": "From which hour of the day it may use the internet (0 to 23)",
    "relay.hours_to": "Until which hour of the day (0 to 24; from 0 to 24 is the whole day)",
    "relay.month_mb": "How many megabytes it may use in a month (0 for any number)",
    "login.token_days": "For how many days somebody stays signed in on a phone",
    "web.idle_minutes": "After how many minutes without doing anything you are signed out here",
    "web.show_lights": "Show the lights of the box on the first page",
    "discovery.enabled": "Let the hub be found by its name",
    "lights.brightness": "How bright the lights are, in percent",
    "log.level": "How much is noted for a technician",
}
"""What each setting that can be changed here is called."""

CHOICES: Final = {
    "pairing.address": {"ip": "its address (right for most)", "name": "its name (if that changes)"},
    "log.level": {"debug": "everything", "info": "the usual", "warning": "only warnings", "error": "only errors"},
}

REASONS: Final = {
    "reach": (
        "How phones and pages reach the hub",
        "A wrong value here keeps phones and this page from the hub, so that nobody could put it right from here.",
    ),
    "guard": (
        "What guards the hub",
        "These guard the hub, also against whoever came to know an administrator's password.",
    ),
    "measured": (
        "What was measured",
        "These were measured; a wrong value makes the hub slow, or lets its memory run out.",
    ),
    "machine": ("How the box is built", "These say how the box is built and what runs on it."),
}
"""Why a setting is changed in the file alone, by hub.settings.Change: in short, and whole."""


def handlers(here: Pages, book: SettingsBook, *, rename: Callable[[str], None], can_restart: bool) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        return page(who, {})

    def page(who: Visitor, given: Form, *, wrong_name: str = "", refused: SettingsRefused | None = None) -> Answer:
        listed = book.listed()
        fields = {field.name: field for field in listed.fields}
        return here.render(
            "settings.html",
            who,
            status=400 if wrong_name or refused else 200,
            wrong_name=wrong_name,
            listed=listed,
            groups={title: [fields[name] for name in names] for title, names in GROUPS.items()},
            labels=LABELS,
            locked=[
                (*said, [field for field in listed.fields if field.change == word]) for word, said in REASONS.items()
            ],
            choice=lambda field, value: _choice(who.words, field, value),
            given=given,
            wrong=_wrong(who.words, listed.fields, refused),
            unwritten=refused is not None and not refused.names,
            waits=any(field.waits for field in listed.fields),
            can_restart=can_restart,
        )

    def change_name(who: Visitor, form: Form) -> Answer:
        wrong = take_name(rename, who, form)
        return page(who, {}, wrong_name=wrong) if wrong else Go("/settings", "renamed")

    def change(who: Visitor, form: Form) -> Answer:
        asked = {name: value for name, value in form.items() if name != "form_key"}
        try:
            changed = book.change(asked)
        except SettingsRefused as error:
            return page(who, asked, refused=error)
        return Go("/settings", "saved" if changed else "same")

    return [
        here.page("/settings", show),
        here.action("/settings/name", change_name),
        here.action("/settings/change", change),
    ]


def take_name(rename: Callable[[str], None], who: Visitor, form: Form) -> str:
    """Name the hub as a form says; returns what is wrong with it, "" if nothing is."""
    name = " ".join(form.get("name", "").split())
    if not name.isprintable() or not 0 < len(name) <= _NAME_CHARS_MAX:
        return who.words.say("A name has 1 to {most} characters.", most=who.words.number(_NAME_CHARS_MAX))
    rename(name)
    return ""


def _choice(words: Words, field: SettingField, value: str) -> str:
    if field.name == "hub.language":
        return LANGUAGES[value]
    if field.kind is FieldKind.SWITCH:
        return words.say("yes") if value == "true" else words.say("no")
    return words.say(CHOICES[field.name][value])


def _wrong(words: Words, fields: tuple[SettingField, ...], refused: SettingsRefused | None) -> Mapping[str, str]:
    """Say beside which field what is allowed there."""
    names = refused.names if refused else ()
    return {field.name: _allowed(words, field) for field in fields if field.name in names}


def _allowed(words: Words, field: SettingField) -> str:
    if field.kind is FieldKind.NUMBER:
        return words.say(
            "Enter a whole number from {low} to {high}.", low=words.number(field.low), high=words.number(field.high)
        )
    return words.say("Choose one of these.")
