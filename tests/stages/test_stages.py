"""Golden tests: each file of cases is a list of small sources, each with what the stage makes of it.

    === name of the case
    source
    ---
    what is expected

`pytest --bless tests/stages` rewrites what is expected; look at the difference before you commit it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from compiling import compiled_program, machine_code, own_bytecode
from doralang.bytecode.printer import print_function
from doralang.bytecode.verifier import verify
from doralang.engines.rows import ENGINES
from doralang.machine.listing import Syntax, listing
from doralang.machine.targets import TARGETS
from doralang.native.world import ProgramWorld
from doralang.optimizing.optimizer import Times, optimize
from doralang.pipeline import OF_FUNCTIONS, Stage, dump_stage
from doralang.session.stages import own_functions
from doralang.syntax.parser import parse_file
from doralang.text.diagnostics import Diagnostics
from doralang.text.reports import Format, render
from doralang.text.source import Source

HERE = Path(__file__).parent
CASE, RESULT = "=== ", "\n---\n"


def errors(source: Source) -> str:
    diagnostics = Diagnostics()
    parse_file(source, diagnostics)
    return render([diagnostics], Format.SHORT)


def bytecode(source: Source) -> str:
    """The program's own functions, each looked at by the verifier."""
    for function in own_functions(source):
        verify(function)
    return dump_stage(Stage.BYTECODE, source)


def optimized(source: Source) -> str:
    """The program's own functions behind all passes of the optimizer."""
    return "\n".join(
        print_function(optimize(function, Times()))
        for _, function in own_bytecode(compiled_program(source.text))
    )


def inlined(source: Source) -> str:
    """The program's own functions with others put into them, and behind all passes."""
    dumps = []
    for specializer, function in own_bytecode(compiled_program(source.text)):
        dumps.append(print_function(optimize(function, Times(), ProgramWorld(specializer))))
    return "\n".join(dumps)


def asm(source: Source) -> str:
    """Of the program's own functions, code for every processor that is not placed: addresses are 0."""
    dumps = []
    for specializer, function in own_bytecode(compiled_program(source.text)):
        for target in TARGETS.values():
            compiled = machine_code(specializer, function, target.name, comments=True)
            text = listing(compiled.code, target, Syntax.INTEL)
            dumps.append(f"{function.name}, {target.name}\n{text}")
    return "\n".join(dumps)


STAGES: dict[str, Callable[[Source], str]] = {
    "tokens": partial(dump_stage, Stage.TOKENS),
    "ast": partial(dump_stage, Stage.AST),
    "program": partial(dump_stage, Stage.PROGRAM),
    "bytecode": bytecode,
    "optimized": optimized,
    "inlined": inlined,
    "asm": asm,
    "errors": errors,
}


def cases(text: str) -> list[tuple[str, str, str]]:
    found = []
    for part in ("\n" + text).split("\n" + CASE)[1:]:
        name, _, rest = part.partition("\n")
        source, _, expected = (rest + "\n").partition(RESULT)
        found.append((name, source, expected.strip("\n")))
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_stage(stage: str, bless: bool) -> None:
    path = HERE / f"{stage}.txt"
    actual = [
        (name, source, STAGES[stage](Source("case", source)).strip("\n"))
        for name, source, _ in cases(path.read_text(encoding="utf-8"))
    ]
    assert actual, "there are cases"
    if bless:
        blocks = [f"{CASE}{name}\n{source}{RESULT}{dump}\n" for name, source, dump in actual]
        path.write_text("\n".join(blocks), encoding="utf-8")
    assert actual == cases(path.read_text(encoding="utf-8"))


LOOP = """
fun total() -> int { var sum = 0; var i = 0; while i < 1000 { sum = sum + i; i = i + 1; } return sum; }
fun main() { println(total().toString()); }
"""


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_can_be_shown(stage: Stage) -> None:
    assert "total" in dump_stage(stage, Source("loop.dora", LOOP))


@pytest.mark.parametrize("stage", Stage)
def test_programs_that_do_not_check_have_no_later_stages(stage: Stage) -> None:
    shown = dump_stage(stage, Source("wrong.dora", "fun main() { wrong(); }"))
    assert bool(shown) == (stage in (Stage.TOKENS, Stage.AST)), shown


def test_engines_pass_through_stages_of_functions() -> None:
    passed = [stage for row in ENGINES.values() for stage in row.stages]
    assert {Stage(name) for name in passed} == set(OF_FUNCTIONS)
