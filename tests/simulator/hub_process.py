"""Runs the real hub as a child process and its command line beside it."""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

from tests.simulator import processes
from tests.simulator.transport import HttpTransport, NetworkLostError

READY_S = 120.0
"""A Pi with a cold card needs some seconds, a machine with other work more; past this something is wrong."""

CLI_S = 300.0
_POLL_S = 0.02
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  not bound to here, only recognised


class HubProcessError(Exception):
    """The hub or one of its commands did not do what was asked; the text is for the person at the terminal."""


class Commands(Protocol):
    """What the show needs of a hub: its address and its command line."""

    url: str

    def do(self, *words: str, stdin: str = "") -> str:
        """Run one command that must succeed; returns what it printed."""
        ...

    def do_json(self, *words: str, stdin: str = "") -> Any:  # noqa: ANN401  any JSON
        """Run one command with ``--json``; returns what it printed, read."""
        ...


class HubProcess:
    """``hikma-hub serve`` on its own data directory; started and stopped by ``with``, or by hand.

    port: a free one unless given.
    log: where everything goes that it prints, over restarts; beside the data unless given.
    program: what to run in place of this project's own command line.
    settings: HIKMA_HUB_* variables for the hub and its commands.
    base: the environment that the settings are added to.
    """

    def __init__(
        self,
        data: Path,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        log: Path | None = None,
        program: tuple[str, ...] = processes.HUB,
        settings: Mapping[str, str] | None = None,
        base: Mapping[str, str] = os.environ,
    ) -> None:
        self.data = data
        self.port = port or processes.free_port()
        self.url = f"http://{_reachable(host)}:{self.port}"
        self.log = log or data.with_name(f"{data.name}.log")
        self._host = host
        self._program = program
        self._environ = processes.environ(settings, base=base)
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the hub and wait until it answers."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the hub, and nothing but the hub."""
        if self._child is not None:
            processes.end(self._child)
            self._child = None

    def start(self, until: str = "/readyz") -> None:
        """Start the hub and wait until this page is there; raises HubProcessError."""
        where = ("--data", str(self.data), "--host", self._host, "--port", str(self.port))
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C at the terminal is for us, and we end the hub when the phones are done.
            self._child = subprocess.Popen(
                (*self._program, "serve", *where),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environ,
                start_new_session=True,
            )
        try:
            self._wait_for(until)
        except BaseException:
            self.__exit__()
            raise

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._running().pid

    def kill(self) -> None:
        """Kill it without warning, as a power cut does."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def stop(self) -> int:
        """Ask it to end; returns its exit status."""
        running = self._running()
        running.terminate()
        status = running.wait(processes.STOP_S)
        self._child = None
        return status

    def output(self) -> str:
        """All that it printed so far, over restarts."""
        return self.log.read_text("utf-8", "replace")

    def cli(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command on the same data, however it ends."""
        return subprocess.run(
            (*self._program, *words, "--data", str(self.data)),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=CLI_S,
            check=False,
            env=self._environ,
        )

    def do(self, *words: str, stdin: str = "") -> str:
        """Run one command that must succeed; returns what it printed."""
        done = self.cli(*words, stdin=stdin)
        if done.returncode != 0:
            said = done.stderr.strip() or done.stdout.strip()
            raise HubProcessError(f"hikma-hub {' '.join(words[:2])} failed:\n{said}")
        return done.stdout

    def do_json(self, *words: str, stdin: str = "") -> Any:  # noqa: ANN401  any JSON
        """Run one command with ``--json``; returns what it printed, read."""
        printed = self.do(*words, "--json", stdin=stdin)
        try:
            return json.loads(printed)
        except ValueError as error:
            raise HubProcessError(
                f"hikma-hub {' '.join(words[:2])} --json printed no JSON: {printed[:200]!r}"
            ) from error

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise HubProcessError("the hub does not run")
        return self._child

    def _wait_for(self, path: str) -> None:
        # Someone else may listen on this port: only a hub of ours that is alive counts.
        running = self._running()
        deadline = time.monotonic() + READY_S
        with contextlib.closing(HttpTransport(self.url, timeout_s=5.0)) as transport:
            while time.monotonic() < deadline:
                # Waiting for its end is the pause between two tries, and notices at once if it comes.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    status = running.wait(_POLL_S)
                    said = processes.last_words(self.log)
                    raise HubProcessError(f"the hub ended at once (exit {status}):\n{said}")
                with contextlib.suppress(NetworkLostError):
                    if transport.get(path)[0] == 200:
                        return
        raise HubProcessError(f"the hub did not get ready within {READY_S:.0f} s:\n{processes.last_words(self.log)}")


def _reachable(host: str) -> str:
    """An address that a phone on this machine can reach; an IPv6 one in brackets."""
    if host in _EVERYWHERE:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
