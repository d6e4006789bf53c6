"""Reads settings from the file and the environment, and refuses what is unknown or wrong, naming the line."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec.inspect import BoolType, IntType, LiteralType, StrType, type_info
from msgspec.structs import fields

from hub.core.errors import SettingError
from hub.settings import toml_file
from hub.settings.toml_file import HTTPS, did_you_mean
from hub.settings.tree import Settings

ENV_PREFIX = "HIKMA_HUB_"
ENV_OF_CLI = frozenset({"HIKMA_HUB_DATA", "HIKMA_HUB_CONFIG"})
"""Variables that say where the data and the settings file are; the command line reads them."""

Value = bool | int | str
_NUMBER = re.compile(r"-?\d{1,20}")
_WORD_CHARS = 20  # a refused text up to this length is a mistyped word and is shown


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings file, if there is one, and let the HIKMA_HUB_* variables of ``environ`` win over it.

    Raises SettingError, whose text names the file and line (or the variable), what is wrong and what is allowed.
    """
    from_file = _from_file(path) if path else []
    return _settings([*from_file, *_from_environ(environ)])


def read(text: str, name: str) -> Settings:
    """Read the text of a settings file called ``name``; raises SettingError."""
    return _settings(_from_text(text, name))


def value(section: str, key: str, text: str) -> Value:
    """Read what a person says of one setting, as a variable would say it; raises SettingError."""
    if key not in _TYPES.get(section, {}):
        name = f"{section}.{key}"
        raise SettingError(f"there is no setting {name}{did_you_mean(name, names())}")
    try:
        return _value(section, key, text, strict=False)
    except _WrongError as error:
        raise SettingError(str(error)) from None


def names() -> tuple[str, ...]:
    """Return every setting as ``section.key``."""
    return tuple(f"{section}.{key}" for section, keys in _TYPES.items() for key in keys)


def kind(section: str, key: str) -> Any:  # noqa: ANN401  an annotated type is not a type to the type checker
    """Return the type of a setting, with its bounds."""
    return _TYPES[section][key]


def choices(section: str, key: str) -> tuple[str, ...]:
    """Return the words of a setting that is one of some, in the order of its declaration; none for another."""
    wanted = kind(section, key)
    return get_args(wanted) if get_origin(wanted) is Literal else ()


def variable(section: str, key: str) -> str:
    """Return the environment variable that wins over the file."""
    return f"{ENV_PREFIX}{section}_{key}".upper()


_Given = list[tuple[str, str, object]]
_TYPES: dict[str, dict[str, Any]] = {
    section.name: {key.name: key.type for key in fields(section.type)} for section in fields(Settings)
}
_VARIABLES = {variable(section, key): (section, key) for section, keys in _TYPES.items() for key in keys}


class _WrongError(Exception):
    """Something is wrong at ``keys``, the way to it in the file."""

    def __init__(self, text: str, *keys: str) -> None:
        super().__init__(text)
        self.keys = keys


def _from_file(path: Path) -> _Given:
    try:
        text = path.read_text("utf-8-sig")  # an editor on Windows may have put a mark before the first line
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} cannot be read as a settings file: {error}") from None
    return _from_text(text, str(path))


def _from_text(text: str, name: str) -> _Given:
    try:
        return _accepted(toml_file.parse(text, name))
    except _WrongError as error:
        message = f"{name} line {toml_file.line(text, error.keys)}: {error}"
    raise SettingError(message)


def _settings(given: _Given) -> Settings:
    sections: dict[str, dict[str, object]] = {}
    for section, key, found in given:
        sections.setdefault(section, {})[key] = found
    return msgspec.convert(sections, Settings)


def _from_environ(environ: Mapping[str, str]) -> _Given:
    given: _Given = []
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX) or name in ENV_OF_CLI:
            continue
        if name not in _VARIABLES:
            raise SettingError(f"{name}: there is no such setting{did_you_mean(name, [*_VARIABLES, *ENV_OF_CLI])}")
        section, key = _VARIABLES[name]
        try:
            given.append((section, key, _value(section, key, environ[name], strict=False)))
        except _WrongError as error:
            raise SettingError(f"{name}: {error}") from None
    return given


def _accepted(tables: dict[str, Any]) -> _Given:
    given: _Given = []
    for section, table in tables.items():
        if section not in _TYPES:
            raise _WrongError(f"there is no section [{section}]{did_you_mean(section, _TYPES)}", section)
        if not isinstance(table, dict):
            raise _WrongError(
                f"{section} is a section: write [{section}] on a line of its own, and its settings below", section
            )
        for key, found in table.items():
            if key not in _TYPES[section]:
                raise _WrongError(
                    f"there is no setting {key} in [{section}]{did_you_mean(key, _TYPES[section])}", section, key
                )
            given.append((section, key, _value(section, key, found, strict=True)))
    return given


def _value(section: str, key: str, given: object, *, strict: bool) -> Value:
    wanted = kind(section, key)
    try:
        found: Value = msgspec.convert(given, wanted, strict=strict)
    except msgspec.ValidationError:
        raise _WrongError(
            f"[{section}] {key} is {_found(given, wanted, strict=strict)}; allowed is {allowed(wanted)}", section, key
        ) from None
    return found


def allowed(wanted: Any) -> str:  # noqa: ANN401  as above
    """Say in words what a setting of this type may be."""
    match type_info(wanted):
        case BoolType():
            return "true or false"
        case IntType(ge=low, le=high):
            return f"a whole number from {low} to {high}"
        case StrType(pattern=pattern, max_length=high) if pattern == HTTPS:
            return f"empty, or an https:// address of at most {high} characters"
        case StrType(min_length=low, max_length=high):
            return f"one line of text, {low} to {high} characters"
        case LiteralType(values=values):
            return " or ".join(f'"{value}"' for value in values)
        case other:
            raise NotImplementedError(other)


def _found(given: object, wanted: Any, *, strict: bool) -> str:  # noqa: ANN401  as above
    """Describe a refused value. Free text is never repeated: in the wrong line it may be a password."""
    match given:
        case bool():
            return str(given).lower()
        case int() | float():
            return f"the number {given}"[:60]
        case str() if not strict and _NUMBER.fullmatch(given):  # a variable and a word of the command line are text
            return f"the number {given}"
        case str() if len(given) > _WORD_CHARS or isinstance(type_info(wanted), StrType):
            return f"a text of {len(given)} characters"
        case str():
            return f'the text "{given}"'
        case _:  # a list, dict, date, time or datetime
            return f"a {type(given).__name__}"
