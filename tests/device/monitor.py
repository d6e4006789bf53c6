"""QEMU's own console: QMP, one JSON object a line (qemu.org, "QEMU Machine Protocol Specification")."""

import socket
import time
from pathlib import Path
from typing import Any, Self

import msgspec

_PATIENCE_S = 240
_POLL_S = 0.1


class Monitor:
    """A connection to the console of one QEMU."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        """Connect, as soon as QEMU listens."""
        deadline = time.monotonic() + _PATIENCE_S
        self._socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self._socket.connect(str(self._path))
                break
            except OSError:
                assert time.monotonic() < deadline, f"QEMU does not listen on {self._path}"
                time.sleep(_POLL_S)
        self._socket.settimeout(_PATIENCE_S)
        self._lines = self._socket.makefile("rb")
        self._lines.readline()
        self.ask("qmp_capabilities")
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        self._lines.close()
        self._socket.close()

    def ask(self, command: str, **arguments: str) -> Any:  # noqa: ANN401  any JSON
        """Return what a command returns; raises AssertionError when QEMU refuses it."""
        self._socket.sendall(msgspec.json.encode({"execute": command, "arguments": arguments}) + b"\n")
        while True:  # events come in between
            told = msgspec.json.decode(self._lines.readline())
            assert "error" not in told, f"{command}: {told}"
            if "return" in told:
                return told["return"]
