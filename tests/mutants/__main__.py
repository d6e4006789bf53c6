"""``make mutants N=60 SEED=1``: a sample of mutants against the quick tests, and which of them nobody noticed."""

import json
import queue
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import click

from tests.mutants import trial
from tests.mutants.sites import Mutant, mutants
from tests.mutants.trial import MutantsError, Verdict
from tests.outside import PROJECT, copy_of_the_source

EXPLAINED = Path(__file__).with_name("explained.toml")


def sites() -> list[Mutant]:
    """Every mutant there is."""
    files = sorted(path for source in trial.SOURCES for path in (PROJECT / source).rglob("*.py"))
    return [made for path in files for made in mutants(path.relative_to(PROJECT).as_posix(), path.read_bytes())]


def explanations() -> dict[tuple[str, str, str], str]:
    """Why a change changes nothing: file, line before, line after -> reason."""
    listed = tomllib.loads(EXPLAINED.read_text("utf-8")).get("equivalent", [])
    return {(entry["file"], entry["before"], entry["after"]): entry["why"] for entry in listed}


@click.command()
@click.option("-n", "--count", type=click.IntRange(1), default=60, show_default=True, help="How many to try.")
@click.option("--seed", type=int, default=1, show_default=True, help="What did not change is drawn alike.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="How many at once.")
@click.option("--only", default="", help="Only files whose path holds this.")
@click.option("--json", "as_json", is_flag=True, help="Print every verdict as JSON.")
def main(count: int, seed: int, jobs: int, only: str, *, as_json: bool) -> None:
    """Change the hub's core, actions and store in small ways, and list the changes that no quick test notices.

    The status is 0 if all were noticed or are explained in explained.toml.
    """
    every = [mutant for mutant in sites() if only in mutant.path]
    drawn = sorted(every, key=lambda mutant: mutant.lot(seed))[:count]
    click.echo(f"{len(drawn)} of {len(every)} mutants; first the quick tests without any ...", err=True)
    try:
        verdicts = tried(drawn, jobs)
    except MutantsError as error:
        raise click.ClickException(str(error)) from error
    explained = explanations()
    alive = [verdict for verdict in verdicts if not verdict.killed_by]
    unexplained = [verdict for verdict in alive if verdict.change not in explained]
    if as_json:
        click.echo(json.dumps([{**asdict(each), "why": explained.get(each.change, "")} for each in verdicts], indent=1))
    else:
        for verdict in alive:
            told = explained.get(verdict.change, "the tests took too long" if verdict.undecided else "NOBODY NOTICED")
            click.echo(f"\n{verdict.mutant.path}:{verdict.mutant.line}: {told}\n{verdict.diff}")
    killed = len(verdicts) - len(alive)
    click.echo(f"{killed} killed, {len(alive) - len(unexplained)} explained, {len(unexplained)} survived", err=True)
    sys.exit(1 if unexplained else 0)


def tried(drawn: list[Mutant], jobs: int) -> list[Verdict]:
    """Try them all, each worker in a copy of its own."""
    with tempfile.TemporaryDirectory(prefix="hikma-mutants-") as scratch:
        trees: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(jobs):
            trees.put(copy_of_the_source(Path(scratch) / f"tree-{number}"))
        tree = trees.get()
        reached = trial.reach(tree, Path(scratch) / "reach")
        trees.put(tree)
        if reached.failing:
            click.echo(f"left out, for they fail without any mutant: {', '.join(reached.failing)}", err=True)

        def one(mutant: Mutant) -> Verdict:
            mine = trees.get()
            try:
                return trial.attempt(mine, mutant, reached.of(mutant))
            finally:
                trees.put(mine)

        with ThreadPoolExecutor(jobs) as workers:
            verdicts = []
            for number, verdict in enumerate(workers.map(one, drawn), 1):
                told = verdict.killed_by or ("took too long" if verdict.undecided else "SURVIVED")
                click.echo(f"{number:3}  {verdict.mutant.path}:{verdict.mutant.line}  {told}", err=True)
                verdicts.append(verdict)
        return verdicts


if __name__ == "__main__":
    main()
