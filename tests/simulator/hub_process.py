"""Runs the real hub as a child process and its command line beside it."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

from tests.simulator import child
from tests.simulator.transport import HttpTransport, NetworkLostError

READY_S = 30.0
"""A Pi with a cold card needs some seconds; past this something is wrong."""

CLI_S = 60.0
_POLL_S = 0.1
_PROGRAM = (sys.executable, "-m", "hub.cli")
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  not bound to here, only recognised


class HubProcessError(Exception):
    """The hub or one of its commands did not do what was asked; the text is for the person at the terminal."""


class Commands(Protocol):
    """What the show needs of a hub: its address and its command line."""

    url: str

    def cli(self, *words: str, stdin: str | None = None) -> str:
        """Run one command; returns what it printed."""
        ...

    def cli_json(self, *words: str, stdin: str | None = None) -> Any:  # noqa: ANN401  any JSON
        """Run one command with ``--json``; returns what it printed, read."""
        ...


class HubProcess:
    """``hikma-hub serve`` on its own data directory, from ``with`` to its end.

    program: what to run in place of this package's own command line.
    settings: HIKMA_HUB_* variables for the hub and its commands.
    """

    def __init__(
        self,
        data: Path,
        *,
        host: str,
        port: int,
        log: Path,
        program: tuple[str, ...] = _PROGRAM,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data = data
        self.url = f"http://{_reachable(host)}:{port}"
        self._host = host
        self._port = port
        self._log = log
        self._program = program
        self._settings = dict(settings or {})
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the hub and wait until it answers."""
        where = ("--data", str(self.data), "--host", self._host, "--port", str(self._port))
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C at the terminal is for us, and we end the hub when the phones are done.
            self._child = subprocess.Popen(
                (*self._program, "serve", *where),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._settings},
                start_new_session=True,
            )
        try:
            self._wait_until_ready(self._child)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the hub, and nothing but the hub."""
        self._stop()

    def cli(self, *words: str, stdin: str | None = None) -> str:
        """Run one command on the same data directory; returns what it printed."""
        command = (*self._program, *words, "--data", str(self.data))
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=CLI_S,
            check=False,
            env={**os.environ, **self._settings},
        )
        if done.returncode != 0:
            raise HubProcessError(
                f"hikma-hub {' '.join(words[:2])} failed:\n{done.stderr.strip() or done.stdout.strip()}"
            )
        return done.stdout

    def cli_json(self, *words: str, stdin: str | None = None) -> Any:  # noqa: ANN401  any JSON
        """Run one command with ``--json``; returns what it printed, read."""
        printed = self.cli(*words, "--json", stdin=stdin)
        try:
            return json.loads(printed)
        except ValueError as error:
            raise HubProcessError(
                f"hikma-hub {' '.join(words[:2])} --json printed no JSON: {printed[:200]!r}"
            ) from error

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        # Someone else may listen on this port: only a hub of ours that is alive counts.
        transport = HttpTransport(self.url, timeout_s=2.0)
        deadline = time.monotonic() + READY_S
        with contextlib.closing(transport):
            while time.monotonic() < deadline:
                if process.poll() is not None:
                    raise HubProcessError(
                        f"the hub ended at once (exit {process.returncode}):\n{child.last_words(self._log)}"
                    )
                with contextlib.suppress(NetworkLostError):
                    if transport.get("/readyz")[0] == 200:
                        return
                time.sleep(_POLL_S)
        raise HubProcessError(f"the hub did not get ready within {READY_S:.0f} s:\n{child.last_words(self._log)}")

    def _stop(self) -> None:
        if self._child is not None:
            child.end(self._child)
            self._child = None


def _reachable(host: str) -> str:
    """Return an address that a phone on this machine can reach; an IPv6 one in brackets."""
    if host in _EVERYWHERE:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
