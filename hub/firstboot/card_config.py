"""hikma-hub.toml on the boot partition: what it may say, strictly checked and refused with the line to change."""

import codecs
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta
from msgspec.structs import fields

from hub.core import wifi
from hub.core.errors import SettingError
from hub.firstboot import countries
from hub.settings import toml_file
from hub.settings.toml_file import ONE_LINE, did_you_mean

FILE_NAME = "hikma-hub.toml"
TAKEN = "(taken)"
"""Stands where a secret was, once the hub has it; a file that says so asks for no change of it."""

CLUSTER_BYTES = 4096
"""Of the boot partition: fsck cuts off a file there of which it does not find the rest (image/steps/50-card)."""
_BYTES_MAX = 64 * 1024
_NOT_UTF_8 = "not UTF-8; save it as UTF-8 (in Notepad: Save as, Encoding)"
_NO_TEXT = (
    "not a text. Save it with a text editor, not with a word processor;"
    " if that was done, the card has damaged the file: write it anew, and replace the card soon"
)
_IN_NO_TEXT = re.compile(rb"[\x01-\x08\x0e-\x19\x1c-\x1f\x7f]")
"""Control characters that no text has; DOS ends one with 1A."""
_Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=ONE_LINE)]
_Ssid = Annotated[str, Meta(min_length=1, max_length=200, pattern=ONE_LINE)]
_Passphrase = Annotated[str, Meta(max_length=200)]
_Secret = Annotated[str, Meta(min_length=1, max_length=200, pattern=ONE_LINE)]
_ADMINISTRATOR_CHARS_MIN = 10
"""As on the page."""
_EMAIL = r"\A[^@\s]+@[^@\s]+\Z"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file; unknown keys are refused, so that a typing error cannot go unnoticed."""


class HubTable(_Table, frozen=True):
    """[hub]: what it is called and where it stands."""

    name: _Name = "Hikma Hub"
    language: Literal["en", "ar", "es", "fr"] = "en"
    country: Annotated[str, Meta(max_length=80, pattern=ONE_LINE)] | None = None
    """Two capital letters (ISO 3166); the law says which radio channels may be used there."""
    timezone: str = "Etc/UTC"


class WifiTable(_Table, frozen=True):
    """[[wifi]]: a network to join, any number of them, the first one preferred."""

    name: _Ssid
    password: _Passphrase | None = None
    open: bool = False
    """Wanted without a password; one that only lacks it is refused."""
    hidden: bool = False


class AccessPointTable(_Table, frozen=True):
    """[access_point]: the hub's own network."""

    name: _Ssid
    password: _Passphrase | None = None
    """Without it the hub draws one; it is on the label."""
    when: Literal["fallback", "always"] = "fallback"


class CloudTable(_Table, frozen=True):
    """[cloud]: where records are relayed to."""

    url: Annotated[str, Meta(max_length=200, pattern=r"\Ahttps?://[^\s/]+\S*\Z")]
    api_key: _Secret


class FleetTable(_Table, frozen=True):
    """[fleet]: who sees how this hub is doing."""

    url: Annotated[str, Meta(max_length=200, pattern=r"\Ahttps?://[^\s/]+\S*\Z")]
    token: _Secret
    ca: Annotated[str, Meta(max_length=16_384, pattern=r"\A\s*-----BEGIN CERTIFICATE-----[\x20-\x7e\s]*\Z")] | None = (
        None
    )
    """Certificate of the organisation's own authority (PEM)."""


class AdministratorTable(_Table, frozen=True):
    """[administrator]: who may change the hub on its page."""

    email: Annotated[str, Meta(max_length=200, pattern=_EMAIL)]
    password: Annotated[str, Meta(min_length=7, max_length=72, pattern=ONE_LINE)]
    name: _Name = "Administrator"


class ClinicTable(_Table, frozen=True):
    """[clinic]: for a hub without a cloud, the clinic that it makes; the administrator signs in to it by phone too."""

    name: _Name


class SshTable(_Table, frozen=True):
    """[ssh]: lets a technician in; without it there is no way in."""

    key: Annotated[
        str, Meta(max_length=2000, pattern=r"\A(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+|sk-\S+) [A-Za-z0-9+/=]+( [^\n]*)?\Z")
    ]


