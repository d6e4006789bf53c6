"""What hikma-hub.toml on the boot partition may say: strictly checked, and refused with the line to mend."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta

from hub.core.errors import SettingError

FILE_NAME = "hikma-hub.toml"
TAKEN = "(taken)"
"""Stands where a secret was, once the hub has it; a file that says so asks for no change of it."""

_BYTES_MAX = 64 * 1024
_ONE_LINE = r"\A[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z"
_Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=_ONE_LINE)]
_Ssid = Annotated[str, Meta(min_length=1, max_length=32, pattern=_ONE_LINE)]
_Passphrase = Annotated[str, Meta(min_length=7, max_length=63, pattern=r"\A[\x20-\x7e]*\Z")]
"""WPA: 8 to 63 printable characters (IEEE 802.11 annex J.4); TAKEN has seven."""
_Secret = Annotated[str, Meta(min_length=1, max_length=200, pattern=_ONE_LINE)]
_WPA_CHARS_MIN = 8
_ADMINISTRATOR_CHARS_MIN = 10
"""As on the page."""
_EMAIL = r"\A[^@\s]+@[^@\s]+\Z"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section; what it does not know is refused, so that a typing error cannot pass for a wish."""


class Hub(_Table, frozen=True):
    """[hub]: what it is called and where it stands."""

    name: _Name = "Hikma Hub"
    language: Literal["en", "ar", "es", "fr"] = "en"
    country: Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")] | None = None
    """Two capital letters (ISO 3166); the law says which radio channels may be used there."""
    timezone: str = "Etc/UTC"


class Wifi(_Table, frozen=True):
    """[[wifi]]: a network to join, any number of them, the first one preferred."""

    name: _Ssid
    password: _Passphrase | None = None
    hidden: bool = False


class AccessPoint(_Table, frozen=True):
    """[access_point]: the hub's own network."""

    name: _Ssid
    password: _Passphrase | None = None
    """Without it the hub draws one; it is on the label."""
    when: Literal["fallback", "always"] = "fallback"


class Cloud(_Table, frozen=True):
    """[cloud]: where records are relayed to."""

    url: Annotated[str, Meta(max_length=200, pattern=r"\Ahttps?://[^\s/]+\S*\Z")]
    api_key: _Secret


class Administrator(_Table, frozen=True):
    """[administrator]: who may change the hub on its page."""

    email: Annotated[str, Meta(max_length=200, pattern=_EMAIL)]
    password: Annotated[str, Meta(min_length=7, max_length=72, pattern=_ONE_LINE)]
    name: _Name = "Administrator"


class Clinic(_Table, frozen=True):
    """[clinic]: for a hub without a cloud, the clinic that it makes; the administrator signs in to it by phone too."""

    name: _Name


class Ssh(_Table, frozen=True):
    """[ssh]: lets a technician in; without it there is no way in."""

    key: Annotated[
        str, Meta(max_length=2000, pattern=r"\A(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+|sk-\S+) [A-Za-z0-9+/=]+( [^\n]*)?\Z")
    ]


class Storage(_Table, frozen=True):
    """[storage]: how the data partition is opened; read when it is made, not after."""

    key: Literal["board", "usb"] = "board"
    recovery_passphrase: Annotated[str, Meta(min_length=7, max_length=200, pattern=r"\A[\x20-\x7e]*\Z")] | None = None


class Wishes(_Table, frozen=True):
    """The whole file; ``Wishes()`` is a card without one."""

    hub: Hub = Hub()
    wifi: tuple[Wifi, ...] = ()
    access_point: AccessPoint | None = None
    cloud: Cloud | None = None
    administrator: Administrator | None = None
    clinic: Clinic | None = None
    ssh: Ssh | None = None
    storage: Storage = Storage()


def load(path: Path) -> Wishes:
    """Read the file; none, or one that a power cut left blank, is ``Wishes()``. Raises SettingError naming the line."""
    if not path.exists():
        return Wishes()
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
    without_secrets(text)  # before anything is obeyed: secrets that cannot be taken out again are not taken in
    return found


