"""Switch the machine off, restart it or erase it, by the commands that the settings name; without one it cannot."""

import shlex
import subprocess

import msgspec

from hub.core.errors import OperatorError

_S = 30


class Switch(msgspec.Struct, frozen=True):
    """The commands, such as ``systemctl poweroff``; empty ones on a machine that is not the hub's alone."""

    restart_command: str = ""
    shutdown_command: str = ""
    erase_command: str = ""

    def restart(self) -> None:
        """Restart the machine; raises OperatorError when the command fails."""
        _run(self.restart_command)

    def shut_down(self) -> None:
        """Switch the machine off, safely; raises OperatorError when the command fails."""
        _run(self.shutdown_command)

    def erase(self) -> None:
        """Have everything on the machine erased for good; raises OperatorError when the command fails."""
        _run(self.erase_command)


def _run(command: str) -> None:
    words = shlex.split(command)
    if not words:
        raise OperatorError("no command for this is set; see [box] in the settings")
    try:
        subprocess.run(words, check=True, timeout=_S, capture_output=True, stdin=subprocess.DEVNULL)  # noqa: S603  the operator's own setting
    except (OSError, subprocess.SubprocessError) as error:
        raise OperatorError(f"{words[0]} failed: {error}") from error
