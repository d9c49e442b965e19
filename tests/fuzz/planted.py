"""Planted bugs: would the differential tester find them?

    python tests/fuzz/planted.py                       each bug in a process of its own, and what found it
    python tests/fuzz/planted.py swapped_operands      one of them, in this process

A bug is a function that breaks a compiler by replacing a part of it.  It is found if the engines disagree about a random
formula or program, or if machine code crashes the process.  A Python exception finds nothing: it may be that of the
planting, which no longer fits the compiler.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from doralang.baseline import allocation, calls, control, emitters, frame, objects
from doralang.baseline import primitives as p
from doralang.baseline.context import FunctionCompilation
from doralang.bytecode import instructions as i
from doralang.bytecode import liveness
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Compute
from doralang.machine.macro import BinaryOperation, Condition, FloatCondition
from doralang.machine.x64.macro import MacroAssembler
from doralang.types.arithmetic import wrap_int
from doralang.types.kinds import Kind
from doralang.types.primitives import PRIMITIVES
from doralang.vm import arithmetic

sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz import compare, expressions
from fuzz.generator import Generator

FORMULAS: Final = 2000
PROGRAMS: Final = 250
BATCH: Final = 200
TIME_LIMIT: Final = 300
PARALLEL: Final = 2
MOST_MEMORY: Final = 4 << 30
"""bytes of addresses: what a bug makes of a length would otherwise fill the machine"""
ENGINES: Final = (("walk",), ("baseline",), ("baseline", "--gc-stress"))
"""for programs: the bugs are in the baseline compiler, others would only take longer"""
PLANTED: Final = "planted"
"""what a process says before it searches: an error before that finds nothing"""

Plant = Callable[[], None]


def replace(owner: Any, name: str, wrong: Any) -> None:
    """Put a wrong part in place of one that must be there."""
    assert hasattr(owner, name), f"{owner} has no {name} any more"
    setattr(owner, name, wrong)


def replace_for_baseline(name: str) -> None:
    """Leave out a part of the analysis of liveness, of which the VM has the whole."""
    whole = getattr(liveness, name)

    def without(function: Function, without_call: Set[str | None]) -> liveness.Liveness:
        setattr(liveness, name, lambda *arguments: None)
        try:
            return liveness.analyse(function, without_call)
        finally:
            setattr(liveness, name, whole)

    replace(allocation, "analyse", without)


def wrong_condition_code() -> None:
    """`<` on `int` is `<=`."""
    p.COMPARISONS["int.less"] = p.Comparison(Kind.INT, "lessEquals", Condition.LESS_EQUAL)  # type: ignore[index]
    p.EMITTERS["int.less"] = p.integer_comparison("lessEquals", Kind.INT)  # type: ignore[index]


def comparison_of_half_a_long() -> None:
    """`==` on `long` looks at 32 bits."""
    p.COMPARISONS["long.equals"] = p.Comparison(Kind.INT, "equals", Condition.EQUAL)  # type: ignore[index]
    p.EMITTERS["long.equals"] = p.integer_comparison("equals", Kind.INT)  # type: ignore[index]


def missing_sign_extension() -> None:
    p.EMITTERS["int.toLong"] = p.conversion(Kind.CHAR, Kind.LONG)  # type: ignore[index]


def swapped_operands() -> None:
    right = p.EMITTERS["int.minus"]

    def wrong(context: FunctionCompilation, insn: Compute) -> None:
        right(context, Compute(insn.dst, insn.operation, insn.args[::-1]))

    p.EMITTERS["int.minus"] = wrong  # type: ignore[index]


def skipped_bounds_check() -> None:
    def wrong(context: FunctionCompilation, array: Any, index: Any, unchecked: bool = False) -> Any:
        return context.frame.read(index, context.work[1])

    replace(objects, "checked_index", wrong)


def skipped_nil_check() -> None:
    def wrong(context: FunctionCompilation, register: Any, work: Any, nonnil: bool = False) -> Any:
        return objects.read_reference(context, register, work)

    replace(objects, "checked_reference", wrong)


def logical_shift() -> None:
    """`>>` does not keep the sign."""
    operation = p.integer_binary(BinaryOperation.UNSIGNED_SHIFT_RIGHT, Kind.INT, commutes=False)
    p.EMITTERS["int.shiftRight"] = operation  # type: ignore[index]


def remainder_of_half_a_long() -> None:
    p.EMITTERS["long.mod"] = p.division(Kind.INT, remainder=True)  # type: ignore[index]


def registers_lost_in_calls() -> None:
    replace(frame.FrameLayout, "restore", lambda self, saved: None)


def stale_gc_point() -> None:
    """A slot that holds a reference is missing in the GC point."""
    right = frame.FrameLayout.reference_slots
    replace(frame.FrameLayout, "reference_slots", lambda self, index: right(self, index)[:-1])


def constant_cut_off() -> None:
    """Constants of `long` have 32 bits."""
    right = frame.FrameLayout.make_constant

    def wrong(self: frame.FrameLayout, register: Any, target: Any) -> None:
        value = self.constants[register]
        if self.kinds[register] is Kind.LONG:
            self.constants[register] = wrap_int(int(value or 0))
        right(self, register, target)

    replace(frame.FrameLayout, "make_constant", wrong)


def unordered_forgotten() -> None:
    """Not less is greater or equal, for NaN too."""
    right = p.float_negated

    def wrong(condition: FloatCondition) -> FloatCondition:
        return FloatCondition.GREATER_EQUAL if condition is FloatCondition.LESS else right(condition)

    replace(p, "float_negated", wrong)


def virtual_call_made_direct() -> None:
    emitters.EMITTERS[i.CallVirtual] = calls.call  # type: ignore[index]


def exception_not_looked_for() -> None:
    emitters.EMITTERS[i.CheckException] = lambda context, insn: None  # type: ignore[index]


def exception_stays_pending() -> None:
    def wrong(context: FunctionCompilation, insn: i.TakeException) -> None:
        masm, target = context.masm, context.frame.target(insn.dst, context.work[0])
        masm.load(Kind.REF, target, masm.thread, control.layout.THREAD_EXCEPTION)
        context.frame.written(insn.dst, target)

    emitters.EMITTERS[i.TakeException] = wrong  # type: ignore[index]


def byte_not_cut_off() -> None:
    p.EMITTERS["int.toByte"] = p.copy  # type: ignore[index]


def conversion_without_limits() -> None:
    """A `double` out of the range of `int` is cut off, not the smallest `int`."""
    wide, narrow = p.conversion(Kind.DOUBLE, Kind.LONG), p.conversion(Kind.LONG, Kind.INT)

    def wrong(context: FunctionCompilation, insn: Compute) -> None:
        wide(context, insn)
        narrow(context, Compute(insn.dst, insn.operation, (insn.dst,)))

    p.EMITTERS["double.toInt"] = wrong  # type: ignore[index]


def liveness_without_loops() -> None:
    """What the next round of a loop needs is not live at its end."""
    replace_for_baseline("go_around_loops")


def lives_end_within_loops() -> None:
    """What goes around a loop may lose its home to somebody else in it."""
    replace_for_baseline("live_throughout")


def moves_one_by_one() -> None:
    """Moves that are to happen at once overwrite each other's sources."""

    def wrong(moves: Any) -> bytes:
        masm = MacroAssembler()
        for kind, target, source in moves:
            masm.move(kind, target, source)
        return bytes(masm.code)

    replace(MacroAssembler, "encode_moves", staticmethod(wrong))


