import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.services.update.places import Places
from hub.settings import Settings
from tests.outside import PROJECT, run, tool

UNITS = sorted((PROJECT / "systemd").iterdir())
EXPOSURE_MAX = {
    "hikma-hub-console.service": 2.0,
    "hikma-hub-erase.service": 5.2,
    "hikma-hub-firstboot.service": 5.2,
    "hikma-hub-prove.service": 5.2,
    "hikma-hub-stick@.service": 4.3,
    "hikma-hub-update.service": 5.2,
    "hikma-hub-update-wish.service": 5.2,
}
"""Everything else is at most TIGHT. First boot, the stick and erasing mount for the whole machine: they have no
view of their own, and each right that they keep instead says what it is for."""
TIGHT = 1.5
SERVICES = [unit.name for unit in UNITS if unit.suffix == ".service"]
_MISSING = re.compile(r".*(Command /opt/hikma-hub/bin/hikma-hub is not executable|man .* exist).*\n")


def program(text: str) -> list[str]:
    return re.findall(r"^ExecStart=/opt/hikma-hub/bin/hikma-hub (\S+)", text, re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_has_no_mistakes(unit: Path, tmp_path: Path) -> None:
    stub = tmp_path / "hikma-hub"
    stub.write_text("#!/bin/sh\n")
    stub.chmod(0o755)
    for each in UNITS:  # all of them: a timer is verified with its service
        text = each.read_text("utf-8").replace("/opt/hikma-hub/bin/hikma-hub", str(stub))
        (tmp_path / each.name).write_text(text, "utf-8")
    done = run(tool("systemd-analyze", "apt install systemd"), "verify", "--man=no", tmp_path / unit.name)
    assert done.returncode == 0, done.stderr
    ours = [line for line in done.stderr.splitlines() if "hikma-hub" in line]
    assert ours == [], "an unknown key is only a warning to systemd"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_no_more_than_it_must(name: str, record_property: Callable[[str, object], None]) -> None:
    unit = PROJECT / "systemd" / name
    done = run(tool("systemd-analyze", "apt install systemd"), "security", "--offline=true", unit)
    score = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert score, done.stderr
    record_property("exposure", score[1])
    assert float(score[1]) <= EXPOSURE_MAX.get(name, TIGHT)


@pytest.mark.parametrize("name", SERVICES)
def test_who_runs_as_root_says_what_each_right_is_for(name: str) -> None:
    text = (PROJECT / "systemd" / name).read_text("utf-8")
    assert "\nCapabilityBoundingSet=" in text
    said = " ".join(line for line in text.splitlines() if line.startswith("#"))
    for line in re.findall(r"^CapabilityBoundingSet=(.*)$", text, re.MULTILINE):
        for right in line.split():
            assert right.removeprefix("CAP_") in said, right


def test_the_hub_is_restarted_for_ever_and_watched() -> None:
    text = (PROJECT / "systemd/hikma-hub.service").read_text("utf-8")
    for line in ("Type=notify", "WatchdogSec=90", "Restart=always", "StartLimitIntervalSec=0", "MemoryMax=352M"):
        assert f"\n{line}\n" in text


def test_the_hub_waits_neither_for_a_network_nor_for_the_time() -> None:
    for unit in UNITS:
        assert not re.search(r"network-online|time-sync|time-set", unit.read_text("utf-8")), unit.name


def test_the_lights_do_not_depend_on_the_hub_whose_silence_they_show() -> None:
    text = (PROJECT / "systemd/hikma-hub-lights.service").read_text("utf-8")
    assert not re.search(r"^(Requires|BindsTo|PartOf|Wants)=.*hikma-hub\.service", text, re.MULTILINE)


def test_the_hub_leaves_its_wishes_where_a_path_unit_sees_them() -> None:
    hub = (PROJECT / "systemd/hikma-hub.service").read_text("utf-8")
    path = (PROJECT / "systemd/hikma-hub-update-wish.path").read_text("utf-8")
    wish = Places().wish
    assert f"\nEnvironment=HIKMA_HUB_BOX_UPDATE_WISH={wish}\n" in hub
    assert f"\nPathExists={wish}\n" in path
    assert str(Places().told) == Settings().box.update_told
