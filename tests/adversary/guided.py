"""Feeds what a coverage-guided fuzzer finds to a target: ``python -m tests.adversary.guided TARGET -runs=N CORPUS``."""

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

atheris: Any = importlib.import_module("atheris")  # not a dependency: it has wheels for few machines

with atheris.instrument_imports(include=["hub.core", "hub.services", "hub.store", "hub.firstboot"]):
    from tests.adversary.fuzz import TARGETS


def main() -> None:
    """Fuzz until the runs are used up, from honest samples on; exits otherwise than 0 with what crashed the target."""
    name, *options = sys.argv[1:]
    corpus = Path(options[-1])
    corpus.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hikma-fuzz-") as folder:
        target = TARGETS[name](Path(folder))
        for number, sample in enumerate(target.samples):
            (corpus / f"{name}-{number}").write_bytes(sample)
        atheris.Setup([sys.argv[0], *options], target.take)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
