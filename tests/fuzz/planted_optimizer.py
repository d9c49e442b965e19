"""Planted bugs of the optimizer: would random programs find them?

    python tests/fuzz/planted_optimizer.py                    each bug, and the program that found it
    python tests/fuzz/planted_optimizer.py --search NAMES     which of the first programs finds each of these

As in `planted`, a bug replaces a part of the optimizer, and is found if a random program is not what it is in the tree
walk, or if machine code crashes or does not end.  An exception in Python finds nothing.  The verifiers between passes are
off: what they see is not there for programs to find.

For each bug a program is noted that finds it, so that looking for all of them takes a minute; if it has become another
one, the first few are tried.
"""

from __future__ import annotations

import io
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, Final, NamedTuple

os.environ["DORA_CACHE"] = "off"
os.environ.pop("DORA_VERIFY", None)
sys.path.insert(0, str(Path(__file__).parent.parent))

from doralang.baseline import replacement
from doralang.bytecode import instructions as i
from doralang.bytecode.places import Site
from doralang.machine.targets import host
from doralang.native.world import ProgramWorld
from doralang.optimizing import (
    algebra,
    checks,
    columns,
    counted_loops,
    dead,
    division,
    emit,
    graph,
    inlining,
    jump_threading,
    laws,
    memory,
    objects,
    registers,
    strips,
)
from doralang.optional import LLVM, is_installed, load
from doralang.types.primitives import PRIMITIVES
from fuzz import compare
from fuzz.columns import ColumnGenerator
from fuzz.generator import Generator
from fuzz.loops import LoopGenerator
from fuzz.planted import MOST_MEMORY, replace
from fuzz.strips import StripGenerator

OWN: Final = ("opt", "--no-llvm")
STRESSED: Final = ("opt", "--no-llvm", "--gc-stress")
BY_LLVM: Final = ("opt",)
LLVM_STRESSED: Final = ("opt", "--gc-stress")
REPLACING: Final = ("tiered", "--hot-now", "--hot=2", "--no-llvm", "--no-cache")
WALK: Final = ("walk",)

MAKERS: Final = {
    "program": Generator,
    "loops": LoopGenerator,
    "strips": StripGenerator,
    "columns": ColumnGenerator,
}
TRIED: Final = 2
"""programs of each maker that are tried behind the one that is noted"""
PATIENCE: Final = 20
"""seconds of processor time for one bug and one program"""

NOTHING_FOUND, FOUND, EXCEPTION = range(3)
"""exit statuses of a process that looks for a bug"""


class Bug(NamedTuple):
    """How it is planted, the engine in which it can be seen, and the program that finds it."""

    plant: Callable[[], None]
    engine: tuple[str, ...]
    noted: tuple[str, int]

    @property
    def name(self) -> str:
        return self.plant.__name__


# Laws and values.


def replace_law(right: str, wrong: str) -> None:
    assert right in laws.INTEGER_LAWS, f"{right} is no law any more"
    replace(laws, "INTEGER_LAWS", laws.INTEGER_LAWS.replace(right, wrong))


def law_with_a_wrong_sign() -> None:
    replace_law("c - (x + d)  ->  (c - d) - x", "c - (x + d)  ->  (c + d) - x")


def law_of_some_constants_for_all() -> None:
    """What holds for powers of two is done with every constant."""
    replace_law("x & (c - 1) == 0           if power(c)", "x & (c - 1) == 0")


def comparison_exchanged_wrongly() -> None:
    algebra.EXCHANGED[PRIMITIVES["int.less"]] = PRIMITIVES["int.greaterEquals"]  # type: ignore[index]


def quotient_by_a_factor_too_small() -> None:
    right = division.magic

    def wrong(divisor: int, bits: int) -> tuple[int, int]:
        factor, shift = right(divisor, bits)
        return factor - 1, shift

    replace(division, "magic", wrong)


# Branches and checks.


def branch_on_the_contrary() -> None:
    """A branch whose ways are exchanged asks the same."""
    replace(emit, "INVERTED", {op: op for op in emit.INVERTED})


def wrong_range() -> None:
    """No index is negative."""
    replace(checks.Checks, "is_not_negative", lambda self, node, depth=0: True)


def bounds_of_another_array() -> None:
    """What is less than something is inside of every array."""

    def wrong(self: Any, array: Any, index: Any) -> bool:
        return bool(self.bounds.get(index)) and bool(self.is_not_negative(index))

    replace(checks.Checks, "is_inside", wrong)


