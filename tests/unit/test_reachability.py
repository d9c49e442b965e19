"""What a program may run is found for every program, ahead of any run, and is not endless."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import dora
from compiling import compiled_program
from doralang.lower.functions import lowering
from doralang.lower.reachability import MOST_INSTANCES, MOST_LEVELS, reached
from language_cases import Command, parse_file
from test_language import FILES

PROGRAMS = [path for path in FILES if (case := parse_file(path)).command is Command.RUN and not case.errors]

GROWING = """
class Pair<A, B>(let a: A, let b: B)
fun f<T>(x: T, n: int) -> int {
  if n == 0 { return 0; }
  return f(Pair(x, n), n - 1) + f(Pair(n, x), n - 1) + f(Pair(x, x), n - 1);
}
fun main() { println(f(1, 2).toString()); }
"""


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_ends_and_has_what_main_calls(path: Path) -> None:
    program = compiled_program(path.read_text("utf-8-sig"))
    specializer = lowering(program)
    roots = [*specializer.initializers(), specializer.entry_ref(program.main)]
    found = [bytecode.ref for bytecode in reached(specializer, roots)]
    assert set(roots) <= set(found)
    assert len(found) == len(set(found))


def test_type_arguments_that_grow_in_all_directions() -> None:
    program = compiled_program(GROWING)
    specializer = lowering(program)
    found = [bytecode.ref for bytecode in reached(specializer, [specializer.entry_ref(program.main)])]
    instances = [ref for ref in found if ref.plain_name == "f"]
    assert len(instances) <= MOST_INSTANCES
    assert max(map(specializer.nesting, found)) <= MOST_LEVELS


def test_what_is_known_is_not_found_again() -> None:
    program = compiled_program("fun a() { b(); } fun b() {} fun main() { a(); }")
    specializer = lowering(program)
    a, b = (specializer.function_ref(program.functions[name]) for name in "ab")
    assert [bytecode.ref for bytecode in reached(specializer, [a])] == [a, b]
    assert [bytecode.ref for bytecode in reached(specializer, [a], known=[b])] == [a]


def test_code_for_another_processor_is_shown_of_growing_functions(tmp_path: Path) -> None:
    path = tmp_path / "prog.dora"
    path.write_text(GROWING)
    result = dora("--emit-asm=f", "--target=x64", str(path))
    assert result.status == 0
    assert "f<Pair<int, int>>" in result.out
