"""What nobody uses is not there: each name that a module or a class defines is read somewhere in the source.

Names are looked up as words, wherever they are, so what this finds is dead; what it does not find may be, too.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent / "src" / "doralang"
WORD = re.compile(r"[A-Za-z_]\w*")

COMPLETE = re.compile(r"machine/\w+/(assembler|registers|(\w+_)?vectors)\.py|bytecode/instructions\.py")
"""tables that are complete whether all of it is used or not; methods there are called by their names"""
BY_VALUE = {
    *("DOT", "GRAPH", "TRACE", "INTEL"),
    *("NOT_LESS", "NOT_LESS_EQUAL", "NOT_GREATER", "NOT_GREATER_EQUAL"),
}
"""members of enumerations that are reached by value, or by negating another"""
FOR_HOSTS = {"affected", "arrow", "memory_used"}
FOR_TESTS = {"operand_kinds", "interpreted", "collects", "whole_library"}
"""what printers must know, traces run without a compiler, a statement about rows that a test holds them to, and
the library with all checks"""
FOR_LOADING = {"MODULES"}
"""modules that enter what they have into a table"""
FOR_C = {"_fields_", "_type_"}


def definitions(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield node.name
            yield from definitions(node.body)
        elif isinstance(node, ast.If):
            yield from definitions([*node.body, *node.orelse])
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                yield from (one.id for one in ast.walk(target) if isinstance(one, ast.Name))


def uses(tree: ast.AST) -> Iterator[str]:
    """Names that are read, and the words of strings that could be names of modules, fields and functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            yield from WORD.findall(node.value)


def test_every_name_is_used() -> None:
    trees = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in ROOT.rglob("*.py")}
    used = Counter(name for tree in trees.values() for name in uses(tree))
    for path in ROOT.rglob("*.dora"):
        used.update(WORD.findall(path.read_text()))
    methods = set(definitions(trees["bytecode/instructions.py"].body))
    wanted = BY_VALUE | FOR_HOSTS | FOR_TESTS | FOR_LOADING | FOR_C | methods | set(used)
    dead = {
        f"{path}: {name}"
        for path, tree in trees.items()
        if not COMPLETE.fullmatch(path)
        for name in definitions(tree.body)
        if name not in wanted and not name.startswith("__")
    }
    assert not dead, sorted(dead)
