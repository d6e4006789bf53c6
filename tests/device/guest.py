"""A board that QEMU emulates, with a hub's card in it, and an outside that only sees its ports."""

import contextlib
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec

from tests.device import card
from tests.device.monitor import Monitor
from tests.simulator.phone import Phone
from tests.simulator.processes import free_port
from tests.simulator.transport import HttpTransport, NetworkLostError

_MEMORY_MB = 512
"""The smallest board that the hub supports."""
_BOOT_S = 600
_STEP_S = 240
_POLL_S = 0.25
_QUICK = "kpti=off mitigations=off"
"""For the kernel: what keeps its memory from programs costs a processor little, an emulated one half of its time."""
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

_SHARED = ("ControlMaster=auto", "ControlPersist=600", "ServerAliveInterval=20", "ServerAliveCountMax=6")

PORTS = {"phones": 4001, "ssh": 22, "https": 443, "http": 80, "closed": 8000}


def ssh_options() -> list[str]:
    """Return the options under which ssh takes a board that nobody has seen before."""
    options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=60")
    return [word for option in options for word in ("-o", option)]


@dataclass
class Guest:
    """One board with one card; from ``with`` to its end it has power."""

    card: Path
    key: Path
    """The technician's ssh key."""
    loses: bool = False
    """Whether the card loses, at a cut, what was not flushed."""
    read_only: bool = False
    """Whether the card takes no writes."""
    frozen: bool = False
    """Whether it starts from where ``freeze`` stopped it, and not from cold."""
    devices: tuple[str, ...] = ()
    words: str = ""
    """Added to the kernel's command line."""
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})
    identity: dict[str, str] = field(default_factory=dict)
    """What first boot drew on this card."""
    boot_s: float = 0.0
    lost: str = ""
    """How much the last cut lost, in words."""
    _board: subprocess.Popen[bytes] = field(init=False)
    _disk: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _tryboot: bool = field(default=False, init=False)
    _transports: list[HttpTransport] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        """Switch it on and wait until the hub can take records."""
        self.power_on()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Pull the plug, and close what its phones had open."""
        self.cut()
        for transport in self._transports:
            transport.close()

    @property
    def is_on(self) -> bool:
        """Return whether it has power, and did not switch itself off."""
        return self._board.poll() is None

    @property
    def serial(self) -> str:
        """Return what the board said on its serial line."""
        return _COLOURS.sub("", self._serial.read_text("utf-8", "replace"))

    def power_on(self) -> None:
        """Start the board; returns when the hub is ready, raises AssertionError when it does not get there."""
        begun = time.monotonic()
        self.plug_in()
        try:
            if self.frozen:
                self._thaw()
            self.wait_until_ready(_BOOT_S)
        except BaseException:
            self.cut()
            raise
        self.boot_s = time.monotonic() - begun

    def plug_in(self) -> None:
        """Start the board, and wait for nothing: its hub may not get ready."""
        self._start()

    def freeze(self, moment: str) -> None:
        """Start it, and stop it for good when its serial line says ``moment``; from now on it starts from there.

        What it holds in memory then is kept, and so must be what lies on the card before the data partition: later
        writes there are lost at every cut. Nothing of the data partition may have been read.
        """
        self.frozen = False
        self._start()
        deadline = time.monotonic() + _BOOT_S
        while moment not in self.serial:
            assert self.is_on, f"the board stopped:\n{self.evidence()}"
            assert time.monotonic() < deadline, f"it never said {moment}:\n{self.evidence()}"
            time.sleep(_POLL_S / 10)
        with Monitor(self._monitor) as monitor:
            monitor.ask("stop")
            monitor.ask("migrate", uri=f"file:{self._memory}")
            while monitor.ask("query-migrate")["status"] != "completed":
                assert time.monotonic() < deadline
                time.sleep(_POLL_S)
        self.cut()
        self.frozen = True

    def _thaw(self) -> None:
        deadline = time.monotonic() + _STEP_S
        with Monitor(self._monitor) as monitor:
            while monitor.ask("query-status")["status"] == "inmigrate":
                assert time.monotonic() < deadline, "its memory does not come back"
                time.sleep(_POLL_S)
            monitor.ask("cont")

    def cut(self) -> None:
        """Take the power away, now."""
        if self.is_on:
            self._board.kill()
        self._board.wait()
        if self._disk is not None:
            self._disk.send_signal(signal.SIGUSR1)
            self.lost = self._disk.communicate(timeout=_STEP_S)[0].decode().strip()
            self._disk = None

    @property
    def asked_for_trial(self) -> bool:
        """Return whether it has restarted with the word by which the firmware reads tryboot.txt once.

        It is the kernel's own line, written when the word is on its way to the firmware.
        """
        return "Restarting system with command '0 tryboot'" in self.serial and not self.is_on

    def restart(self, patience_s: float = _STEP_S) -> None:
        """Wait until it has restarted itself, and start what its firmware would; that forgets what it was asked."""
        self.wait_until_off(patience_s)
        if self._disk is not None:
            self._disk.terminate()
            self._disk.communicate(timeout=_STEP_S)
        self._tryboot = self.asked_for_trial
        self._start()

    def _start(self) -> None:
        self._serial.write_bytes(b"")
        self._disk = self._start_disk() if self.loses else None
        self._board = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, start_new_session=True)
        self._tryboot = False

    @property
    def _serial(self) -> Path:
        return self.card.with_suffix(".serial")

    @property
    def _monitor(self) -> Path:
        return self.card.with_suffix(".qmp")

    @property
    def _memory(self) -> Path:
        return self.card.with_suffix(".memory")

    def wait_until_ready(self, patience_s: float = _STEP_S) -> None:
        """Wait until the hub says that it can take records."""
        deadline = time.monotonic() + patience_s
        with contextlib.closing(HttpTransport(self.url(), timeout_s=10)) as transport:
            while time.monotonic() < deadline:
                assert self.is_on, f"the board stopped:\n{self.serial[-3000:]}"
                with contextlib.suppress(NetworkLostError):
                    if transport.get("/readyz")[0] == 200:
                        return
                time.sleep(_POLL_S)
        raise AssertionError(f"the hub did not get ready in {patience_s:.0f} s:\n{self.evidence()}")

    def evidence(self) -> str:
        """Return what the board said last: its serial line, and its journal where it still lets a technician in."""
        journal = ""
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            journal = self.ssh("systemctl --failed --no-legend; journalctl -b -o short-monotonic | tail -n 120")
        return f"{self.serial[-3000:]}\n{journal}"

    def wait_until_off(self, patience_s: float = _STEP_S) -> None:
        """Wait until it has switched itself off; raises AssertionError when it does not."""
        try:
            self._board.wait(patience_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the board did not switch itself off in {patience_s} s:\n{self.evidence()}") from None

    def url(self) -> str:
        """Return where phones reach it."""
        return f"http://127.0.0.1:{self.ports['phones']}"

    def ssh(self, command: str, stdin: str = "", *, check: bool = True) -> str:
        """Run a command as root, as a technician would; returns what it printed."""
        words = ["ssh", "-p", str(self.ports["ssh"]), *self._options()]
        words += ["technician@127.0.0.1", f"sudo sh -c {_quoted(command)}"]
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=_STEP_S, check=False)
        assert not check or done.returncode == 0, f"{command}: {done.stderr[-2000:]}{done.stdout[-2000:]}"
        return done.stdout

    def scp(self, here: Path, there: str) -> list[str]:
        """Return the command that copies a file into the board."""
        return ["scp", "-P", str(self.ports["ssh"]), *self._options(), str(here), f"technician@127.0.0.1:{there}"]

    def _options(self) -> list[str]:
        """One connection carries them all, for a board needs seconds to let somebody in; it ends with the board."""
        shared = (f"ControlPath={self.card.with_suffix('.ssh')}", *_SHARED)
        return ["-i", str(self.key), *ssh_options(), *(word for option in shared for word in ("-o", option))]

    def until(self, command: str) -> str:
        """Run a command as root until it succeeds, also over a network that is gone for a while."""
        deadline = time.monotonic() + _STEP_S
        while time.monotonic() < deadline:
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                return self.ssh(command)
        raise AssertionError(f"{command} did not succeed in {_STEP_S} s")

    def hub(self, command: str, stdin: str = "") -> Any:  # noqa: ANN401  any JSON
        """Run a command of the hub in it; returns what ``--json`` printed."""
        return msgspec.json.decode(self.ssh(f"hikma-hub {command} --json", stdin))

    def phone(self, seed: int) -> Phone:
        """Return a model phone of the outside, which reaches the hub by the board's port."""
        return Phone(
            rng=random.Random(seed),
            now_ms=lambda: time.time_ns() // 1_000_000,
            connect=self._connect,
            name=f"phone-{seed}",
        )

    def meet(self, phone: Phone) -> None:
        """Let a phone go on with this board that had a session with another."""
        assert phone.session is not None
        phone.session.transport = self._connect("")

    def _connect(self, _url: str) -> HttpTransport:
        transport = HttpTransport(self.url())
        self._transports.append(transport)
        return transport

    def _start_disk(self) -> subprocess.Popen[bytes]:
        where = self.card.with_suffix(".nbd")
        where.unlink(missing_ok=True)
        server = Path(__file__).with_name("volatile_disk.py")
        words = [sys.executable, str(server), str(self.card), str(where)]
        if self.frozen:
            words += ["--kept-from", str(card.data_start(self.card))]
        disk = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
        while not where.exists():
            assert disk.poll() is None
            time.sleep(_POLL_S)
        return disk

    def _command(self) -> list[str]:
        folder = self.card.parent
        kernel, initrd, words = card.kernel(self.card, folder, tryboot=self._tryboot)
        forwards = ",".join(f"hostfwd=tcp:127.0.0.1:{port}-:{PORTS[name]}" for name, port in self.ports.items())
        drive = f"file={self.card},format=raw,cache=writeback,readonly={'on' if self.read_only else 'off'}"
        if self.loses:
            drive = f"file.driver=nbd,file.server.type=unix,file.server.path={self.card.with_suffix('.nbd')},format=raw"
        board = f"-M virt -accel tcg,thread=multi -cpu cortex-a72 -smp 2 -m {_MEMORY_MB} -display none -no-reboot"
        return [
            "qemu-system-aarch64",
            *board.split(),
            *("-serial", f"file:{self._serial}", "-qmp", f"unix:{self._monitor},server=on,wait=off"),
            *("-kernel", str(kernel), "-initrd", str(initrd), "-append", f"{words} {_QUICK} {self.words}"),
            *("-drive", f"if=none,id=card,{drive}", "-device", "virtio-blk-pci,drive=card"),
            # restrict: nothing gets from the board to the outside; the forwarded ports still answer.
            *("-netdev", f"user,id=net,restrict=on,{forwards}", "-device", "virtio-net-pci,netdev=net,romfile="),
            *("-device", "virtio-rng-pci"),
            *(("-S", "-incoming", f"file:{self._memory}") if self.frozen else ()),
            *self.devices,
        ]


def _quoted(command: str) -> str:
    return "'" + command.replace("'", "'\\''") + "'"
