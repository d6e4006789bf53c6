"""A freshly flashed card in its board, as far as first boot sees them.

Files and the partition table are real; what needs a kernel (device mapper, mounts) has a stand-in. The power can be
cut before any command or flush.
"""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import OperatorError
from hub.firstboot import steps
from hub.firstboot.data import PLACES
from hub.firstboot.machine import Machine
from hub.firstboot.report import FirstBootReport

SECTOR = 512
CARD_BYTES = 8 * 10**9
_ROOT_TABLE = "label: dos\nstart=8192, size=32768, type=c\nstart=40960, size=65536, type=83\n"
_CPUINFO = "processor : 0\nFeatures : fp asimd evtstrm crc32 cpuid\n"
_BINDS = "binds"
_OVERLAY = "dev/mapper/hikma-overlay"
_BEFORE, _ASIDE = "data.before", "data.aside"
"""What the data was when writes began to stay in memory, and while a tmpfs hides it."""


class PowerCutError(BaseException):
    """The plug was pulled; nothing that follows is done."""


class Flashed(Machine):
    """What lies in ``root`` is on the card; mounts and the open mapper end with the power."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        for folder in ("dev/mapper", "proc/self", "boot/firmware", "etc/hikma-hub", "etc/ssh", "data", "run", _BINDS):
            (root / folder).mkdir(parents=True)
        (root / "etc/machine-id").touch()
        (root / "etc/hostname").write_text("hikma-hub\n")
        (root / "proc/cpuinfo").write_text(_CPUINFO)
        (root / "proc/cmdline").write_text("quiet rauc.slot=A\n" if self.systems == 2 else "quiet\n")
        (root / "proc/meminfo").write_text("MemTotal:  438220 kB\n")
        object.__setattr__(self, "commands", [])
        object.__setattr__(self, "cut_at", None)
        object.__setattr__(self, "moments", 0)
        object.__setattr__(self, "faults", set())
        self.flash()

    systems = 2
    commands: list[str]
    cut_at: int | None
    moments: int
    faults: set[str]
    """"torn": only a full check mends it. "read-only": it takes no writes. "lost": what is there cannot be mounted."""

    def flash(self) -> None:
        """Write the image over whatever the card held; only the first partitions are in it."""
        card = self.root / "dev/card"
        card.touch()
        os.truncate(card, CARD_BYTES)
        _tool("sfdisk", "--quiet", str(card), stdin=_ROOT_TABLE.encode())
        for made in ("etc/hikma-hub", "etc/ssh"):
            shutil.rmtree(self.root / made)
            (self.root / made).mkdir()
        (self.root / "etc/machine-id").write_text("")
        (self.root / "boot/firmware/config.txt").write_text("os_prefix=slot-A/\n")
        self.power_off()

    def power_off(self) -> None:
        """Lose what only lives in memory."""
        (self.root / "proc/self/mounts").write_text("/dev/card2 / ext4 ro 0 0\n/dev/card1 /boot/firmware vfat ro 0 0\n")
        (self.root / "dev/mapper/hikma-data").unlink(missing_ok=True)
        self._data.unlink(missing_ok=True)
        _end_overlay(self)
        _end_tmpfs(self)
        for bind in (self.root / _BINDS).iterdir():
            seen_at = Path(bind.read_text())
            seen_at.unlink(missing_ok=True)
            bind.unlink()
        where = self.root / "run/hikma-hub-stick"
        where.unlink() if where.is_symlink() else None
        for place in PLACES:
            self.path(place.seen_at).mkdir(parents=True, exist_ok=True)

    def boot(self, *, cut_at: int | None = None, cut_before: str = "") -> FirstBootReport | None:
        """Run first boot; None if the power was cut before the end. ``moments`` says how many there were to cut at.

        cut_before: a step, by its name.
        """

        def begin(step: str) -> None:
            if step == cut_before:
                raise PowerCutError

        object.__setattr__(self, "cut_at", cut_at)
        object.__setattr__(self, "moments", 0)
        object.__setattr__(self, "commands", [])
        _watched.append(self)
        try:
            return steps.run(self, progress=begin)
        except PowerCutError:
            return None
        finally:
            _watched.clear()
            object.__setattr__(self, "cut_at", None)
            self.power_off()

    def put(self, text: str) -> Path:
        """Put hikma-hub.toml on the boot partition."""
        file = self.root / "boot/firmware/hikma-hub.toml"
        file.write_text(text)
        return file

    def plug(self, stick: Path) -> None:
        """Put a USB stick in, on which these files are."""
        (self.root / "dev/stick1").symlink_to(stick)

    def moment(self) -> None:
        """Pass one moment at which the power can be cut."""
        object.__setattr__(self, "moments", self.moments + 1)
        if self.cut_at is not None and self.moments > self.cut_at:
            raise PowerCutError

    def run(self, *command: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,)) -> str:  # noqa: ARG002  nothing fails here
        """Run a command of the stand-in."""
        self.moment()
        self.commands.append(" ".join(command))
        name, *words = command
        watched = _watched.copy()
        _watched.clear()
        try:
            return _PROGRAMS[name](self, words, stdin)
        finally:
            _watched.extend(watched)

    def refuse_to_write(self, path: Path) -> None:
        """Fail as a file system that is mounted read-only does."""
        real = path.parent.resolve()
        in_memory = (self.root / _OVERLAY).exists() or (self.root / _ASIDE).exists()
        if "read-only" in self.faults and not in_memory and real.is_relative_to(self.root / "data"):
            raise OSError(errno.EIO, "Input/output error", str(path))
        for folder, mount in (("etc", "/"), ("boot", "/boot/firmware")):
            if real.is_relative_to(self.root / folder) and "ro" in self._options(mount):
                raise OSError(errno.EROFS, "Read-only file system", str(path))

    # What stands in for the kernel

    def forget_partition(self) -> None:
        """Lose the entry of the data partition."""
        _tool("sfdisk", "--quiet", "--delete", str(self.root / "dev/card"), str(self.systems + 2))

    def header(self) -> dict[str, str]:
        """Read the stand-in of a LUKS header where the data partition begins."""
        if not self.has_data():
            return {}
        with (self.root / "dev/card").open("rb") as card:
            card.seek(self._data_start())
            raw = card.read(4096).rstrip(b"\0")
        try:
            return dict(json.loads(raw))
        except ValueError:
            return {}

    def put_header(self, **fields: str) -> None:
        if not self.has_data():
            raise OperatorError("no such device")
        with (self.root / "dev/card").open("r+b") as card:
            card.seek(self._data_start())
            card.write(json.dumps(fields).encode().ljust(4096, b"\0"))

    def has_data(self) -> bool:
        """Return whether there is a data partition."""
        return len(self.partitions()) > self.systems + 1

    def partitions(self) -> list[dict[str, Any]]:
        """Return the entries of the card's table."""
        found: list[dict[str, Any]] = json.loads(_tool("sfdisk", "--json", str(self.root / "dev/card")))[
            "partitiontable"
        ]["partitions"]
        return found

    @property
    def _data(self) -> Path:
        return self.root / f"dev/card{self.systems + 2}"

    def _data_start(self) -> int:
        return int(self.partitions()[self.systems + 1]["start"]) * SECTOR


