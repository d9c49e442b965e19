"""One meaning a name: two classes have one name only where they are the same thing.

That is so in four families, whose members are where the paths say:

    a construct of the language     written, typed, as an instruction
    what the API shows              as itself and as it is for Python
    what each processor has         behind one interface
    what each engine has            the same
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent / "src" / "doralang"

FAMILIES = [
    re.compile(r"syntax/tree\.py|types/types\.py|checker/program\.py|bytecode/(function|instructions)\.py"),
    re.compile(r"machine/macro\.py|machine/\w+/(macro|assembler|encoding|vectors|packed_kernels)\.py"),
    re.compile(r"engines/\w+\.py"),
]
SHOWN = {
    *("CompileError", "Diagnostic", "DivisionByZero", "Failure", "FatalError"),
    *("Function", "Instance", "InstanceBusy", "Module"),
}
"""names of the API"""
SAME = {
    "Stored": "what a module asks of an image, and the image",
    "Node": "of a tree, and of a graph",
    "Parameter": "of a function, and the node that stands for it",
    "Trap": "the instruction, and what it raises",
}


def classes() -> dict[str, set[str]]:
    """The files that have a class of each name."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found[node.name].add(path.relative_to(ROOT).as_posix())
    return found


def test_a_class_has_a_name_of_its_own() -> None:
    for name, places in classes().items():
        if name in SHOWN:
            places = {place for place in places if not place.startswith("embed/")}
        is_one_family = any(all(map(family.fullmatch, places)) for family in FAMILIES)
        assert len(places) == 1 or is_one_family or name in SAME, f"{name} is in {sorted(places)}"


def test_what_is_said_to_be_the_same_is_there_twice() -> None:
    found = classes()
    assert all(len(found[name]) > 1 for name in (*SAME, *SHOWN))