def read(text: str, name: str = FILE_NAME) -> Wishes:
    """Read the text of the file."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{name}: {error}"  # it ends with "(at line 3, column 7)"
        raise SettingError(message) from None
    try:
        wishes = msgspec.convert(given, Wishes)
    except msgspec.ValidationError as error:
        raise SettingError(_explained(name, text, str(error))) from None
    for key, problem in _contradictions(wishes):
        raise SettingError(f"{name} line {_line(text, key)}: {problem}")
    return wishes


def _contradictions(wishes: Wishes) -> list[tuple[str, str]]:
    """Return what no type can say, as (where, sentence)."""
    found = []
    if wishes.hub.timezone not in available_timezones():
        found.append(("hub.timezone", 'there is no such time zone; write it as in "Africa/Kampala"'))
    passwords = [(f"wifi.{number}.password", wifi.password) for number, wifi in enumerate(wishes.wifi)]
    if wishes.access_point:
        passwords.append(("access_point.password", wishes.access_point.password))
    found += [
        (where, f"a Wi-Fi password has {_WPA_CHARS_MIN} to 63 characters")
        for where, password in passwords
        if password and password != TAKEN and len(password) < _WPA_CHARS_MIN
    ]
    if wishes.administrator and not _fits(wishes.administrator.password):
        sentence = f"the administrator's password needs {_ADMINISTRATOR_CHARS_MIN} characters or more"
        found.append(("administrator.password", sentence))
    if (wishes.wifi or wishes.access_point) and not wishes.hub.country:
        found.append(("wifi" if wishes.wifi else "access_point", 'Wi-Fi needs [hub] country, two letters such as "UG"'))
    if wishes.clinic and not wishes.administrator:
        found.append(("clinic", "a clinic made here needs an [administrator] who can sign in to it"))
    return found


def _fits(password: str) -> bool:
    return password == TAKEN or len(password) >= _ADMINISTRATOR_CHARS_MIN


def _explained(name: str, text: str, problem: str) -> str:
    """Turn msgspec's sentence, ``Expected `str`, got `int` - at `$.hub.name```, into one with a line number."""
    said, _, at = problem.partition(" - at `$.")
    keys = re.sub(r"\[(\d+)\]", r".\1", at.rstrip("`").replace("[...]", "[0]"))
    unknown = re.search(r"unknown field `(\w+)`", said)
    if unknown:
        keys = f"{keys}.{unknown[1]}".lstrip(".")
        said = f"there is no {unknown[1]} here"
    return f"{name} line {_line(text, keys)}: {re.sub(r'[.][0-9]+', '', keys) or 'the file'}: {said}"


def _line(text: str, dotted: str) -> int:
    """Find the line (from 1) at which the file so far holds ``dotted``; the file is short, and refused already."""
    lines = text.splitlines()
    for end in range(1, len(lines) + 1):
        try:
            found: Any = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for key in dotted.split("."):
            if isinstance(found, list):
                found = found[int(key)] if key.isdigit() and int(key) < len(found) else None
            else:
                found = found.get(key) if isinstance(found, dict) else None
        if found is not None:
            return end
    return 1


_SECRET_LINE = re.compile(
    r"""^(?P<key>\s*(?:password|api_key|recovery_passphrase)\s*=\s*)(?:"(?:[^"\\]|\\.)*"|'[^']*')(?P<rest>\s*?(?:\#[^\n]*)?)$""",
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


def secrets_in(wishes: Wishes) -> list[str]:
    """List the secrets of the file."""
    found = [wifi.password for wifi in wishes.wifi]
    found += [wishes.access_point.password] if wishes.access_point else []
    found += [wishes.cloud.api_key] if wishes.cloud else []
    found += [wishes.administrator.password] if wishes.administrator else []
    found.append(wishes.storage.recovery_passphrase)
    return [secret for secret in found if secret]
