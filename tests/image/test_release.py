"""What ``make release`` makes, and when it refuses."""

import sys
from pathlib import Path

import pytest

from hub import __version__
from tests.outside import copy_of_the_source, run

pytestmark = pytest.mark.slow

_TAG = f"v{__version__}"
_SECTION = f"## [{__version__}] - 2026-01-31"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout of its own whose changelog has this version."""
    tree = copy_of_the_source(tmp_path / "checkout")
    changelog = tree / "CHANGELOG.md"
    changelog.write_text(f"{changelog.read_text('utf-8')}\n{_SECTION}\n", "utf-8")
    git(tree, "init", "--quiet")
    commit(tree)
    return tree


def git(tree: Path, *words: str) -> None:
    done = run("git", "-c", "user.name=Amal", "-c", "user.email=amal@clinic.example", *words, cwd=tree)
    assert done.returncode == 0, done.stderr


def commit(tree: Path) -> None:
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--no-verify", "--message", "a release")


def release(tree: Path, out: Path) -> str:
    """Run it without the image; returns why it refused, nothing where it did not."""
    done = run(tree / "image/release", out, cwd=tree, IMAGE="no", PYTHON=sys.executable, PYTHONPATH=str(tree))
    assert (done.returncode == 0) is out.exists()
    return "" if done.returncode == 0 else done.stderr


def test_a_release_is_a_wheel_and_sums_that_fit(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "tag", _TAG)
    out = tmp_path / "out"
    assert release(checkout, out) == ""
    assert run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=out).returncode == 0
    listed = {line.split()[1] for line in (out / "SHA256SUMS").read_text("utf-8").splitlines()}
    assert listed == {path.name for path in out.iterdir()} - {"SHA256SUMS"}
    assert f"hikma_hub-{__version__}-py3-none-any.whl" in listed


def test_a_commit_without_the_tag_of_its_version_is_not_released(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "tag", "v0.0.1")
    assert _TAG in release(checkout, tmp_path / "out")


def test_a_checkout_with_changes_is_not_released(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "tag", _TAG)
    (checkout / "hub/new.py").write_text("")
    assert "not committed" in release(checkout, tmp_path / "out")


def test_a_version_that_the_changelog_does_not_know_is_not_released(checkout: Path, tmp_path: Path) -> None:
    changelog = checkout / "CHANGELOG.md"
    changelog.write_text(changelog.read_text("utf-8").replace(f"## [{__version__}] - ", "## [0.0.1] - "), "utf-8")
    commit(checkout)
    git(checkout, "tag", _TAG)
    assert "CHANGELOG" in release(checkout, tmp_path / "out")
