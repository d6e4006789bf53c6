import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.core.crowd import PER_ADDRESS
from hub.core.update.slots import Slot
from hub.firstboot.card import SYSTEMS
from tests.outside import ANSIBLE, PROJECT, run, tool

pytestmark = pytest.mark.slow

FOLDER = PROJECT / "ansible"
ROLES = sorted(path for path in (FOLDER / "roles").iterdir() if path.is_dir())
IDS = [role.name for role in ROLES]


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def options(role: Path) -> dict[str, Any]:
    given: dict[str, Any] = read(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return given


def test_the_playbook_is_understood() -> None:
    done = run(tool("ansible-playbook", "make venv"), "--syntax-check", "-i", "localhost,", "site.yml", cwd=FOLDER)
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(300)
def test_the_playbook_is_clean() -> None:
    linter = tool("ansible-lint", "make venv")
    done = run(linter, "--offline", "--strict", cwd=FOLDER, PATH=f"{ANSIBLE}:/usr/bin:/bin")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("role", ROLES, ids=IDS)
def test_every_variable_of_a_role_has_a_type_and_a_sentence(role: Path) -> None:
    defaults = read(role / "defaults/main.yml")
    assert set(defaults) <= set(options(role))
    for name, option in options(role).items():
        assert name.startswith(f"{role.name}_")
        assert option["type"]
        assert option["description"].endswith((".", ")."))
        assert name in defaults or option.get("required")


@pytest.mark.parametrize("role", ROLES, ids=IDS)
def test_every_variable_of_a_role_is_used_by_it(role: Path) -> None:
    text = "".join(
        path.read_text("utf-8") for part in ("tasks", "templates", "handlers") for path in (role / part).glob("*")
    )
    assert [name for name in options(role) if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize("role", ROLES, ids=IDS)
def test_the_defaults_fit_their_types(role: Path) -> None:
    kinds = {"str": str, "path": str, "int": int, "bool": bool, "list": list}
    defaults = read(role / "defaults/main.yml")
    for name, option in options(role).items():
        if name in defaults:
            assert isinstance(defaults[name], kinds[option["type"]]), name


def test_a_wrong_type_is_refused(tmp_path: Path) -> None:
    play = tmp_path / "play.yml"
    play.write_text("- hosts: all\n  gather_facts: false\n  vars: {site_is_image: true}\n  roles: [base]\n")
    words = ("-i", "localhost,", "-c", "local", "-e", '{"base_watchdog_s": "soon"}', "--check", str(play))
    done = run(tool("ansible-playbook", "make venv"), *words, cwd=FOLDER, ANSIBLE_ROLES_PATH=str(FOLDER / "roles"))
    assert done.returncode != 0
    assert "base_watchdog_s" in done.stdout


def test_s8_the_firewall_and_the_hub_give_an_address_the_same_share_of_connections() -> None:
    text = (FOLDER / "roles/network/templates/nftables.conf.j2").read_text("utf-8")
    assert text.count(f"ct count over {PER_ADDRESS} ") == 2
    assert text.index("jump crowd") < text.index("tcp dport @services accept")


def test_the_firewall_lets_in_nothing_but_what_is_named() -> None:
    text = (FOLDER / "roles/network/templates/nftables.conf.j2").read_text("utf-8")
    assert "hook input priority filter; policy drop;" in text
    assert read(FOLDER / "roles/network/defaults/main.yml")["network_tcp_ports"] == [4001, 4443, 4444]


def test_nothing_but_a_signed_update_changes_the_system() -> None:
    """A power cut while apt wrote kernel or initramfs in place left 6 of 24 cards that never started again."""
    base = read(FOLDER / "roles/base/defaults/main.yml")
    assert "unattended-upgrades" in base["base_unwanted_packages"]
    assert {"apt-daily.timer", "apt-daily-upgrade.timer"} <= set(base["base_masked_units"])
    tasks = (FOLDER / "roles/storage/tasks/main.yml").read_text("utf-8")
    assert "update_initramfs=no" in tasks


def test_rauc_serves_root_alone_and_takes_what_the_hub_knows() -> None:
    role = FOLDER / "roles/updates"
    policy = (role / "files/dbus.conf").read_text("utf-8")
    assert policy.index('deny send_destination="de.pengutronix.rauc"') < policy.index('<policy user="root">')
    config = (role / "templates/system.conf.j2").read_text("utf-8")
    assert [f"device={SYSTEMS}/{slot}" in config for slot in Slot] == [True, True]
    assert "bundle-formats=verity" in config
