"""Every setting of the hub once: its section, key, type, bounds, unit and default.

They come from a TOML file (hub.toml beside this module is the commented template) and from environment
variables, which win: ``[pairing] mode`` is HIKMA_HUB_PAIRING_MODE. What is unknown or wrong is refused
with the line to mend, so that a typing error cannot quietly leave a hub with another setting than was meant.
"""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from msgspec.inspect import BoolType, IntType, LiteralType, StrType, type_info
from msgspec.structs import fields

from hub.core.errors import SettingError

ENV_PREFIX = "HIKMA_HUB_"
ENV_OF_CLI = frozenset({"HIKMA_HUB_DATA", "HIKMA_HUB_CONFIG"})
"""Variables that say where the data and the settings file are; the command line reads them."""

_ONE_LINE = r"\A[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z"  # no control characters, no lone surrogates
_HOST_NAME = r"\A[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\Z"  # RFC 1123 section 2.1, one label
_WORD_CHARS = 20  # a refused text up to this length is a mistyped word and is shown


class Hub(msgspec.Struct, frozen=True):
    """[hub]: what the hub is called."""

    name: Annotated[str, Meta(min_length=1, max_length=80, pattern=_ONE_LINE)] = "Hikma Hub"
    """What phones show; 1 to 80 characters."""


class Server(msgspec.Struct, frozen=True):
    """[server]: where the hub listens."""

    # Phones come over the LAN, so every interface is the default.
    host: Annotated[str, Meta(min_length=1, max_length=253, pattern=_ONE_LINE)] = "0.0.0.0"  # noqa: S104
    """An address of this machine, or 0.0.0.0 for all of them."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 4001
    """A TCP port; 4001 is where phones look."""


class Pairing(msgspec.Struct, frozen=True):
    """[pairing]: when a new phone may come."""

    mode: Literal["window", "open"] = "window"
    """``window``: while someone holds the door open; ``open``: always."""
    minutes: Annotated[int, Meta(ge=1, le=240)] = 10
    """How long the window stays open; minutes."""
    address: Literal["ip", "name"] = "ip"
    """What the QR code carries: the hub's IP address or its name."""


class Discovery(msgspec.Struct, frozen=True):
    """[discovery]: how the hub is found on the network."""

    enabled: bool = True
    """Whether the hub announces itself; one that listens on loopback alone never does."""
    host_name: Annotated[str, Meta(min_length=1, max_length=60, pattern=_HOST_NAME)] = "hikma-hub"
    """The name it answers for, followed by .local; letters, digits and hyphens. Taken ones get a number."""


class Lights(msgspec.Struct, frozen=True):
    """[lights]: the lamps and the button; pins are GPIO numbers, not places on the connector."""

    kind: Literal["three", "rgb"] = "three"
    """Three lamps side by side, or one that mixes its colours."""
    green_pin: Annotated[int, Meta(ge=2, le=27)] = 17
    """Pin of the green lamp."""
    blue_pin: Annotated[int, Meta(ge=2, le=27)] = 27
    """Pin of the blue lamp."""
    red_pin: Annotated[int, Meta(ge=2, le=27)] = 22
    """Pin of the red lamp."""
    active: Literal["high", "low"] = "high"
    """Level of a pin at which its lamp is lit; low for lamps with a common anode."""
    brightness: Annotated[int, Meta(ge=1, le=100)] = 60
    """Of a lit lamp; percent."""
    button_pin: Annotated[int, Meta(ge=0, le=27)] = 3
    """Pin of the button, which closes to ground; 0 for none. A switched-off Pi starts when pin 3 is grounded."""
    chip: Annotated[int, Meta(ge=-1, le=64)] = -1
    """Number of the GPIO chip (/dev/gpiochipN); -1 finds the one of a Raspberry Pi."""


class Sync(msgspec.Struct, frozen=True):
    """[sync]: how much travels in one message."""

    page_bytes: Annotated[int, Meta(ge=16 * 1024, le=16 * 1024**2)] = 4 * 1024**2
    """Budget of one answer to a pull; bytes of its payload before sealing."""
    push_bytes_max: Annotated[int, Meta(ge=1024**2, le=256 * 1024**2)] = 64 * 1024**2
    """Largest push that is read; bytes of its payload after opening."""


