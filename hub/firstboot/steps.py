"""The steps of first boot, in order.

Each looks before it acts, so all of them run at every boot, and a power cut between or within any two is followed by
a boot that goes on from there.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from hub.core.errors import SettingError
from hub.core.log_events import LogEvent
from hub.firstboot import board, box, card, card_config, data, network, people, vault
from hub.firstboot.board import KeyPlace
from hub.firstboot.card_config import FILE_NAME, TAKEN, CardConfig
from hub.firstboot.machine import Machine, write

BOOT = "/boot/firmware"
REPORT = "/run/hikma-hub-firstboot.json"
_ERROR_FILE = "hikma-hub-error.txt"
_APPLIED = "/data/applied"
"""SHA-256 of the hikma-hub.toml that was applied last."""

log = structlog.get_logger()


class FirstBootReport(msgspec.Struct, frozen=True, kw_only=True):
    """What first boot found and made; for the page, the console, the label and ``hikma-hub doctor``."""

    host_name: str = ""
    hub_id: str = ""
    setup_code: str | None = None
    certificate: str = ""
    ssh_fingerprint: str = ""
    access_point: str | None = None
    access_point_password: str | None = None
    key_place: str = ""
    key_protects: str = ""
    refused: str | None = None
    """Why hikma-hub.toml was not applied."""


@dataclass
class _Run:
    """One run: the machine, and what the steps so far learned."""

    machine: Machine
    device: Path | None
    config: CardConfig = field(default_factory=CardConfig)
    facts: dict[str, str | None] = field(default_factory=dict)


def run(
    machine: Machine, *, device: Path | None = None, progress: Callable[[str], None] = lambda _: None
) -> FirstBootReport:
    """Do every step; raises HubError when the data partition cannot be opened, for then there is no hub.

    device: the card, where it is not the one that the root lies on. A wrong hikma-hub.toml is explained and the hub
    starts with what it had before.
    """
    state = _Run(machine, device)
    for name, step in _STEPS:
        progress(name)
        step(state)
    report = msgspec.convert(state.facts, FirstBootReport)
    write(machine.path(REPORT), msgspec.json.encode(report), mode=0o640)
    machine.run("chown", ":hikma-hub", str(machine.path(REPORT)))
    return report


def _read_config(state: _Run) -> None:
    """Read hikma-hub.toml; a wrong one is explained in a file beside it, and nothing of it is applied."""
    boot = state.machine.path(BOOT)
    finish_scrubbing(state.machine)
    try:
        state.config = box.allowed(state.machine, card_config.load(boot / FILE_NAME))
    except SettingError as error:
        state.facts["refused"] = str(error)
        log.warning(LogEvent.CARD_CONFIG_REFUSED, file=FILE_NAME, reason=str(error))
        with state.machine.writable(BOOT):
            write(boot / _ERROR_FILE, f"The hub did not apply {FILE_NAME}.\r\n{error}\r\n".encode(), mode=0o755)
        return
    if (boot / _ERROR_FILE).exists():
        with state.machine.writable(BOOT):
            (boot / _ERROR_FILE).unlink()


def _open_data(state: _Run) -> None:
    """Make or open the data partition, and mount what is on it."""
    storage = state.config.storage
    machine = state.machine
    device = card.ensure_data(machine, state.device or card.disk(machine))
    secret = storage.recovery_passphrase
    place = vault.open_or_make(
        machine,
        device,
        place=KeyPlace.USB if storage.key == "usb" or board.on_stick(machine) else KeyPlace.CARD,
        passphrase=None if secret == TAKEN else secret,
    )
    state.facts |= {"key_place": place.told, "key_protects": place.protects}
    data.mount(machine)


def _set_clock(state: _Run) -> None:
    box.last_known_time(state.machine)


def _apply(state: _Run) -> None:
    """Do what hikma-hub.toml says, unless that was done already; then take the secrets out of it."""
    machine = state.machine
    file = machine.path(BOOT) / FILE_NAME
    applied = machine.path(_APPLIED)
    if state.facts.get("refused") or not file.exists():
        return
    if applied.exists() and applied.read_bytes() == _digest(file):
        return
    box.apply(machine, state.config)
    network.apply(machine, state.config)
    people.apply(machine, state.config)
    scrub(machine)
    write(applied, _digest(file))


def _identify(state: _Run) -> None:
    """Draw whatever must be this card's own."""
    machine = state.machine
    box.own_machine_id(machine)
    who = people.ensure(machine)
    host_name = machine.path("/etc/hostname").read_text("ascii").strip()
    point, password = network.access_point(machine)
    state.facts |= {
        "access_point": point,
        "access_point_password": password,
        "host_name": host_name,
        "hub_id": who.hub_id,
        "setup_code": who.setup_code,
        "ssh_fingerprint": box.ssh_host_keys(machine),
        "certificate": who.certificate,
    }


_STEPS: tuple[tuple[str, Callable[[_Run], None]], ...] = (
    ("reading hikma-hub.toml", _read_config),
    ("opening the data partition", _open_data),
    ("setting the clock", _set_clock),
    ("applying hikma-hub.toml", _apply),
    ("drawing keys", _identify),
)


def scrub(machine: Machine) -> None:
    """Take the secrets out of hikma-hub.toml: blank its bytes where they lie, then put the clean file in its place.

    A power cut leaves the old file, a blank one beside a complete clean one, or the clean one: see finish_scrubbing.
    What a card keeps behind its own back cannot be reached; image/README.md says so.
    """
    file = machine.path(BOOT) / FILE_NAME
    text = file.read_bytes().strip(b"\0").decode("utf-8-sig")
    clean = card_config.without_secrets(text.replace("\r\n", "\n"))
    if clean == text:
        return
    with machine.writable(BOOT):
        write(_clean(file), clean.encode(), mode=0o755)
        with file.open("r+b") as old:
            old.write(bytes(file.stat().st_size))
            old.flush()
            os.fsync(old.fileno())
        _clean(file).replace(file)


def finish_scrubbing(machine: Machine) -> None:
    """Go on where a power cut stopped scrub: the clean file counts once the old one is blank."""
    file = machine.path(BOOT) / FILE_NAME
    clean = _clean(file)
    if not clean.exists():
        return
    with machine.writable(BOOT):
        if file.exists() and file.read_bytes().strip(b"\0"):
            clean.unlink()
        else:
            clean.replace(file)


def _clean(file: Path) -> Path:
    return file.with_name("hikma-hub.clean")


def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).hexdigest().encode()
