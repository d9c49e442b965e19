"""The library's files, its names, and the meaning that each internal function has somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from doralang.checker.library import check_source, prelude
from doralang.checker.program import Function
from doralang.interpreter.internals import CONSTRUCTORS, MEANINGS
from doralang.library.files import FOLDER, HEAP, HEAP_FOLDER, PRELUDE, PUBLIC_NAMES
from doralang.library.internals import CHECKS_RECEIVER, INTERNALS
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from doralang.types.primitives import PRIMITIVES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference.md"

# What is no function for the stages behind the checker.
EXPRESSIONS = {"defaultValue"}

# What operators mean and no method says.
COMPARISONS = {"notEquals", "less", "lessEquals", "greater", "greaterEquals"}


def all_functions() -> list[Function]:
    library = prelude().library
    functions = list(library.functions.values())
    for owner in library.classes.values():
        functions += [*owner.methods.values(), *owner.statics.values(), *owner.constructors]
    return functions


def test_every_file_is_listed() -> None:
    assert sorted(PRELUDE) == sorted(path.name for path in Path(FOLDER).glob("*.dora"))
    assert sorted(HEAP) == sorted(path.name for path in Path(HEAP_FOLDER).glob("*.dora"))
    assert not {*PRELUDE} & {*HEAP}, "traces tell files by their names"


def test_public_names_are_those_of_the_reference() -> None:
    section = REFERENCE.read_text().split("### 14.1 ")[1].split("### 14.2 ")[0]
    listed = re.findall(r"`([^`]+)`", section.split("Library files may")[0])
    assert {name for part in listed for name in part.split()} == PUBLIC_NAMES


def test_public_names_are_declared() -> None:
    library = prelude().library
    variants = [name for cls in library.classes.values() for name in cls.variants]
    assert PUBLIC_NAMES - {*library.functions, *library.classes, *library.traits, *variants} == set()


def test_every_body_of_the_library_checks() -> None:
    for function in all_functions():
        assert function.internal or function.body is not None
    reports = prelude().unit.diagnostics.reports
    # Its whole purpose is an exception that leaves a function without `throws`.
    assert {(report.code, report.source.name) for report in reports} == {("W0801", "native.dora")}


def test_no_report_of_the_library_reaches_a_program() -> None:
    diagnostics = Diagnostics()
    text = 'fun main() { throwFromNativeButNotThrows(false); call("unreachable"); }'
    program = check_source(Source("case", text), diagnostics)
    assert program is not None
    for function in all_functions():
        assert function.internal or function.body is not None
    assert diagnostics.reports == []


def test_internal_functions_and_their_meanings_match() -> None:
    declared = {function.key for function in all_functions() if function.internal}
    comparisons = {name for name in PRIMITIVES if name.split(".")[-1] in COMPARISONS}
    primitives = set(PRIMITIVES) - comparisons
    meanings = [set(MEANINGS), set(CONSTRUCTORS), primitives, EXPRESSIONS]
    assert declared == set().union(*meanings)
    assert sum(map(len, meanings)) == len(declared), "a function has two meanings"


def test_late_checks_name_methods() -> None:
    assert all("." in key and INTERNALS[key].meaning for key in CHECKS_RECEIVER)
