"""Measure the machine by the files that Linux keeps about it; what it does not tell is None."""

import os
import platform
import shutil
import time
from pathlib import Path

import msgspec

_MILLI = 1000
_KIB = 1024


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured: sizes in bytes, times in seconds, wear in percent of the expected life."""

    model: str | None
    kernel: str
    python: str
    uptime_s: int | None
    temperature_c: float | None
    power_weak: bool | None
    """Under-voltage, as a Raspberry Pi notices it."""
    memory_bytes: int | None
    memory_free_bytes: int | None
    disk_bytes: int
    disk_free_bytes: int
    wear_percent: int | None
    """Of storage that tells (eMMC); SD cards do not."""
    clock_ms: int
    clock_synced: bool | None
    """Whether a time server confirmed the clock since the last start; None where systemd does not keep it."""


def measure(data: Path, root: Path = Path("/")) -> Measures:
    """Measure now; ``data`` is on the disk that matters."""
    memory = _memory(root)
    disk = shutil.disk_usage(data)
    return Measures(
        model=(_text(root / "proc/device-tree/model") or "").rstrip("\0") or None,
        kernel=platform.release(),
        python=platform.python_version(),
        uptime_s=_uptime_s(root),
        temperature_c=temperature_c(root),
        power_weak=power_weak(root),
        memory_bytes=memory.get("MemTotal"),
        memory_free_bytes=memory.get("MemAvailable"),
        disk_bytes=disk.total,
        disk_free_bytes=disk.free,
        wear_percent=_wear_percent(root),
        clock_ms=time.time_ns() // 1_000_000,
        clock_synced=_clock_synced(root),
    )


def temperature_c(root: Path = Path("/")) -> float | None:
    """Return the processor's temperature."""
    number = _number(root / "sys/class/thermal/thermal_zone0/temp")
    return None if number is None else number / _MILLI


def power_weak(root: Path = Path("/")) -> bool | None:
    """Return whether a Raspberry Pi notices under-voltage (kernel driver raspberrypi-hwmon)."""
    for folder in (root / "sys/class/hwmon").glob("hwmon*"):
        if _text(folder / "name") == "rpi_volt":
            return _number(folder / "in0_lcrit_alarm") == 1
    return None


def _uptime_s(root: Path) -> int | None:
    text = _text(root / "proc/uptime")
    return int(float(text.split()[0])) if text else None


def _memory(root: Path) -> dict[str, int]:
    """Read /proc/meminfo: ``MemTotal:  1024 kB`` and so on."""
    lines = (_text(root / "proc/meminfo") or "").splitlines()
    pairs = (line.split() for line in lines)
    return {words[0].rstrip(":"): int(words[1]) * _KIB for words in pairs if len(words) > 1 and words[1].isdecimal()}


def _wear_percent(root: Path) -> int | None:
    """Read the eMMC's own estimate, such as ``0x02 0x01``: tenths of its life, for its two kinds of cells."""
    text = _text(root / "sys/block/mmcblk0/device/life_time")
    tenths = [int(word, 16) for word in text.split()] if text else []
    return max(tenths) * 10 if any(tenths) else None


def _clock_synced(root: Path) -> bool | None:
    folder = root / "run/systemd/timesync"
    return os.path.lexists(folder / "synchronized") if folder.is_dir() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return None


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text and text.lstrip("-").isdecimal() else None
