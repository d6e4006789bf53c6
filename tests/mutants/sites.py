"""Finds every small change of a source file that a test should notice."""

import ast
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: ``text`` in place of the bytes from ``start`` to ``end`` of a file."""

    path: str
    line: int
    start: int
    end: int
    text: str
    before: str
    """The line where it stands, as it was."""

    def lot(self, seed: int) -> bytes:
        """By which a sample is drawn: the same as long as the line is, whatever changes elsewhere."""
        place = f"{self.path} {self.before} {self.end - self.start} {self.text}"
        return sha256(f"{seed} {place}".encode()).digest()

    def apply(self, source: bytes) -> bytes:
        """The file as changed."""
        return source[: self.start] + self.text.encode() + source[self.end :]


def mutants(path: str, source: bytes) -> list[Mutant]:
    """All mutants of a file, in order; those that say the same are named once."""
    lines = source.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]
    found = {}
    for node, changed in _changes(ast.parse(source), inside=False):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        text = ast.unparse(changed)
        wrapped = f"({text})" if isinstance(changed, ast.expr) and not isinstance(changed, ast.Constant) else text
        made = Mutant(path, node.lineno, begin, end, wrapped, lines[node.lineno - 1].decode().strip())
        found[made.start, made.end, made.text] = made
    return list(found.values())


Change = tuple[ast.stmt | ast.expr, ast.stmt | ast.expr]
"""What stands there, and what to put in its place."""


def _changes(node: ast.AST, *, inside: bool) -> Iterator[Change]:
    """Changes below a node; only inside of functions: the value of a named bound is a choice, not behaviour."""
    if inside and isinstance(node, ast.stmt | ast.expr):
        yield from ((node, changed) for changed in _of(node))
    if inside and isinstance(node, ast.If):
        yield from ((node.test, changed) for changed in _of_condition(node.test))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        inside = not isinstance(node, ast.ClassDef)
    for child in _children(node):
        yield from _changes(child, inside=inside)


def _children(node: ast.AST) -> Iterable[ast.AST]:
    """What may be changed in a node: no annotations, decorators, docstrings and formatted strings."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.body
        case ast.AnnAssign():
            return [node.value] if node.value else []
        case ast.JoinedStr():
            return []
        case _:
            return ast.iter_child_nodes(node)


def _of(node: ast.stmt | ast.expr) -> Iterator[ast.stmt | ast.expr]:
    """What may stand in place of a node."""
    match node:
        case ast.stmt():
            yield from _of_statement(node)
        case ast.Compare():
            yield from (_with(node, place, op) for place, op in enumerate(node.ops))
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS and not _is_text(node):
            yield ast.BinOp(left, _OPERATORS[type(op)](), right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.IfExp(test, body, otherwise):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), body, otherwise)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(value=not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value=value + 1)
        case _:
            pass


def _of_statement(node: ast.stmt) -> Iterable[ast.stmt]:
    match node:
        case ast.Return(value=value) if value is not None and not _is_nothing(value):
            return [ast.Return(ast.Constant(value=None))]
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Delete():
            return [ast.Pass()]
        case ast.Continue():
            return [ast.Break()]
        case ast.Break():
            return [ast.Continue()]
        case _:
            return []


def _with(node: ast.Compare, place: int, op: ast.cmpop) -> ast.Compare:
    changed = deepcopy(node)
    changed.ops[place] = _COMPARISONS[type(op)]()
    return changed


def _of_condition(node: ast.expr) -> Iterator[ast.expr]:
    yield ast.Constant(value=False)
    if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.NamedExpr):
        yield ast.UnaryOp(ast.Not(), node)


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node: ast.BinOp) -> bool:
    """Whether an operation clearly joins texts: the other one of numbers would only raise an error."""
    return any(isinstance(side, ast.JoinedStr) or _is_string(side) for side in (node.left, node.right))


def _is_string(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
