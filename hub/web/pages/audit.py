"""The log: every sign-in, pairing, revocation, export and change, with who did it and when (S6)."""

from typing import Any, Final

import msgspec

from hub.actions.people import audit
from hub.actions.people.audit import AuditPage
from hub.actions.people.page_sign_in import AccountKind
from hub.core.cloud.link import ACTIVE
from hub.store.database import Store
from hub.web.answers import Answer
from hub.web.frame import Form, Pages
from hub.web.pages import settings
from hub.web.visitor import Visitor
from hub.words import Words
from hub.words.tables import named

PAGE_ROWS = 50
_DIGITS_MAX = 15
_ID_CHARS = 8
"""Of a record's id, as the page Records to check shows it."""

EVENTS: Final = {
    "administrator.added": "Administrator added: {detail}",
    "administrator.password": "Password of an administrator changed: {detail}",
    "administrator.removed": "Administrator removed: {detail}",
    "backup.made": "A backup of everything was made, protected with a passphrase",
    "backup.restored": "The hub was restored from a backup",
    "box.erased": "Everything on the hub was to be erased",
    "box.restarted": "The hub was restarted",
    "box.shut_down": "The hub was switched off",
    "copy.started": "A copy of everything is kept on a USB stick or a spare from now on",
    "copy.stopped": "No copy is kept any more",
    "box.update_asked": "An update was to be installed",
    "box.update_back": "The hub was to go back to the version before the last update",
    "box.update_sent": "A file with an update was sent to the hub",
    "clinic.added": "Clinic added",
    "clinic.renamed": "A clinic has another name; it was called {detail}",
    "cloud.changed": "Cloud settings of this hub changed: {detail}",
    "cloud.connected": "The cloud was connected",
    "cloud.disconnected": "The cloud was disconnected",
    "cloud.matched": "A clinic or person added here was matched with the cloud",
    "database.mended": "The database was damaged, and mended without losing a record. Replace the card soon.",
    "database.salvaged": "The database was damaged: a part of it cannot be read. Replace the card.",
    "device.paired": "{device} was added",
    "device.revoked": "{device} was blocked",
    "device.unblocked": "{device} was unblocked",
    "device.renamed": "{device} has another name; it was called {detail}",
    "device.forgotten": "A phone was forgotten: {detail}",
    "device.strangers_forgotten": "Phones on which nobody had signed in were forgotten: {detail}",
    "hub.rival": "Another device on the network claims the hub's name: {detail}",
    "hub.host_name": "On the network the hub is now called {detail}",
    "hub.replaced": "Another box has taken the place of this hub",
    "hub.renamed": "The hub is now called {detail}",
    "login": "{user} signed in on {device}",
    "login.refused": "A sign-in was refused on {device}",
    "network.asked": "The Wi-Fi was to be changed to {detail}",
    "page.refused": "A sign-in to this page was refused",
    "page.sign_in": "Signed in",
    "page.sign_out": "Signed out",
    "pairing.closed": "Adding phones was turned off",
    "pairing.opened": "Adding phones was turned on",
    "quarantine.accepted": "A record that {user} may not enter was accepted: {detail}",
    "quarantine.all_set_aside": "Records to check were set aside: {detail}",
    "quarantine.set_aside": "A record to check was set aside: {detail}",
    "quarantine.taken_back": "A record that was set aside is to be checked again: {detail}",
    "quarantine.exported": "The records to check were saved as a file",
    "reference.changed": "{user} changed what all clinics share: {detail}",
    "serving.stopped": "Syncing with phones was stopped",
    "serving.went_on": "Phones can sync again",
    "setting.changed": "Setting changed: {detail}",
    "setup.done": "The hub was set up",
    "setup.refused": "A wrong setup code was entered",
    "support.exported": "A support file was made; it contains no records, names or keys",
    "token.revoked": "Sign-ins on phones were ended",
    "user.added": "{user} was added",
    "user.disabled": "{user} was blocked",
    "user.edited": "Name, role or clinic of {user} was changed",
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
        "detail": _detail(words, entry["event"], entry["detail"] or ""),
        "device": page.phones.get(entry["device"]) or words.say("a phone"),
        "user": page.users.get(entry["user_id"]) or words.say("somebody"),
    }
    return LogRow(
        when=words.moment(entry["wall_ms"]) if entry["wall_ms"] else "",
        age=words.ago((page.now_ms - entry["at"]) / 1000),
        what=words.say(said, **what) if said else entry["event"],
        who=_who(words, entry["actor"], page.users),
    )


def _detail(words: Words, event: str, detail: str) -> str:
    """Say in a language what an entry keeps in English, such as ``pairing.minutes: 10 -> 15``."""
    match event:
        case "setting.changed":
            name, _, values = detail.partition(": ")
            before, arrow, after = values.partition(" -> ")
            return settings.changed(words, name, before, after) if arrow else detail
        case "cloud.changed":
            status, _, rest = detail.partition(", ")
            number = rest.removesuffix(" clinics")
            counted = words.count("{count} clinic", "{count} clinics", int(number)) if number.isdecimal() else rest
            return words.say("paused") + ", " + counted if status != ACTIVE else counted
        case "quarantine.accepted" | "quarantine.set_aside" | "quarantine.taken_back":
            table, _, record_id = detail.partition(" ")
            return f"{named(words, table)} {record_id[:_ID_CHARS]}".rstrip()
        case _:
            return detail


def _who(words: Words, actor: str | None, names: dict[str, str]) -> str:
    kind, _, name = (actor or "").partition(":")
    match kind:
        case AccountKind.ADMINISTRATOR:
            return name
        case AccountKind.USER:
            return names.get(name, name)
        case AccountKind.SETUP:
            return words.say("during setup")
        case "address":
            return name
        case _:
            return ""