class Relay(msgspec.Struct, frozen=True):
    """[relay]: when and how much the hub sends to the cloud and fetches from it."""

    minutes: Annotated[int, Meta(ge=1, le=1440)] = 5
    """How often, when nothing is entered; minutes. What a phone brings goes at once."""
    hours_from: Annotated[int, Meta(ge=0, le=23)] = 0
    """Hour of the day, local time, from which the line may be used."""
    hours_to: Annotated[int, Meta(ge=0, le=24)] = 24
    """Hour until which; earlier than ``hours_from`` means over midnight, 0 to 24 the whole day."""
    month_mb: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """What may go over the line in a month; units of 1,000,000 bytes, 0 for no limit."""
    batch_records: Annotated[int, Meta(ge=10, le=1000)] = 500
    """Records in one request."""
    batch_bytes: Annotated[int, Meta(ge=32 * 1024, le=16 * 1024**2)] = 1024**2
    """Bytes in one request; a single larger record goes by itself."""
    requests_per_minute: Annotated[int, Meta(ge=5, le=60)] = 40
    """Requests in any minute; the cloud refuses more than 60 from one address, which phones may share."""


class Login(msgspec.Struct, frozen=True):
    """[login]: how long a sign-in lasts and how guessing is slowed."""

    token_days: Annotated[int, Meta(ge=1, le=365)] = 30
    """Life of a sign-in; days."""
    attempts: Annotated[int, Meta(ge=1, le=50)] = 5
    """Failures before waiting begins; counted per account, device and address."""
    wait_s: Annotated[int, Meta(ge=1, le=3600)] = 30
    """First wait; seconds. It doubles with every further failure."""
    wait_max_s: Annotated[int, Meta(ge=1, le=86400)] = 900
    """Longest wait; seconds."""


class Limits(msgspec.Struct, frozen=True):
    """[limits]: bounds on whatever a peer can make grow."""

    devices: Annotated[int, Meta(ge=1, le=10_000)] = 500
    """Phones that the hub remembers."""
    sessions_per_device: Annotated[int, Meta(ge=1, le=1024)] = 128
    """Session keys of one phone that stay valid at once."""
    sessions: Annotated[int, Meta(ge=1, le=65_536)] = 4096
    """Session keys of all phones."""
    handshakes_per_minute: Annotated[int, Meta(ge=1, le=100_000)] = 1200
    """Handshakes from one address in a minute."""
    memory_mb: Annotated[int, Meta(ge=16, le=4096)] = 96
    """Answers and pushes in flight together; units of 1,048,576 bytes."""
    quarantine_records: Annotated[int, Meta(ge=100, le=1_000_000)] = 10_000
    """Records that quarantine holds."""
    workers: Annotated[int, Meta(ge=1, le=32)] = 4
    """Threads that open, store and seal messages."""


class Store(msgspec.Struct, frozen=True):
    """[store]: how the database is treated."""

    check_at_start: Literal["quick", "full", "off"] = "quick"
    """Which integrity check runs before the first phone is served."""


class Log(msgspec.Struct, frozen=True):
    """[log]: what is told, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Events below it are left out."""
    format: Literal["logfmt", "json"] = "logfmt"
    """One event is one line: key=value, or one JSON object."""


class Web(msgspec.Struct, frozen=True):
    """[web]: the pages for people."""

    https_port: Annotated[int, Meta(ge=0, le=65535)] = 4443
    """A TCP port for the pages over TLS; 0 for none. A hub that listens on loopback alone needs none."""
    plain_sign_in: bool = False
    """Whether passwords are taken over plain HTTP from other machines, where others on the Wi-Fi can read them."""
    idle_minutes: Annotated[int, Meta(ge=1, le=720)] = 15
    """Who does nothing for so long is signed out; minutes."""
    show_lights: bool = False
    """Whether the first page shows what the lights of the box show."""


class Box(msgspec.Struct, frozen=True):
    """[box]: the machine that the hub runs on."""

    status_file: Annotated[str, Meta(min_length=1, max_length=253, pattern=_ONE_LINE)] = "/run/hikma-hub/status.json"
    """What the lights and the console read; not written where its folder is missing."""
    restart_command: Annotated[str, Meta(min_length=0, max_length=253, pattern=_ONE_LINE)] = ""
    """What starts the machine again; without one the page has no button for it."""
    shutdown_command: Annotated[str, Meta(min_length=0, max_length=253, pattern=_ONE_LINE)] = ""
    """What switches the machine off."""


