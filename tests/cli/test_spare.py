"""hikma-hub take-over, on a box that keeps copies."""

from pathlib import Path

from hub.services.copy import stick
from hub.services.copy.shelf import SPARE
from hub.services.copy.stick import Mark
from tests.cli.conftest import Run
from tests.hubs import new_store


def test_which_of_several_hubs_it_becomes_must_be_said(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    new_store(data).close()
    for number in "12":
        mark = Mark(id=number * 8, hub_id=f"hub-{number}", hub_name=f"Hub {number}", epoch=0, salt=bytes(16))
        stick.begin(data / SPARE, mark)
    done = run("take-over", "--passphrase-stdin", data=data, stdin="a passphrase of some hub\n")
    assert done.status != 0
    assert "hikma-hub spare status" in done.err
    named = run("take-over", "22222222", "--passphrase-stdin", data=data, stdin="a passphrase of some hub\n")
    assert "several" not in named.err
