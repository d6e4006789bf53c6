"""Ends child processes, and says what they said last."""

import subprocess
from pathlib import Path

STOP_S = 15.0
"""How long a child may take to end by itself before it is killed."""

_LOG_LINES = 15


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
    """Return the end of what a child printed."""
    lines = log.read_text("utf-8", "replace").splitlines()
    return "\n".join(lines[-_LOG_LINES:]) or "(it printed nothing)"
