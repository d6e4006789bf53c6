"""NetworkManager's connections: the Wi-Fi networks to join and the hub's own access point."""

import itertools
import re
import secrets
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from hub.core.wifi import SSID_BYTES_MAX, Join, Networks, Offer
from hub.firstboot.card_config import TAKEN, AccessPointTable, CardConfig, WifiTable
from hub.firstboot.machine import Machine, write

FOLDER = "/etc/NetworkManager/system-connections"
_OURS = "hikma-"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without l, i, o, 0 and 1, which are read wrongly from a label."""
_DRAWN_CHARS = 12
_KNOWN_PRIORITY = 100
_CHOSEN_PRIORITY = 150
"""Of a network that was chosen on the page: before those of the file."""
_FALLBACK_PRIORITY = -100
_ALWAYS_PRIORITY = 200
_DHCP_S = 30
_AP_SECURITY = {"proto": "rsn", "pairwise": "ccmp", "group": "ccmp", "pmf": "2"}
"""WPA2 with AES alone, no WPA and no TKIP; protected management frames for the phones that can (2: optional)."""

COUNTRY_FILE = "/etc/modprobe.d/hikma-hub-country.conf"


def apply(machine: Machine, config: CardConfig) -> None:
    """Write the connections of the file, and remove those of an earlier one; others stay, as what the page chose."""
    folder = machine.path(FOLDER)
    names = _profiles(folder, config)
    wanted = {names[wifi.name]: _wifi(folder, names, rank, wifi) for rank, wifi in enumerate(config.wifi)}
    if config.access_point:
        wanted[ACCESS_POINT] = _access_point(folder, config.access_point)
    for name, content in wanted.items():
        write(folder / f"{name}.nmconnection", content, mode=0o600)
    for old in folder.glob(f"{_OURS}*.nmconnection"):
        if old.stem not in wanted and old.stem not in chosen(folder):
            old.unlink()
    if config.hub.country:
        line = f"options cfg80211 ieee80211_regdom={config.hub.country}\n".encode()
        with machine.writable("/"):
            write(machine.path(COUNTRY_FILE), line)


ACCESS_POINT = f"{_OURS}access-point"


def access_point(machine: Machine) -> tuple[str | None, str | None]:
    """Return name and password of the hub's own network, for its label."""
    folder = machine.path(FOLDER)
    name = network_name(folder, ACCESS_POINT)
    if name and len(name.encode()) > SSID_BYTES_MAX:  # of an earlier program; no radio opens it
        return None, None
    return name, _known_password(folder, ACCESS_POINT)


def networks(machine: Machine) -> Networks:
    """Return the networks that the hub knows, and its own."""
    folder = machine.path(FOLDER)
    profiles = sorted(_known(folder), key=lambda profile: -_priority(folder, profile))
    name, password = access_point(machine)
    is_always = _priority(folder, ACCESS_POINT) == _ALWAYS_PRIORITY
    own = Offer(name, password or "", "always" if is_always else "fallback") if name else None
    return Networks(known=tuple(filter(None, (network_name(folder, profile) for profile in profiles))), own=own)


def chosen(folder: Path) -> list[str]:
    """List the profiles that were chosen on the page."""
    return [profile for profile in _known(folder) if _priority(folder, profile) == _CHOSEN_PRIORITY]


def replaced(folder: Path, profile: str) -> list[str]:
    """List the profiles that a newly chosen one makes needless: chosen earlier, or of the same network."""
    name = network_name(folder, profile)
    same = [known for known in _known(folder) if network_name(folder, known) == name]
    return sorted({*chosen(folder), *same} - {profile})


def free_profile(folder: Path) -> str:
    """Return a profile that no network has."""
    return next(name for name in _names() if not _path(folder, name).exists())


def to_join(profile: str, wish: Join, *, is_trial: bool) -> bytes:
    """Write the profile of a chosen network; a trial is only joined when it is told to, also after a power cut."""
    connection = {"autoconnect-priority": str(_CHOSEN_PRIORITY), "autoconnect-retries": "0"}
    if is_trial:
        connection["autoconnect"] = "false"
    return _profile(
        profile,
        connection=connection,
        wifi=_station(wish.name, is_hidden=wish.hidden),
        password=wish.password,
        # Phones need IPv4: a network that gives no such address was not joined.
        ipv4={"method": "auto", "may-fail": "false", "dhcp-timeout": str(_DHCP_S)},
    )


def to_offer(folder: Path, wish: Offer) -> bytes:
    """Write the profile of the hub's own network."""
    return _access_point(folder, AccessPointTable(name=wish.name, password=wish.password, when=wish.when))


def unknown(machine: Machine, config: CardConfig) -> list[str]:
    """List the networks of the file whose password is TAKEN and not here, as "wifi.0.password"."""
    folder = machine.path(FOLDER)
    names = _profiles(folder, config)
    return [
        f"wifi.{number}.password"
        for number, wifi in enumerate(config.wifi)
        if wifi.password == TAKEN and not _known_password(folder, names[wifi.name])
    ]


