"""Tries mutants in copies of the source, never in the source itself."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path

from tests.mutants.sites import Mutant

SOURCES = ("hub/core", "hub/actions", "hub/store")
QUICK = ("-q", "-m", "not slow and not device", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--timeout=60")
TRIAL_S = 900.0
NARROW = 4
"""So many test files, those that reach least else, are tried before all others: most mutants die there."""
_REACH_S = 3600.0
_NO_TESTS = 5


class MutantsError(Exception):
    """Nothing can be said of mutants; the text is for the person at the terminal."""


def run_tests(tree: Path, words: Iterable[str], *, limit_s: float, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a copy."""
    settings = {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", **environ}
    return subprocess.run(
        (sys.executable, "-P", "-m", "pytest", *words),
        cwd=tree,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=limit_s,
        stdin=subprocess.DEVNULL,
    )


@dataclass
class Reached:
    """Which test files reach what: function of the hub -> test files; ``failing`` ones fail without any mutant."""

    files: dict[str, list[str]] = field(default_factory=dict)
    failing: list[str] = field(default_factory=list)

    def of(self, mutant: Mutant) -> list[str]:
        """Test files that call the function of a mutant; those that call least else come first."""
        found = self.files.get(f"{mutant.path}:{mutant.function}", [])
        if not found:
            found = [file for name, files in self.files.items() if name.startswith(f"{mutant.path}:") for file in files]
        return sorted(set(found), key=lambda file: (self._breadth()[file], file))

    def _breadth(self) -> dict[str, int]:
        count: dict[str, int] = defaultdict(int)
        for files in self.files.values():
            for file in files:
                count[file] += 1
        return count


def reach(tree: Path, folder: Path, words: Iterable[str] = ()) -> Reached:
    """Run the quick tests once, watched; raises MutantsError when they do not run."""
    folder.mkdir(parents=True, exist_ok=True)
    watched = (*QUICK, "-n", "2", "--dist", "loadscope", "-p", "tests.mutants.reach", *words)
    done = run_tests(tree, watched, limit_s=_REACH_S, REACH_DIR=str(folder))
    if done.returncode not in {0, 1}:
        raise MutantsError(f"the quick tests do not run:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    failing = {name.split("::")[0] for name in _failures(done.stdout)}
    if lost := [name for name in failing if not name.endswith(".py")]:
        raise MutantsError(f"the quick tests do not run in {lost}:\n{done.stdout[-3000:]}")
    found: dict[str, list[str]] = defaultdict(list)
    for part in folder.glob("*.json"):
        for name, files in json.loads(part.read_text("utf-8")).items():
            found[name] += [file for file in files if file not in failing]
    return Reached(dict(found), sorted(failing))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: ``killed_by`` is the test that noticed, nothing where none did.

    undecided: the tests took too long; on a busy machine that says nothing.
    """

    mutant: Mutant
    diff: str
    killed_by: str
    undecided: bool = False

    @property
    def change(self) -> tuple[str, str, str]:
        """File, line before and line after, without indentation: what an explanation names."""
        lines = [line for line in self.diff.splitlines()[2:] if line[:1] in "+-"]
        before, after = (" ".join(line[1:].strip() for line in lines if line[0] == sign) for sign in "-+")
        return self.mutant.path, before, after


def attempt(tree: Path, mutant: Mutant, files: list[str]) -> Verdict:
    """Change a copy, run these tests until one fails, and change it back."""
    path = tree / mutant.path
    source = path.read_bytes()
    changed = mutant.apply(source)
    diff = _difference(mutant.path, source.decode(), changed.decode())
    path.write_bytes(changed)
    try:
        for some in filter(None, (files[:NARROW], files[NARROW:])):
            done = run_tests(tree, (*QUICK, "-x", *some), limit_s=TRIAL_S)
            if done.returncode not in {0, _NO_TESTS}:
                return Verdict(mutant, diff, _first_failure(done.stdout))
    except subprocess.TimeoutExpired:
        return Verdict(mutant, diff, "", undecided=True)
    finally:
        path.write_bytes(source)
    return Verdict(mutant, diff, "")


def _first_failure(printed: str) -> str:
    told = _failures(printed)
    return told[0] if told else "it does not start"


def _failures(printed: str) -> list[str]:
    told = [line.split(" - ")[0].split(" ", 1) for line in printed.splitlines()]
    return [words[1] for words in told if words[0] in {"FAILED", "ERROR"} and len(words) > 1]


def _difference(path: str, before: str, after: str) -> str:
    return "\n".join(unified_diff(before.splitlines(), after.splitlines(), path, path, n=0, lineterm=""))
