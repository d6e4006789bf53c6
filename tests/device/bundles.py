"""Updates for the boards: of the image's own tree, whose version is another, and what is none."""

import os
import shutil
from pathlib import Path

from hub import __version__
from tests.device import card
from tests.outside import PROJECT, run

NEWER = "99.0.0"
STUCK = "99.0.1"
"""The version of an update whose hub never gets ready."""
_TREE = card.IMAGE.parent / "work/root"
_KEY = card.IMAGE.parent / "update"
_HUB = "opt/hikma-hub/lib/python3.13/site-packages/hub/__init__.py"
_SERVE = "opt/hikma-hub/lib/python3.13/site-packages/hub/cli/serve.py"
_ISSUE = "etc/rpi-issue"
"""By this file a Raspberry Pi OS is told from Debian, here too."""


def make_shelf(folder: Path) -> Path:
    """Make a disk with updates on it: a good one, and bad ones."""
    (stock := folder / "stock").mkdir()
    _changed(folder / "tree", {_HUB: _of_version(NEWER)})
    _bundle(folder / "tree", stock / "good.raucb", _KEY)
    assert run(PROJECT / "image/update-key", folder / "stranger").returncode == 0
    _bundle(_tiny(folder / "small", NEWER), stock / "stranger.raucb", folder / "stranger")
    _bundle(_tiny(folder / "old", "0.0.1"), stock / "older.raucb", _KEY)
    shutil.copy(stock / "good.raucb", stock / "short.raucb")
    os.truncate(stock / "short.raucb", 100_000_000)
    return _disk(folder / "shelf.img", stock)


def make_stuck(folder: Path) -> Path:
    """Make a stick with an update whose hub ends as soon as it is started."""
    (stock := folder / "stock").mkdir()
    _changed(folder / "tree", {_HUB: _of_version(STUCK), _SERVE: 'raise SystemExit("never ready")\n'})
    _bundle(folder / "tree", stock / "stuck.raucb", _KEY)
    return _disk(folder / "stick.img", stock)


def _of_version(version: str) -> str:
    return (_TREE / _HUB).read_text().replace(__version__, version)


def _changed(tree: Path, files: dict[str, str]) -> None:
    """Make the image's own tree once more, with some files changed."""
    card.run("cp", "-al", str(_TREE), str(tree))
    for name, text in files.items():
        (changed := tree / name).unlink()
        changed.write_text(text)
        shutil.rmtree(changed.with_name("__pycache__"), ignore_errors=True)


def _tiny(folder: Path, version: str) -> Path:
    """Return a tree with its version and its kind alone: it is refused before anything else of it is looked at."""
    (folder / _HUB).parent.mkdir(parents=True)
    (folder / _HUB).write_text(f'__version__ = "{version}"\n')
    if (_TREE / _ISSUE).exists():
        (folder / _ISSUE).parent.mkdir()
        shutil.copy(_TREE / _ISSUE, folder / _ISSUE)
    return folder


def _bundle(root: Path, out: Path, key: Path) -> None:
    done = run(PROJECT / "image/bundle", root, out, key, SQUASH="-comp zstd -Xcompression-level 1")
    assert done.returncode == 0, done.stderr


def _disk(made: Path, stock: Path) -> Path:
    """Make a file system with the files of a folder."""
    with made.open("wb") as file:
        file.truncate(1024**3)
    card.run("mke2fs", "-q", "-t", "ext4", "-d", str(stock), str(made))
    shutil.rmtree(stock)
    return made
