"""Calls become the code of what they call, before the graph is built.

    3: Call r2, next, (r1)        3: Move      r7, r1           line 9 of main
    4: CheckException ->20        4: LoadField r8, r7, link     line 3 of next, line 9 of main
                                  5: Move      r2, r8

Bytecode goes in and comes out, so registers of the callee are simply new ones, and the graph makes the moves
disappear.  A `Return` goes on behind the call; where an exception leaves the callee, the way leads to where
the call's `CheckException` would have gone.  Each instruction keeps its own line and gets the call's place
behind it: its chain, so stack traces do not change.

A virtual call of a method that no class overrides is a plain call behind a nil check; so is, without the
check, one of an object whose class is known because it was made before, here or by whoever inlines the code:
that of a lambda, if what it is given to is inlined.

Not inlined are functions that look at their own frame, that may fail with `uncaught exception`, for which the
function's own mark counts, and what would make the caller too large: small functions always, others where
there is a loop around the call or the caller is small.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, Protocol

from doralang.bytecode import instructions as i
from doralang.bytecode.blocks import find_blocks, weights
from doralang.bytecode.entities import ClassRef, FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Instruction, OperandKind, Register, Target
from doralang.bytecode.places import Chain
from doralang.text.records import field, record
from doralang.types.kinds import FLOATING, Kind

SMALL: Final = 12
"""instructions of a function that is inlined wherever it is called"""
MEDIUM: Final = 60
"""the most of one that is inlined at all"""
BUDGET: Final = 400
"""instructions that a function may grow by"""
DEEPEST: Final = 6
"""calls in calls"""
RECURSIVE: Final = 4
"""how often a function is inlined into itself, by whatever way"""

LOOKS_AT_FRAMES: Final = frozenset(["framePointer", "recordStack"])
"""internal functions that depend on whose frame is there"""

K = OperandKind


class World(Protocol):
    """What is known beyond one function."""

    def bytecode(self, ref: FunctionRef) -> Function | None:
        """The bytecode of a function that is called, if it can be had."""

    def only_target(self, ref: FunctionRef) -> FunctionRef | None:
        """The one function that a virtual call of `ref` may lead to, if there is only one."""


class NoWorld:
    """Nothing is known."""

    def bytecode(self, ref: FunctionRef) -> Function | None:
        return None

    def only_target(self, ref: FunctionRef) -> FunctionRef | None:
        return None


@record
class InlinedLabel:
    """A place in the code that is written."""

    position: int = -1


@record(eq=True)
class CallSite:
    """How a body that is being written is left: where to, and which register gets the result."""

    chain: Chain = ()
    """the places of the calls that led here"""
    path: tuple[FunctionRef, ...] = ()
    result: Register = NO_REGISTER
    returned: InlinedLabel | None = None
    thrown: InlinedLabel | None = None
    made: dict[Register, ClassRef] = field(default_factory=dict)
    """parameters, in registers of the callee, whose objects were made before, and of which class"""


class MadeObjects:
    """The classes of objects while a body is written: of those that an instruction before has made.

    A register that is written once holds nothing else wherever it is read; others are forgotten where ways
    meet.
    """

    def __init__(self, function: Function, parameters: dict[Register, ClassRef]) -> None:
        written = Counter(i.defined(insn) for insn in function.code)
        self.once = {register for register, count in written.items() if count == 1}
        self.once -= set(map(Register, range(len(function.ref.parameters))))
        self.classes = {register: cls for register, cls in parameters.items() if register not in written}
        self.once |= self.classes.keys()

    def meet(self) -> None:
        """Several ways may lead to the next instruction."""
        self.classes = {register: cls for register, cls in self.classes.items() if register in self.once}

    def pass_by(self, insn: Instruction) -> None:
        """Note what an instruction writes."""
        register = i.defined(insn)
        if isinstance(insn, i.NewObject):
            self.classes[register] = insn.cls
        elif isinstance(insn, i.Move) and insn.src in self.classes:
            self.classes[register] = self.classes[insn.src]
        elif register != NO_REGISTER:
            self.classes.pop(register, None)


@record(eq=True)
class Inliner:
    """One function while others are put into it."""

    function: Function
    world: World
    kinds: list[Kind] = field(default_factory=list)
    code: list[Instruction] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    jumps: list[tuple[int, InlinedLabel]] = field(default_factory=list)
    growth: int = 0
    found: int = 0

    def run(self) -> Function:
        function = self.function
        self.kinds = list(function.registers)
        registers = [Register(number) for number in range(len(function.registers))]
        self.write(function, registers, CallSite(path=(function.ref,)))
        for index, label in self.jumps:
            self.code[index].target = Target(label.position)  # type: ignore[attr-defined]
        lines = [chain[0].line for chain in self.chains]
        chains = self.chains if any(len(chain) > 1 for chain in self.chains) else []
        return Function(
            function.ref, self.kinds, self.code, lines, chains=chains, start_line=function.entry_line
        )

    def emit(self, insn: Instruction, chain: Chain) -> None:
        self.code.append(insn)
        self.chains.append(chain)

    def jump(self, label: InlinedLabel, chain: Chain) -> None:
        self.jumps.append((len(self.code), label))
        self.emit(i.Goto(Target(0)), chain)

    # A body.

    def write(self, function: Function, registers: list[Register], call: CallSite) -> None:
        """The code of a function with other registers, and what it calls in place of some calls."""
        labels = {target: InlinedLabel() for target in function.targets}
        loops = loops_around(function)
        made = MadeObjects(function, call.made)
        answered: set[int] = set()
        """behind these calls nobody need ask for an exception: the way that it takes is known"""
        for index, insn in enumerate(function.code):
            if index in labels:
                labels[index].position = len(self.code)
                made.meet()
            chain: Chain = (*function.chain(index), *call.chain)
            if call.returned is not None and self.leave(insn, registers, call, chain):
                continue
            if isinstance(insn, i.CallVirtual):
                insn = self.made_direct(insn, registers, chain, made.classes.get(insn.args[0]))
            if isinstance(insn, i.CheckException) and index in answered and index not in labels:
                continue
            if isinstance(insn, i.Call):
                callee = self.wanted(insn.function, call.path, loops[index])
                if callee is not None:
                    answered.add(index + 1)
                    inner = CallSite(chain, call.path)
                    inner.made = {
                        Register(number): made.classes[argument]
                        for number, argument in enumerate(insn.args)
                        if argument in made.classes
                    }
                    self.put_in(function, index, insn, callee, registers, labels, inner)
                    made.pass_by(insn)
                    continue
            made.pass_by(insn)
            self.copy(insn, registers, labels, chain)

    def copy(
        self, insn: Instruction, registers: list[Register], labels: dict[int, InlinedLabel], chain: Chain
    ) -> None:
        target = i.target_of(insn)
        if target is not None:
            self.jumps.append((len(self.code), labels[target]))
        self.emit(renamed(insn, registers), chain)

    def leave(self, insn: Instruction, registers: list[Register], call: CallSite, chain: Chain) -> bool:
        """The ways out of a body that stands in another one."""
        if isinstance(insn, i.Return):
            if insn.value != NO_REGISTER and call.result != NO_REGISTER:
                self.emit(i.Move(call.result, registers[insn.value]), chain)
            assert call.returned is not None
            self.jump(call.returned, chain)
            return True
        if isinstance(insn, i.LeaveException):
            assert call.thrown is not None, "who puts a body in says where its exceptions go"
            self.jump(call.thrown, chain)
            return True
        return False

    def made_direct(
        self, insn: i.CallVirtual, registers: list[Register], chain: Chain, made: ClassRef | None
    ) -> Instruction:
        """A virtual call that leads to one function, as a plain one; behind a nil check, if it needs that."""
        slot = insn.function.slot
        if made is not None and slot is not None:
            self.found += 1
            return i.Call(insn.dst, made.methods[slot], insn.args)
        target = self.world.only_target(insn.function)
        if target is None:
            return insn
        self.found += 1
        self.emit(i.CheckNil(registers[insn.args[0]]), chain)
        return i.Call(insn.dst, target, insn.args)

    def put_in(
        self,
        function: Function,
        index: int,
        insn: i.Call,
        callee: Function,
        registers: list[Register],
        labels: dict[int, InlinedLabel],
        call: CallSite,
    ) -> None:
        """The callee's code in place of a call."""
        self.found += 1
        inner = [self.register(kind) for kind in callee.registers]
        for number, argument in enumerate(insn.args):
            self.emit(i.Move(inner[number], registers[argument]), call.chain)
        call.path = (*call.path, callee.ref)
        call.result = registers[insn.dst] if insn.dst != NO_REGISTER else NO_REGISTER
        call.returned = behind = InlinedLabel()
        following = function.code[index + 1]
        pending = InlinedLabel()
        call.thrown = labels[following.target] if isinstance(following, i.CheckException) else pending
        self.write(callee, inner, call)
        if any(label is pending for _, label in self.jumps):
            self.leave_pending(pending, call)
        behind.position = len(self.code)

    def leave_pending(self, label: InlinedLabel, call: CallSite) -> None:
        """Leave a body whose exception is asked for later, behind what an earlier round has put in between.

        As behind any call, the result is something until then.
        """
        label.position = len(self.code)
        if call.result != NO_REGISTER:
            kind = self.kinds[call.result]
            value = (
                None if kind is Kind.REF else False if kind is Kind.BOOL else 0.0 if kind in FLOATING else 0
            )
            self.emit(i.LoadConstant(call.result, value), call.chain)

    def register(self, kind: Kind) -> Register:
        self.kinds.append(kind)
        return Register(len(self.kinds) - 1)

    # Which.

    def wanted(self, ref: FunctionRef, path: tuple[FunctionRef, ...], is_in_loop: bool) -> Function | None:
        """The bytecode of a function that is to be inlined; None if it is not."""
        if ref.internal is not None or len(path) > DEEPEST or path.count(ref) > RECURSIVE:
            return None
        if path[0].raw and not ref.raw:
            return None
        callee = self.world.bytecode(ref)
        if callee is None or not can_be_inlined(callee):
            return None
        size = len(callee.code)
        is_small_caller = not self.function_has_loops() and len(self.function.code) <= MEDIUM
        limit = MEDIUM if is_in_loop or len(path) > 1 or is_small_caller else SMALL
        if size > limit or self.growth + size > BUDGET:
            return None
        self.growth += size
        return callee

    def function_has_loops(self) -> bool:
        return any(isinstance(insn, i.Poll) for insn in self.function.code)