_watched: list[Flashed] = []
"""The card whose first boot runs, but not while a program of the stand-in does."""
_WRITES = {"os.remove", "os.rename", "os.mkdir", "os.symlink", "os.chmod"}


def _hook(event: str, args: tuple[object, ...]) -> None:
    """Keep Python itself from writing where the card is read-only."""
    if not _watched or not args or not isinstance(args[0], str | Path):
        return
    opens_to_write = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
    if event == "os.mkdir" and Path(args[0]).exists():
        return  # that there is one already comes before that it could not be made
    if event in _WRITES or opens_to_write:
        _watched[0].refuse_to_write(Path(args[0]))


sys.addaudithook(_hook)


def _tool(*command: str, stdin: bytes = b"") -> str:
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout.decode()


def _sfdisk(card: Flashed, words: list[str], stdin: bytes) -> str:
    return _tool("sfdisk", *words[:-1], str(card.path(words[-1])), stdin=stdin)


def _lsblk(card: Flashed, words: list[str], _: bytes) -> str:
    if "PKNAME" in words:
        return "card\n"
    if "PATH,TRAN,FSTYPE,LABEL" in words:
        own = {"path": "/dev/card", "tran": "mmc", "fstype": None, "label": None}
        part = {"path": "/dev/stick1", "tran": None, "fstype": "vfat", "label": "KINGSTON"}
        usb = {"path": "/dev/stick", "tran": "usb", "fstype": None, "label": None, "children": [part]}
        return json.dumps({"blockdevices": [own, *([usb] if card.path("dev/stick1").exists() else [])]})
    header = card.header()
    fstype = "crypto_LUKS" if header else None
    return json.dumps({"blockdevices": [{"fstype": fstype, "label": header.get("label")}]})