def dropped_bounds_check() -> None:
    """An access that was checked once is not checked with another index either."""
    right = checks.Fact.__new__

    def wrong(cls: Any, what: str, node: Any, other: Any = None) -> Any:
        return right(cls, what, node, None if what == checks.INSIDE else other)

    replace(checks.Fact, "__new__", wrong)


def fact_outlives_its_block() -> None:
    """What was checked on one way counts on all others, too."""
    replace(checks.Checks, "forget", lambda self, fact: None)


def guard_of_one_way_in() -> None:
    """What a branch says holds where other ways lead, too."""
    right = checks.Checks.entered_if

    def wrong(self: Any, block: Any) -> Iterator[Any]:
        others, block.predecessors = block.predecessors, block.predecessors[:1]
        yield from [*right(self, block)]
        block.predecessors = others

    replace(checks.Checks, "entered_if", wrong)


def step_that_is_ignored() -> None:
    """A counter that is small itself may get any step."""
    right = checks.Checks.greatest
    replace(
        checks.Checks,
        "greatest",
        lambda self, node, block: right(self, node, block) if node.op is graph.Phi else 1,
    )


# Strips.


def strip_that_ends_where_the_array_does() -> None:
    """Whatever is accessed behind the counter."""
    right = strips.StripLimit.shortest

    def wrong(self: Any, offsets: Any) -> Any:
        return right(self, {array: min(offset, 0) for array, offset in offsets.items()})

    replace(strips.StripLimit, "shortest", wrong)


def strip_that_may_begin_before_the_array() -> None:
    """Nobody looks whether the first index is negative."""
    right = strips.StripLimit.refuse

    def wrong(self: Any, test: Any) -> None:
        compared = self.writer.code[-1]
        is_less = isinstance(compared, i.Compute) and compared.operation is PRIMITIVES["int.less"]
        if not is_less or compared.args[0] == self.rounds:
            right(self, test)

    replace(strips.StripLimit, "refuse", wrong)


def strip_of_a_counter_that_falls() -> None:
    """Any constant step counts as one."""
    right = counted_loops.Round.step
    replace(counted_loops.Round, "step", lambda self, register: right(self, register) and 1)


def strip_with_another_limit() -> None:
    """What a limit is made of is the same in all rounds, whatever it is."""
    replace(counted_loops.Round, "is_same", lambda self, register, at: True)


def strip_with_one_end() -> None:
    """Nobody looks where else the loop is left."""
    right = strips.StripLimit.end_at
    replace(
        strips.StripLimit,
        "end_at",
        lambda self, leaving: right(self, leaving) if leaving is self.first else None,
    )


def strip_of_the_counter_itself() -> None:
    """It is what is compared, not what is so much above or below it."""
    right = strips.StripLimit.end_at
    replace(strips.StripLimit, "end_at", lambda self, leaving: right(self, leaving._replace(offset=0)))


def rows_that_are_stored() -> None:
    """Rows stay what they are in a loop that stores others."""
    right = columns.keeps_rows
    replace(columns, "keeps_rows", lambda kinds, insn: isinstance(insn, i.StoreElement) or right(kinds, insn))


def rows_of_any_length() -> None:
    """Rows are looked at, but not their lengths."""
    replace(columns.LeastLength, "make_less", lambda self, register, other: None)


def column_in_front_of_the_rows() -> None:
    """Nobody looks whether the index is negative."""
    right = columns.ColumnWriter.write_question
    replace(columns.ColumnWriter, "write_question", lambda self, *more: right(self, *more)[1:])


# Memory, and what is needed.


def load_hoisted_over_a_store() -> None:
    """A store leaves what is known of other objects as it was, though they may be the same."""
    replace(memory, "may_be_same", lambda one, other: one[1:] == other[1:])


def call_that_writes_nothing() -> None:
    right = memory.written
    replace(memory, "written", lambda node: None if node.op in (i.Call, i.CallVirtual) else right(node))


def loop_that_writes_nothing() -> None:
    right = memory.Accesses.__init__

    def wrong(self: Any, made: Any) -> None:
        right(self, made)
        self.writes = {block: set() for block in self.writes}

    replace(memory.Accesses, "__init__", wrong)


