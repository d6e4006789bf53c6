"""RAUC, which verifies bundles and writes them to the system that does not run (https://rauc.readthedocs.io)."""

import configparser
import os
import subprocess
from pathlib import Path

import msgspec

from hub.core.errors import UpdateRefused
from hub.core.update import refusal
from hub.core.update.refusal import Refusal
from hub.core.update.rules import Bundle

CONF = Path("/etc/rauc/system.conf")
_INFO_S = 600
"""Verifying reads the whole bundle, from a slow stick perhaps."""
_INSTALL_S = 4 * 3600
"""A whole system over a slow line."""
_DETAIL_CHARS = 300


class Rauc(msgspec.Struct, frozen=True):
    """RAUC as it is configured on this machine; ``program`` is its command."""

    conf: Path = CONF
    program: str = "rauc"

    @property
    def is_there(self) -> bool:
        """Whether this card is one with two systems."""
        return self.conf.exists()

    def compatible(self) -> str:
        """Return which kind of device this is. Raises UpdateRefused."""
        read = configparser.ConfigParser(interpolation=None)
        if not read.read(self.conf) or not read.has_option("system", "compatible"):
            raise UpdateRefused(Refusal.ONE_SYSTEM)
        return read.get("system", "compatible")

    def info(self, bundle: Path | str) -> Bundle:
        """Return what a bundle says, after verifying its signature; of one in format plain its content too.

        It may be an https:// address. Raises UpdateRefused.
        """
        printed = self._run(_INFO_S, "info", "--output-format=json", str(bundle))
        try:
            return msgspec.json.decode(printed, type=Bundle)
        except msgspec.DecodeError as error:
            raise UpdateRefused(Refusal.FAILED, detail=str(error)) from error

    def install(self, bundle: Path | str) -> None:
        """Write a bundle to the other system and make that the next one. Raises UpdateRefused."""
        self._run(_INSTALL_S, "install", str(bundle))

    def _run(self, seconds: int, *words: str) -> bytes:
        command = [self.program, f"--conf={self.conf}", *words]
        try:
            done = subprocess.run(  # noqa: S603  a fixed program; the bundle's name is one word of it
                command, capture_output=True, timeout=seconds, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"}
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UpdateRefused(Refusal.FAILED, detail=f"{self.program}: {type(error).__name__}") from error
        if done.returncode != 0:
            raise _refused((done.stderr + b"\n" + done.stdout).decode("utf-8", "replace"))
        return done.stdout


def _refused(said: str) -> UpdateRefused:
    found = refusal.heard(said)
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("rauc-Message")]
    return UpdateRefused(found, **({"detail": " ".join(lines)[-_DETAIL_CHARS:]} if found is Refusal.FAILED else {}))