class StorageTable(_Table, frozen=True):
    """[storage]: how the data partition is opened; read when it is made, not after."""

    key: Literal["board", "usb"] = "board"
    recovery_passphrase: Annotated[str, Meta(min_length=7, max_length=200, pattern=r"\A[\x20-\x7e]*\Z")] | None = None


class CardConfig(_Table, frozen=True):
    """The whole file; ``CardConfig()`` is a card without one."""

    hub: HubTable = HubTable()
    wifi: tuple[WifiTable, ...] = ()
    access_point: AccessPointTable | None = None
    cloud: CloudTable | None = None
    fleet: FleetTable | None = None
    administrator: AdministratorTable | None = None
    clinic: ClinicTable | None = None
    ssh: SshTable | None = None
    storage: StorageTable = StorageTable()


def load(path: Path) -> CardConfig:
    """Read the file; none, or one that a power cut left blank, is ``CardConfig()``.

    Raises SettingError, which names the line.
    """
    if not path.exists():
        return CardConfig()
    with path.open("rb") as file:
        return from_bytes(file.read(_BYTES_MAX + 1), path.name)


def from_bytes(raw: bytes, name: str = FILE_NAME) -> CardConfig:
    """Read the bytes of the file; raises SettingError."""
    if len(raw) > _BYTES_MAX:
        raise SettingError(f"{name} is larger than {_BYTES_MAX} bytes; it is a short text file")
    try:
        text = raw.strip(b"\0").decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SettingError(f"{name} line {line}: {_NO_TEXT if _is_no_text(raw) else _NOT_UTF_8}") from None
    found = read(text, name)
    without_secrets(text)  # before anything is applied: secrets that cannot be taken out again are not taken in
    return found


def _is_no_text(raw: bytes) -> bool:
    """Whether no program saved this as a text, in whatever encoding."""
    return not raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and bool(_IN_NO_TEXT.search(raw))


def read(text: str, name: str = FILE_NAME) -> CardConfig:
    """Read the text of the file."""
    try:
        config = msgspec.convert(_parsed(text, name), CardConfig)
    except msgspec.ValidationError as error:
        raise SettingError(_explained(name, text, str(error))) from None
    for key, problem in _contradictions(config):
        raise SettingError(f"{name} line {toml_file.line(text, key.split('.'))}: {problem}")
    return config


def _parsed(text: str, name: str) -> dict[str, Any]:
    """Parse the file; of a line that a word processor wrote, say so."""
    try:
        return toml_file.parse(text, name)
    except SettingError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = text.split("\n")[int(at[1]) - 1] if at else ""
        if at and re.search("[\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019]", line):
            raise SettingError(f'{name} line {at[1]}: curly quotes; type straight ones, "') from None
        raise


def _contradictions(config: CardConfig) -> list[tuple[str, str]]:
    """Return what no type can say, as (where, sentence)."""
    found = []
    if config.hub.timezone not in _zones():
        found.append(("hub.timezone", 'there is no such time zone; write it as in "Africa/Kampala"'))
    country = countries.problem(config.hub.country) if config.hub.country is not None else None
    if country:
        found.append(("hub.country", f"hub.country: {country}"))
    found += _impossible_networks(config)
    if config.administrator and not _fits(config.administrator.password):
        sentence = f"the administrator's password needs {_ADMINISTRATOR_CHARS_MIN} characters or more"
        found.append(("administrator.password", sentence))
    if (config.wifi or config.access_point) and not config.hub.country:
        found.append(("wifi" if config.wifi else "access_point", 'Wi-Fi needs [hub] country, two letters such as "UG"'))
    if config.clinic and not config.administrator:
        found.append(("clinic", "a clinic made here needs an [administrator] who can sign in to it"))
    return found


@cache
def _zones() -> set[str]:
    return available_timezones()  # it looks through hundreds of files


