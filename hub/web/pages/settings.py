"""Settings: the hub's name, what an administrator may change, and the rest, which the settings file alone says."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hub.core.errors import SettingsRefused
from hub.web.answers import Answer, Go
from hub.web.field import FieldKind, SettingField, SettingsBook
from hub.web.frame import Form, Pages
from hub.web.pages import fleet
from hub.web.pages.fleet import FleetControl
from hub.web.visitor import Visitor
from hub.words import LANGUAGES, Words

_NAME_CHARS_MAX = 80

GROUPS: Final = {
    "Language and signing in": ("hub.language", "web.idle_minutes", "login.token_days"),
    "Adding phones": ("pairing.minutes", "pairing.address"),
    "Internet connection": ("relay.minutes", "relay.hours_from", "relay.hours_to", "relay.month_mb", "fleet.day_kb"),
    "This device": ("lights.brightness", "web.show_lights", "discovery.enabled", "log.level"),
}
"""What is changed together, by what stands above it."""

LABELS: Final = {
    "hub.language": "Default language (screen, label, and these pages)",
    "pairing.minutes": "Time for adding phones (minutes)",
    "pairing.address": "The QR code contains",
    "relay.minutes": "Check the cloud every (minutes)",
    "relay.hours_from": "Use the internet from (hour, 0 to 23)",
    "relay.hours_to": "Use the internet until (hour, 0 to 24; 0 to 24 is the whole day)",
    "relay.month_mb": "Monthly data limit in MB (0 = no limit)",
    "fleet.day_kb": "Daily data limit for the overview below in KB",
    "login.token_days": "Phones stay signed in without a sync for (days)",
    "web.idle_minutes": "Sign out of this page after (idle minutes)",
    "web.show_lights": "Show the lights on the Overview",
    "discovery.enabled": "Let the hub be found by its name (off: phones and people need its IP address)",
    "lights.brightness": "Brightness of the lights (%)",
    "log.level": "Technical log",
}
"""What each setting that can be changed here is called."""

CHOICES: Final = {
    "pairing.address": {"ip": "IP address (recommended)", "name": "host name (if the IP address changes)"},
    "log.level": {"debug": "detailed", "info": "normal", "warning": "warnings only", "error": "errors only"},
}

REASONS: Final = {
    "reach": (
        "Network",
        "A wrong value here would cut phones and this page off from the hub, and nobody could correct it from here.",
    ),
    "guard": (
        "Security",
        "These protect the hub, even against somebody who knows an administrator's password.",
    ),
    "measured": (
        "Performance",
        "These values were measured. A wrong one makes the hub slow, or makes it run out of memory (RAM).",
    ),
    "machine": ("Hardware", "These describe how the device is built and what runs on it."),
}
"""Why a setting is changed in the file alone, by hub.settings.Change: in short, and whole."""


def handlers(
    here: Pages, book: SettingsBook, control: FleetControl, *, rename: Callable[[str], None], can_restart: bool
) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, _query: Form) -> Answer:
        return page(who, {})

    def page(
        who: Visitor,
        given: Form,
        *,
        wrong_name: str = "",
        wrong_fleet: str = "",
        refused: SettingsRefused | None = None,
    ) -> Answer:
        listed, shown = book.listed(), control.shown()
        fields = {field.name: field for field in listed.fields}
        return here.render(
            "settings.html",
            who,
            status=400 if wrong_name or wrong_fleet or refused else 200,
            wrong_name=wrong_name,
            fleet=shown,
            fleet_result=fleet.result(who, shown),
            wrong_fleet=wrong_fleet,
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
        *fleet.handlers(here, control, lambda who, wrong: page(who, {}, wrong_fleet=wrong)),
    ]


def take_name(rename: Callable[[str], None], who: Visitor, form: Form) -> str:
    """Name the hub as a form says; returns what is wrong with it, "" if nothing is."""
    name = " ".join(form.get("name", "").split())
    if not name.isprintable() or not 0 < len(name) <= _NAME_CHARS_MAX:
        return who.words.say("A name needs 1 to {most} characters.", most=who.words.number(_NAME_CHARS_MAX))
    rename(name)
    return ""


def changed(words: Words, name: str, before: str, after: str) -> str:
    """Say which setting was changed, from what to what; as its file does for one that no page changes."""
    if name not in LABELS:
        return words.say("{setting}: from {before} to {after}", setting=name, before=before, after=after)
    of = {
        "setting": words.say(LABELS[name]),
        "before": _value(words, name, before),
        "after": _value(words, name, after),
    }
    return words.say("{setting}: from {before} to {after}", **of)


def _value(words: Words, name: str, text: str) -> str:
    match text:
        case "true" | "false":
            return words.say("yes") if text == "true" else words.say("no")
        case _ if name == "hub.language":
            return LANGUAGES.get(text, text)
        case _ if text.isdecimal():
            return words.number(int(text))
        case _:
            return words.say(CHOICES.get(name, {}).get(text, text))


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
    return words.say("Choose one of the options.")
