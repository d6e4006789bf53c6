"""The steps of first boot, in order.

Each looks before it acts, so all of them run at every boot, and a power cut between or within any two is followed by
a boot that goes on from there.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from hub import files
from hub.core.errors import OperatorError, SettingError
from hub.core.log_events import LogEvent
from hub.core.status.card import CardShape
from hub.core.update import slots
from hub.firstboot import (
    board,
    box,
    card,
    card_config,
    data,
    kept,
    ladder,
    network,
    network_change,
    own,
    people,
    recovery,
    vault,
)
from hub.firstboot.board import KeyPlace
from hub.firstboot.card_config import CLUSTER_BYTES, FILE_NAME, TAKEN, CardConfig
from hub.firstboot.machine import Machine, write
from hub.firstboot.report import REPORT, FirstBootReport
from hub.services.update.systems import Systems

BOOT = "/boot/firmware"
_ERROR_FILE = "hikma-hub-error.txt"
START_ANEW = "hikma-hub-start-anew.txt"
"""With this file on the boot partition a person gives up the data of a card on which it cannot be found."""
_APPLIED = "/data/applied"
"""SHA-256 of the hikma-hub.toml that was applied last."""
_KEPT = f"/data/{FILE_NAME}"
"""That file itself, without its secrets: for a person whose boot partition was damaged."""

log = structlog.get_logger()


@dataclass
class _Run:
    """One run: the machine, and what the steps so far learned."""

    machine: Machine
    device: Path | None
    config: CardConfig = field(default_factory=CardConfig)
    facts: dict[str, str | None] = field(default_factory=dict)
    key: bytes = b""
    shape: CardShape = CardShape.SOUND
    is_on_card: bool = True
    """Whether the data partition is mounted for writing, with a hub in it or without."""


def run(
    machine: Machine, *, device: Path | None = None, progress: Callable[[str], None] = lambda _: None
) -> FirstBootReport:
    """Do every step; raises HubError when a new card cannot become a hub, or the stick with its key is not there.

    device: the card, where it is not the one that the root lies on. A wrong hikma-hub.toml is explained and the hub
    starts with what it had before; of a damaged card what is left is opened (hub.firstboot.ladder).
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
    machine = state.machine
    if not machine.mounted(BOOT):
        _refuse(state, _damaged(OperatorError("it is not mounted")))
        return
    try:
        finish_scrubbing(machine)
        state.config = box.allowed(machine, card_config.load(machine.path(BOOT) / FILE_NAME))
    except SettingError as error:
        _refuse(state, str(error))
    except (OSError, OperatorError) as error:
        _refuse(state, _damaged(error))


def _damaged(error: Exception) -> str:
    return (
        f"the boot partition of this card cannot be read or written, so {FILE_NAME} waits; replace the card ({error})"
    )


def _refuse(state: _Run, reason: str) -> None:
    """Remember why the file was not applied, and write it beside the file where that can be written."""
    state.facts["refused"] = reason
    log.warning(LogEvent.CARD_CONFIG_REFUSED, file=FILE_NAME, reason=reason)
    content = f"The hub did not apply {FILE_NAME}.\r\n{reason}\r\n".encode()
    with contextlib.suppress(OSError, OperatorError), state.machine.writable(BOOT):
        write(state.machine.path(BOOT) / _ERROR_FILE, content, mode=0o755)


def _withdraw(state: _Run) -> None:
    """Take away what an earlier start wrote beside a file that is right now."""
    error_file = state.machine.path(BOOT) / _ERROR_FILE
    with contextlib.suppress(OSError, OperatorError):
        if error_file.exists():
            with state.machine.writable(BOOT):
                error_file.unlink()


def _open_data(state: _Run) -> None:
    """Make or open the data partition, and mount what is on it."""
    found, opened = _opened(state)
    if opened.shape is CardShape.GONE and _given_up(state, found.device):
        found, opened = _opened(state)
    state.key, state.shape, state.is_on_card = found.key, opened.shape, opened.is_on_card
    state.facts |= {
        "key_place": found.place.told,
        "key_protects": found.place.protects,
        "card": opened.shape,
        "card_why": opened.why,
    }


