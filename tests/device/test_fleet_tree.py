"""The fleet server's playbook on a real Debian tree: it ends, and a second run changes nothing."""

import json
import re
from pathlib import Path

import pytest

from tests.fleet.engines import PERSON, TOKENS
from tests.outside import ANSIBLE, PROJECT, run, tool

pytestmark = [pytest.mark.device, pytest.mark.long, pytest.mark.timeout(1800)]

_PACKAGES = "python3,python3-apt,systemd,ca-certificates"
VARIABLES = {
    "ansible_become": False,
    "fleet_host_name": "fleet.example.org",
    "fleet_is_running": False,
    "fleet_hubs": [{"name": name, "token": token} for name, token in TOKENS.items()],
    "fleet_people": [{"name": PERSON[0], "password": PERSON[1]}],
    "fleet_versions": ["1.0.0"],
    "fleet_mail_to": "technicians@example.org",
    "fleet_mail_from": "fleet@example.org",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a Debian in which nothing runs; /proc and /dev end with the mount namespace of the play."""
    where = tmp_path / "tree"
    suite = "bookworm"
    done = run(tool("mmdebstrap", "image/prerequisites"), "--variant=minbase", f"--include={_PACKAGES}", suite, where)
    assert done.returncode == 0, done.stderr
    (where / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (where / "usr/sbin/policy-rc.d").chmod(0o755)
    (where / "etc/resolv.conf").write_bytes(Path("/etc/resolv.conf").read_bytes())
    return where


def play(tree: Path) -> str:
    words = f"{ANSIBLE}/ansible-playbook -i {tree}, -c image -e @{tree.with_name('given.json')} fleet.yml"
    mounts = f"mount -t proc proc {tree}/proc && mount --rbind /dev {tree}/dev"
    script = f"{mounts}; chroot {tree} apt-get update -qq; {words}"
    done = run("unshare", "-m", "sh", "-ec", script, cwd=PROJECT / "ansible")
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_second_run_changes_nothing(tree: Path) -> None:
    tree.with_name("given.json").write_text(json.dumps(VARIABLES))
    assert not re.search(r"changed=0 ", play(tree))
    assert re.search(r"changed=0 ", play(tree))
    # By their names alone: the links lead out of the tree.
    enabled = {link.stem for link in (tree / "etc/systemd/system").glob("*.wants/*.service")}
    ours = {"victoria-metrics", "hikma-fleet-gate", "hikma-fleet-alerts", "prometheus-alertmanager", "nginx"}
    assert ours <= enabled