def _cryptsetup(card: Flashed, words: list[str], stdin: bytes) -> str:  # noqa: C901  one case a command
    header, mapped = card.header(), card.root / "dev/mapper/hikma-data"
    key = hashlib.sha256(stdin).hexdigest()
    match words[0]:
        case "luksFormat":
            cipher = words[words.index("--cipher") + 1]
            label = words[words.index("--label") + 1]
            card.put_header(label=label, key=key, cipher=cipher, uuid=str(uuid.uuid4()))
        case "luksAddKey":
            card.put_header(**header, passphrase=key)
        case "open":
            if header.get("key") != key:
                raise OperatorError("No key available with this passphrase.")
            mapped.touch()
        case "close":
            mapped.unlink()
        case "config":
            card.put_header(**{**header, "label": words[-1]})
        case "erase":
            card.put_header(**{**header, "key": "", "passphrase": ""})
        case "luksUUID":
            return header["uuid"] + "\n"
        case "luksHeaderBackup":
            Path(words[-1]).write_text(json.dumps(header))
        case "luksHeaderRestore":
            card.put_header(**json.loads(Path(words[-1]).read_text()))
        case other:
            raise NotImplementedError(other)
    return ""


def _mkfs(card: Flashed, _words: list[str], _: bytes) -> str:
    shutil.rmtree(card.root / "data")
    (card.root / "data").mkdir()
    card.put_header(**card.header(), fs="ext4") if "fs" not in card.header() else None
    return ""


def _e2fsck(card: Flashed, words: list[str], _: bytes) -> str:
    is_full = "-f" in words
    if card.header().get("fs") != "ext4" or ("torn" in card.faults and not is_full) or "lost" in card.faults:
        raise OperatorError("e2fsck failed with 4")
    if is_full and not (card.root / _OVERLAY).exists():
        if "read-only" in card.faults:
            raise OperatorError("e2fsck failed with 8")
        card.faults.discard("torn")
    return ""


def _umount(card: Flashed, words: list[str], _: bytes) -> str:
    where = Path(words[-1])
    inside = "/" + str(where.relative_to(card.root))
    mounts = card.root / "proc/self/mounts"
    kept = [line for line in mounts.read_text().splitlines() if line.split()[1] != inside]
    mounts.write_text("".join(f"{line}\n" for line in kept))
    bind = card.root / _BINDS / inside.replace("/", "_")
    if bind.exists():
        where.unlink()
        where.mkdir()
        bind.unlink()
    elif where.is_symlink():  # the stick
        where.unlink()
    if inside == "/data":
        _end_tmpfs(card)
    return ""


def _dmsetup(card: Flashed, words: list[str], _: bytes) -> str:
    if words[0] == "create":
        (card.root / _OVERLAY).touch()
        (card.root / _BEFORE).mkdir()
        shutil.copytree(card.root / "data", card.root / _BEFORE / "data", symlinks=True)
        (card.root / _BEFORE / "header").write_text(json.dumps(card.header()))
    else:
        _end_overlay(card)
    return ""


