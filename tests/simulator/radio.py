"""A radio and what is in its reach: stands in for nmcli and NetworkManager where the kernel has no radio.

Like them it leaves the network that it is on before it tries another, joins nothing that was not loaded, and tells by
exit status and English words why it failed (nmcli(1), EXIT STATUS). It never comes back to a network by itself: what
goes back must be the program that is tested. Run with the file of its state and the words of an nmcli command.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

import msgspec

_TIMEOUT, _FAILED, _NOT_RUNNING, _UNKNOWN = 3, 4, 8, 10
_SAID = "Error: Connection activation failed: {}\n"


class InReach(msgspec.Struct):
    """A Wi-Fi network."""

    password: str | None
    gives_address: bool = True
    bridge: str = ""
    """The bridge behind it, where the radio is the port of one."""


class Radio(msgspec.Struct):
    """The state between two commands."""

    folder: str
    in_reach: dict[str, InReach]
    loaded: list[str] = []
    active: str | None = None
    port: list[str] = []
    """``ip -n NAMESPACE link set PORT``, to move it from one bridge to another."""
    takes_s: float = 0.0
    opens_own: bool = True
    is_managed: bool = True

    def run(self, words: list[str]) -> tuple[int, str, str]:
        """Do what a command says; returns exit status, output and complaint."""
        if not self.is_managed:
            return _NOT_RUNNING, "", "Error: NetworkManager is not running.\n"
        match words:
            case ["connection", "load", path]:
                self.loaded.append(Path(path).stem)
                return 0, "", ""
            case ["connection", "delete", profile]:
                return self._delete(profile)
            case ["--wait", _, "connection", "up", profile]:
                return self._up(profile)
            case [*_, "device", "wifi", "list"] | [*_, "connection", "show", "--active"]:
                return 0, self._listed(words[-1]), ""
            case _:
                return 2, "", f"Error: not a command of the stand-in: {words}\n"

    def _listed(self, what: str) -> str:
        if what == "list":
            return "".join(f"{name}\n" for name in self.in_reach)
        return "loopback:lo\n" + (f"802-11-wireless:{self.active}\n" if self.active else "")

    def _delete(self, profile: str) -> tuple[int, str, str]:
        if profile not in self.loaded:
            return _UNKNOWN, "", f"Error: unknown connection '{profile}'.\n"
        if profile == self.active:
            self._leave()
        self.loaded = [one for one in self.loaded if one != profile]
        (Path(self.folder) / f"{profile}.nmconnection").unlink(missing_ok=True)
        return 0, "", ""

    def _up(self, profile: str) -> tuple[int, str, str]:
        if profile not in self.loaded:
            return _UNKNOWN, "", f"Error: unknown connection '{profile}'.\n"
        text = (Path(self.folder) / f"{profile}.nmconnection").read_text()
        self._leave()
        time.sleep(self.takes_s)
        if "mode=ap" in text:
            self.active = profile if self.opens_own else None
            return (0, "", "") if self.opens_own else (_FAILED, "", _SAID.format("AP mode is not supported"))
        found = self.in_reach.get(_name(text))
        if found is None:
            return _TIMEOUT, "", "Error: Timeout expired (75 seconds)\n"
        if found.password != _password(text):
            return _FAILED, "", _SAID.format("Secrets were required, but not provided")
        if not found.gives_address:
            return _FAILED, "", _SAID.format("IP configuration could not be reserved (no available address, ...)")
        self.active = profile
        self._plug("master", found.bridge)
        return 0, "", ""

    def _leave(self) -> None:
        self.active = None
        self._plug("nomaster")

    def _plug(self, *where: str) -> None:
        if self.port:
            subprocess.run((*self.port, *where), check=True)


def _name(text: str) -> str:
    found = re.search(r"^ssid=([\d;]+)$", text, re.MULTILINE)
    assert found
    return bytes(int(byte) for byte in found[1].split(";") if byte).decode()


def _password(text: str) -> str | None:
    found = re.search(r"^psk=(.*)$", text, re.MULTILINE)
    return re.sub(r"\\(.)", lambda escaped: " " if escaped[1] == "s" else escaped[1], found[1]) if found else None


def install(at: Path, radio: Radio) -> Path:
    """Write the state into a folder and an ``nmcli`` beside it, for the PATH; returns the file of the state."""
    at.mkdir(parents=True, exist_ok=True)
    state, program = at / "radio.json", at / "nmcli"
    state.write_bytes(msgspec.json.encode(radio))
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).resolve()} {state} "$@"\n')
    program.chmod(0o755)
    return state


def load(state: Path) -> Radio:
    """Read the state."""
    return msgspec.json.decode(state.read_bytes(), type=Radio)


if __name__ == "__main__":
    file = Path(sys.argv[1])
    seen = load(file)
    status, said, complaint = seen.run(sys.argv[2:])
    file.write_bytes(msgspec.json.encode(seen))
    sys.stdout.write(said)
    sys.stderr.write(complaint)
    sys.exit(status)
