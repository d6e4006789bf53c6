"""A second run of the playbook changes nothing: on the tree that the image was made of."""

import re
import shutil

from tests.device import guest
from tests.outside import PROJECT, run


def test_the_playbook_run_again_changes_nothing() -> None:
    work = guest.IMAGE.parent / "work"
    assert shutil.which("unshare")
    done = run(PROJECT / "image/steps/30-provision", work / "root", work / "program.tar.gz")
    assert done.returncode == 0, done.stdout[-3000:]
    recap = re.search(r"changed=(\d+)\s+unreachable=0\s+failed=0", done.stdout)
    assert recap, done.stdout[-1000:]
    assert recap[1] == "0", "\n".join(re.findall(r"TASK.*\n(?:ok.*\n)*changed.*", done.stdout))