def _opened(state: _Run) -> tuple[ladder.Card, ladder.Opened]:
    machine, storage = state.machine, state.config.storage
    is_new = not kept.is_hub(machine)
    device = card.ensure_data(machine, state.device or card.disk(machine), is_new=is_new)
    place = KeyPlace.USB if storage.key == "usb" or board.on_stick(machine) else KeyPlace.CARD
    if is_new:
        secret = storage.recovery_passphrase
        vault.make_once(machine, device, place=place, passphrase=None if secret == TAKEN else secret)
    key, place = board.key(machine, place, make=False)
    found = ladder.Card(machine, device, key, place)
    return found, ladder.climb(found)


def _given_up(state: _Run, device: Path) -> bool:
    """Let the card be a new hub where a person says so; returns whether. The wish is taken away before it is obeyed."""
    machine = state.machine
    wish = machine.path(BOOT) / START_ANEW
    try:
        if not wish.exists():
            return False
        with machine.writable(BOOT):
            wish.unlink()
        data.let_go(machine)
        _keep_one_system(machine)
        with machine.writable("/"):
            vault.forget(machine, device)
            kept.forget(machine)
    except (OSError, OperatorError) as error:
        log.warning(LogEvent.CARD_NOT_OPENED, wanted=START_ANEW, reason=str(error))
        return False
    log.warning(LogEvent.CARD_GIVEN_UP)
    return True


def _keep_one_system(machine: Machine) -> None:
    """Leave no way back to the other system, which has the key of the data that was given up."""
    if running := card.booted(machine):
        systems = Systems(boot=machine.path(BOOT), writable=lambda _: machine.writable(BOOT))
        systems.change(lambda boot: slots.mark_bad(boot, running.other))


def _bring(state: _Run) -> None:
    try:
        own.bring(state.machine)
    except (OSError, ValueError, OperatorError) as error:  # ValueError: what was kept is damaged
        log.warning(LogEvent.CARD_NOT_KEPT, reason=str(error))


def _set_clock(state: _Run) -> None:
    box.last_known_time(state.machine)


def _recover(state: _Run) -> None:
    """Become the hub whose copy is on a stick, where the file gives the passphrase and no hub is on this card."""
    if state.facts.get("refused") or not state.is_on_card:
        return
    secret = state.config.storage.recovery_passphrase
    try:
        name = recovery.become(state.machine, None if secret == TAKEN else secret)
    except OperatorError as error:
        _refuse(
            state,
            f"on the USB stick is the copy of a hub that this card did not become: {error}. Correct"
            " [storage] recovery_passphrase, or take the stick out; the page of the hub asks for the passphrase too",
        )
        return
    if name:
        hub = msgspec.structs.replace(state.config.hub, name=name)
        state.config = msgspec.structs.replace(state.config, hub=hub)
        state.facts["recovered"] = name
        if state.shape is CardShape.GONE:
            state.shape = state.facts["card"] = CardShape.MENDED


def _apply(state: _Run) -> None:
    """Do what hikma-hub.toml says, unless that was done already; then take the secrets out of it."""
    machine = state.machine
    if state.facts.get("refused") or not state.shape.keeps:
        return
    try:
        text = _written(machine)
        why_not = _why_gone(machine) if text is None else _why_not(machine, state.config, text)
        if why_not:
            _refuse(state, why_not)
            return
        _withdraw(state)
        if text is None or card_config.asks_for_nothing(text) or _was_applied(machine):
            return
    except OSError as error:
        _refuse(state, _damaged(error))
        return
    box.apply(machine, state.config)
    network.apply(machine, state.config)
    people.apply(machine, state.config, is_recovered=bool(state.facts.get("recovered")))
    recovery.settle(machine)
    own.keep(machine)
    write(machine.path(_KEPT), card_config.without_secrets(text).encode(), mode=0o600)
    try:
        scrub(machine)
        write(machine.path(_APPLIED), _digest(machine.path(BOOT) / FILE_NAME))
    except (OSError, OperatorError) as error:
        _refuse(state, f"the passwords could not be taken out of {FILE_NAME}: {_damaged(error)}")


