"""A card with two systems as plain files, with a real RAUC that serves it, and bundles that it may take or not."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner

from hub.cli import hikma_hub
from hub.core.errors import HubError
from hub.core.update import slots
from hub.core.update.slots import Slot
from hub.core.update.told import Told
from hub.core.update.wishes import Wish
from hub.desk import Desk
from hub.services.update import boot_partition
from hub.services.update.places import Places
from tests.outside import PROJECT, run, tool

COMPATIBLE = "hikma-hub-test"
_CONF = """\
[system]
compatible={compatible}
bootloader=custom
statusfile={root}/rauc.status
mountprefix={root}/mnt
[keyring]
path={root}/update.cert.pem
use-bundle-signing-time=true
[handlers]
bootloader-custom-backend={root}/backend
[slot.rootfs.0]
device={root}/a.img
type=raw
bootname=A
[slot.rootfs.1]
device={root}/b.img
type=raw
bootname=B
"""
_HOOK = """\
#!/bin/sh
set -e
[ "$1" = slot-post-install ]
folder="{root}/boot/slot-$RAUC_SLOT_BOOTNAME"
rm -rf "$folder" && cp -r "{root}/boot/slot-A" "$folder"
"$HIKMA_HUB" update seal "$RAUC_SLOT_BOOTNAME"
"""
_MANIFEST = """\
[update]
compatible={compatible}
version={version}
[bundle]
format=plain
[hooks]
filename=hook
[image.rootfs]
filename=rootfs.img
hooks=post-install
"""
_BROUGHT = {slots.CONFIG: "arm_64bit=1\n", "cmdline.txt": "quiet\n", "kernel8.img": "kernel"}
_STICKS = ("media/hikma-hub-update", "media/hikma-hub")
_PROGRAM = f"#!/bin/sh\nexec {sys.executable} -P -m hub.cli " + '"$@"\n'


class Done(NamedTuple):
    """How a command ended: its status, what it printed, and the sentence of a refusal."""

    status: int
    out: str
    refused: str


@dataclass
class TwoSystems:
    """The machine: its files lie in ``root``; system A runs, and restarts are only written down."""

    root: Path
    compatible: str = COMPATIBLE
    slot_mib: int = 4
    environ: dict[str, str] = field(default_factory=dict)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def boot(self) -> Path:
        return self.root / "boot"

    @property
    def restarts(self) -> list[str]:
        """The restarts that systemctl was asked for."""
        log = self.root / "systemctl.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if line.startswith("reboot")]

    def prepare(self) -> None:
        for name in ("bin", "mnt", "boot", "data/hub", "proc", "run/hikma-hub", *_STICKS):
            (self.root / name).mkdir(parents=True)
        for name in ("a.img", "b.img"):
            (self.root / name).touch()
            os.truncate(self.root / name, self.slot_mib * 1024 * 1024)
        for name, text in _BROUGHT.items():
            (self.boot / Slot.A.folder).mkdir(exist_ok=True)
            (self.boot / Slot.A.folder / name).write_text(text)
        (self.boot / slots.CONFIG).write_text(slots.configured(_BROUGHT[slots.CONFIG], Slot.A))
        boot_partition.seal(self.boot, Slot.A)
        self.runs(Slot.A)
        self._script("bin/hikma-hub", _PROGRAM)
        self._script("bin/systemctl", f'#!/bin/sh\necho "$@" >>{self.root}/systemctl.log\n')
        self._script("backend", '#!/bin/sh\nexec "$HIKMA_HUB" update backend "$@"\n')
        (self.root / "system.conf").write_text(_CONF.format(compatible=self.compatible, root=self.root))
        self.key("update")
        self.environ = {
            "PATH": f"{self.root}/bin:{os.environ['PATH']}",
            "HIKMA_UPDATE_ROOT": str(self.root / "old"),
            "HIKMA_UPDATE_MACHINE": str(self.root),
            "HIKMA_HUB": f"{self.root}/bin/hikma-hub",
            "HIKMA_UPDATE_BOOT": str(self.boot),
            "HIKMA_UPDATE_PROC": str(self.root / "proc"),
            "HIKMA_UPDATE_RAUC": str(self.root / "system.conf"),
            "HIKMA_HUB_DATA": str(self.root / "data"),
            "HIKMA_HUB_BOX_STATUS_FILE": str(self.root / "data" / "status.json"),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.root}/bus",
            "DBUS_STARTER_BUS_TYPE": "session",
        }

    @property
    def places(self) -> Places:
        """Where wishes are left, and what came of them is told."""
        return Places(self.root)

    @property
    def told(self) -> Told:
        """What the page is told."""
        return self.desk.told(Told)

    @property
    def desk(self) -> Desk:
        """Where the page leaves its wishes."""
        return Desk(str(self.places.wish), str(self.places.told))

    def wish(self, wish: Wish, **environ: str) -> Told:
        """Leave a wish as the page does, and grant it as systemd does; returns what the page is told."""
        self.desk.ask(wish)
        done = self.hub("grant", **environ)
        assert done.status == 0, done.refused
        assert not self.desk.is_waiting
        return self.told

    def runs(self, slot: Slot) -> None:
        """Be the machine after a start of a system."""
        (self.root / "proc/cmdline").write_text(f"quiet rauc.slot={slot}\n")
        (self.root / "proc/uptime").write_text("301.00 500.00\n")

    def key(self, name: str) -> None:
        """Draw a key with which bundles can be signed."""
        done = run(PROJECT / "image/update-key", self.root / name)
        assert done.returncode == 0, done.stderr

    def bundle(self, version: str, *, key: str = "update", compatible: str = COMPATIBLE) -> Path:
        """Make a bundle of random content; returns it."""
        name = f"{version}-{key}-{compatible}"
        content = self.root / f"content-{name}"
        content.mkdir()
        (content / "rootfs.img").write_bytes(os.urandom(1_000_000))
        (content / "manifest.raucm").write_text(_MANIFEST.format(version=version, compatible=compatible))
        self._script(f"content-{name}/hook", _HOOK.format(root=self.root))
        made = self.root / f"{name}.raucb"
        signed = (f"--cert={self.root}/{key}.cert.pem", f"--key={self.root}/{key}.key.pem")
        done = run(tool("rauc", "apt install rauc squashfs-tools"), "bundle", *signed, content, made)
        assert done.returncode == 0, done.stderr
        return made

    def start(self) -> None:
        """Start a bus of its own and RAUC's service on it."""
        bus = tool("dbus-daemon", "apt install dbus")
        rauc = str(own) if (own := self.root / "bin/rauc").exists() else tool("rauc", "apt install rauc squashfs-tools")
        self._spawn(bus, "--session", f"--address=unix:path={self.root}/bus", "--nofork", "--nopidfile")
        while not (self.root / "bus").exists():
            time.sleep(0.01)
        self._spawn(rauc, f"--conf={self.root}/system.conf", "service", "--override-boot-slot=A")
        for _ in range(500):
            if self.rauc("status").returncode == 0:
                return
            time.sleep(0.02)
        raise AssertionError((self.root / "log").read_text())

    def trust(self, certificate: Path) -> None:
        """Let RAUC trust one authority alone, in a view of its own of the machine's certificates; before its start."""
        (folder := self.root / "certs").mkdir()
        (folder / "authority.pem").write_bytes(certificate.read_bytes())
        mount = f"mount --bind {folder} /etc/ssl/certs"
        rauc = tool("rauc", "apt install rauc")
        self._script("bin/rauc", f'#!/bin/sh\nexec unshare --mount sh -c \'{mount} && exec {rauc} "$@"\' rauc "$@"\n')

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            process.wait(10)

    def rauc(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run RAUC's own command on this machine."""
        command = [tool("rauc", "apt install rauc"), f"--conf={self.root}/system.conf", *words]
        env = {**os.environ, **self.environ}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    def hub(self, *words: str | Path, **environ: str) -> Done:
        """Run a command of the hub on this machine, as ``hikma-hub`` does."""
        done = CliRunner(env={**self.environ, **environ}).invoke(hikma_hub, ["update", *map(str, words)])
        if done.exception and not isinstance(done.exception, HubError | SystemExit):
            raise done.exception
        refused = str(done.exception) if isinstance(done.exception, HubError) else ""
        return Done(done.exit_code, done.stdout, refused)

    def _spawn(self, *command: str) -> None:
        with (self.root / "log").open("ab") as log:
            env = {**os.environ, **self.environ}
            self._processes.append(subprocess.Popen(command, env=env, stdout=log, stderr=log))

    def _script(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)
        (self.root / name).chmod(0o755)