def cast_to_the_parent() -> None:
    """A subtype test that looks one step too high."""
    right = objects.branch_unless_extends

    def wrong(context: FunctionCompilation, value: Any, cls: Any, label: Any) -> None:
        right(context, value, cls.parent or cls, label)

    replace(objects, "branch_unless_extends", wrong)


def line_of_the_instruction_before() -> None:
    """GC points, and so traces, have a wrong line."""
    right = FunctionCompilation.point

    def wrong(self: FunctionCompilation, offset: int, slots: tuple[int, ...] = ()) -> None:
        here, self.index = self.index, max(0, self.index - 3)
        right(self, offset, slots)
        self.index = here

    replace(FunctionCompilation, "point", wrong)


def constants_forgotten_at_jumps() -> None:
    replace(frame.FrameLayout, "flush", lambda self, live: None)


def checks_remembered_too_long() -> None:
    """What was checked for nil on one way counts as checked where ways meet."""
    replace(frame.FrameLayout, "forget_checks", lambda self: None)


def sum_without_wrapping() -> None:
    """In the VM."""

    def wrong(dst: int, left: int, right: int) -> Any:
        def op(r: Any) -> None:
            r[dst] = r[left] + r[right]

        return op

    arithmetic.BINARY[PRIMITIVES["int.plus"]] = wrong  # type: ignore[index]


