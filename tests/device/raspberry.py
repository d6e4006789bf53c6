"""A Raspberry Pi 3 that QEMU emulates, with its own device tree, card slot and pins.

Its network does not answer in QEMU, so everything is asked over a serial line, on which systemd gives a root shell.
"""

import re
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.device import card

_BOOT_S = 900
_STEP_S = 240
_POLL_S = 0.5
_TREE = "bcm2837-rpi-3-b.dtb"
_REVISION = "a02082"
"""That of a Pi 3B: its firmware adds it to the tree, and gpiozero knows the board by it."""
_WORDS = (
    # QEMU restarts the board at the first write to its watchdog.
    "initcall_blacklist=bcm2835_wdt_driver_init,bcm2835_pm_driver_init modprobe.blacklist=vc4,snd_bcm2835,brcmfmac"
    # What takes a Pi a second may take a minute here.
    " systemd.default_device_timeout_sec=600 systemd.default_timeout_start_sec=600"
    " systemd.debug_shell=ttyS1 systemd.mask=serial-getty@ttyAMA0.service systemd.mask=serial-getty@ttyS1.service"
)
_IS_READY = (
    "exec 3<>/dev/tcp/127.0.0.1/4001 && printf 'GET /readyz HTTP/1.0\\r\\nHost: 127.0.0.1:4001\\r\\n\\r\\n' >&3"
    " && head -n 1 <&3 | grep -q ' 200 '"
)
"""Asked in the shell itself: a command of the hub's would take the board half a minute."""
_TOLD = re.compile(r"<<<\n(.*?)>>>(\d+)\n", re.DOTALL)
"""What a command printed, and its status."""


@dataclass
class Raspberry:
    """One board with one card; from ``with`` to its end it has power."""

    card: Path
    boot_s: float = 0.0
    _board: subprocess.Popen[bytes] = field(init=False)
    _shell: socket.socket | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        """Switch it on, and wait until the hub can take records."""
        self.power_on()
        return self

    def __exit__(self, *_: object) -> None:
        """Pull the plug."""
        self.cut()

    def power_on(self) -> None:
        """Start the board; returns when the hub is ready, raises AssertionError when it does not get there."""
        begun = time.monotonic()
        self._board = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            self._shell = self._connected()
            self._until_shell()
            self.until(_IS_READY)
        except BaseException:
            self.cut()
            raise
        self.boot_s = time.monotonic() - begun

    def cut(self) -> None:
        """Take the power away, now."""
        self._board.kill()
        self._board.wait()
        if self._shell:
            self._shell.close()

    def sh(self, command: str) -> tuple[int, str]:
        """Run a command as root; returns its status and what it printed."""
        self._send(f'echo "<<<"; ({command}) 2>&1; echo ">>>$?"\n')
        found = self._read_to(_TOLD, _STEP_S)
        return int(found[2]), found[1].strip()

    def until(self, command: str) -> str:
        """Run a command until it succeeds; returns what it printed."""
        deadline = time.monotonic() + _BOOT_S
        while True:
            assert self._board.poll() is None, f"the board stopped:\n{self.serial[-3000:]}"
            status, told = self.sh(command)
            if status == 0:
                return told
            assert time.monotonic() < deadline, f"{command} did not succeed:\n{told}\n{self.serial[-3000:]}"
            time.sleep(_POLL_S)

    @property
    def serial(self) -> str:
        """Return what the board said on its first serial line."""
        return self._serial.read_text("utf-8", "replace")

    @property
    def _serial(self) -> Path:
        return self.card.with_suffix(".serial")

    @property
    def _socket(self) -> Path:
        return self.card.with_suffix(".shell")

    def _command(self) -> list[str]:
        folder = self.card.parent
        kernel, initrd, words = card.kernel(self.card, folder)
        tree = folder / _TREE
        tree.write_bytes(card.on_boot_partition(self.card, f"slot-A/{_TREE}"))
        card.run("fdtput", "-p", "-t", "x", str(tree), "/system", "linux,revision", _REVISION)
        return [
            "qemu-system-aarch64",
            *("-M", "raspi3b", "-m", "1G", "-display", "none", "-no-reboot"),
            *("-serial", f"file:{self._serial}", "-serial", f"unix:{self._socket},server=on,wait=off"),
            *("-kernel", str(kernel), "-initrd", str(initrd), "-dtb", str(tree), "-append", f"{words} {_WORDS}"),
            *("-drive", f"if=sd,file={self.card},format=raw,cache=writeback"),
        ]

    def _connected(self) -> socket.socket:
        deadline = time.monotonic() + _STEP_S
        while True:
            made = socket.socket(socket.AF_UNIX)
            try:
                made.connect(str(self._socket))
            except OSError:
                made.close()
                assert time.monotonic() < deadline, "QEMU does not start"
                time.sleep(_POLL_S)
            else:
                return made

    def _until_shell(self) -> None:
        deadline = time.monotonic() + _BOOT_S
        while time.monotonic() < deadline:
            assert self._board.poll() is None, f"the board stopped:\n{self.serial[-3000:]}"
            self._send("stty -echo; bind 'set enable-bracketed-paste off'; echo read''y\n")
            if "ready" in self._read_for(5):
                self._read_for(2)
                return
        raise AssertionError(f"no shell:\n{self.serial[-3000:]}")

    def _send(self, text: str) -> None:
        assert self._shell
        self._shell.sendall(text.encode())

    def _read_for(self, seconds: float) -> str:
        assert self._shell
        deadline, told = time.monotonic() + seconds, b""
        while (left := deadline - time.monotonic()) > 0:
            self._shell.settimeout(left)
            try:
                told += self._shell.recv(65536)
            except TimeoutError:
                break
        return told.decode("utf-8", "replace")

    def _read_to(self, end: re.Pattern[str], seconds: float) -> re.Match[str]:
        deadline, told = time.monotonic() + seconds, ""
        while not (found := end.search(told)):
            assert time.monotonic() < deadline, f"it did not end: {told[-2000:]}"
            told += self._read_for(_POLL_S).replace("\r", "")
        return found
