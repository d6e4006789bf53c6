"""A small LAN for tests: network namespaces on bridges, hubs and avahi in them, each with addresses of its own."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from tests.simulator import processes

TOOLS = ("ip", "unshare", "nsenter", "dbus-daemon", "avahi-daemon", "avahi-browse", "avahi-resolve")
_T = TypeVar("_T")
_POLL_S = 0.2
_PATIENCE_S = 60.0

_DBUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
<allow user="*"/></policy></busconfig>"""
_AVAHI = "[server]\nhost-name={}\nuse-ipv6=no\nallow-interfaces=eth0,wlan0\n[publish]\npublish-workstation=no\n"


def missing() -> str:
    """Say why there can be no LAN on this machine; nothing if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return f"apt install iproute2 dbus avahi-daemon avahi-utils (missing: {', '.join(lacking)})"
    name = f"hikma{os.getpid()}-try"
    tried = subprocess.run((_tool("ip"), "netns", "add", name), capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"this machine lets nobody make network namespaces: {tried.stderr.strip()}"
    run("ip", "netns", "delete", name)
    return ""


def until(look: Callable[[], _T], what: str) -> _T:
    """Look until it is so; returns what was seen."""
    end = time.monotonic() + _PATIENCE_S
    while not (seen := look()):
        assert time.monotonic() < end, f"not within {_PATIENCE_S} s: {what}"
        time.sleep(_POLL_S)
    return seen


class Host:
    """A machine on the LAN: a network namespace with interfaces."""

    def __init__(self, lan: "Lan", name: str, folder: Path) -> None:
        self.lan = lan
        self.namespace = f"{lan.prefix}-{name}"
        self.folder = folder
        self._children: list[subprocess.Popen[bytes]] = []
        self._avahi: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        run("ip", "netns", "add", self.namespace)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words: str) -> None:
        """Change this machine's network."""
        run("ip", "-n", self.namespace, *words)

    def plug(self, interface: str, cidr: str, network: str = "lan") -> None:
        """Connect an interface to a network."""
        self.lan.network(network)
        port = f"p{len(self.lan.ports)}"
        self.lan.ports.append(port)
        where = ("type", "veth", "peer", "name", port, "netns", self.lan.namespace)
        run("ip", "link", "add", interface, "netns", self.namespace, *where)
        run("ip", "-n", self.lan.namespace, "link", "set", port, "master", network, "up")
        self.ip("address", "add", cidr, "dev", interface)
        self.ip("link", "set", interface, "up")

    def start(self, *words: str, log: str) -> subprocess.Popen[bytes]:
        """Start a process here; its output goes to a file."""
        with (self.folder / log).open("ab") as out:
            child = subprocess.Popen((*self._inside(), *words), stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        self._children.append(child)
        return child

    def output(self, log: str) -> str:
        """Return what a process printed so far."""
        path = self.folder / log
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def call(self, *words: str) -> str:
        """Run a command here; returns what it printed."""
        return run(*self._inside(), *words)

    def hub(self, **settings: str) -> subprocess.Popen[bytes]:
        """Start a hub on every address of this machine."""
        environ = [f"HIKMA_HUB_{key}={value}" for key, value in settings.items()]
        return self.start("env", *environ, *self._cli("serve"), log="hub.log")

    def cli(self, *words: str) -> str:
        """Run one of the hub's commands here."""
        return self.call(*self._cli(*words))

    def discover(self, seconds: float = 2.0) -> list[dict[str, Any]]:
        """List hubs with the hub's own command."""
        found: list[dict[str, Any]] = msgspec.json.decode(
            self.call(*processes.HUB, "discover", "--json", "--seconds", str(seconds))
        )
        return found

    def avahi(self, host_name: str) -> None:
        """Start an avahi with a bus of its own: a peer that shares no line of code with the hub."""
        (self.folder / "dbus.conf").write_text(_DBUS)
        (self.folder / "avahi.conf").write_text(_AVAHI.format(host_name))
        script = (
            "mount -t tmpfs tmpfs /run && mkdir -p /run/dbus /run/avahi-daemon &&"
            f" dbus-daemon --config-file={self.folder}/dbus.conf --fork &&"
            f" exec avahi-daemon --file={self.folder}/avahi.conf --no-drop-root --no-chroot --no-rlimits --debug"
        )
        self._avahi = self.start("unshare", "-m", "--kill-child", "-f", "sh", "-c", script, log="avahi.log")
        until(lambda: "Server startup complete" in self.output("avahi.log"), "avahi started")

    def ask_avahi(self, *words: str) -> str:
        """Run avahi-browse or avahi-resolve beside this machine's avahi; returns what it printed, even if it failed."""
        done = subprocess.run(
            (*self._beside_avahi(), "timeout", "10", *words), capture_output=True, text=True, check=False
        )
        return done.stdout

    def listen(self, kind: str) -> None:
        """Let avahi write into ``heard.log`` what it hears come (+) and go (-) of a type."""
        self.start(*self._beside_avahi(), "stdbuf", "-oL", "avahi-browse", "--parsable", kind, log="heard.log")

    def _beside_avahi(self) -> tuple[str, ...]:
        assert self._avahi is not None
        inner = Path(f"/proc/{self._avahi.pid}/task/{self._avahi.pid}/children").read_text().split()[0]
        return (_tool("nsenter"), "-t", inner, "-m", "-n")

    def browse(self, kind: str) -> list[list[str]]:
        """List the services of a type that avahi sees and resolves: name, host, address, port, TXT."""
        printed = self.ask_avahi("avahi-browse", "--parsable", "--resolve", "--terminate", kind)
        lines = [line.split(";") for line in printed.splitlines() if line.startswith("=")]
        return [[fields[3], *fields[6:]] for fields in lines]

    def resolve(self, name: str) -> str:
        """Resolve a host name with avahi; nothing when nobody answers."""
        printed = self.ask_avahi("avahi-resolve", "-4", "-n", name).split()
        return printed[1] if len(printed) > 1 else ""

    def close(self) -> None:
        """End everything here."""
        for child in self._children:
            child.kill()
            child.wait()
        for pid in run("ip", "netns", "pids", self.namespace).split():
            os.kill(int(pid), signal.SIGKILL)
        run("ip", "netns", "delete", self.namespace)

    def _inside(self) -> tuple[str, ...]:
        return (_tool("ip"), "netns", "exec", self.namespace)

    def _cli(self, *words: str) -> tuple[str, ...]:
        return (*processes.HUB, *words, "--data", str(self.folder / "data"))


class Lan:
    """Bridges in a namespace of their own, and the machines on them."""

    def __init__(self, folder: Path) -> None:
        self.prefix = f"hikma{os.getpid()}"
        self.namespace = f"{self.prefix}-lan"
        self.folder = folder
        self.ports: list[str] = []
        self._hosts: list[Host] = []
        self._networks: set[str] = set()
        run("ip", "netns", "add", self.namespace)

    def network(self, name: str) -> None:
        """Make a network of its own, a bridge, if it is not there."""
        if name not in self._networks:
            self._networks.add(name)
            run("ip", "-n", self.namespace, "link", "add", name, "type", "bridge", "mcast_snooping", "0")
            run("ip", "-n", self.namespace, "link", "set", name, "up")

    def host(self, name: str, cidr: str = "") -> Host:
        """Add a machine, with an ``eth0`` if it is given an address."""
        host = Host(self, name, self.folder / name)
        self._hosts.append(host)
        if cidr:
            host.plug("eth0", cidr)
        return host

    def close(self) -> None:
        """Take it down."""
        for host in self._hosts:
            host.close()
        run("ip", "netns", "delete", self.namespace)


def run(*words: str) -> str:
    """Run a command; returns what it printed."""
    done = subprocess.run(
        (_tool(words[0]), *words[1:]), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}{done.stdout}"
    return done.stdout


def _tool(name: str) -> str:
    return shutil.which(name) or name


@pytest.fixture
def lan(tmp_path: Path) -> Iterator[Lan]:
    """Return a LAN for one test."""
    why = missing()
    if why:
        pytest.skip(why)
    made = Lan(tmp_path / "lan")
    try:
        yield made
    finally:
        made.close()
