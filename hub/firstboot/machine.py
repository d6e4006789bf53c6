"""The computer that first boot works on: its file tree and its programs; a test gives another tree."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hub import files
from hub.core.errors import OperatorError

_PROGRAM_S = 600


@dataclass(frozen=True)
class Machine:
    """A file tree (``/`` but in tests) and what may be run on it."""

    root: Path = Path("/")
    environ: Mapping[str, str] = field(default_factory=dict)

    def path(self, absolute: str) -> Path:
        """Return where an absolute path of the box lies."""
        return self.root / absolute.lstrip("/")

    def run(self, *command: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,)) -> str:
        """Run a program; returns what it printed. Raises OperatorError with its last words; never with ``stdin``."""
        try:
            done = subprocess.run(command, input=stdin, capture_output=True, timeout=_PROGRAM_S, check=False)  # noqa: S603  fixed programs
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OperatorError(f"{command[0]} could not be run: {type(error).__name__}") from error
        if done.returncode not in accept:
            words = done.stderr.decode("utf-8", "replace").strip()[-300:]
            raise OperatorError(
                f"{command[0]} {command[1] if len(command) > 1 else ''} failed with {done.returncode}: {words}"
            )
        return done.stdout.decode("utf-8", "replace")

    @contextlib.contextmanager
    def writable(self, mount: str) -> Iterator[None]:
        """Let a read-only file system be written for a moment; on its end everything is on the card."""
        read_only = "ro" in self._options(mount)
        if read_only:
            self.run("mount", "-o", "remount,rw", str(self.path(mount)))
        try:
            yield
        finally:
            os.sync()
            files.flush(self.path(mount))
            if read_only:  # busy is no failure: it stays writable until the next boot
                self.run("mount", "-o", "remount,ro", str(self.path(mount)), accept=(0, 32))

    def mounted(self, mount: str) -> bool:
        """Return whether something is mounted there."""
        return bool(self._options(mount))

    def _options(self, mount: str) -> list[str]:
        """Return the options of the topmost mount there, none if there is none; fields as in proc(5)."""
        found: list[str] = []
        for line in self.path("/proc/self/mounts").read_text("utf-8").splitlines():
            _, where, _, options, *_ = line.split()
            if where == mount:
                found = options.split(",")
        return found


def write(path: Path, content: bytes, *, mode: int = 0o644) -> bool:
    """Write a file whole or not at all, and only if it differs; returns whether it did."""
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == content and path.stat().st_mode & 0o777 == mode:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    files.replace(path, [content], mode=mode)
    return True
