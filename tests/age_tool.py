"""Runs the real ``age`` (apt: age), which takes a passphrase from a terminal alone: it gets one."""

import os
import pty
import shutil
from pathlib import Path

import pytest

needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="age is not installed")


def encrypt(secret: str, plain: Path, to: Path) -> None:
    """Encrypt a file as a person does."""
    _run(["age", "--encrypt", "--passphrase", "--output", str(to), str(plain)], secret)


def decrypt(secret: str, encrypted: Path, to: Path) -> None:
    """Decrypt a file as a technician does."""
    _run(["age", "--decrypt", "--output", str(to), str(encrypted)], secret)


def _run(command: list[str], secret: str) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)  # noqa: S606  the child of the line above
    said = b""
    try:
        while piece := os.read(terminal, 1024):
            said += piece
            if b"passphrase" in piece:  # it asks once, or twice
                os.write(terminal, f"{secret}\n".encode())
    except OSError:  # the terminal closes with the program
        pass
    finally:
        os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status == 0, said.decode()
