"""The table of kernel options, read."""

import re
from pathlib import Path
from typing import NamedTuple

from tests.outside import PROJECT

TABLE = PROJECT / "image/kernel-options.tsv"


class Option(NamedTuple):
    """A line of it: y, m, - (missing) or ? (not named) for each kernel."""

    name: str
    bcm2711: str
    bcm2712: str
    debian: str
    why: str


def options() -> list[Option]:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return [Option(*line.split("\t")) for line in lines[1:]]


def configured(config: Path, name: str) -> str:
    """Return what a kernel's own configuration says of an option."""
    found = re.search(rf"^CONFIG_{name}=([ym])$", config.read_text("ascii"), re.MULTILINE)
    return found[1] if found else "-"
