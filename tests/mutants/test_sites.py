import ast
from itertools import accumulate, pairwise

import pytest

from tests.mutants.__main__ import explanations, sites
from tests.mutants.sites import Mutant, mutants
from tests.mutants.trial import Reached
from tests.outside import PROJECT


def changed(body: str) -> set[str]:
    """What may become of a function's body."""
    source = f"def f():\n    {body}\n".encode()
    return {
        ast.unparse(ast.parse(made.apply(source)).body[0]).split("\n", 1)[1].strip() for made in mutants("x", source)
    }


@pytest.mark.parametrize(
    ("body", "others"),
    [
        ("x = a < b", {"x = a <= b"}),
        ("x = a in b", {"x = a not in b"}),
        ("x = a + b", {"x = a - b"}),
        ("x = a and b", {"x = a or b"}),
        ("x = not a", {"x = a"}),
        ("x = a if b else c", {"x = a if not b else c"}),
        ("x = True", {"x = False"}),
        ("x = 1", {"x = 2"}),
        ("return x", {"return None"}),
        ("x += y", {"pass"}),
        ("call(x)", {"pass"}),
        ("raise Wrong", {"pass"}),
        ("x = f'{a + b}' + 'text'", set()),
        ("x: int", set()),
        ("return None", set()),
    ],
)
def test_what_stands_there_is_changed_in_one_place(body: str, others: set[str]) -> None:
    assert changed(body) == others


def test_a_condition_is_also_never_true_or_the_other_way_round() -> None:
    assert changed("if ready: pass") == {"if False:\n        pass", "if not ready:\n        pass"}


def test_what_is_tried_are_the_tests_that_reach_the_line_or_the_nearest_above() -> None:
    reached = Reached({"x.py": {1: {"wide", "narrow"}, 4: {"wide"}}, "y.py": {1: {"wide"}}})

    assert [reached.of(Mutant("x.py", line, 0, 0, "", "")) for line in (1, 3, 4, 9)] == [
        ["narrow", "wide"],
        ["narrow", "wide"],
        ["wide"],
        ["wide"],
    ]
    assert reached.of(Mutant("z.py", 1, 0, 0, "", "")) == []


def parts(source: bytes) -> list[tuple[int, int]]:
    """Where the statements of a file begin and end, those of its outermost level."""
    starts = [0, *accumulate(map(len, source.splitlines(keepends=True)))]
    ends = [0, *(starts[node.end_lineno or 0] for node in ast.parse(source).body)]
    return list(pairwise(ends))


@pytest.mark.slow
def test_every_mutant_of_the_hub_is_a_program() -> None:
    for path in {made.path for made in sites()}:
        source = (PROJECT / path).read_bytes()
        found = parts(source)
        for made in mutants(path, source):
            [(begin, end)] = [(begin, end) for begin, end in found if begin <= made.start < end]
            compile(source[begin : made.start] + made.text.encode() + source[made.end : end], path, "exec")


def test_every_explanation_is_of_a_line_that_is_there() -> None:
    for path, before, _ in explanations():
        lines = {line.strip() for line in (PROJECT / path).read_text("utf-8").splitlines()}
        assert before in lines, (path, before)


def test_what_is_drawn_of_a_file_stays_when_lines_come_above() -> None:
    line = b"def f(a, b):\n    return a < b\n"
    for before, after in zip(mutants("x.py", line), mutants("x.py", b"x = 1\n" + line), strict=True):
        assert before.line + 1 == after.line
        assert before.lot(1) == after.lot(1) != after.lot(2)
    assert len({made.lot(1) for made in mutants("x.py", line)}) == len(mutants("x.py", line))
