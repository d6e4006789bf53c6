"""Programs that are not the hub's own: a developer's machine may lack one, the CI's may not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
ANSIBLE = PROJECT / ".venv/ansible/bin"


def tool(name: str, package: str) -> str:
    """Return the path of a program; without it the test is skipped, or in CI fails."""
    found = shutil.which(name, path=f"{ANSIBLE}:{os.environ['PATH']}")
    if found is None:
        message = f"{name} is not here: {package}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


def run(*command: str | Path, cwd: Path = PROJECT, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program; returns its status and what it printed, of which what is no text is marked."""
    words = [str(word) for word in command]
    env = {**os.environ, "NO_COLOR": "1", **environ}
    return subprocess.run(
        words, cwd=cwd, env=env, capture_output=True, encoding="utf-8", errors="replace", timeout=1200, check=False
    )


def copy_of_the_source(to: Path) -> Path:
    """Copy everything that git knows or would add; returns where."""
    for name in run("git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.splitlines():
        if (PROJECT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, to / name)
    return to
