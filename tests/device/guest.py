"""A board that QEMU emulates, with a hub's card in it, and an outside that only sees its ports."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec

from hub.demo.phone import Phone
from hub.demo.transport import HttpTransport, NetworkLostError
from tests.hubs import free_port
from tests.outside import PROJECT

IMAGE = Path(os.environ.get("HIKMA_HUB_IMAGE", PROJECT / "build/hikma-hub.img"))
CARD_BYTES = 8 * 1024**3
_BOOT_AT = 4 * 1024**2
_MEMORY_MB = 512
"""The smallest board that the hub supports."""
_BOOT_S = 420
_STEP_S = 180
_POLL_S = 0.25

PORTS = {"phones": 4001, "ssh": 22, "https": 443, "http": 80, "closed": 8000}


def card(folder: Path, name: str, toml: str | None = None) -> Path:
    """Flash a card: a copy of the image on a larger card, with hikma-hub.toml on its boot partition."""
    made = folder / f"{name}.img"
    run("cp", "--sparse=always", "--reflink=auto", str(IMAGE), str(made))
    os.truncate(made, CARD_BYTES)
    if toml is not None:
        run("mcopy", "-i", f"{made}@@{_BOOT_AT}", "-o", "-", "::hikma-hub.toml", stdin=toml.encode())
    return made


def on_boot_partition(made: Path, name: str) -> bytes:
    """Read a file of the boot partition, from outside."""
    return run("mcopy", "-i", f"{made}@@{_BOOT_AT}", f"::{name}", "-")


def run(*command: str, stdin: bytes = b"", timeout_s: float = _STEP_S) -> bytes:
    """Run a program of this machine; gives what it printed."""
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, f"{command[:4]}: {done.stderr.decode()[-800:]}{done.stdout.decode()[-800:]}"
    return done.stdout


@dataclass
class Guest:
    """One board with one card; from ``with`` to its end it has power."""

    card: Path
    key: Path
    """The technician's ssh key."""
    loses: bool = False
    """Whether the card loses, at a cut, what was not flushed."""
    devices: tuple[str, ...] = ()
    words: str = ""
    """Added to the kernel's command line."""
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})
    boot_s: float = 0.0
    lost: str = ""

    def __enter__(self) -> Self:
        """Switch it on and wait until the hub can take records."""
        self.power_on()
        return self

    def __exit__(self, *_: object) -> None:
        """Pull the plug."""
        self.cut()

    @property
    def serial(self) -> str:
        """Give what the board said on its serial line."""
        return self._serial.read_text("utf-8", "replace")

    def power_on(self) -> None:
        """Start the board; returns when the hub is ready, raises AssertionError when it does not get there."""
        begun = time.monotonic()
        self._serial = self.card.with_suffix(".serial")
        self._disk = self._start_disk() if self.loses else None
        self._board = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            self.wait_until_ready(_BOOT_S)
        except BaseException:
            self.cut()
            raise
        self.boot_s = time.monotonic() - begun

    def cut(self) -> None:
        """Take the power away, now."""
        if self._board.poll() is None:
            self._board.kill()
        self._board.wait()
        if self._disk is not None:
            self._disk.send_signal(signal.SIGUSR1)
            self.lost = self._disk.communicate(timeout=_STEP_S)[0].decode().strip()
            self._disk = None

    def wait_until_ready(self, patience_s: float = _STEP_S) -> None:
        """Wait until the hub says that it can take records."""
        deadline = time.monotonic() + patience_s
        with contextlib.closing(HttpTransport(self.url(), timeout_s=10)) as transport:
            while time.monotonic() < deadline:
                assert self._board.poll() is None, f"the board stopped:\n{self.serial[-3000:]}"
                with contextlib.suppress(NetworkLostError):
                    if transport.get("/readyz")[0] == 200:
                        return
                time.sleep(_POLL_S)
        message = f"the hub did not get ready in {patience_s:.0f} s:\n{self.serial[-3000:]}"
        raise AssertionError(message)

    def url(self) -> str:
        """Give where phones reach it."""
        return f"http://127.0.0.1:{self.ports['phones']}"

    def ssh(self, command: str, stdin: str = "", *, check: bool = True) -> str:
        """Run a command as root, as a technician would; gives what it printed."""
        words = ["ssh", "-p", str(self.ports["ssh"]), *self._options()]
        words += ["technician@127.0.0.1", f"sudo sh -c {_quoted(command)}"]
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=_STEP_S, check=False)
        assert not check or done.returncode == 0, f"{command}: {done.stderr[-2000:]}{done.stdout[-2000:]}"
        return done.stdout

    def scp(self, here: Path, there: str) -> list[str]:
        """Give the command that copies a file into the board."""
        return ["scp", "-P", str(self.ports["ssh"]), *self._options(), str(here), f"technician@127.0.0.1:{there}"]

    def _options(self) -> list[str]:
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=60")
        return ["-i", str(self.key), *(word for option in options for word in ("-o", option))]

    def until(self, command: str) -> str:
        """Run a command as root until it succeeds, also over a network that is gone for a while."""
        deadline = time.monotonic() + _STEP_S
        while time.monotonic() < deadline:
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                return self.ssh(command)
        message = f"{command} did not succeed in {_STEP_S} s"
        raise AssertionError(message)

    def hub(self, command: str, stdin: str = "") -> Any:  # noqa: ANN401  any JSON
        """Run a command of the hub in it; gives what ``--json`` printed."""
        return msgspec.json.decode(self.ssh(f"hikma-hub {command} --json", stdin))

    def phone(self, seed: int) -> Phone:
        """Give a model phone of the outside, which reaches the hub by the board's port."""
        return Phone(
            rng=random.Random(seed),
            now_ms=lambda: time.time_ns() // 1_000_000,
            connect=lambda _: HttpTransport(self.url()),
            name=f"phone-{seed}",
        )

    def _start_disk(self) -> subprocess.Popen[bytes]:
        where = self.card.with_suffix(".nbd")
        where.unlink(missing_ok=True)
        server = Path(__file__).with_name("volatile_disk.py")
        words = [sys.executable, str(server), str(self.card), str(where)]
        disk = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
        while not where.exists():
            assert disk.poll() is None
            time.sleep(_POLL_S)
        return disk

    def _command(self) -> list[str]:
        folder = self.card.parent
        kernel, initrd, words = _kernel(self.card, folder)
        forwards = ",".join(f"hostfwd=tcp:127.0.0.1:{port}-:{PORTS[name]}" for name, port in self.ports.items())
        drive = f"file={self.card},format=raw,cache=writeback"
        if self.loses:
            drive = f"file.driver=nbd,file.server.type=unix,file.server.path={self.card.with_suffix('.nbd')},format=raw"
        return [
            *("nice", "-n", "5", "qemu-system-aarch64"),
            *("-M", "virt", "-accel", "tcg,thread=multi", "-cpu", "cortex-a72", "-smp", "2", "-m", str(_MEMORY_MB)),
            *("-display", "none", "-monitor", "none", "-serial", f"file:{self._serial}", "-no-reboot"),
            *("-kernel", str(kernel), "-initrd", str(initrd), "-append", f"{words} {self.words}"),
            *("-drive", f"if=none,id=card,{drive}", "-device", "virtio-blk-pci,drive=card"),
            # restrict: nothing gets from the board to the outside; the forwarded ports still answer.
            *("-netdev", f"user,id=net,restrict=on,{forwards}", "-device", "virtio-net-pci,netdev=net,romfile="),
            *("-device", "virtio-rng-pci"),
            *self.devices,
        ]


def _kernel(made: Path, folder: Path) -> tuple[Path, Path, str]:
    """Take kernel, initramfs and command line from the card's own boot partition, as the firmware of a Pi does."""
    config = on_boot_partition(made, "config.txt").decode()
    names = [line.split("=")[1] for line in config.splitlines() if line.startswith("kernel=")]
    names += [line.split()[1] for line in config.splitlines() if line.startswith("initramfs ")]
    for name in names:
        if not (folder / name).exists():
            (folder / name).write_bytes(on_boot_partition(made, name))
    words = on_boot_partition(made, "cmdline.txt").decode().strip().replace("console=tty0", "console=ttyAMA0")
    return folder / names[0], folder / names[1], words


def _quoted(command: str) -> str:
    return "'" + command.replace("'", "'\\''") + "'"


def needs() -> Iterator[str]:
    """Name what is missing for this tier."""
    for program in ("qemu-system-aarch64", "mcopy", "ssh", "ssh-keygen"):
        if shutil.which(program) is None:
            yield program
    if not IMAGE.exists():
        yield f"{IMAGE} (make image BASE=debian)"
