"""NetworkManager's connections: the Wi-Fi networks to join and the hub's own access point."""

import itertools
import re
import secrets
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from hub.firstboot.card_config import TAKEN, AccessPointTable, CardConfig, WifiTable
from hub.firstboot.machine import Machine, write

FOLDER = "/etc/NetworkManager/system-connections"
_OURS = "hikma-"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without l, i, o, 0 and 1, which are read wrongly from a label."""
_DRAWN_CHARS = 12
_SSID_BYTES_MAX = 32
_KNOWN_PRIORITY = 100
_FALLBACK_PRIORITY = -100
_ALWAYS_PRIORITY = 200
_AP_SECURITY = {"proto": "rsn", "pairwise": "ccmp", "group": "ccmp", "pmf": "2"}
"""WPA2 with AES alone, no WPA and no TKIP; protected management frames for the phones that can (2: optional)."""


def apply(machine: Machine, config: CardConfig) -> None:
    """Write the connections of the file, and remove those of an earlier one; others stay."""
    folder = machine.path(FOLDER)
    names = _profiles(folder, config)
    wanted = {names[wifi.name]: _wifi(folder, names, rank, wifi) for rank, wifi in enumerate(config.wifi)}
    if config.access_point:
        wanted[ACCESS_POINT] = _access_point(folder, config.access_point)
    for name, content in wanted.items():
        write(folder / f"{name}.nmconnection", content, mode=0o600)
    for old in folder.glob(f"{_OURS}*.nmconnection"):
        if old.stem not in wanted:
            old.unlink()
    if config.hub.country:
        line = f"options cfg80211 ieee80211_regdom={config.hub.country}\n".encode()
        with machine.writable("/"):
            write(machine.path("/etc/modprobe.d/hikma-hub-country.conf"), line)


ACCESS_POINT = f"{_OURS}access-point"


def access_point(machine: Machine) -> tuple[str | None, str | None]:
    """Return name and password of the hub's own network, for its label."""
    folder = machine.path(FOLDER)
    name = _network(folder, ACCESS_POINT)
    if name and len(name.encode()) > _SSID_BYTES_MAX:  # of an earlier program; no radio opens it
        return None, None
    return name, _known_password(folder, ACCESS_POINT)


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
    had = {_network(folder, path.stem): path.stem for path in sorted(folder.glob(f"{_OURS}wifi-*.nmconnection"))}
    free = (name for name in (f"{_OURS}wifi-{number}" for number in itertools.count()) if name not in had.values())
    return {wifi.name: had.get(wifi.name) or next(free) for wifi in config.wifi}


def _network(folder: Path, profile: str) -> str | None:
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
        wifi={"mode": "infrastructure", "ssid": _ssid(wifi.name), "hidden": str(wifi.hidden).lower()},
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
    path = folder / f"{name}.nmconnection"
    return path.read_text("utf-8", "replace") if path.exists() else ""
