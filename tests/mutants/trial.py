"""Tries mutants in copies of the source, never in the source itself."""

import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import unified_diff
from functools import cached_property
from pathlib import Path

from coverage import CoverageData

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
    """Which test files reach what: file of the hub -> line -> test files; ``failing`` ones fail without any mutant."""

    files: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    failing: list[str] = field(default_factory=list)

    def of(self, mutant: Mutant) -> list[str]:
        """Test files that reach the line of a mutant; those that reach least else come first.

        Not every part of a statement has a line that is counted: then it is the nearest one above.
        """
        lines = self.files.get(mutant.path, {})
        nearest = max((line for line in lines if line <= mutant.line), default=0)
        return sorted(lines.get(nearest, ()), key=lambda file: (self._breadth[file], file))

    @cached_property
    def _breadth(self) -> Counter[str]:
        return Counter(file for lines in self.files.values() for files in lines.values() for file in files)


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
    found: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for part in folder.glob("*.coverage"):
        seen = CoverageData(str(part))
        seen.read()
        for path in seen.measured_files():
            lines = found[Path(path).relative_to(tree).as_posix()]
            for line, files in seen.contexts_by_lineno(path).items():
                lines[line].update(file for file in files if file and file not in failing)
    reached = {path: {line: files for line, files in lines.items() if files} for path, lines in found.items()}
    return Reached(reached, sorted(failing))


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
