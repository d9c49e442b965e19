"""How fast the compiler is: microseconds per line for reading and checking, per instruction for the rest.

    python bench/compile_speed.py

Compiles every function of the library and of the examples that is not generic, and whatever these
reach, over and over: the best round and the median are shown.  The collector of Python is off meanwhile,
and one round goes before the clock starts.  A program is lowered as a whole before it is compiled, unless
`--together` asks for both of one function after the other.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from doralang.baseline.compiler import compile_for
from doralang.bytecode import instructions
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function as Bytecode
from doralang.checker.checker import MainRule, check_program
from doralang.checker.program import Class, Function, Program
from doralang.engines.native import Machine
from doralang.lower.specializer import Specializer
from doralang.session.checking import library_for
from doralang.syntax.parser import parse_file
from doralang.text.diagnostics import Diagnostics
from doralang.text.loading import load_source
from doralang.text.source import Source
from measure import pin

EXAMPLES: Final = Path(__file__).resolve().parent.parent / "examples"

PARSE, CHECK, LOWER, COMPILE, PLACE = "reading", "checking", "lowering", "compiling", "placing"


@dataclass(slots=True)
class Times:
    """Seconds of each stage in one round, and what was done."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: int = 0
    functions: int = 0
    instructions: int = 0
    bytes: int = 0

    def add(self, stage: str, seconds: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    def microseconds(self, stage: str) -> float:
        per = self.lines if stage in (PARSE, CHECK) else self.instructions
        return self.seconds[stage] / per * 1e6


def concrete_functions(functions: Iterable[Function], classes: Iterable[Class]) -> Iterator[Function]:
    """All that need no type arguments to be compiled."""
    for function in functions:
        if not function.all_type_parameters:
            yield function
    for cls in classes:
        members = [*cls.methods.values(), *cls.statics.values(), *cls.constructors]
        yield from (member for member in members if not member.all_type_parameters)


def roots(program: Program) -> list[Function]:
    """The functions of a program and of the library."""
    library = program.library
    return [
        *concrete_functions(program.functions.values(), program.classes.values()),
        *concrete_functions(library.functions.values(), library.classes.values()),
    ]


def mentioned(code: Bytecode) -> Iterator[FunctionRef]:
    """The functions that may be called from here."""
    for instruction in code.code:
        if isinstance(instruction, instructions.Call | instructions.CallVirtual | instructions.CallInternal):
            yield instruction.function
        elif isinstance(instruction, instructions.NewObject):
            yield from instruction.cls.methods


def reachable(specializer: Specializer, program: Program) -> Iterator[FunctionRef]:
    """The functions of the program and all that they reach, as far as they have bytecode.

    What a function mentions is looked for, and so the function lowered, when the next one is asked for.
    """
    waiting = [specializer.function_ref(function) for function in roots(program)]
    waiting.extend(specializer.initializers())
    done: set[FunctionRef] = set()
    while waiting:
        ref = waiting.pop()
        if ref not in done and not ref.internal and specializer.origins[ref][0].body is not None:
            done.add(ref)
            yield ref
            waiting.extend(mentioned(specializer.code(ref)))


def front(source: Source, times: Times) -> Program:
    """Read and check a program, against the clock."""
    diagnostics = Diagnostics()
    start = time.perf_counter()
    file = parse_file(source, diagnostics)
    times.add(PARSE, time.perf_counter() - start)
    start = time.perf_counter()
    program = check_program(source, file, diagnostics, library_for("baseline"), main=MainRule.OPTIONAL)
    times.add(CHECK, time.perf_counter() - start)
    assert not diagnostics.errors, diagnostics.reports
    times.lines += source.text.count("\n")
    return program


def back(program: Program, times: Times, *, together: bool) -> None:
    """Lower, compile and place a program with all that it reaches, against the clock."""
    machine = Machine(program, stdout=io.BytesIO(), stderr=io.BytesIO(), alone=True)
    with machine.module.space.freeing, machine.module.space.lock:
        specializer = machine.module.specializer
    refs = reachable(specializer, program)
    if not together:
        start = time.perf_counter()
        refs = iter(list(refs))
        times.add(LOWER, time.perf_counter() - start)
    for ref in refs:
        start = time.perf_counter()
        bytecode = specializer.code(ref)
        if together:
            times.add(LOWER, time.perf_counter() - start)
        compile_and_place(machine, bytecode, times)
    machine.close()


def compile_and_place(machine: Machine, bytecode: Bytecode, times: Times) -> None:
    start = time.perf_counter()
    module = machine.module
    compiled = compile_for(module.space.target, bytecode, module.environment)
    compiled_at = time.perf_counter()
    module.loader.place(compiled)
    placed_at = time.perf_counter()
    times.add(COMPILE, compiled_at - start)
    times.add(PLACE, placed_at - compiled_at)
    times.functions += 1
    times.instructions += len(bytecode.code)
    times.bytes += len(compiled.code.data)


def one_round(sources: list[Source], *, together: bool) -> Times:
    """Every program from its text to placed code, with a machine of its own."""
    times = Times()
    gc.collect()
    gc.disable()
    for source in sources:
        back(front(source, times), times, together=together)
    gc.enable()
    return times


# The report.


def sources_of(paths: list[Path]) -> list[Source]:
    found = (load_source(str(path), io.BytesIO(), Diagnostics()) for path in paths)
    return [source for source in found if source is not None]


def summary(rounds: list[Times]) -> dict[str, dict[str, float]]:
    """Per stage, microseconds: the best round and the median."""
    values = {stage: [each.microseconds(stage) for each in rounds] for stage in rounds[0].seconds}
    values["compiling and placing"] = [
        each.microseconds(COMPILE) + each.microseconds(PLACE) for each in rounds
    ]
    return {stage: {"best": min(each), "median": median(each)} for stage, each in values.items()}


def print_report(rounds: list[Times], found: dict[str, dict[str, float]]) -> None:
    first = rounds[0]
    print(
        f"{first.lines} lines of programs; {first.functions} functions compiled, "
        f"{first.instructions} instructions, {first.bytes} bytes of code; {len(rounds)} rounds\n"
    )
    print(f"{'microseconds':24}{'best':>8}{'median':>8}")
    for stage, times in found.items():
        per = "a line" if stage in (PARSE, CHECK) else "an instruction"
        print(f"{stage:24}{times['best']:8.2f}{times['median']:8.2f}  {per}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("files", nargs="*", type=Path, help="programs (default: the examples)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--together",
        action="store_true",
        help="lower each function right before compiling it, as a run does",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    options = parser.parse_args()
    sources = sources_of(options.files or sorted(EXAMPLES.glob("*.dora")))
    pin(None)
    one_round(sources, together=options.together)
    rounds = [one_round(sources, together=options.together) for _ in range(options.rounds)]
    found = summary(rounds)
    print_report(rounds, found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
