"""Strangers on a hub's network: a namespace that is wired to this machine, with as many addresses as they like."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.outside import PROJECT, tool
from tests.simulator import processes

NOFILE = 8192
_IP = shutil.which("ip") or "ip"


def missing() -> str:
    """Say why there can be none on this machine; nothing if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    tried = _ip("netns", "add", f"{_name()}t", check=False)
    if tried.returncode:
        return f"this machine lets nobody make network namespaces: {tried.stderr.strip()}"
    _ip("netns", "del", f"{_name()}t")
    return ""


class Strangers:
    """They; ``host`` is this machine as they see it."""

    def __init__(self, net: str) -> None:
        self.host = f"{net}.1"
        self._name = _name()
        self._sources: list[str] = []
        self._net = net
        self._attacks: list[subprocess.Popen[str]] = []

    def attack(self, kinds: str, port: int, *, addresses: int, count: int, seconds: float, tls_port: int = 0) -> None:
        """Begin an attack in some kinds, with commas between, of ``count`` connections each from so many addresses."""
        for number in range(len(self._sources), addresses):
            source = f"{self._net}.{number + 2}"
            _ip("-n", self._name, "address", "add", f"{source}/24", "dev", f"{self._name}b")
            self._sources.append(source)
        ports = (str(port), str(tls_port))
        words = (kinds, self.host, *ports, ",".join(self._sources[:addresses]), str(count), str(seconds))
        program = (sys.executable, "-P", "-m", "tests.adversary.flood", *words)
        self._attacks.append(
            subprocess.Popen(
                (
                    tool("prlimit", "apt install util-linux"),
                    f"--nofile={NOFILE}",
                    _IP,
                    "netns",
                    "exec",
                    self._name,
                    *program,
                ),
                stdout=subprocess.PIPE,
                text=True,
                env=processes.environ(),
                cwd=PROJECT,
            )
        )

    def end(self) -> str:
        """Wait for the attacks to end; returns what they saw."""
        said = [attack.communicate()[0] for attack in self._attacks]
        self._attacks = []
        return "".join(said)

    def close(self) -> None:
        """End everything."""
        for attack in self._attacks:
            attack.kill()
            attack.communicate()
        _ip("netns", "del", self._name)


@contextmanager
def wired() -> Iterator[Strangers]:
    """Wire strangers to this machine."""
    name, net = _name(), f"10.{os.getpid() % 250}.{os.getpid() // 250 % 250}"
    _ip("netns", "add", name)
    made = Strangers(net)
    try:
        _ip("link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b", "netns", name)
        _ip("address", "add", f"{net}.1/24", "dev", f"{name}a")
        _ip("link", "set", f"{name}a", "up")
        _ip("-n", name, "link", "set", f"{name}b", "up")
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def crowd() -> Iterator[Strangers]:
    """Return strangers on a network of their own."""
    if why := missing():
        pytest.skip(why)
    with wired() as made:
        yield made


def _name() -> str:
    return f"hk{os.getpid()}"


def _ip(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run((_IP, *words), capture_output=True, text=True, check=check)
