"""The playbook run again changes nothing: over ssh, on the running board that its image became."""

import re

import pytest

from tests.device import card, guest
from tests.device.conftest import tell
from tests.device.guest import Guest
from tests.outside import PROJECT, run, tool

_FOLDER = PROJECT / "ansible"


@pytest.mark.long
def test_the_playbook_run_again_on_the_running_box_changes_nothing(board: Guest) -> None:
    archive = card.IMAGE.parent / "work/program.tar.gz"
    # The board reaches no package archive: its lists, which the image leaves out, count as fresh.
    board.ssh("mount -o remount,rw / && touch /var/lib/apt/lists")
    try:
        done = run(
            *(tool("ansible-playbook", "make venv"), "-i", "board,", "-u", "technician", "--private-key", board.key),
            *("-e", f"ansible_host=127.0.0.1 ansible_port={board.ports['ssh']} hub_archive={archive}", "site.yml"),
            cwd=_FOLDER,
            ANSIBLE_SSH_ARGS=" ".join(("-o ControlMaster=auto -o ControlPersist=120", *guest.ssh_options())),
            ANSIBLE_HOST_KEY_CHECKING="False",
            ANSIBLE_TIMEOUT="60",
        )
    finally:
        board.ssh("mount -o remount,ro / || true")
    recap = re.search(r"changed=(\d+)\s+unreachable=0\s+failed=0", done.stdout)
    assert recap, f"{done.stdout[-3000:]}{done.stderr[-1000:]}\n{board.evidence()}"
    assert recap[1] == "0", re.findall(r"TASK \[.*\](?=.*\n(?:(?!TASK).*\n)*?changed: .*)", done.stdout)
    tell("the playbook over ssh: changed=0")
