"""What the check of the locks says of what the advisory database answered."""

import importlib.util
from types import ModuleType
from typing import Any

import pytest

from tests.outside import PROJECT

SOUND: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
FLAWED: dict[str, Any] = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNASKED: dict[str, Any] = {"name": "c", "skip_reason": "Dependency not found on PyPI"}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    path = PROJECT / "image/audit.py"
    spec = importlib.util.spec_from_file_location("audit", path)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize(
    ("libraries", "status", "said"),
    [
        ([SOUND], 0, "no advisory is known for its 1 libraries"),
        ([SOUND, FLAWED], 1, "b 2: PYSEC-1, mended in 2.1"),
        ([FLAWED, UNASKED], 1, "1 advisories"),
        ([SOUND, UNASKED], 2, "NOT CHECKED"),
        ([], 2, "NOT CHECKED"),
    ],
)
def test_a_database_that_did_not_answer_is_never_taken_for_a_clean_lock(
    audit: ModuleType, libraries: list[dict[str, Any]], status: int, said: str
) -> None:
    found = audit.verdict("x.lock", libraries)
    assert found[0] == status
    assert said in found[1]
