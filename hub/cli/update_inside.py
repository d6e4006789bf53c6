"""The commands of ``hikma-hub update`` that no person calls: RAUC does, its hook, and systemd at each start."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import msgspec

from hub import __version__
from hub.cli import options
from hub.core.update import slots
from hub.core.update.last import Fate, LastUpdate
from hub.core.update.slots import Slot
from hub.core.update.trial import Evidence
from hub.firstboot.machine import Machine
from hub.firstboot.report import REPORT, first_boot
from hub.services.update import evidence, memory, proving
from hub.services.update.systems import Systems


@click.command(hidden=True)
@click.argument("question", type=click.Choice(["get-primary", "set-primary", "get-state", "set-state", "get-current"]))
@click.argument("slot", type=click.Choice([slot.value for slot in Slot]), required=False)
@click.argument("state", type=click.Choice(["good", "bad"]), required=False)
@click.pass_obj
def backend(box: Systems, question: str, slot: str | None, state: str | None) -> None:
    """Answer RAUC (its documentation: "Custom bootloader backend interface")."""
    match question, slot and Slot(slot), state:
        case "get-primary", None, None:
            click.echo(box.read().primary)
        case "get-current", None, None:
            click.echo(box.booted())
        case "get-state", Slot() as asked, None:
            click.echo("good" if asked in box.read().own else "bad")
        case "set-primary", Slot() as asked, None:
            box.change(lambda boot: slots.make_primary(boot, asked))
        case "set-state", Slot() as asked, "good":
            box.change(lambda boot: slots.mark_good(boot, asked))
        case "set-state", Slot() as asked, "bad":
            box.change(lambda boot: slots.mark_bad(boot, asked))
        case _:
            raise click.UsageError(f"RAUC does not ask {question} like this")


@click.command(hidden=True)
@click.argument("slot", type=click.Choice([slot.value for slot in Slot]))
@click.pass_obj
def seal(box: Systems, slot: str) -> None:
    """List what was installed on the boot partition for a system: from now on it is whole."""
    box.seal(Slot(slot))


@click.command(hidden=True)
@options.data
@click.pass_obj
def settle(box: Systems, data: Path) -> None:
    """Put in order, at every start, what a power cut or a failed trial left; prints what the start was."""
    start, last = box.settle(), memory.read(data)
    if last and (known := memory.after_start(last, start, __version__)) != last:
        memory.keep(data, known)
    click.echo(start)


@click.command(hidden=True)
@click.option("--report", type=click.Path(path_type=Path), envvar="HIKMA_UPDATE_REPORT", default=REPORT, hidden=True)
@options.data
@options.config
@click.pass_obj
def prove(box: Systems, report: Path, data: Path, config: Path | None) -> None:
    """Keep the system on trial once it has proven itself, or go back."""
    settings, slot = options.settings(config, data), box.booted()
    last = memory.read(data) or LastUpdate(version=__version__, before="?")
    look = partial(_look, settings.server.port, report, partial(memory.keep, data, last), last)
    missing = proving.watch(look, last.ways)
    if not missing:
        box.change(lambda boot: slots.mark_good(boot, slot))
        memory.remember(data, Fate.KEPT)
        return
    told = msgspec.structs.replace(last, fate=Fate.RETURNED, missing=tuple(need.name for need in missing))
    try:
        memory.keep(data, told)
        box.change(lambda boot: slots.mark_bad(boot, slot))
    finally:  # the firmware was asked once: whatever cannot be written, the old system starts
        Machine().run("systemctl", "reboot")


def _look(port: int, report: Path, keep: Callable[[], None], before: LastUpdate) -> Evidence:
    opened = first_boot(report)
    is_opened = bool(opened.hub_id) and opened.card.keeps
    return evidence.look(port=port, keep=keep, is_opened=is_opened, before=before)
