"""SECURITY.md says what is true: every test that it names is there, and every heading of the standard has its row."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent
_TEXT = (_ROOT / "SECURITY.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", _TEXT)))


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((_ROOT / file).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_the_security_page_names_is_there(file: str, name: str) -> None:
    assert name in names_in(file)


def test_every_heading_of_the_standard_has_a_row_with_something_that_shows_it() -> None:
    rows = re.findall(r"^\| (5\.\d+) \| ([^|]+) \| ([^|]+) \|", _TEXT, re.MULTILINE)
    assert [number for number, _, _ in rows] == [f"5.{number}" for number in range(1, 14)]
    assert all(shows.strip() for _, _, shows in rows)
    assert len(NAMED) > 20


@pytest.mark.parametrize("file", re.findall(r"\]\(([\w/.-]+)(?:#[\w-]+)?\)", _TEXT))
def test_a_link_of_the_security_page_leads_somewhere(file: str) -> None:
    assert (_ROOT / file).is_file()
