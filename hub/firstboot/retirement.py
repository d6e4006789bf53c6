"""Erases a box: without its keys the encrypted data is noise, whatever the card keeps behind its own back."""

from collections.abc import Iterator

from hub.firstboot import board, card, kept, vault
from hub.firstboot.card_config import FILE_NAME
from hub.firstboot.machine import Machine
from hub.firstboot.steps import BOOT

_UNITS = ("hikma-hub.service", "hikma-hub-lights.service", "hikma-hub-console.service")


def erase(machine: Machine) -> Iterator[str]:
    """Erase step by step, saying what was done; a power cut on the way leaves less, never more."""
    disk = card.disk(machine)
    device = card.partition(disk, card.data_number(machine))
    machine.run("systemctl", "stop", *_UNITS)
    # All key slots at once: from here on nobody can read the data, with or without the key file or passphrase.
    machine.run("cryptsetup", "erase", "--batch-mode", str(device))
    yield "The keys of the data are destroyed."
    with machine.writable("/"):
        vault.destroy_header(machine)
        kept.forget(machine)
        for drawn in (board.CARD_FILE, vault.STAMP, "/etc/machine-id"):
            machine.path(drawn).unlink(missing_ok=True)
        machine.path("/etc/machine-id").touch()
        for host_key in machine.path("/etc/ssh/hub").glob("*"):
            host_key.unlink()
        for way_in in machine.path("/etc/ssh/authorized_keys").glob("*"):
            way_in.unlink()
    if running := card.booted(machine):
        # The system that does not run has the same keys; where in it they lie need not be known.
        machine.run("blkdiscard", "--force", "--zeroout", str(card.system(disk, running.other)))
    yield "The keys of this box are deleted."
    with machine.writable(BOOT):
        machine.path(f"{BOOT}/{FILE_NAME}").unlink(missing_ok=True)
    yield "The settings are deleted."
    machine.run("blkdiscard", "--force", str(device), accept=(0, 1))
    yield "Switch the box off now. Flash the card again to make a new hub of it."