BUGS: Final[dict[str, Plant]] = {
    plant.__name__: plant
    for plant in (
        wrong_condition_code,
        comparison_of_half_a_long,
        missing_sign_extension,
        swapped_operands,
        skipped_bounds_check,
        skipped_nil_check,
        logical_shift,
        remainder_of_half_a_long,
        registers_lost_in_calls,
        stale_gc_point,
        constant_cut_off,
        unordered_forgotten,
        virtual_call_made_direct,
        exception_not_looked_for,
        exception_stays_pending,
        byte_not_cut_off,
        conversion_without_limits,
        liveness_without_loops,
        lives_end_within_loops,
        moves_one_by_one,
        cast_to_the_parent,
        line_of_the_instruction_before,
        constants_forgotten_at_jumps,
        checks_remembered_too_long,
        sum_without_wrapping,
    )
}


def what_finds() -> str:
    """What the engines disagree about first; empty if they agree."""
    with tempfile.TemporaryDirectory() as folder:
        formulas = 1
        for seed in range(1, PROGRAMS + 1):
            if seed % (PROGRAMS * BATCH // FORMULAS) == 1:
                some = list(expressions.cases(formulas, BATCH))
                expected, *others = (expressions.results(engine, some) for engine in expressions.ENGINES)
                if any(other != expected for other in others):
                    return f"formulas {formulas} to {formulas + BATCH - 1}"
                formulas += BATCH
            if compare.differ(Generator(seed).program(), folder, ENGINES):
                return f"program {seed}"
    return ""


def search(name: str) -> str:
    """What finds a bug, in a process of its own; empty if nothing does."""
    done = subprocess.run(
        [sys.executable, __file__, name], capture_output=True, text=True, timeout=TIME_LIMIT, check=False
    )
    assert done.stdout.startswith(PLANTED), f"{name} could not be planted:\n{done.stderr}"
    if done.returncode < 0:
        return f"a crash, signal {-done.returncode}"
    if done.returncode:
        print(f"{name}: not a difference, but an exception:\n{done.stderr}", file=sys.stderr)
        return ""
    return done.stdout.removeprefix(PLANTED).strip()


def search_all() -> dict[str, str]:
    """What finds each bug."""
    with ThreadPoolExecutor(PARALLEL) as threads:
        return dict(zip(BUGS, threads.map(search, BUGS), strict=True))


def main() -> int:
    if len(sys.argv) > 1:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        BUGS[sys.argv[1]]()
        print(PLANTED, flush=True)
        print(what_finds())
        return 0
    found = search_all()
    for name, by in found.items():
        print(f"{name:32} {by or 'NOT FOUND'}")
    print(f"{sum(map(bool, found.values()))} of {len(found)} found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
