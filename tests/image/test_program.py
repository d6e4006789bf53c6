"""What goes onto the card, and what must not: the wheel, and the libraries beside it."""

import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from tests.hubs import ServedHub, prepare
from tests.image.card import LEFT_OUT, WITHOUT
from tests.outside import PROJECT, run

_SOURCE = ("hub", "tests/simulator", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the names of the files in the wheel; built in a copy, for setuptools leaves its work in the tree."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in _SOURCE:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / name, tree / name)
    words = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", out, tree)
    done = run(sys.executable, "-m", "pip", *words)
    assert done.returncode == 0, done.stderr
    [made] = out.glob("*.whl")
    return zipfile.ZipFile(made).namelist()


@pytest.mark.slow
def test_the_wheel_holds_the_hub_and_nothing_else(wheel: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    [about] = tops - {"hub"}
    assert about.endswith(".dist-info")
    assert [name for name in wheel if re.search(r"simulat|demo/|tests|fault", name)] == []


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(wheel: list[str]) -> None:
    listed = run("git", "ls-files", "hub").stdout.split()
    assert {name for name in listed if (PROJECT / name).exists()} <= set(wheel)


@pytest.mark.parametrize("name", ["pillow", *LEFT_OUT])
def test_the_card_has_no_package_that_the_hub_never_imports(name: str) -> None:
    assert f"\n{name}==" not in (PROJECT / "requirements.lock").read_text("utf-8")


@pytest.mark.slow
def test_the_hub_serves_without_the_packages_that_are_left_out(tmp_path: Path) -> None:
    data = tmp_path / "data"
    prepare(data)
    served = ServedHub(data, program=(sys.executable, "-P", "-c", WITHOUT + "from hub.cli import main; main()"))
    try:
        served.start()
        assert served.client().pull().status == 200
        assert served.stop() == 0
    finally:
        served.close()


def test_a_start_leaves_alone_what_only_a_page_or_the_cloud_needs() -> None:
    late = ["babel", "cryptography.x509", "cryptography.hazmat.primitives.serialization"]
    late += ["apscheduler", "httpx", "jinja2", "rapidfuzz", "segno", "tomlkit", "zeroconf"]
    tell = "from hub.words import status, words; status.sentence(words('en'), hub.app.assembly.Facts(ready=False))"
    code = f"{WITHOUT}import hub.cli.serve; {tell}; print([name for name in {late} if name in sys.modules])"
    assert run(sys.executable, "-P", "-c", code).stdout == "[]\n"