def _impossible_networks(config: CardConfig) -> list[tuple[str, str]]:
    networks = [(f"wifi.{number}", one.name, one.password) for number, one in enumerate(config.wifi)]
    if config.access_point:
        networks.append(("access_point", config.access_point.name, config.access_point.password))
    found = []
    for where, name, password in networks:
        size = len(name.encode())
        if size > wifi.SSID_BYTES_MAX:
            sentence = (
                f"a Wi-Fi name has at most {wifi.SSID_BYTES_MAX} bytes, this one {size}; an Arabic letter takes two"
            )
            found.append((f"{where}.name", sentence))
        if password is not None and password != TAKEN and not wifi.is_password(password):
            sentence = (
                "a Wi-Fi password has 8 to 63 characters (letters without accents, digits, signs), or 64 hex digits"
            )
            found.append((f"{where}.password", sentence))
    for number, one in enumerate(config.wifi):
        if (one.password is None) is not one.open:
            found.append((f"wifi.{number}", "a Wi-Fi has either a password or, to be joined without one, open = true"))
        if one.name in {earlier.name for earlier in config.wifi[:number]}:
            found.append((f"wifi.{number}.name", "this Wi-Fi is in the file twice; remove one"))
    return found


def _fits(password: str) -> bool:
    return password == TAKEN or len(password) >= _ADMINISTRATOR_CHARS_MIN


def _explained(name: str, text: str, problem: str) -> str:
    """Turn msgspec's sentence, ``Expected `str`, got `int` - at `$.hub.name```, into one with a line number."""
    said, _, at = problem.partition(" - at `$.")
    keys = re.sub(r"\[(\d+)\]", r".\1", at.rstrip("`").replace("[...]", "[0]")).split(".")
    unknown = re.search(r"unknown field `(\w+)`", said)
    if unknown:
        keys = [*filter(None, keys)]
        said = f"there is no {unknown[1]} here{did_you_mean(unknown[1], _known(keys))}"
        keys.append(unknown[1])
    where = ".".join(key for key in keys if not key.isdigit()) or "the file"
    return f"{name} line {toml_file.line(text, keys)}: {where}: {said}"


def _known(keys: list[str]) -> list[str]:
    """Return the keys that the table at ``keys`` may have."""
    table: Any = CardConfig
    for key in keys:
        if not key.isdigit():
            kind = next(field.type for field in fields(table) if field.name == key)
            table = next(one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, _Table))
    return [field.name for field in fields(table)]


_SECRET_LINE = re.compile(
    r"""^(?P<key>\s*(?:password|api_key|token|recovery_passphrase)\s*=\s*)(?:"(?:[^"\\]|\\.)*"|'[^']*')(?P<rest>\s*?(?:\#[^\n]*)?)$""",
    re.MULTILINE,
)


def without_secrets(text: str) -> str:
    """Return the file with TAKEN in place of every secret; the rest stays as the technician wrote it.

    Raises SettingError where a secret is written in a way that this cannot find, so that none stays behind unseen.
    """
    clean = _SECRET_LINE.sub(rf'\g<key>"{TAKEN}"\g<rest>', text)
    if any(secret != TAKEN for secret in secrets_in(read(clean))):
        raise SettingError(f"{FILE_NAME}: write each password on a line of its own, as in the example")
    return clean


def secrets_in(config: CardConfig) -> list[str]:
    """List the secrets of the file."""
    return [secret for _, secret in _secrets(config)]


def taken_in(config: CardConfig) -> list[str]:
    """List where the file says TAKEN, as "wifi.0.password"."""
    return [where for where, secret in _secrets(config) if secret == TAKEN]


def asks_for_nothing(text: str) -> bool:
    """Return whether the file, which can be read, sets nothing: it is empty, or all of it is a comment."""
    return not any(toml_file.parse(text, FILE_NAME).values())


def missing(text: str, where: list[str]) -> str:
    """Say of secrets that stand as TAKEN in the file, but that this card never got, what to do."""
    lines = "; ".join(f"line {toml_file.line(text, key.split('.'))}: {key.split('.')[-1]}" for key in where)
    return f'{FILE_NAME}: this card does not have what is "{TAKEN}"; write it again ({lines})'


def _secrets(config: CardConfig) -> list[tuple[str, str]]:
    found = [(f"wifi.{number}.password", one.password) for number, one in enumerate(config.wifi)]
    found += [("access_point.password", config.access_point.password)] if config.access_point else []
    found += [("cloud.api_key", config.cloud.api_key)] if config.cloud else []
    found += [("fleet.token", config.fleet.token)] if config.fleet else []
    found += [("administrator.password", config.administrator.password)] if config.administrator else []
    found.append(("storage.recovery_passphrase", config.storage.recovery_passphrase))
    return [(where, secret) for where, secret in found if secret]
