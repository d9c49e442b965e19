"""Behind the graph: a loop over arrays checks a strip of rounds at once, and polls once a strip.

         Goto      ->H                          H: Poll
      B: LoadElement  x, a, i                      if i >= n:         ->O
         LoadElement  y, b, j                      if j >= m:         ->O
         StoreElement b, i, x + y                  end = i + the least of 1024, n - i, m - j,
         i = i + 1                                       a.len() - i, b.len() - j, b.len() - i
         j = j + 1                                 if i < 0 or j < 0 or a or b is nil, or it is few ->O
      H: Poll                                   F: LoadElement  x, a, i, nonnil, unchecked
         less = i < n;  BranchUnless less ->X      LoadElement  y, b, j, nonnil, unchecked
         fits = j < m;  BranchIf fits ->B          StoreElement b, i, x + y, nonnil, unchecked
      X: …                                         i = i + 1
                                                   j = j + 1
                                                   more = i < end;    BranchIf more ->F
                                                   Goto ->H
                                                O: the loop as it was
                                                X: …

What is left within a strip is a loop as C has it, which LLVM makes vectors or a `memset` of.  A strip
cannot fail, and nothing leads out of it: where the loop ends, or an index will be out of range, the loop as
it was comes to that round, and leaves or fails there.  (Keeping safepoint polls out of counted loops by
strip mining is from HotSpot's C2; a second loop that has the checks is loop versioning, as usual.)

Which loops these are stands in `counted_loops.py`.  Their rounds are short, so a strip takes some ten
microseconds at most.  Differences overflow if there are more rounds than an `int` can count; then they are
negative, so few.  A strip may end a round too early, as that of `i <= n` does.

What is loaded from the same place in each round is loaded before the strip, and what nobody reads any more,
as what was compared, goes.  A sum of equal summands that is read behind the strip alone is a product there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from doralang.bytecode import instructions as i
from doralang.bytecode.definition import defined, target_of, used
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Instruction, OperandKind, Register, Target
from doralang.bytecode.liveness import analyse
from doralang.code.layout import SIZES
from doralang.optimizing import lent
from doralang.optimizing.code_writer import CodeWriter
from doralang.optimizing.counted_loops import LOADS, CountedLoop, LoopExit, find_loops
from doralang.types.kinds import BOOL, INT, LONG, REF, Kind
from doralang.types.primitives import PRIMITIVES, Primitive

ROUNDS: Final = 1024
"""of a strip"""
FEWEST: Final = 16
"""rounds for which the checks before a strip are worth while"""
LONG_PLUS, TO_LONG = PRIMITIVES["long.plus"], PRIMITIVES["int.toLong"]


def cut_into_strips(function: Function, *, of_slices: bool = True) -> tuple[Function, int]:
    """The function with its loops cut, those over slices if they may be, and how many could be."""
    loops = find_loops(function, of_slices=of_slices)
    if not loops:
        return function, 0
    return StripWriter(function).run(loops), len(loops)


class StripWriter(CodeWriter):
    """Writes a function anew."""

    def __init__(self, function: Function) -> None:
        super().__init__(function)
        self.live_in = analyse(function).live_in

    def run(self, loops: list[CountedLoop]) -> Function:
        starts = {loop.start: loop for loop in loops}
        index, code = 0, self.function.code
        while index < len(code):
            loop = starts.get(index)
            if loop is not None:
                self.write_loop(loop)
                index = loop.end
                continue
            following = starts.get(index + 1)
            if following and following.start < following.poll == target_of(code[index]):
                self.places[index] = len(self.code)  # into the loop at its poll, which comes next now
            else:
                self.copy(index)
            index += 1
        return self.finish()

    def write_loop(self, loop: CountedLoop) -> None:
        """How far the strip goes, the strip, and the loop as it was."""
        start = self.places[loop.poll] = len(self.code)
        self.emit(self.function.code[loop.poll], loop.poll)
        limit = StripLimit(self, loop)
        limit.write()
        strip = len(self.code)
        left, sums = without_sums(self.round_of_strip(loop, limit), limit.first.counter)
        for insn, origin in left:
            self.emit(insn, origin)
        more = self.register(BOOL)
        order = "less" if limit.first.step > 0 else "greater"
        self.emit(i.Compute(more, row(loop.kind, order), (limit.first.counter, limit.end)), loop.poll)
        self.emit(i.BranchIf(more, Target(strip)), loop.poll)
        for insn in sums:
            limit.add_at_once(insn)
        self.emit(i.Goto(Target(start)), loop.poll)
        self.write_old(loop, limit.refused)

    def round_of_strip(self, loop: CountedLoop, limit: StripLimit) -> list[tuple[Instruction, int]]:
        """What is left of a round, and where each instruction is from."""
        origins = [*range(loop.poll + 1, loop.end), *range(loop.start, loop.poll)]
        left = []
        live = self.live_in[loop.poll]
        for at in reversed(range(len(origins))):
            insn = limit.in_strip(at)
            to = defined(insn)
            is_read = to != NO_REGISTER and live >> to & 1
            if insn.jumps or (not is_read and (to != NO_REGISTER or isinstance(insn, i.Move))):
                continue
            if to != NO_REGISTER:
                live &= ~(1 << to)
            for register in used(insn):
                live |= 1 << register
            left.append((insn, origins[at]))
        return left[::-1]

    def write_old(self, loop: CountedLoop, refused: list[int]) -> None:
        """The loop as it was: the rounds that no strip has begin behind its poll."""
        again = len(self.code)
        for index in range(loop.start, loop.end):
            insn = self.function.code[index]
            at = self.emit(insn, index)
            if index == loop.poll:
                self.aim_all(refused)
            elif index == loop.end - 1:
                self.aim(at, again)
            elif target_of(insn) is not None:
                self.jumps.append(at)


class StripLimit:
    """Writes where a strip ends, and what must hold of it; what is the same in its rounds is made before."""

    def __init__(self, writer: StripWriter, loop: CountedLoop) -> None:
        self.writer, self.loop = writer, loop
        self.kind, self.origin = loop.kind, loop.poll
        self.first = max(loop.exits, key=lambda one: (one.step, one.offset == 0))
        """what counts the rounds: if there is one, a counter that goes up, and is compared as it is"""
        self.end = writer.register(loop.kind)
        """what that counter is at the end of the strip"""
        self.rounds = writer.register(loop.kind)
        self.refused: list[int] = []
        """branches to the loop as it was"""
        self.copies: dict[int, Register] = {}
        """what instructions of a round have made, by their places in it, before the strip"""
        self.not_nil: set[Register] = set()
        self.lent: dict[Register, Kind] = {}
        """the slices that are accessed, and what their elements are"""
        self.addresses: dict[Register, Register] = {}
        """those of their first elements"""

    def write(self) -> None:
        self.emit(i.LoadConstant(self.rounds, ROUNDS))
        for leaving in self.loop.exits:
            self.end_at(leaving)
        self.refuse_few()
        if self.loop.round.accesses:
            self.check_accesses()
            self.refuse_few()
            self.check_slices()
        for at, insn in enumerate(self.loop.round.code):
            if (isinstance(insn, LOADS) or lent.is_length(insn)) and self.loop.round.is_same_at(at):
                self.copy(at)
        name = "plus" if self.first.step > 0 else "minus"
        self.emit(i.Compute(self.end, row(self.kind, name), (self.first.counter, self.rounds)))
        if self.first.offset:
            self.refuse_wrapped()

    def refuse_wrapped(self) -> None:
        """What counts does not go around the end of its kind: only with the offset it is known to be below a
        limit, perhaps as that sum has gone around already."""
        order = "less" if self.first.step > 0 else "greater"
        self.refuse(self.compute(order, self.end, self.first.counter))

    # How many rounds.

    def end_at(self, leaving: LoopExit) -> None:
        """The strip ends where the loop may be left."""
        value = leaving.counter
        if leaving.offset:
            value = self.compute("plus", value, self.constant(leaving.offset))
        limit = self.before(leaving.limit, leaving.at)
        self.end_between(*((value, limit) if leaving.step > 0 else (limit, value)))

    def end_between(self, low: Register, high: Register) -> None:
        """The strip has as many rounds at most as one is below the other."""
        self.refuse(self.compute("greaterEquals", low, high))
        self.take_least(self.rounds, self.compute("minus", high, low))

    def take_least(self, least: Register, other: Register) -> None:
        """A register gets the value of another one if that is less."""
        skip = self.emit(i.BranchUnless(self.compute("less", other, least), Target(0)))
        self.emit(i.Move(least, other))
        self.writer.aim(skip, len(self.writer.code))

    def refuse_few(self) -> None:
        self.refuse(self.compute("less", self.rounds, self.constant(FEWEST)))

    # What is accessed.

    def check_accesses(self) -> None:
        """All elements that the strip accesses are there."""
        accesses = self.loop.round.accesses
        for counter in sorted({access.counter for access in accesses}):
            offsets: dict[Register, int] = {}
            """for each array how far behind the counter it is accessed"""
            for access in accesses:
                if access.counter == counter:
                    array = self.before(access.array, access.at)
                    if access.lent is not None:
                        self.lent[array] = access.lent
                    offsets[array] = max(access.offset, offsets.get(array, access.offset))
            least = min(access.offset for access in accesses if access.counter == counter)
            self.refuse(self.compute("less", counter, self.constant(-least)))
            self.end_between(counter, self.shortest(offsets))

    def shortest(self, offsets: dict[Register, int]) -> Register:
        """What a counter is less than, as long as it and the offset are within each array."""
        least = None
        for array in sorted(offsets):
            self.check_nil(array)
            length = self.writer.register(INT)
            if array in self.lent:
                self.emit(i.CallInternal(length, lent.LENGTH, (array,), True))
            else:
                self.emit(i.ArrayLength(length, array, True))
            if offsets[array]:
                length = self.compute("plus", length, self.constant(-offsets[array]))
            if least is None:
                least = length
            else:
                self.take_least(least, length)
        assert least is not None, "something is accessed"
        return least

    def check_slices(self) -> None:
        """The elements of each slice stand one behind the other."""
        for slice, kind in sorted(self.lent.items()):
            first, size, none = (self.writer.register(LONG) for _ in range(3))
            self.emit(i.LoadConstant(size, SIZES[kind]))
            self.emit(i.CallInternal(first, lent.TOGETHER, (slice, size), True))
            self.emit(i.LoadConstant(none, 0))
            is_none = self.writer.register(BOOL)
            self.emit(i.Compute(is_none, row(LONG, "equals"), (first, none)))
            self.refuse(is_none)
            self.addresses[slice] = first

    def check_nil(self, reference: Register) -> None:
        if reference in self.not_nil:
            return
        self.not_nil.add(reference)
        nil, is_nil = self.writer.register(REF), self.writer.register(BOOL)
        self.emit(i.LoadConstant(nil, None))
        self.emit(i.Same(is_nil, reference, nil))
        self.refuse(is_nil)

    def add_at_once(self, insn: i.Compute) -> None:
        """Behind the strip: a sum gets what it would have got in all its rounds."""
        to, (rounds, product) = defined(insn), (self.writer.register(LONG) for _ in range(2))
        step = next(register for register in insn.args if register != to)
        if self.kind is INT:
            self.emit(i.Compute(rounds, TO_LONG, (self.rounds,)))
        else:
            self.emit(i.Move(rounds, self.rounds))
        self.emit(i.Compute(product, row(LONG, "times"), (step, rounds)))
        self.emit(i.Compute(to, insn.operation, (to, product)))

    # What is the same in each round.

    def before(self, register: Register, at: int) -> Register:
        """What holds before the strip what a register holds at a place of each round."""
        source = self.loop.round.source(register, at)
        return register if source is None else self.copy(source)

    def copy(self, at: int) -> Register:
        """What an instruction of the round makes in each of them, made before the strip."""
        if at in self.copies:
            return self.copies[at]
        insn = self.loop.round.code[at]
        registers = {register: self.before(register, at) for register in used(insn)}
        if isinstance(insn, i.LoadField | i.ArrayLength) or lent.is_length(insn):
            (reference,) = registers.values()
            self.check_nil(reference)
        to = defined(insn)
        if to != NO_REGISTER:  # a length is asked for nil alone if nobody reads it
            to = self.writer.register(self.writer.registers[to])
            self.emit(rewritten(insn, to, registers))
        self.copies[at] = to
        return to

    def in_strip(self, at: int) -> Instruction:
        """What an instruction of the round is in the strip: what it would check holds."""
        insn = self.loop.round.code[at]
        if at in self.copies:
            return i.Move(defined(insn), self.copies[at])
        access = lent.access_of(insn)
        if access is not None:
            return lent.in_strip(insn, access, self.addresses[self.before(access.slice, at)])
        if not isinstance(insn, i.LoadElement | i.StoreElement) or (insn.nonnil and insn.unchecked):
            return insn
        return rewritten(insn, defined(insn), {insn.array: self.before(insn.array, at)})

    # Instructions.

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


def rewritten(insn: Instruction, dst: Register, registers: Mapping[Register, Register]) -> Instruction:
    """An instruction that writes to `dst`, reads other registers instead of some, and checks nothing."""
    operands: list[Any] = []
    for operand in insn.operands:
        value = getattr(insn, operand.name)
        if operand.kind is OperandKind.DEF:
            value = dst
        elif operand.kind is OperandKind.USE:
            value = registers.get(value, value)
        elif operand.kind is OperandKind.USES:
            value = tuple([registers.get(one, one) for one in value])
        operands.append(value)
    copy: Instruction = type(insn)(*operands, *(True for _ in insn.flags))
    return copy


def without_sums(
    code: list[tuple[Instruction, int]], counter: Register
) -> tuple[list[tuple[Instruction, int]], list[i.Compute]]:
    """The round of a strip without what adds the same `long` to a register that nobody reads in it.

    So it is with the address of the next element of a slice, of which LLVM would make vectors, too.
    """
    reads = Counter(register for insn, _ in code for register in used(insn))
    writes = Counter(defined(insn) for insn, _ in code)
    left: list[tuple[Instruction, int]] = []
    sums: list[i.Compute] = []
    for insn, origin in code:
        to, read = defined(insn), set(used(insn))
        is_sum = to in read and to != counter and any(not writes[step] for step in read)
        is_alone = reads[to] == writes[to] == 1
        if isinstance(insn, i.Compute) and insn.operation is LONG_PLUS and is_sum and is_alone:
            sums.append(insn)
        else:
            left.append((insn, origin))
    return left, sums


def row(kind: Kind, name: str) -> Primitive:
    return PRIMITIVES[f"{kind.value}.{name}"]