class Settings(msgspec.Struct, frozen=True):
    """All sections; ``Settings()`` is every default."""

    hub: Hub = Hub()
    server: Server = Server()
    pairing: Pairing = Pairing()
    discovery: Discovery = Discovery()
    lights: Lights = Lights()
    sync: Sync = Sync()
    relay: Relay = Relay()
    login: Login = Login()
    limits: Limits = Limits()
    store: Store = Store()
    log: Log = Log()
    web: Web = Web()
    box: Box = Box()


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings file, if there is one, and let the HIKMA_HUB_* variables of ``environ`` win over it.

    Raises SettingError, whose text names the file and line (or the variable), what is wrong and what is allowed.
    """
    given: dict[str, dict[str, object]] = {}
    from_file = _from_file(path) if path else []
    for section, key, value in [*from_file, *_from_environ(environ)]:
        given.setdefault(section, {})[key] = value
    return msgspec.convert(given, Settings)


_Given = list[tuple[str, str, object]]
_TYPES: dict[str, dict[str, Any]] = {
    section.name: {key.name: key.type for key in fields(section.type)} for section in fields(Settings)
}
_VARIABLES = {
    f"{ENV_PREFIX}{section}_{key}".upper(): (section, key) for section, keys in _TYPES.items() for key in keys
}


class _WrongError(Exception):
    """Something is wrong at ``keys``, the way to it in the file."""

    def __init__(self, text: str, *keys: str) -> None:
        super().__init__(text)
        self.keys = keys


def _from_file(path: Path) -> _Given:
    try:
        text = path.read_text("utf-8-sig")  # an editor on Windows may have put a mark before the first line
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read as a settings file: {error}"
        raise SettingError(message) from None
    try:
        return _accepted(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: {error}"  # it ends with "(at line 3, column 7)"
    except _WrongError as error:
        message = f"{path} line {_line(text, error.keys)}: {error}"
    raise SettingError(message)


def _from_environ(environ: Mapping[str, str]) -> _Given:
    given: _Given = []
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX) or name in ENV_OF_CLI:
            continue
        if name not in _VARIABLES:
            message = f"{name}: there is no such setting{_meant(name, [*_VARIABLES, *ENV_OF_CLI])}"
            raise SettingError(message)
        section, key = _VARIABLES[name]
        try:
            given.append((section, key, _value(section, key, environ[name], strict=False)))
        except _WrongError as error:
            message = f"{name}: {error}"
            raise SettingError(message) from None
    return given


def _accepted(tables: dict[str, Any]) -> _Given:
    given: _Given = []
    for section, table in tables.items():
        if section not in _TYPES:
            message = f"there is no section [{section}]{_meant(section, _TYPES)}"
            raise _WrongError(message, section)
        if not isinstance(table, dict):
            message = f"{section} is a section: write [{section}] on a line of its own, and its settings below"
            raise _WrongError(message, section)
        for key, value in table.items():
            if key not in _TYPES[section]:
                message = f"there is no setting {key} in [{section}]{_meant(key, _TYPES[section])}"
                raise _WrongError(message, section, key)
            given.append((section, key, _value(section, key, value, strict=True)))
    return given


def _value(section: str, key: str, value: object, *, strict: bool) -> object:
    kind = _TYPES[section][key]
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError:
        message = f"[{section}] {key} is {_found(value, kind)}; allowed is {allowed(kind)}"
        raise _WrongError(message, section, key) from None


def allowed(kind: Any) -> str:  # noqa: ANN401  an annotated type is not a type to the type checker
    """Say in words what a setting of this type may be."""
    match type_info(kind):
        case BoolType():
            return "true or false"
        case IntType(ge=low, le=high):
            return f"a whole number from {low} to {high}"
        case StrType(min_length=low, max_length=high):
            return f"one line of text, {low} to {high} characters"
        case LiteralType(values=values):
            return " or ".join(f'"{value}"' for value in values)
        case other:
            raise NotImplementedError(other)


def _found(value: object, kind: Any) -> str:  # noqa: ANN401  as above
    """Describe a refused value. Free text is never repeated: in the wrong line it may be a password."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"[:60]
        case str() if len(value) > _WORD_CHARS or isinstance(type_info(kind), StrType):
            return f"a text of {len(value)} characters"
        case str():
            return f'the text "{value}"'
        case _:  # a list, dict, date, time or datetime
            return f"a {type(value).__name__}"


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _line(text: str, keys: tuple[str, ...]) -> int:
    """Find the line (from 1) where ``keys`` appear: the first at which the text so far holds them.

    Asking tomllib itself takes every way of writing a key; the file is short, and read so only to refuse it.
    """
    lines = text.split("\n")
    for number in range(1, len(lines)):
        try:
            found: Any = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:  # it ends inside a value of several lines
            continue
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None:
            return number
    return len(lines)
