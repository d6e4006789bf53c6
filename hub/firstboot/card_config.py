"""hikma-hub.toml on the boot partition: what it may say, strictly checked and refused with the line to change."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta
from msgspec.structs import fields

from hub.core.errors import SettingError
from hub.settings import toml_file
from hub.settings.toml_file import ONE_LINE, did_you_mean

FILE_NAME = "hikma-hub.toml"
TAKEN = "(taken)"
"""Stands where a secret was, once the hub has it; a file that says so asks for no change of it."""

_BYTES_MAX = 64 * 1024
_Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=ONE_LINE)]
_Ssid = Annotated[str, Meta(min_length=1, max_length=32, pattern=ONE_LINE)]
_Passphrase = Annotated[str, Meta(min_length=7, max_length=63, pattern=r"\A[\x20-\x7e]*\Z")]
"""WPA: 8 to 63 printable characters (IEEE 802.11 annex J.4); TAKEN has seven."""
_Secret = Annotated[str, Meta(min_length=1, max_length=200, pattern=ONE_LINE)]
_WPA_CHARS_MIN = 8
_ADMINISTRATOR_CHARS_MIN = 10
"""As on the page."""
_EMAIL = r"\A[^@\s]+@[^@\s]+\Z"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file; unknown keys are refused, so that a typing error cannot go unnoticed."""


class HubTable(_Table, frozen=True):
    """[hub]: what it is called and where it stands."""

    name: _Name = "Hikma Hub"
    language: Literal["en", "ar", "es", "fr"] = "en"
    country: Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")] | None = None
    """Two capital letters (ISO 3166); the law says which radio channels may be used there."""
    timezone: str = "Etc/UTC"


class WifiTable(_Table, frozen=True):
    """[[wifi]]: a network to join, any number of them, the first one preferred."""

    name: _Ssid
    password: _Passphrase | None = None
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
    raw = path.read_bytes()[: _BYTES_MAX + 1]
    if len(raw) > _BYTES_MAX:
        raise SettingError(f"{path.name} is larger than {_BYTES_MAX} bytes; it is a short text file")
    try:
        text = raw.strip(b"\0").decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SettingError(
            f"{path.name} line {line}: not UTF-8; save it as UTF-8 (in Notepad: Save as, Encoding)"
        ) from None
    found = read(text, path.name)
    without_secrets(text)  # before anything is applied: secrets that cannot be taken out again are not taken in
    return found


def read(text: str, name: str = FILE_NAME) -> CardConfig:
    """Read the text of the file."""
    try:
        config = msgspec.convert(toml_file.parse(text, name), CardConfig)
    except msgspec.ValidationError as error:
        raise SettingError(_explained(name, text, str(error))) from None
    for key, problem in _contradictions(config):
        raise SettingError(f"{name} line {toml_file.line(text, key.split('.'))}: {problem}")
    return config


def _contradictions(config: CardConfig) -> list[tuple[str, str]]:
    """Return what no type can say, as (where, sentence)."""
    found = []
    if config.hub.timezone not in available_timezones():
        found.append(("hub.timezone", 'there is no such time zone; write it as in "Africa/Kampala"'))
    passwords = [(f"wifi.{number}.password", wifi.password) for number, wifi in enumerate(config.wifi)]
    if config.access_point:
        passwords.append(("access_point.password", config.access_point.password))
    found += [
        (where, f"a Wi-Fi password has {_WPA_CHARS_MIN} to 63 characters")
        for where, password in passwords
        if password and password != TAKEN and len(password) < _WPA_CHARS_MIN
    ]
    if config.administrator and not _fits(config.administrator.password):
        sentence = f"the administrator's password needs {_ADMINISTRATOR_CHARS_MIN} characters or more"
        found.append(("administrator.password", sentence))
    if (config.wifi or config.access_point) and not config.hub.country:
        found.append(("wifi" if config.wifi else "access_point", 'Wi-Fi needs [hub] country, two letters such as "UG"'))
    if config.clinic and not config.administrator:
        found.append(("clinic", "a clinic made here needs an [administrator] who can sign in to it"))
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
    found = [wifi.password for wifi in config.wifi]
    found += [config.access_point.password] if config.access_point else []
    found += [config.cloud.api_key] if config.cloud else []
    found += [config.fleet.token] if config.fleet else []
    found += [config.administrator.password] if config.administrator else []
    found.append(config.storage.recovery_passphrase)
    return [secret for secret in found if secret]
