"""Opens the data of a card, however much of it is left, beginning with what changes least.

1. sound: a quick check, as after every power cut.
2. mended: a full check, and the kept header where the partition's own is damaged. It is tried in memory first and done
   on the card only when the hub's data is there afterwards, so that it never makes things worse.
3. failed: the card takes no write; all is read through the repair in memory, where what is written ends with the power.
4. gone: the hub's data is not there. Nothing new is begun; the network comes up by what was kept on the root.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from hub.core.errors import OperatorError
from hub.core.log_events import LogEvent
from hub.core.status.card import CardShape
from hub.firstboot import data, kept, overlay, salvage, vault
from hub.firstboot.board import KeyPlace
from hub.firstboot.machine import Machine, write

_HUB = f"{data.MOUNT}/hub"
_PROOF = f"{data.MOUNT}/proof"

log = structlog.get_logger()


@dataclass(frozen=True)
class Card:
    """The data partition, and what opens it."""

    machine: Machine
    device: Path
    key: bytes
    place: KeyPlace


@dataclass(frozen=True)
class Opened:
    """In what shape it was, and why it is not sound."""

    shape: CardShape
    why: str = ""
    is_on_card: bool = True
    """Whether what is written stays."""


def climb(card: Card) -> Opened:
    """Open what can be opened. Raises OperatorError only for a card that never was a hub."""
    machine = card.machine
    if overlay.lies(machine):  # run again by hand: what is in memory does not become sound by it
        return Opened(CardShape.FAILED, "it was opened in memory at this start", is_on_card=False)
    if not kept.is_hub(machine):
        _open(card)
        data.bind(machine)
        return Opened(CardShape.SOUND)
    why = ""
    for shape, rung in _RUNGS:
        try:
            rung(card)
            data.bind(machine)
        except (OperatorError, OSError) as error:
            why = why or str(error)
            log.warning(LogEvent.CARD_NOT_OPENED, wanted=shape, reason=str(error))
            data.let_go(machine)
        else:
            return Opened(shape, why, is_on_card=shape.keeps)
    return Opened(CardShape.GONE, why, is_on_card=_gone(card))


def _sound(card: Card) -> None:
    _open(card)
    _require_hub(card)
    _prove(card)


def _mended(card: Card) -> None:
    _failed(card)
    data.let_go(card.machine)
    _repair(card, card.device)
    _prove(card)


def _failed(card: Card) -> None:
    _repair(card, overlay.lay(card.machine, card.device))
    _require_hub(card)


_RUNGS: tuple[tuple[CardShape, Callable[[Card], None]], ...] = (
    (CardShape.SOUND, _sound),
    (CardShape.MENDED, _mended),
    (CardShape.FAILED, _failed),
)


def _gone(card: Card) -> bool:
    """Mount a partition that lacks only the hub's data, so that it can be restored there; else let all be empty.

    Returns whether the partition is mounted.
    """
    machine = card.machine
    try:
        _open(card)
        _prove(card)
        salvage.lay_aside(machine.path(_HUB))
        is_on_card = True
    except (OperatorError, OSError):
        data.let_go(machine)
        data.mount_nothing(machine)
        is_on_card = False
    kept.bring_back(machine, card.key)
    data.bind(machine)
    if not is_on_card:
        data.close_hub(machine)
    return is_on_card


def _open(card: Card) -> None:
    machine = card.machine
    vault.unlock(machine, card.device, card.key, card.place)
    if not machine.mounted(data.MOUNT):
        # A check takes a second, and mends what a power cut left half done; 1 is "mended".
        machine.run("e2fsck", "-p", str(vault.MAPPED), accept=(0, 1))
    data.mount(machine)


def _repair(card: Card, device: Path) -> None:
    machine = card.machine
    vault.unlock_anyhow(machine, device, card.key, card.place)
    machine.run("e2fsck", "-f", "-y", str(vault.MAPPED), accept=(0, 1))
    data.mount(machine)
    salvage.adopt(machine.path(data.MOUNT), machine.path(_HUB))


def _require_hub(card: Card) -> None:
    if not salvage.has_hub(card.machine.path(_HUB)):
        raise OperatorError("the hub's database is not on the data partition")


def _prove(card: Card) -> None:
    """Write something that was never there before, and see it reach the card."""
    write(card.machine.path(_PROOF), uuid.uuid4().hex.encode(), mode=0o600)