def can_be_inlined(function: Function) -> bool:
    for insn in function.code:
        if isinstance(insn, i.CallInternal) and insn.function.internal in LOOKS_AT_FRAMES:
            return False
        if isinstance(insn, i.LeaveException) and not function.ref.throws:
            return False
    return True


def loops_around(function: Function) -> list[bool]:
    """Whether there is a loop around each instruction."""
    blocks, back = find_blocks(function)
    result = [False] * len(function.code)
    for (start, end, _), weight in zip(blocks, weights(blocks, back), strict=True):
        if weight > 1:
            result[start:end] = [True] * (end - start)
    return result


def renamed(insn: Instruction, registers: list[Register]) -> Instruction:
    """A copy with other registers."""
    operands: list[Any] = []
    for operand in insn.operands:
        value = getattr(insn, operand.name)
        if operand.kind is K.USES:
            value = tuple([registers[one] for one in value])
        elif operand.kind in (K.DEF, K.USE) and value != NO_REGISTER:
            value = registers[value]
        operands.append(value)
    flags = [getattr(insn, flag) for flag in insn.flags]
    copy: Instruction = type(insn)(*operands, *flags)
    return copy


def inline(function: Function, world: World) -> tuple[Function, int]:
    """A function with others in it, and how many calls went or became direct."""
    if not any(isinstance(insn, i.Call | i.CallVirtual) for insn in function.code):
        return function, 0
    inliner = Inliner(function, world)
    result = inliner.run()
    return (result, inliner.found) if inliner.found else (function, 0)