def fields_of_one_way_only() -> None:
    """Where ways meet, the fields of an object that is gone are what the first one says."""

    def wrong(self: Any, block: Any) -> Any:
        return dict(next((self.at_end[one] for one in block.predecessors if one in self.at_end), {}))

    replace(objects.Replacement, "at_start", wrong)


def store_dropped_though_seen() -> None:
    """Between two stores a call or a failure may look."""
    replace(memory, "can_be_seen", lambda node: False)


def store_dropped_though_read() -> None:
    """Between two stores a load of what may be the same object looks."""
    right = memory.Accesses.load

    def wrong(self: Any, node: Any, place: Any, known: Any, unseen: Any) -> bool:
        return bool(right(self, node, place, known, dict(unseen)))

    replace(memory.Accesses, "load", wrong)


def failure_of_an_unused_load() -> None:
    replace(dead, "must_check", lambda node: False)


def load_scheduled_across_a_call() -> None:
    """Loads of global variables float."""
    replace(graph, "FLOATING_OPS", graph.FLOATING_OPS | {i.LoadGlobal})


# Inlining.


def exception_of_an_inlined_function_lost() -> None:
    right = inlining.Inliner.leave

    def wrong(self: Any, insn: Any, registers: Any, call: Any, chain: Any) -> bool:
        if isinstance(insn, i.LeaveException):
            call.thrown = call.returned
        return bool(right(self, insn, registers, call, chain))

    replace(inlining.Inliner, "leave", wrong)


def override_not_called() -> None:
    """Each virtual call leads to the method that it names."""
    replace(ProgramWorld, "only_target", lambda self, ref: ref)


def inlined_functions_share_registers() -> None:
    right = inlining.Inliner.register
    known: dict[Any, Any] = {}

    def wrong(self: Any, kind: Any) -> Any:
        key = id(self), kind, len(known) % 2
        if key not in known:
            known[key] = right(self, kind)
        return known[key]

    replace(inlining.Inliner, "register", wrong)


# Scheduling, registers, bytecode.


def flag_known_on_one_way_only() -> None:
    replace(jump_threading, "in_both", lambda one, other: {**other, **one})


def way_without_what_it_goes_past() -> None:
    replace(jump_threading.WayWriter, "needed", lambda self, edge: [])


def flag_of_the_other_way() -> None:
    """What a branch says is taken for known on the way on which it says the contrary."""
    right = jump_threading.JumpThreading.asked

    def wrong(self: Any, end: int) -> Any:
        asked = right(self, end)
        return asked and (asked[0], not asked[1])

    replace(jump_threading.JumpThreading, "asked", wrong)


def comparison_known_for_too_long() -> None:
    """What is compared is written to, and the answer stays."""
    replace(jump_threading.KnownTerm, "mentions", lambda self, register: False)


def stale_chain() -> None:
    """An instruction has the place of the one before it."""
    right, last = emit.BytecodeEmitter.emit, []

    def wrong(self: Any, insn: Any, chain: Any) -> None:
        stale = last.pop() if last else chain
        last.append(chain)
        right(self, insn, stale if stale[-1].function is self.graph.ref else chain)

    replace(emit.BytecodeEmitter, "emit", wrong)


def callers_forgotten() -> None:
    """What was inlined is told as if it were the function itself."""
    right = emit.BytecodeEmitter.emit

    def wrong(self: Any, insn: Any, chain: Any) -> None:
        right(self, insn, (Site(self.graph.ref, chain[0].line),))

    replace(emit.BytecodeEmitter, "emit", wrong)


def lost_phi_copy() -> None:
    right = emit.BytecodeEmitter.copies
    replace(emit.BytecodeEmitter, "copies", lambda self, block, successor: right(self, block, successor)[:-1])


def copies_one_after_the_other() -> None:
    """What is to be copied at once overwrites what is still to be read."""

    def wrong(self: Any, copies: Any, chain: Any) -> None:
        for to, node in copies:
            made = self.registers.of.get(node)
            self.emit(emit.instruction_of(node, to, []) if made is None else i.Move(to, made), chain)

    replace(emit.BytecodeEmitter, "emit_copies", wrong)


def values_that_share_a_register() -> None:
    """Nobody looks whether both are needed at once."""

    def wrong(self: Any, node: Any, bit: int, live: int, parameter: Any) -> None:
        self.nodes, self.bits, self.live, self.parameter = [node], bit, 0, parameter

    replace(registers.Web, "__init__", wrong)


# On-stack replacement.


