"""The ceilings: function 60 lines, file 600 lines, nesting 4, median function 10 lines."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parent.parent / "src" / "doralang"
MODULES = sorted(ROOT.rglob("*.py"))

FUNCTION_LINES = 60
FILE_LINES = 600
NESTING = 4
MEDIAN_FUNCTION_LINES = 10

# Files that are tables, row after row; they may be as long as they must.
TABLES = {"checker/program.py", "syntax/tree.py"}

BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)


def functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]


def lines(function: ast.FunctionDef) -> int:
    """Lines of the function without its docstring."""
    first = function.body[0]
    documentation = 0
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        documentation = (first.end_lineno or 0) - first.lineno + 1
    return (function.end_lineno or 0) - function.lineno + 1 - documentation


def nesting(node: ast.AST) -> int:
    deepest = 0
    for child in ast.iter_child_nodes(node):
        # An `elif` is an `If` in the `orelse` of another: no deeper than it.
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        own = 1 if isinstance(child, BLOCKS) and not is_elif else 0
        if not isinstance(child, ast.FunctionDef | ast.ClassDef):
            deepest = max(deepest, own + nesting(child))
    return deepest


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_ceilings(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    count = len(path.read_text().splitlines())
    assert count <= FILE_LINES or name in TABLES, f"{name} has {count} lines"
    for function in functions(path):
        assert lines(function) <= FUNCTION_LINES, f"{function.name} has {lines(function)} lines"
        assert nesting(function) <= NESTING, f"{function.name} nests {nesting(function)} deep"


def test_the_median_function_is_short() -> None:
    sizes = [lines(function) for path in MODULES for function in functions(path)]
    assert not sizes or median(sizes) <= MEDIAN_FUNCTION_LINES