def _profiles(folder: Path, config: CardConfig) -> dict[str, str]:
    """Return the profile of each network: the one that it has, wherever it stands in the file now, or a free one.

    No profile passes from one network to another while it is in use, so a power cut mixes no passwords up.
    """
    had = {network_name(folder, profile): profile for profile in _known(folder)}
    free = (name for name in _names() if name not in had.values())
    return {wifi.name: had.get(wifi.name) or next(free) for wifi in config.wifi}


def _known(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob(f"{_OURS}wifi-*.nmconnection"))


def _names() -> Iterator[str]:
    return (f"{_OURS}wifi-{number}" for number in itertools.count())


def _priority(folder: Path, profile: str) -> int:
    written = re.search(r"^autoconnect-priority=(-?\d{1,4})$", _text(folder, profile), re.MULTILINE)
    return int(written[1]) if written else 0


def network_name(folder: Path, profile: str) -> str | None:
    """Return the name of a profile's network; None of a profile that a damaged card garbled."""
    written = re.search(r"^ssid=([\d;]+)$", _text(folder, profile), re.MULTILINE)
    try:
        return bytes(int(byte) for byte in written[1].split(";") if byte).decode() if written else None
    except ValueError:
        return None


def _wifi(folder: Path, names: Mapping[str, str], rank: int, wifi: WifiTable) -> bytes:
    name = names[wifi.name]
    password = _known_password(folder, name) if wifi.password == TAKEN else wifi.password
    return _profile(
        name,
        connection={"autoconnect-priority": str(_KNOWN_PRIORITY - rank), "autoconnect-retries": "0"},
        wifi=_station(wifi.name, is_hidden=wifi.hidden),
        password=password,
        ipv4={"method": "auto"},
    )


def _access_point(folder: Path, point: AccessPointTable) -> bytes:
    password = point.password
    if password in {None, TAKEN}:
        drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_DRAWN_CHARS))
        password = _known_password(folder, ACCESS_POINT) or drawn
    priority = _ALWAYS_PRIORITY if point.when == "always" else _FALLBACK_PRIORITY
    return _profile(
        ACCESS_POINT,
        connection={"autoconnect-priority": str(priority), "autoconnect-retries": "0"},
        # 2.4 GHz: every phone has it, and it goes through walls. Phones reach the hub and not each other.
        wifi={"mode": "ap", "band": "bg", "ssid": _ssid(point.name), "ap-isolation": "1"},
        password=password,
        # The address that dnsmasq.conf answers names with.
        ipv4={"method": "shared", "address1": "10.42.0.1/24"},
        security=_AP_SECURITY,
    )


def _profile(
    name: str,
    *,
    connection: Mapping[str, str],
    wifi: Mapping[str, str],
    password: str | None,
    ipv4: Mapping[str, str],
    security: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """Write a keyfile (nm-settings-keyfile(5)). The uuid is made of the name: writing it again changes nothing."""
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
    sections: dict[str, Mapping[str, str]] = {
        "connection": {"id": name, "uuid": identifier, "type": "wifi", **connection},
        "wifi": wifi,
        "ipv4": ipv4,
        "ipv6": {"method": "auto" if ipv4["method"] == "auto" else "disabled"},
    }
    if password:
        sections["wifi-security"] = {"key-mgmt": "wpa-psk", **security, "psk": _escaped(password)}
    lines = []
    for section, values in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{key}={value}" for key, value in values.items()]
        lines.append("")
    return "\n".join(lines).encode()


def _station(name: str, *, is_hidden: bool) -> dict[str, str]:
    return {"mode": "infrastructure", "ssid": _ssid(name), "hidden": str(is_hidden).lower()}


def _ssid(name: str) -> str:
    """Write a network's name as bytes, which a keyfile takes whatever they are."""
    return "".join(f"{byte};" for byte in name.encode())


def _escaped(value: str) -> str:
    r"""Escape as GKeyFile reads it: a backslash, and a space at the start, which it would drop."""
    escaped = value.replace("\\", "\\\\")
    return re.sub(r"\A +", lambda spaces: r"\s" * len(spaces[0]), escaped)


def _known_password(folder: Path, name: str) -> str | None:
    """Return the password that an earlier file brought."""
    kept = re.search(r"^psk=(.*)$", _text(folder, name), re.MULTILINE)
    return re.sub(r"\\(.)", lambda found: " " if found[1] == "s" else found[1], kept[1]) if kept else None


def _text(folder: Path, name: str) -> str:
    path = _path(folder, name)
    return path.read_text("utf-8", "replace") if path.exists() else ""


def _path(folder: Path, profile: str) -> Path:
    return folder / f"{profile}.nmconnection"