def values_carried_over_in_another_order() -> None:
    right = replacement.way_into

    def wrong(target: Any, context: Any, poll: Any, live: Any, *more: Any) -> Any:
        kinds = context.frame.kinds
        last = {kinds[one]: one for one in live}
        first = {kinds[one]: one for one in reversed(live)}
        swapped = [
            last[kinds[one]]
            if one == first[kinds[one]]
            else first[kinds[one]]
            if one == last[kinds[one]]
            else one
            for one in live
        ]
        return right(target, context, poll, swapped, *more)

    replace(replacement, "way_into", wrong)


def old_frame_left_without_its_registers() -> None:
    """The caller's registers are not loaded when the better code returns into the old frame."""
    assembler = type(host().assembler())  # type: ignore[union-attr]
    replace(assembler, "use_frame", lambda self, saved: None)


def value_taken_from_a_slot_that_it_is_not_in() -> None:
    right = replacement.way_into

    def wrong(target: Any, context: Any, poll: Any, live: Any, *more: Any) -> Any:
        context.frame.homes[live[-1]] = None
        return right(target, context, poll, live, *more)

    replace(replacement, "way_into", wrong)


# LLVM.


def gc_point_short_of_one_reference() -> None:
    compiler = load("doralang.optimizing.llvm.compiler")
    right = compiler.point
    replace(compiler, "point", lambda call, place: right(call, place)._replace(slots=call.slots[:-1]))


def memory_classes_kept_apart_too_much() -> None:
    """Two accesses of one class are said not to overlap."""
    context = load("doralang.optimizing.llvm.context").FunctionLowering
    right = context.tag
    replace(context, "tag", lambda self, name: right(self, f"{name} {len(self.tags)}"))


def sums_that_may_not_wrap() -> None:
    context = load("doralang.optimizing.llvm.context").FunctionLowering
    right = context.value
    replace(context, "value", lambda self, text: right(self, text.replace("add i", "add nsw i")))


BUGS: Final = (
    Bug(law_with_a_wrong_sign, OWN, ("program", 1)),
    Bug(law_of_some_constants_for_all, OWN, ("loops", 1)),
    Bug(comparison_exchanged_wrongly, OWN, ("program", 10)),
    Bug(quotient_by_a_factor_too_small, OWN, ("loops", 1)),
    Bug(branch_on_the_contrary, OWN, ("program", 1)),
    Bug(wrong_range, OWN, ("loops", 182)),
    Bug(bounds_of_another_array, OWN, ("loops", 74)),
    Bug(dropped_bounds_check, OWN, ("loops", 1)),
    Bug(fact_outlives_its_block, OWN, ("program", 1)),
    Bug(guard_of_one_way_in, OWN, ("loops", 6)),
    Bug(step_that_is_ignored, OWN, ("strips", 175)),
    Bug(strip_that_ends_where_the_array_does, OWN, ("strips", 69)),
    Bug(strip_that_may_begin_before_the_array, OWN, ("strips", 31)),
    Bug(strip_of_a_counter_that_falls, OWN, ("strips", 1)),
    Bug(strip_with_another_limit, OWN, ("strips", 12)),
    Bug(strip_with_one_end, OWN, ("strips", 9)),
    Bug(strip_of_the_counter_itself, OWN, ("strips", 44)),
    Bug(rows_that_are_stored, OWN, ("columns", 6)),
    Bug(rows_of_any_length, OWN, ("columns", 83)),
    Bug(column_in_front_of_the_rows, OWN, ("columns", 16)),
    Bug(load_hoisted_over_a_store, OWN, ("loops", 14)),
    Bug(call_that_writes_nothing, OWN, ("program", 1)),
    Bug(loop_that_writes_nothing, OWN, ("program", 1)),
    Bug(fields_of_one_way_only, OWN, ("program", 3)),
    Bug(store_dropped_though_seen, OWN, ("loops", 1)),
    Bug(store_dropped_though_read, OWN, ("loops", 7)),
    Bug(failure_of_an_unused_load, OWN, ("program", 1)),
    Bug(load_scheduled_across_a_call, OWN, ("loops", 1)),
    Bug(exception_of_an_inlined_function_lost, OWN, ("program", 7)),
    Bug(override_not_called, OWN, ("loops", 4)),
    Bug(inlined_functions_share_registers, OWN, ("loops", 1)),
    Bug(flag_known_on_one_way_only, OWN, ("program", 4)),
    Bug(way_without_what_it_goes_past, OWN, ("program", 12)),
    Bug(flag_of_the_other_way, OWN, ("program", 4)),
    Bug(comparison_known_for_too_long, OWN, ("strips", 9)),
    Bug(stale_chain, OWN, ("loops", 1)),
    Bug(callers_forgotten, OWN, ("loops", 182)),
    Bug(lost_phi_copy, OWN, ("loops", 1)),
    Bug(copies_one_after_the_other, OWN, ("loops", 35)),
    Bug(values_that_share_a_register, OWN, ("loops", 1)),
    Bug(values_carried_over_in_another_order, REPLACING, ("loops", 1)),
    Bug(old_frame_left_without_its_registers, REPLACING, ("loops", 5)),
    Bug(value_taken_from_a_slot_that_it_is_not_in, REPLACING, ("loops", 1)),
    Bug(gc_point_short_of_one_reference, LLVM_STRESSED, ("program", 1)),
    Bug(memory_classes_kept_apart_too_much, BY_LLVM, ("loops", 14)),
    Bug(sums_that_may_not_wrap, BY_LLVM, ("loops", 78)),
)


