"""The log: every sign-in, pairing, revocation, export and change, with who did it and when (S6)."""

from typing import Any, Final

import msgspec

from hub.actions.people import audit
from hub.actions.people.audit import AuditPage
from hub.actions.people.page_sign_in import AccountKind
from hub.store.database import Store
from hub.web.answers import Answer
from hub.web.frame import Form, Pages
from hub.web.visitor import Visitor
from hub.words import Words

PAGE_ROWS = 50
_DIGITS_MAX = 15

EVENTS: Final = {
    "administrator.added": "An administrator was made: {detail}",
    "administrator.password": "The password of an administrator was changed: {detail}",
    "administrator.removed": "An administrator was removed: {detail}",
    "backup.made": "A backup of everything was made, locked with a passphrase",
    "backup.restored": "The hub was made anew from a backup",
    "box.restarted": "The box was started again",
    "box.shut_down": "The box was switched off",
    "clinic.added": "A clinic was made",
    "cloud.changed": "The cloud says something new about this hub: {detail}",
    "cloud.connected": "The cloud was connected",
    "cloud.disconnected": "The cloud was disconnected",
    "cloud.matched": "Something made here was found in the cloud",
    "device.paired": "{device} joined",
    "device.revoked": "{device} was shut out",
    "device.forgotten": "A phone was forgotten: {detail}",
    "device.strangers_forgotten": "Phones on which nobody had signed in were forgotten: {detail}",
    "hub.host_name": "On the network the hub is now called {detail}",
    "hub.renamed": "The hub was named {detail}",
    "login": "{user} signed in on {device}",
    "login.refused": "A sign-in was refused on {device}",
    "page.refused": "A sign-in on this page was refused",
    "page.sign_in": "Signed in on this page",
    "page.sign_out": "Signed out of this page",
    "pairing.closed": "New phones were kept out",
    "pairing.opened": "New phones were let in",
    "quarantine.exported": "The quarantine was saved as a file",
    "reference.changed": "What all clinics share was changed by {user}: {detail}",
    "setting.changed": "A setting was changed: {detail}",
    "setup.done": "The hub was set up",
    "setup.refused": "A wrong setup code was entered",
    "support.exported": "A support file was made; it holds no records, names or keys",
    "token.revoked": "Sign-ins on phones were ended",
    "user.added": "{user} was made",
    "user.disabled": "{user} was shut out",
    "user.password": "The password of {user} was changed",
}


class LogRow(msgspec.Struct, frozen=True):
    """An entry as the page shows it; ``when`` is "" when the clock was never right."""

    when: str
    age: str
    what: str
    who: str


def handlers(here: Pages, store: Store) -> list[Any]:
    """Return the routes."""

    def show(who: Visitor, query: Form) -> Answer:
        before = query.get("before", "")
        found = audit.newest(store, limit=PAGE_ROWS, before=int(before[:_DIGITS_MAX]) if before.isdecimal() else None)
        rows = [_row(who.words, entry, found) for entry in found.entries]
        return here.render("audit.html", who, rows=rows, older=found.older)

    return [here.page("/log", show)]


def _row(words: Words, entry: dict[str, Any], page: AuditPage) -> LogRow:
    said = EVENTS.get(entry["event"])
    what = {
        "detail": entry["detail"] or "",
        "device": page.phones.get(entry["device"]) or words.say("a phone"),
        "user": page.users.get(entry["user_id"]) or words.say("somebody"),
    }
    return LogRow(
        when=words.moment(entry["wall_ms"]) if entry["wall_ms"] else "",
        age=words.ago((page.now_ms - entry["at"]) / 1000),
        what=words.say(said, **what) if said else entry["event"],
        who=_who(words, entry["actor"], page.users),
    )


def _who(words: Words, actor: str | None, names: dict[str, str]) -> str:
    kind, _, name = (actor or "").partition(":")
    match kind:
        case AccountKind.ADMINISTRATOR:
            return name
        case AccountKind.USER:
            return names.get(name, name)
        case AccountKind.SETUP:
            return words.say("whoever set it up")
        case "address":
            return name
        case _:
            return ""
