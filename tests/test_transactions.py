"""Transactions are opened by actions and the store alone: one function, one transaction, one idea."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import hub

PACKAGE = Path(hub.__file__).parent
OPEN_THEM = ("actions", "store")


def opened(source: str) -> Iterator[int]:
    """Yield the lines where a block begins that is a transaction."""
    for node in ast.walk(ast.parse(source)):
        for item in node.items if isinstance(node, ast.With | ast.AsyncWith) else ():
            call = item.context_expr
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr in {"read", "write"}
            ):
                yield call.lineno


@pytest.mark.parametrize(
    "line", ["with store.read() as db: ...", "with a() as b, self.x.store.write(durable=False) as tx: ..."]
)
def test_a_transaction_is_recognised(line: str) -> None:
    assert list(opened(line)) == [1]


def test_no_transaction_is_opened_outside_actions_and_store() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] not in OPEN_THEM
        for line in opened(path.read_text("utf-8"))
    ]
    assert found == []
