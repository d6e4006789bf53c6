"""A form that was sent after the sign-in had ended: it is kept in the page that asks for another one, but no secret."""

from collections.abc import Mapping
from typing import Final, Self

import msgspec

_SECRETS: Final = frozenset({"password", "again", "given", "passphrase", "key", "token", "form_key"})
"""Fields that are typed again."""
_MARK = "unsent."
_PATH = "unsent-path"


class Unsent(msgspec.Struct, frozen=True):
    """Where a form goes, and what was filled in."""

    path: str
    fields: dict[str, str]

    @classmethod
    def of(cls, path: str, form: Mapping[str, str]) -> Self:
        """Keep what a form brought, without its secrets."""
        return cls(path, {name: value for name, value in form.items() if name not in _SECRETS})

    @classmethod
    def found(cls, form: Mapping[str, str]) -> Self | None:
        """Read what ``hidden`` put into the form of the sign-in; None where there is none."""
        path = form.get(_PATH, "")
        if not path.startswith("/") or path.startswith(("//", "/\\")):
            return None
        kept = {name.removeprefix(_MARK): value for name, value in form.items() if name.startswith(_MARK)}
        return cls.of(path, kept)

    def hidden(self) -> dict[str, str]:
        """Return the fields that carry it through the sign-in."""
        return {_PATH: self.path, **{f"{_MARK}{name}": value for name, value in self.fields.items()}}
