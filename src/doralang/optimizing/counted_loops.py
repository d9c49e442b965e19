"""Which loops of a function can be cut into strips, and what has to hold before each.

        Goto      ->H                  the round, from its poll on:      at H:  Poll
      B: LoadElement x, a, i             leave unless j < m
         i = i + 1                       leave unless i < n              what ends a strip:
         j = j + 1                       x = a[i]                          m - j,  n - i,  a.len() - i
      H: Poll                            i = i + 1
         BranchUnless j < m ->X          j = j + 1
         BranchIf     i < n ->B

It must be a ring of instructions that do nothing but compute and access elements.  Whatever leads out of it
asks for a *counter*: a register that goes up or down by one in each round, compared with what is the same in
all of them.  So it is known for how many rounds nothing leads out, wherever in the round it is asked.

Registers are followed through one round: each is so much above what it, or another one, was when the round
began, or unknown.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from doralang.bytecode import instructions as i
from doralang.bytecode.definition import defined, target_of, used
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Instruction, Register
from doralang.optimizing.lent import access_of, is_length
from doralang.types.kinds import INT, LONG, Kind
from doralang.types.primitives import PRIMITIVES, Primitive

LONGEST: Final = 40
"""instructions of a round"""
MOST_OFFSET: Final = 1000
"""so far from the counter an index may be: much less than an overflow is"""
COUNTED: Final = (INT, LONG)
BRANCHES: Final = (i.BranchIf, i.BranchUnless)
LOADS: Final = (i.LoadGlobal, i.LoadField, i.ArrayLength)
"""what gives the same in each round if it is asked of the same: no round changes fields or globals"""
PLAIN: Final = (i.Compute, i.LoadConstant, i.Move, i.Same)
"""what changes nothing but its register"""

PLUS: Final = frozenset(PRIMITIVES[f"{kind.value}.plus"] for kind in COUNTED)
NEGATED: Final = {
    "less": "greaterEquals",
    "lessEquals": "greater",
    "greater": "lessEquals",
    "greaterEquals": "less",
    "equals": "notEquals",
    "notEquals": "equals",
}
EXCHANGED: Final = {
    "less": "greater",
    "lessEquals": "greaterEquals",
    "greater": "less",
    "greaterEquals": "lessEquals",
    "equals": "equals",
    "notEquals": "notEquals",
}
ORDERS: Final[dict[Primitive, str]] = {
    PRIMITIVES[f"{kind.value}.{name}"]: name for kind in COUNTED for name in NEGATED
}
GOES_ON: Final = {1: ("less", "lessEquals", "notEquals"), -1: ("greater", "greaterEquals", "notEquals")}
"""by the step of a counter: how it compares with what it goes towards"""


class Affine(NamedTuple):
    """What a register was when the round began, and so much more."""

    base: Register
    offset: int


class CounterComparison(NamedTuple):
    """Of two registers somewhere in a round."""

    order: str
    registers: tuple[Register, Register]
    values: tuple[Affine | None, Affine | None]
    at: int


class LoopExit(NamedTuple):
    """The loop is left, or may be, where a counter and an offset have reached a limit."""

    counter: Register
    offset: int
    step: int
    limit: Register
    at: int
    """where in the round the limit is read"""


class ElementAccess(NamedTuple):
    """Elements that a strip goes through: of an array or a slice, from the counter and an offset on."""

    array: Register
    at: int
    """where in the round"""
    counter: Register
    offset: int
    lent: Kind | None
    """what the elements of a slice are"""


class CountedLoop(NamedTuple):
    """A loop that can be cut: its first instruction, its poll, and the index behind its last instruction."""

    start: int
    poll: int
    end: int
    round: Round
    kind: Kind
    """of its counters"""
    exits: tuple[LoopExit, ...]


def find_loops(function: Function, *, of_slices: bool = True) -> list[CountedLoop]:
    """Those that can be cut; `of_slices` says whether what they access may be lent."""
    entries: dict[int, list[int]] = {}
    for index, insn in enumerate(function.code):
        target = target_of(insn)
        if target is not None:
            entries.setdefault(target, []).append(index)
    found = []
    for start, sources in entries.items():
        back = next((index for index in sources if start < index), start)
        if start < back <= start + LONGEST:
            loop = counted_loop(function, start, back, entries, of_slices)
            if loop is not None:
                found.append(loop)
    return found


def counted_loop(
    function: Function, start: int, back: int, entries: dict[int, list[int]], of_slices: bool
) -> CountedLoop | None:
    """The loop that a jump back to its start ends, if it can be cut."""
    code = function.code
    polls = [index for index in range(start, back) if type(code[index]) is i.Poll]
    if len(polls) != 1 or not is_entered_at(polls[0], code, start, back, entries):
        return None
    poll = polls[0]
    around = Round(code[poll + 1 : back + 1], code[start:poll], of_slices=of_slices)
    if not around.run() or not around.counts_accesses():
        return None
    exits = around.exits()
    kinds = {function.registers[one.counter] for one in exits}
    if len(kinds) != 1 or len(exits) != len(around.asked) or (around.accesses and INT not in kinds):
        return None
    return CountedLoop(start, poll, back + 1, around, kinds.pop(), exits)


def is_entered_at(
    poll: int, code: list[Instruction], start: int, back: int, entries: dict[int, list[int]]
) -> bool:
    """Whether a loop is entered at its poll alone, and nothing in it leads anywhere else in it."""
    inside = {target for target in entries if start < target <= back}
    if poll == start:
        return not inside and not any(start < index < back for index in entries[start])
    is_jumped_over = start > 0 and code[start - 1].ends and entries[start] == [back]
    from_inside = any(start <= index <= back for index in entries.get(poll, []))
    return inside == {poll} and is_jumped_over and not from_inside


class Round:
    """One round of a loop, gone through to see what is counted, and which elements are accessed."""

    def __init__(self, code: list[Instruction], rest: list[Instruction], *, of_slices: bool = True) -> None:
        self.code = [*code, *rest]
        """from behind the poll to the end of the loop, and from its start to the poll"""
        self.of_slices = of_slices
        self.back = len(code) - 1
        """where it jumps to the start of the loop"""
        self.writes: dict[Register, list[int]] = {}
        for at, insn in enumerate(self.code):
            self.writes.setdefault(defined(insn), []).append(at)
        self.values: dict[Register, Affine | None] = {}
        self.constants: dict[Register, int] = {}
        self.comparisons: dict[Register, CounterComparison] = {}
        self.asked: list[tuple[CounterComparison | None, bool]] = []
        """what leads out or not, and for which answer the loop goes on"""
        self.accesses: set[ElementAccess] = set()
        self.same: dict[int, bool] = {}

    def run(self) -> bool:
        """Whether all of it may be in a strip."""
        for at, insn in enumerate(self.code):
            if not self.may_be_in_strip(at, insn):
                return False
            self.pass_by(at, insn)
        return True

    def may_be_in_strip(self, at: int, insn: Instruction) -> bool:
        if isinstance(insn, i.LoadElement | i.StoreElement):
            return (insn.nonnil and insn.unchecked) or self.note_access(at, insn.array, insn.index)
        if isinstance(insn, i.CallInternal):
            return self.of_slices and self.note_lent(at, insn)
        if isinstance(insn, BRANCHES):
            goes_on = isinstance(insn, i.BranchIf) is (at == self.back)
            self.asked.append((self.comparisons.get(insn.condition), goes_on))
            return True
        if isinstance(insn, i.LoadField | i.ArrayLength):
            return insn.nonnil or self.is_same_at(at)
        if isinstance(insn, i.Goto):
            return at == self.back
        return isinstance(insn, PLAIN + LOADS) and cannot_fail(insn)

    def note_access(self, at: int, array: Register, index: Register, lent: Kind | None = None) -> bool:
        """Whether an access is one of those that can be checked before."""
        value = self.value(index)
        if value is None or abs(value.offset) > MOST_OFFSET or not self.is_same(array, at):
            return False
        self.accesses.add(ElementAccess(array, at, *value, lent))
        return True

    def note_lent(self, at: int, insn: i.CallInternal) -> bool:
        """The same of an access of a slice; its length is the same throughout."""
        if is_length(insn):
            return insn.nonnil or self.is_same_at(at)
        access = access_of(insn)
        return access is not None and self.note_access(at, access.slice, access.at, access.kind)

    # What registers are.

    def value(self, register: Register) -> Affine | None:
        return self.values.get(register, Affine(register, 0))

    def pass_by(self, at: int, insn: Instruction) -> None:
        """Note what an instruction writes."""
        to = defined(insn)
        if to == NO_REGISTER:
            return
        value = constant = comparison = None
        if isinstance(insn, i.LoadConstant):
            constant = insn.value
        elif isinstance(insn, i.Move):
            value, constant = self.value(insn.src), self.constants.get(insn.src)
        elif isinstance(insn, i.Compute) and insn.operation in PLUS:
            value = self.sum(*insn.args)
        elif isinstance(insn, i.Compute) and insn.operation in ORDERS:
            left, right = insn.args
            values = self.value(left), self.value(right)
            comparison = CounterComparison(ORDERS[insn.operation], (left, right), values, at)
        self.values[to] = value
        self.constants.pop(to, None)
        if type(constant) is int:
            self.constants[to] = constant
        self.comparisons.pop(to, None)
        if comparison is not None:
            self.comparisons[to] = comparison

    def sum(self, left: Register, right: Register) -> Affine | None:
        for one, other in ((left, right), (right, left)):
            value = self.value(one)
            if value is not None and other in self.constants:
                return Affine(value.base, value.offset + self.constants[other])
        return None

    def step(self, register: Register) -> int | None:
        """What a register is more at the end of the round than it was, if that is known."""
        value = self.value(register)
        return value.offset if value is not None and value.base == register else None

    # What is the same in all rounds.

    def is_same(self, register: Register, at: int) -> bool:
        """Whether a register that is read in a round holds the same there in all of them.

        One that is read before it is written is something else in each: `node = node.next`.
        """
        if register not in self.writes:
            return True
        source = self.source(register, at)
        return source is not None and self.is_same_at(source)

    def source(self, register: Register, at: int) -> int | None:
        """What has written in a round what a register holds at a place of it."""
        return max((write for write in self.writes.get(register, ()) if write < at), default=None)

    def is_same_at(self, at: int) -> bool:
        """The same of what an instruction writes."""
        if at not in self.same:
            insn = self.code[at]
            self.same[at] = (
                (isinstance(insn, PLAIN + LOADS) or is_length(insn))
                and cannot_fail(insn)
                and all(self.is_same(register, at) for register in used(insn))
            )
        return self.same[at]

    # What ends a strip.

    def exits(self) -> tuple[LoopExit, ...]:
        """Where the loop is left, as far as a counter says it."""
        found = [self.exit_of(comparison, goes_on) for comparison, goes_on in self.asked if comparison]
        return tuple(filter(None, found))

    def exit_of(self, comparison: CounterComparison, goes_on: bool) -> LoopExit | None:
        order = comparison.order if goes_on else NEGATED[comparison.order]
        left, right = comparison.values
        first, second = comparison.registers
        for value, limit, way in ((left, second, order), (right, first, EXCHANGED[order])):
            if value is None or abs(value.offset) > MOST_OFFSET or not self.is_same(limit, comparison.at):
                continue
            step = self.step(value.base)
            if step is not None and way in GOES_ON.get(step, ()):
                return LoopExit(value.base, value.offset, step, limit, comparison.at)
        return None

    def counts_accesses(self) -> bool:
        """Whether all elements that are accessed are one behind the other."""
        return all(self.step(access.counter) == 1 for access in self.accesses)


def cannot_fail(insn: Instruction) -> bool:
    """But for nil, where something is loaded from."""
    return not isinstance(insn, i.Compute) or (
        insn.operation.trap is None and not insn.operation.calls_library
    )
