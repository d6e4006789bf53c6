"""Describes a setting as the page shows it: what it may be, what it is, and who may change it."""

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec


class FieldKind(StrEnum):
    """What a value is, and so by what a form asks for it."""

    SWITCH = "switch"
    """``true`` or ``false``."""
    NUMBER = "number"
    CHOICE = "choice"
    TEXT = "text"


class SettingField(msgspec.Struct, frozen=True, kw_only=True):
    """One setting; values are texts, as a form carries them."""

    section: str
    key: str
    kind: FieldKind
    value: str
    """What the settings file says, or else the default."""
    is_default: bool
    low: int = 0
    high: int = 0
    """Bounds of a number, or of the length of a text."""
    choices: tuple[str, ...] = ()
    change: str
    """A word of hub.settings.Change."""
    is_open: bool
    """The page may change it."""
    variable: str = ""
    """The environment variable that sets it, and wins over the file; "" for none."""
    waits: bool = False
    """The hub runs by another value until it is started again."""

    @property
    def name(self) -> str:
        """Return its name, ``pairing.minutes``."""
        return f"{self.section}.{self.key}"


class ListedSettings(msgspec.Struct, frozen=True):
    """All settings, and whether the page can write."""

    fields: tuple[SettingField, ...]
    file: str
    is_writable: bool = True
    broken: str = ""
    """What is wrong with the file, in English; the hub goes on by what it read before."""


class SettingsBook(msgspec.Struct, frozen=True):
    """The settings that the hub runs by."""

    listed: Callable[[], ListedSettings]
    change: Callable[[Mapping[str, str]], int]
    """Takes values by name, returns how many were changed; raises SettingsRefused."""
