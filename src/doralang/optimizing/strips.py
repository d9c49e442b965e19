"""Behind the graph: a loop over arrays checks a strip of rounds at once, and polls once a strip.

         Goto      ->H                          H: Poll
      B: LoadElement  x, a, i                      less = i < n;     BranchUnless less ->X
         StoreElement b, i, x                      left = n - i;     BranchIf left < 16 ->O
         i = i + 1                                 end  = the least of n, i + 1024, a.len(), b.len()
      H: Poll                                      if i < 0 or end <= i or a or b is nil ->O
         less = i < n;  BranchIf less ->B       F: LoadElement  x, a, i, nonnil, unchecked
      X: …                                         StoreElement b, i, x, nonnil, unchecked
                                                   i = i + 1
                                                   more = i < end;   BranchIf more ->F
                                                   Goto ->H
                                                O: the loop as it was
                                                X: …

What is left within a strip is a loop as C has it, which LLVM makes vectors or a `memset` of.  A strip
cannot fail; where an index will be out of range, the loop as it was comes to that round and fails there.
Without any check to be left out there is no second loop.  (Keeping safepoint polls out of counted loops by
strip mining is from HotSpot's C2; a second loop that has the checks is loop versioning, as usual.)

It is done only where a round is one block that does nothing but compute and access elements whose index is
the counter, more or less a constant; counts up by one; and ends at what does not change in it.  So a strip
takes some ten microseconds at most.  `left` overflows if there are more rounds than an `int` can count, and
is below 16 then.  As `i < n`, `i + 1024` does not overflow where `left` is above that.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from doralang.bytecode import instructions as i
from doralang.bytecode.definition import defined, target_of, used
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Instruction, Register, Target
from doralang.optimizing.code_writer import CodeWriter
from doralang.types.kinds import BOOL, INT, LONG, REF, Kind
from doralang.types.primitives import PRIMITIVES, Primitive

ROUNDS: Final = 1024
"""of a strip"""
FEWEST: Final = 16
"""rounds for which the checks before a strip are worth while"""
LONGEST: Final = 40
"""instructions of a round"""
MOST_OFFSET: Final = 1000
"""so far from the counter an index may be: much less than an overflow is"""
ONLY_REGISTER: Final = frozenset([i.LoadConstant, i.Move, i.Same])
"""instructions that can neither fail nor change anything but their register"""
CONSTANT_IN_STRIP: Final = frozenset([i.LoadConstant, i.LoadGlobal, i.LoadField, i.ArrayLength])
"""those that have the same result in each round: none changes fields or globals"""

LESS: Final = {PRIMITIVES[f"{kind.value}.less"]: kind for kind in (INT, LONG)}
GREATER: Final = {PRIMITIVES[f"{kind.value}.greater"]: kind for kind in (INT, LONG)}
PLUS: Final = {PRIMITIVES[f"{kind.value}.plus"]: kind for kind in (INT, LONG)}


class ElementAccess(NamedTuple):
    """Elements that a strip goes through: of the array in a register, from the counter and an offset on."""

    array: Register
    offset: int


class CountedLoop(NamedTuple):
    """A loop that can be cut: its body, its head, and what it counts."""

    body: int
    head: int
    end: int
    """the index behind its last instruction"""
    counter: Register
    limit: Register
    kind: Kind
    accesses: frozenset[ElementAccess]
    """what has to be checked before each strip"""
    arrays: tuple[i.LoadField, ...]
    """what gives the arrays that are not in registers already"""


def cut_into_strips(function: Function) -> tuple[Function, int]:
    """The function with its loops cut, and how many could be."""
    loops = find_loops(function)
    if not loops:
        return function, 0
    return StripWriter(function).run(loops), len(loops)


# Which loops.


def find_loops(function: Function) -> list[CountedLoop]:
    entries: dict[int, list[int]] = {}
    for index, insn in enumerate(function.code):
        target = target_of(insn)
        if target is not None:
            entries.setdefault(target, []).append(index)
    found = []
    for index, insn in enumerate(function.code):
        if isinstance(insn, i.BranchIf) and index - LONGEST < insn.target < index:
            loop = counted_loop(function, insn.target, index, entries)
            if loop is not None:
                found.append(loop)
    return found


def counted_loop(
    function: Function, body: int, branch: int, entries: dict[int, list[int]]
) -> CountedLoop | None:
    """The loop that a branch back to `body` ends, if it can be cut."""
    code = function.code
    head = next((at for at in range(branch - 1, body, -1) if isinstance(code[at], i.Poll)), 0)
    inside = [target for target in entries if body < target <= branch]
    is_entered_at_head = body > 0 and code[body - 1].ends and inside == [head]
    if not head or not is_entered_at_head or entries[body] != [branch]:
        return None
    bounds = bounds_of(code, head, branch)
    if bounds is None or not is_same_in_all_rounds(code, body, head, branch):
        return None
    counter, limit = bounds
    walk = Round(code[body:head], counter)
    if not walk.run() or walk.above.get(counter) != 1 or limit in walk.written:
        return None
    kind = function.registers[counter]
    if walk.accesses and kind is not INT:
        return None
    arrays = tuple(walk.loads.values())
    return CountedLoop(body, head, branch + 1, counter, limit, kind, frozenset(walk.accesses), arrays)


def bounds_of(code: list[Instruction], head: int, branch: int) -> tuple[Register, Register] | None:
    """What the head of a loop compares: a counter, and what that is to be less than."""
    compare, last = code[branch - 1], code[branch]
    if head >= branch - 1 or not isinstance(compare, i.Compute) or not isinstance(last, i.BranchIf):
        return None
    if compare.dst != last.condition or compare.operation not in LESS | GREATER:
        return None
    left, right = compare.args
    return (left, right) if compare.operation in LESS else (right, left)


def is_same_in_all_rounds(code: list[Instruction], body: int, head: int, branch: int) -> bool:
    """Whether the head, but for the comparison, may be left out in the rounds of a strip.

    What has not failed in the first round does not fail in others.  A register that is read before the head
    writes it is something else in each: `node = node.next`.
    """
    found, written = code[head + 1 : branch - 1], set(map(defined, code[body:head]))
    left = {*map(defined, found), defined(code[branch - 1])}
    made: set[Register] = set()
    for insn in found:
        if type(insn) not in CONSTANT_IN_STRIP or (left - made | written) & set(used(insn)):
            return False
        made.add(defined(insn))
    return not written & left


class Round:
    """One round of a loop, gone through to see what is counted, and which elements are accessed."""

    def __init__(self, body: list[Instruction], counter: Register) -> None:
        self.body = body
        self.written = set(map(defined, body)) - {NO_REGISTER}
        self.above: dict[Register, int] = {counter: 0}
        """how much registers are above what the counter was"""
        self.constants: dict[Register, int] = {}
        self.loads: dict[Register, i.LoadField] = {}
        """arrays that come out of fields, in registers that the round writes once"""
        self.accesses: set[ElementAccess] = set()

    def run(self) -> bool:
        """Whether all of it may be in a strip."""
        for insn in self.body:
            if not self.may_be_in_strip(insn):
                return False
            self.pass_by(insn)
        return True

    def may_be_in_strip(self, insn: Instruction) -> bool:
        if isinstance(insn, i.Compute):
            return insn.operation.trap is None and not insn.operation.calls_library
        if isinstance(insn, i.LoadElement | i.StoreElement):
            return self.note_access(insn)
        if isinstance(insn, i.LoadField):
            return insn.nonnil
        return type(insn) in ONLY_REGISTER

    def note_access(self, insn: i.LoadElement | i.StoreElement) -> bool:
        """Whether an access is one of those that can be checked before, or needs no check."""
        if insn.nonnil and insn.unchecked:
            return True
        offset = self.above.get(insn.index)
        is_known = insn.array not in self.written or insn.array in self.loads
        if offset is None or abs(offset) > MOST_OFFSET or not is_known:
            return False
        self.accesses.add(ElementAccess(insn.array, offset))
        return True

    def pass_by(self, insn: Instruction) -> None:
        """Note what an instruction writes."""
        to = defined(insn)
        if to == NO_REGISTER:
            return
        above = constant = None
        if isinstance(insn, i.LoadConstant):
            constant = insn.value
        elif isinstance(insn, i.Move):
            above, constant = self.above.get(insn.src), self.constants.get(insn.src)
        elif isinstance(insn, i.Compute) and insn.operation in PLUS:
            above = self.sum(*insn.args)
        self.above.pop(to, None)
        self.constants.pop(to, None)
        if above is not None:
            self.above[to] = above
        if type(constant) is int:
            self.constants[to] = constant
        self.note_load(insn)

    def sum(self, left: Register, right: Register) -> int | None:
        for base, step in ((left, right), (right, left)):
            if base in self.above and step in self.constants:
                return self.above[base] + self.constants[step]
        return None

    def note_load(self, insn: Instruction) -> None:
        """Note an array from a field of an object that is the same in all rounds."""
        if not isinstance(insn, i.LoadField) or insn.object in self.written:
            return
        if list(map(defined, self.body)).count(insn.dst) == 1:
            self.loads[insn.dst] = insn


# Cutting them.


class StripWriter(CodeWriter):
    """Writes a function anew."""

    def run(self, loops: list[CountedLoop]) -> Function:
        starts = {loop.body: loop for loop in loops}
        index, code = 0, self.function.code
        while index < len(code):
            loop = starts.get(index)
            if loop is not None:
                self.write_loop(loop)
                index = loop.end
                continue
            if index + 1 in starts and target_of(code[index]) == starts[index + 1].head:
                self.places[index] = len(self.code)  # into the loop at its head, which comes next now
            else:
                self.copy(index)
            index += 1
        return self.finish()

    def write_loop(self, loop: CountedLoop) -> None:
        """The head, how far the strip goes, and the strip; and the loop as it was, if there are checks."""
        old, head = self.function.code, loop.head
        start = self.places[head] = len(self.code)
        for index in range(head, loop.end - 1):
            self.emit(old[index], index)
        last = old[loop.end - 1]
        assert isinstance(last, i.BranchIf)
        leave = [self.emit(i.BranchUnless(last.condition, Target(0)), loop.end - 1)]
        end, refused = StripLimit(self, loop).write()
        strip = len(self.code)
        for index in range(loop.body, head):
            self.emit(unchecked(old[index]), index)
        more = self.register(BOOL)
        self.emit(i.Compute(more, row(loop.kind, "less"), (loop.counter, end)), head)
        self.emit(i.BranchIf(more, Target(strip)), head)
        self.emit(i.Goto(Target(start)), head)
        if refused:
            self.aim_all(refused)
            again = len(self.code)
            for index in range(loop.body, loop.end - 1):
                self.emit(old[index], index)
            self.emit(i.BranchIf(last.condition, Target(again)), loop.end - 1)
        self.aim_all(leave)


class StripLimit:
    """Writes where a strip ends, and what must hold of it."""

    def __init__(self, writer: StripWriter, loop: CountedLoop) -> None:
        self.writer, self.loop = writer, loop
        self.kind, self.origin = loop.kind, loop.head
        self.end = writer.register(loop.kind)
        self.refused: list[int] = []
        """branches to the loop as it was"""

    def write(self) -> tuple[Register, list[int]]:
        """The register with the end, and the branches that are taken where there can be no strip."""
        loop = self.loop
        left = self.compute("minus", loop.limit, loop.counter)
        self.emit(i.Move(self.end, loop.limit))
        if loop.accesses:
            self.refuse(self.compute("less", left, self.constant(FEWEST)))
            self.cut_long(left, ("greater", ROUNDS))
            self.check_accesses()
            self.refuse(self.compute("greaterEquals", loop.counter, self.end))
        else:
            self.cut_long(left, ("less", 1), ("greater", ROUNDS))
        return self.end, self.refused

    def cut_long(self, left: Register, *tests: tuple[str, int]) -> None:
        """If one of these holds of what is left, the strip has as many rounds as strips have."""
        branches = [
            self.emit(i.BranchIf(self.compute(name, left, self.constant(value)), Target(0)))
            for name, value in tests
        ]
        behind = self.emit(i.Goto(Target(0)))
        self.writer.aim_all(branches)
        self.emit(i.Compute(self.end, row(self.kind, "plus"), (self.loop.counter, self.constant(ROUNDS))))
        self.writer.aim(behind, len(self.writer.code))

    def check_accesses(self) -> None:
        """All elements that the strip accesses are there."""
        loaded = {load.dst: self.writer.register(REF) for load in self.loop.arrays}
        for load in self.loop.arrays:
            self.emit(i.LoadField(loaded[load.dst], load.object, load.field, True))
        least = min(access.offset for access in self.loop.accesses)
        self.refuse(self.compute("less", self.loop.counter, self.constant(-least)))
        nil = self.writer.register(REF)
        self.emit(i.LoadConstant(nil, None))
        for register in sorted({access.array for access in self.loop.accesses}):
            array, is_nil = loaded.get(register, register), self.writer.register(BOOL)
            self.emit(i.Same(is_nil, array, nil))
            self.refuse(is_nil)
            most = max(access.offset for access in self.loop.accesses if access.array == register)
            self.end_before(array, most)

    def end_before(self, array: Register, offset: int) -> None:
        """The strip ends where the index, which is the counter and an offset, reaches the array's length."""
        length = self.writer.register(INT)
        self.emit(i.ArrayLength(length, array, True))
        bound = self.compute("plus", length, self.constant(-offset)) if offset else length
        is_less = self.compute("less", bound, self.end)
        skip = self.emit(i.BranchUnless(is_less, Target(0)))
        self.emit(i.Move(self.end, bound))
        self.writer.aim(skip, len(self.writer.code))

    def refuse(self, test: Register) -> None:
        self.refused.append(self.emit(i.BranchIf(test, Target(0))))

    def emit(self, insn: Instruction) -> int:
        return self.writer.emit(insn, self.origin)

    def compute(self, name: str, left: Register, right: Register) -> Register:
        operation = row(self.kind, name)
        to = self.writer.register(operation.result)
        self.emit(i.Compute(to, operation, (left, right)))
        return to

    def constant(self, value: int) -> Register:
        register = self.writer.register(self.kind)
        self.emit(i.LoadConstant(register, value))
        return register


def unchecked(insn: Instruction) -> Instruction:
    """An instruction of a strip: what it would check holds."""
    if isinstance(insn, i.LoadElement):
        return i.LoadElement(insn.dst, insn.array, insn.index, True, True)
    if isinstance(insn, i.StoreElement):
        return i.StoreElement(insn.array, insn.index, insn.value, True, True)
    return insn


def row(kind: Kind, name: str) -> Primitive:
    return PRIMITIVES[f"{kind.value}.{name}"]
