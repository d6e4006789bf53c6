"""What the page may ask of the program that updates the box, and what that program finds in answer."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from hub.core.update.refusal import Refusal
from hub.core.update.rules import is_newer


class Source(StrEnum):
    """Where an update comes from."""

    STICK = "stick"
    UPLOAD = "upload"
    """A file that was sent through the page."""
    ADDRESS = "address"
    """The organisation's https:// address."""


class Look(msgspec.Struct, frozen=True, tag="look", forbid_unknown_fields=True):
    """Look what is there."""

    address: bool = False
    """At the organisation's address too."""


class Install(msgspec.Struct, frozen=True, tag="install", forbid_unknown_fields=True):
    """Install what is there; it names no file, so that nothing else can be meant."""

    source: Source


class Try(msgspec.Struct, frozen=True, tag="try", forbid_unknown_fields=True):
    """Restart into what is installed."""


class GoBack(msgspec.Struct, frozen=True, tag="back", forbid_unknown_fields=True):
    """Go back to the version before the last update."""


class Discard(msgspec.Struct, frozen=True, tag="discard", forbid_unknown_fields=True):
    """Remove the file that was sent through the page."""


Wish = Look | Install | Try | GoBack | Discard


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An update that is there, or why it is none for this hub."""

    source: Source
    version: str | None = None
    size_bytes: int = 0
    """0 where it is not known."""
    refused: str = ""
    """The word of a refusal; "" for what can be installed."""
    values: Mapping[str, str] = {}

    @property
    def refusal(self) -> Refusal | None:
        """Why it is none for this hub."""
        return next((refusal for refusal in Refusal if refusal.word == self.refused), None)


def best(found: list[Found]) -> Found | None:
    """Return the newest update of what lies in one place, or why the first there is none; None where nothing lies."""
    chosen = next(iter(found), None)
    for each in found[1:]:
        if chosen is None or (not each.refused and (chosen.refused or is_newer(each.version, chosen.version or ""))):
            chosen = each
    return chosen
