"""What the commands of ``hikma-hub update`` are made of on this machine."""

import os
from pathlib import Path

from hub import __version__
from hub.cli import hub_state
from hub.core.errors import OperatorError
from hub.core.status.facts import Facts
from hub.core.update import rules
from hub.core.update.refusal import Refusal
from hub.firstboot.machine import Machine
from hub.services.update.granting import Granting
from hub.services.update.installing import Installer
from hub.services.update.places import Places
from hub.services.update.systems import Systems
from hub.settings import Settings


def places() -> Places:
    """Return where things lie; HIKMA_UPDATE_MACHINE names another root, for tests."""
    return Places(Path(os.environ.get("HIKMA_UPDATE_MACHINE", "/")))


def installer(box: Systems, data: Path, settings: Settings) -> Installer:
    """Return what installs, in a moment in which nobody is kept waiting."""

    def untimely() -> Refusal | None:
        return rules.untimely(hub_state.facts(settings, lambda: Facts(answering=False)), box.uptime_s())

    return Installer(
        box=box,
        data=data,
        current=__version__,
        port=settings.server.port,
        untimely=untimely,
        restart=_restart,
        lock=places().lock,
    )


def granting(box: Systems, data: Path, settings: Settings) -> Granting:
    """Return what does what the page asks for."""
    return Granting(places=places(), url=settings.update.url, installer=installer(box, data, settings))


def as_root() -> None:
    """Raise OperatorError for anybody else."""
    if os.geteuid() != 0:
        raise OperatorError("only root can update a hub")


def _restart(argument: str) -> None:
    words = [f"--reboot-argument={argument}"] if argument else []
    Machine().run("systemctl", "reboot", *words)