def _written(machine: Machine) -> str | None:
    """Return the text of hikma-hub.toml as people wrote it; None where there is no file."""
    file = machine.path(BOOT) / FILE_NAME
    if not file.exists():
        return None
    return file.read_bytes().strip(b"\0").decode("utf-8-sig").replace("\r\n", "\n")


def _why_gone(machine: Machine) -> str | None:
    """Say that a file is gone that was there once; a card without one never had a wish."""
    if not _is_used(machine):
        return None
    return f"{FILE_NAME} is gone: what was applied before stays. Write it anew; what it said is in {_KEPT}"


def _is_used(machine: Machine) -> bool:
    """Return whether a file was ever applied."""
    return machine.path(_KEPT).exists() or machine.path(_APPLIED).exists()


def _was_applied(machine: Machine) -> bool:
    applied = machine.path(_APPLIED)
    return applied.exists() and applied.read_bytes() == _digest(machine.path(BOOT) / FILE_NAME)


def _why_not(machine: Machine, config: CardConfig, text: str) -> str | None:
    """Say why a file that can be read is no wish of anybody; None if it is one."""
    used = _is_used(machine)
    if card_config.asks_for_nothing(text) and used:
        return f"{FILE_NAME} says nothing: what was applied before stays. Write it anew; what it said is in {_KEPT}"
    if not text.strip():
        return f"{FILE_NAME} is empty: the card was damaged or pulled out too early; copy the file again"
    if machine.path(BOOT).joinpath(FILE_NAME).stat().st_size % CLUSTER_BYTES == 0 and not _was_applied(machine):
        return (
            f"{FILE_NAME} ends just where a block of the card does, and may be cut off there: look whether its end is"
            " as you wrote it, add an empty line, and put the card back"
        )
    missing = network.unknown(machine, config) if used else card_config.taken_in(config)
    return card_config.missing(text, missing) if missing else None


def _identify(state: _Run) -> None:
    """Draw whatever must be this card's own."""
    machine = state.machine
    box.own_machine_id(machine)
    host_name = machine.path("/etc/hostname").read_text("ascii").strip()
    point, password = network.access_point(machine)
    network_change.tell(machine)
    state.facts |= {
        "access_point": point,
        "access_point_password": password,
        "host_name": host_name,
        "ssh_fingerprint": box.ssh_host_keys(machine),
    }
    if state.shape is not CardShape.GONE:
        who = people.ensure(machine)
        state.facts |= {"hub_id": who.hub_id, "setup_code": who.setup_code, "certificate": who.certificate}


def _keep(state: _Run) -> None:
    """Keep on the root what a card that is damaged later is known and reached by."""
    hub_id = state.facts.get("hub_id")
    if not state.shape.keeps or not hub_id:
        return
    try:
        kept.keep(state.machine, state.key, hub_id)
    except (OSError, OperatorError) as error:
        log.warning(LogEvent.CARD_NOT_KEPT, reason=str(error))


_STEPS: tuple[tuple[str, Callable[[_Run], None]], ...] = (
    ("reading hikma-hub.toml", _read_config),
    ("opening the data partition", _open_data),
    ("bringing what is this card's own", _bring),
    ("setting the clock", _set_clock),
    ("looking for the copy of a hub", _recover),
    ("applying hikma-hub.toml", _apply),
    ("drawing keys", _identify),
    ("keeping what a damaged card needs", _keep),
)


def scrub(machine: Machine) -> None:
    """Take the secrets out of hikma-hub.toml: blank its bytes where they lie, then put the clean file in its place.

    A power cut leaves the old file, a blank one beside a complete clean one under either name, or the clean one: see
    finish_scrubbing.
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
        files.put_over(_clean(file), file)


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
            files.put_over(clean, file)


def _clean(file: Path) -> Path:
    return file.with_name("hikma-hub.clean")


def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).hexdigest().encode()
