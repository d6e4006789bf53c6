"""Starts, ends and quotes child processes of this project."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# -P: Python would put the folder where a child is started first in its path, and may find another ``hub`` there.
HUB = (sys.executable, "-P", "-m", "hub.cli")
"""The hub's own command line."""

CLOUD = (sys.executable, "-P", "-m", "tests.simulator.cloud")
"""The stand-in cloud's."""

SHOW = (sys.executable, "-P", "-m", "tests.simulator")
"""What ``make run`` starts."""

STOP_S = 15.0
"""How long a child may take to end by itself before it is killed."""

_PROJECT = Path(__file__).parents[2]
_LOG_LINES = 15


def environ(settings: Mapping[str, str] | None = None, *, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a child that is to run this very source, wherever it is started."""
    return {**base, "PYTHONPATH": str(_PROJECT), **(settings or {})}


def end(child: subprocess.Popen[bytes]) -> None:
    """Ask a child to end, and kill it if it does not."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def last_words(log: Path) -> str:
    """The end of what a child printed."""
    lines = log.read_text("utf-8", "replace").splitlines()
    return "\n".join(lines[-_LOG_LINES:]) or "(it printed nothing)"


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
