"""The settings that the hub runs by: changed in their file, and in force at once where that is safe."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog
from msgspec.inspect import BoolType, IntType, LiteralType, StrType, type_info

from hub import settings as book
from hub.actions.people import audit
from hub.core.errors import SettingError, SettingsRefused
from hub.core.log_events import LogEvent
from hub.settings import Change, FleetSettings, Settings, Value
from hub.store.database import Store
from hub.web.field import FieldKind, ListedSettings, SettingField

log = structlog.get_logger()


class LiveSettings:
    """The settings in force. ``path`` is their file, which need not be there; ``environ`` wins over it."""

    def __init__(self, settings: Settings, path: Path, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.path = path
        self._environ = environ
        self._followers: list[Callable[[Settings], None]] = []
        self._lock = threading.Lock()

    @contextmanager
    def followed(self, take: Callable[[Settings], None]) -> Iterator[None]:
        """Call ``take`` with the new settings, in here, whenever some change that count at once."""
        self._followers.append(take)
        try:
            yield
        finally:
            self._followers.remove(take)

    def fleet(self) -> FleetSettings:
        """Return [fleet] as the file says it now, for another process may have enrolled the hub."""
        return self._read().fleet

    def listed(self) -> ListedSettings:
        """Return every setting as the file says it now; as it is in force where the file cannot be read."""
        try:
            found, broken = self._read(), ""
        except SettingError as error:
            found, broken = self.settings, str(error)
        return ListedSettings(
            tuple(self._field(found, *name.split(".")) for name in book.names()),
            file=str(self.path),
            is_writable=_is_writable(self.path),
            broken=broken,
        )

    def change(self, store: Store, asked: Mapping[str, str], *, also_closed: bool = False) -> int:
        """Write those of the values, by name, that are new; returns how many. Raises SettingsRefused, and then none is.

        What counts at once does so when this returns; each change is in the audit log.
        also_closed: also settings that are not open to the page; for whoever stands at the box.
        """
        with self._lock:
            try:
                before = self._read()
                wanted = self._values(asked, also_closed=also_closed)
                new = {name: value for name, value in wanted.items() if _get(before, *name) != value}
                with audit.noted(store, "setting.changed", _details(before, new)):
                    if new:
                        book.amend(self.path, new)
                after = self._read()
            except SettingsRefused:
                raise
            except SettingError as error:
                log.warning(LogEvent.SETTINGS_NOT_CHANGED, reason=str(error))
                raise SettingsRefused from error
            self.settings = _with_open_ones(self.settings, after)
        for take in tuple(self._followers):
            take(self.settings)
        return len(new)

    def _read(self) -> Settings:
        return book.load(self.path if self.path.exists() else None, self._environ)

    def _values(self, asked: Mapping[str, str], *, also_closed: bool) -> dict[tuple[str, str], Value]:
        values: dict[tuple[str, str], Value] = {}
        wrong = []
        for name, text in asked.items():
            section, _, key = name.partition(".")
            try:
                value = book.value(section, key, text.strip())
            except SettingError:
                wrong.append(name)
                continue
            is_open = also_closed or book.change(section, key).is_open
            if not is_open or book.variable(section, key) in self._environ:
                wrong.append(name)
            values[section, key] = value
        if wrong:
            raise SettingsRefused(tuple(wrong))
        return values

    def _field(self, found: Settings, section: str, key: str) -> SettingField:
        value = _get(found, section, key)
        change = book.change(section, key)
        variable = book.variable(section, key)
        return SettingField(
            section=section,
            key=key,
            value=_text(value),
            is_default=value == _get(Settings(), section, key),
            change=change,
            is_open=change.is_open,
            variable=variable if variable in self._environ else "",
            waits=change.is_open and value != _get(self.settings, section, key),
            **_shape(section, key),
        )


def _shape(section: str, key: str) -> dict[str, Any]:
    """Return what a form must know of a setting's type."""
    match type_info(book.kind(section, key)):
        case BoolType():
            return {"kind": FieldKind.SWITCH, "choices": ("true", "false")}
        case IntType(ge=low, le=high):
            return {"kind": FieldKind.NUMBER, "low": low, "high": high}
        case LiteralType():
            return {"kind": FieldKind.CHOICE, "choices": book.choices(section, key)}
        case StrType(min_length=low, max_length=high):
            return {"kind": FieldKind.TEXT, "low": low, "high": high}
        case other:
            raise NotImplementedError(other)


def _get(settings: Settings, section: str, key: str) -> Value:
    value: Value = getattr(getattr(settings, section), key)
    return value


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _details(before: Settings, new: Mapping[tuple[str, str], Value]) -> list[str]:
    """Say of each setting what it was and becomes, for the audit log."""
    return [
        f"{section}.{key}: {_text(_get(before, section, key))} -> {_text(value)}"
        for (section, key), value in new.items()
    ]


def _with_open_ones(old: Settings, new: Settings) -> Settings:
    """Take from ``new`` what counts at once."""
    sections = msgspec.to_builtins(old)
    for section, keys in sections.items():
        for key in keys:
            if book.change(section, key) in {Change.NOW, Change.NAMED}:
                keys[key] = _get(new, section, key)
    return msgspec.convert(sections, Settings)


def _is_writable(path: Path) -> bool:
    """Return whether the file can be replaced, which takes a new one beside it."""
    return os.access(path.resolve().parent, os.W_OK)
