"""What is wrong with a new administrator, person or clinic, in the words of the visitor."""

from hub.actions.people import administrators, users
from hub.web.frame import Form
from hub.web.visitor import Visitor
from hub.words import Words

ROLES = {
    "provider": "Provider",
    "registrar": "Registrar",
    "admin": "Clinic administrator",
}
CHARS_MAX = 200
"""Of a name or an email."""
REFUSED = {
    "users": "Nothing was changed. People from the cloud are changed there.",
    "user": "This clinic is no longer there. Load the page again and choose another one.",
    "clinic": "Enter a name for the clinic.",
    "administrator": "This is the last administrator. Add another one first.",
}
"""What the action behind a form refused, by the part of the page where it is."""


def administrator_wrong(who: Visitor, name: str, password: str, again: str) -> str:
    """Say what is wrong with a new administrator; "" if nothing is."""
    say = who.words.say
    if not 0 < len(name) <= administrators.NAME_CHARS_MAX or "@" in name or not name.isprintable():
        return say(
            "A name needs 1 to {most} characters, and no @.", most=who.words.number(administrators.NAME_CHARS_MAX)
        )
    if not administrators.is_fit(password):
        return too_short(who.words, administrators.PASSWORD_CHARS_MIN)
    if password != again:
        return say("The two passwords are not the same.")
    return ""


def too_short(words: Words, least: int) -> str:
    """Say how many characters a password needs."""
    return words.count(
        "A password needs at least {count} character.", "A password needs at least {count} characters.", least
    )


def refused(who: Visitor, where: str) -> str:
    """Say what the action behind a form refused."""
    return who.words.say(REFUSED[where])


def taken(who: Visitor, where: str) -> str:
    """Say that what the form of a part of the page would add exists already."""
    match where:
        case "clinic":
            return who.words.say("There is a clinic with this name already.")
        case "administrator":
            return who.words.say("There is an administrator with this name already.")
        case _:
            return who.words.say("Somebody with this email has already been added.")


def user_wrong(who: Visitor, given: Form) -> str:
    """Say what is missing of a person; "" if nothing is."""
    if not given["name"] or "@" not in given["email"] or not given["clinic"] or given["role"] not in ROLES:
        return who.words.say("Fill in name, email, role and clinic.")
    return ""


def password_wrong(who: Visitor, password: str) -> str:
    """Say what is wrong with the password of a person; "" if nothing is."""
    if len(password) < users.PASSWORD_CHARS_MIN:
        return too_short(who.words, users.PASSWORD_CHARS_MIN)
    if not users.is_short(password):
        return who.words.say("This password is too long. Four words are enough.")
    return ""
