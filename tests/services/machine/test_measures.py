"""The machine, by files such as Linux keeps."""

from pathlib import Path

from hub.services.machine import measures


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_raspberry_pi_is_measured(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "proc__device-tree__model": "Raspberry Pi 4 Model B Rev 1.4\0",
            "proc__uptime": "3723.10 14000.55\n",
            "proc__meminfo": "MemTotal:        1917216 kB\nMemFree: 100 kB\nMemAvailable:    1001216 kB\nx\n",
            "sys__class__thermal__thermal_zone0__temp": "61850\n",
            "sys__class__hwmon__hwmon0__name": "cpu_thermal\n",
            "sys__class__hwmon__hwmon2__name": "rpi_volt\n",
            "sys__class__hwmon__hwmon2__in0_lcrit_alarm": "1\n",
            "sys__block__mmcblk0__device__life_time": "0x02 0x04\n",
            "run__systemd__timesync__synchronized": "",
        },
    )
    found = measures.measure(tmp_path, tmp_path)
    assert found.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert (found.uptime_s, found.temperature_c, found.power_weak, found.wear_percent) == (3723, 61.85, True, 40)
    assert (found.memory_bytes, found.memory_free_bytes) == (1917216 * 1024, 1001216 * 1024)
    assert found.clock_synced
    assert found.disk_bytes >= found.disk_free_bytes > 0


def test_what_a_machine_does_not_tell_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, proc__uptime="", sys__class__thermal__thermal_zone0__temp="hot")
    found = measures.measure(tmp_path, tmp_path)
    assert (found.model, found.uptime_s, found.temperature_c, found.power_weak, found.wear_percent) == (None,) * 5
    assert (found.memory_bytes, found.clock_synced) == (None, None)