def _end_overlay(card: Flashed) -> None:
    if (card.root / _OVERLAY).exists():
        shutil.rmtree(card.root / "data")
        (card.root / _BEFORE / "data").rename(card.root / "data")
        before = json.loads((card.root / _BEFORE / "header").read_text())
        if card.has_data():
            card.put_header(**before)
        shutil.rmtree(card.root / _BEFORE)
        (card.root / _OVERLAY).unlink()


def _end_tmpfs(card: Flashed) -> None:
    if (card.root / _ASIDE).exists():
        shutil.rmtree(card.root / "data")
        (card.root / _ASIDE).rename(card.root / "data")


def _wipefs(card: Flashed, _words: list[str], _: bytes) -> str:
    card.put_header()
    card.faults.clear()
    return ""


def _mount(card: Flashed, words: list[str], _: bytes) -> str:
    mounts = card.root / "proc/self/mounts"
    where = Path(words[-1])
    inside = "/" + str(where.relative_to(card.root)) if where != card.root else "/"
    inside = inside.rstrip(".") or "/"
    if inside == "/data" and "tmpfs" in words:
        (card.root / "data").rename(card.root / _ASIDE)
        (card.root / "data").mkdir()
    if words[0] == "--bind":
        if where.is_dir() and not where.is_symlink():
            shutil.rmtree(where)
        where.parent.mkdir(parents=True, exist_ok=True)
        where.symlink_to(words[1])
        (card.root / _BINDS / inside.replace("/", "_")).write_text(str(where))
    if "/dev/stick1" in words:
        where.rmdir()
        where.symlink_to(card.path("dev/stick1"))
        return ""
    if "remount" not in " ".join(words):
        mounts.write_text(mounts.read_text() + f"x {inside} ext4 rw 0 0\n")
        return ""
    option = "rw" if "remount,rw" in words else "ro"
    lines = [line.split() for line in mounts.read_text().splitlines()]
    mounts.write_text("".join(f"{a} {b} {c} {option if b == inside else d} 0 0\n" for a, b, c, d, *_ in lines))
    return ""


def _partx(card: Flashed, words: list[str], _: bytes) -> str:
    if words[0] == "--add":
        card._data.touch()
    return ""


def _machine_id(card: Flashed, _words: list[str], _: bytes) -> str:
    file = card.root / "etc/machine-id"
    if not file.read_text().strip():
        file.write_text(uuid.uuid4().hex + "\n")
    return ""


def _ssh_keygen(_: Flashed, words: list[str], __: bytes) -> str:
    file = Path(words[-1])
    secret = uuid.uuid4().hex
    file.write_text(secret)
    file.with_name(file.name + ".pub").write_text(f"ssh-ed25519 {secret} hikma-hub\n")
    return ""


def _nothing(_: Flashed, __: list[str], ___: bytes) -> str:
    return ""


_PROGRAMS: dict[str, Callable[[Flashed, list[str], bytes], str]] = {
    "findmnt": lambda *_: "/dev/card2\n",
    "lsblk": _lsblk,
    "sfdisk": _sfdisk,
    "blockdev": lambda *_: str(CARD_BYTES // SECTOR),
    "partx": _partx,
    "resize2fs": _nothing,
    "udevadm": _nothing,
    "cryptsetup": _cryptsetup,
    "mkfs.ext4": _mkfs,
    "e2fsck": _e2fsck,
    "umount": _umount,
    "dmsetup": _dmsetup,
    "losetup": lambda *_: "/dev/loop0\n",
    "truncate": _nothing,
    "wipefs": _wipefs,
    "mount": _mount,
    "chown": _nothing,
    "hostname": _nothing,
    "date": _nothing,
    "hwclock": _nothing,
    "systemd-machine-id-setup": _machine_id,
    "ssh-keygen": _ssh_keygen,
    "systemctl": _nothing,
    "blkdiscard": _nothing,
}


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flashed:
    """Return a freshly flashed card; every flush to it is a moment at which the power can be cut."""
    made = Flashed(tmp_path / "card")
    fsync = os.fsync

    def flush(handle: int) -> None:
        made.moment()
        fsync(handle)

    monkeypatch.setattr(os, "fsync", flush)
    return made