def can_be_seen(bug: Bug) -> bool:
    """Whether it can be here: some are in what LLVM is told."""
    return "--no-llvm" in bug.engine or is_installed(LLVM)


# Looking for one.


def programs(bug: Bug, tried: int) -> Iterator[tuple[str, int]]:
    yield bug.noted
    for seed in range(1, tried + 1):
        yield from ((maker, seed) for maker in MAKERS if (maker, seed) != bug.noted)


class Search:
    """The folder for programs, and what the tree walk makes of them."""

    def __init__(self, folder: str) -> None:
        self.path = Path(folder, "program.dora")
        self.expected: dict[tuple[str, int], compare.Outcome] = {}

    def find(self, bug: Bug, tried: int = TRIED) -> str:
        """The program that finds a bug, and how; empty if none does."""
        for maker, seed in programs(bug, tried):
            self.path.write_text(MAKERS[maker](seed).program())
            compare.set_strips(seed)
            if (maker, seed) not in self.expected:
                self.expected[maker, seed] = compare.run(str(self.path), *WALK)
            how = self.looked_at(bug, self.expected[maker, seed])
            if how:
                return f"{maker} {seed}: {how}"
        return ""

    def looked_at(self, bug: Bug, expected: compare.Outcome) -> str:
        """How the present program finds a bug: in a process of its own, which may crash."""
        sys.stdout.flush()
        child = os.fork()
        if not child:
            os._exit(self.with_bug(bug, expected))
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            return "does not end" if number == signal.SIGXCPU else f"a crash, signal {number}"
        if os.WEXITSTATUS(status) == EXCEPTION:
            print(f"{bug.name}: an exception, which finds nothing", file=sys.stderr)
        return "another outcome" if os.WEXITSTATUS(status) == FOUND else ""

    def with_bug(self, bug: Bug, expected: compare.Outcome) -> int:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        used = int(time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (used + PATIENCE, used + PATIENCE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            with redirect_stderr(io.StringIO()):
                bug.plant()
                return FOUND if compare.run(str(self.path), *bug.engine) != expected else NOTHING_FOUND
        except BaseException:
            return EXCEPTION


def nothing() -> None:
    """In place of a bug: then nothing may be found."""


def search_all(names: tuple[str, ...] = (), tried: int = TRIED) -> Iterator[tuple[str, str]]:
    """Each bug that can be here, and what finds it."""
    with tempfile.TemporaryDirectory() as folder:
        search = Search(folder)
        for engine in {bug.engine for bug in BUGS if can_be_seen(bug)}:
            by = search.find(Bug(nothing, engine, ("loops", 1)), 0)
            assert not by, f"without a bug there is a difference: {by}"
        for bug in BUGS:
            if can_be_seen(bug) and (not names or bug.name in names):
                yield bug.name, search.find(bug, tried)


def main() -> int:
    tried, names = (15, tuple(sys.argv[2:])) if sys.argv[1:2] == ["--search"] else (TRIED, ())
    found = {}
    for name, by in search_all(names, tried):
        found[name] = by
        print(f"{name:40} {by or 'NOT FOUND'}", flush=True)
    print(f"{sum(map(bool, found.values()))} of {len(found)} found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
