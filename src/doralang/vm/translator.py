"""Bytecode to closures, block by block, when a block is first run.

    LoadConstant r5, 1              (nothing: the constant is bound into the closures that want it)
    Compute  r2, int.plus, (r2, r5)   ->   closure
    Poll                              (nothing: Python looks for Ctrl-C itself)
    Compute  r6, int.less, (r2, r3)
    BranchIf r6, ->3                  ->   closure, the end of the block

A block goes on where an unconditional jump leads to, so what is behind a loop's entry stands in two
blocks, and most loops are one block that ends with a branch to itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeVar

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef, GlobalRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Register, method_table
from doralang.bytecode.liveness import analyse
from doralang.bytecode.places import Chain, Site
from doralang.interpreter.context import HostContext
from doralang.interpreter.internals import MEANINGS
from doralang.interpreter.objects import Str, Value
from doralang.types.kinds import Kind
from doralang.vm import arithmetic, arrays, calls, comparisons, control, objects
from doralang.vm.claims import claims
from doralang.vm.code import ClosureBlock, ClosureCode, End, Op, Registers
from doralang.vm.statistics import Statistics

T = TypeVar("T")

MOST_INSTRUCTIONS: Final = 100
"""in a block: a longer one is cut"""


class CodeSource(Protocol):
    """What translation asks of the running program."""

    context: HostContext
    statistics: Statistics
    pending: list[Value]
    globals: list[Value]

    def code_of(self, ref: FunctionRef) -> ClosureCode:
        """Another function."""

    def literal(self, text: str) -> Str:
        """The string of a literal."""

    def global_index(self, variable: GlobalRef) -> int:
        """Its place in `globals`."""

    def leave_uncaught(self, line: int) -> None:
        """Fail, because the pending exception leaves a function that is not marked `throws`."""


NOTED_EVERY: Final = 64
"""so many instructions apart, what is live is noted"""


class LoopHeads(Protocol):
    """Who wants to know of each round of a loop."""

    def closure(self, code: ClosureCode) -> Op | None:
        """What runs in each round, if that is all there is."""

    def end(self, translator: Translator, index: int) -> End | None:
        """The end of a block at the head of a loop, if it is to be one; it may go on elsewhere."""


class Translator:
    """One function, and the blocks of it that there are already."""

    def __init__(
        self, function: Function, code: ClosureCode, linker: CodeSource, heads: LoopHeads | None = None
    ) -> None:
        self.function = function
        self.code = code
        self.linker = linker
        self.heads = heads
        self.blocks: dict[int, ClosureBlock] = {}
        self.noted: dict[int, int] = {}
        """the registers that are live before some instructions"""
        self.liveness = analyse(function)
        self.starts = [start for start, _, _ in self.liveness.blocks]
        code.rest = [None] * (len(function.registers) + 1 - len(function.ref.parameters))
        code.line = function.entry_line
        # The block that is being made:
        self.body: list[Op] = []
        self.end: End | None = None
        self.path: list[int] = []
        self.at = 0
        self.live: list[int] = []
        self.constants: dict[Register, Value] = {}

    # Blocks.

    def block(self, index: int) -> ClosureBlock:
        """The block that starts at an instruction."""
        block = self.blocks.get(index)
        if block is None:
            block = self.blocks[index] = self.untranslated(index)
        return block

    def untranslated(self, index: int) -> ClosureBlock:
        """A block that is translated when it is first entered."""

        def translate(r: Registers) -> ClosureBlock:
            self.translate(block, index)
            return block

        self.code.places[translate] = self.function.chain(index)
        block = ClosureBlock((), translate)
        return block

    def translate(self, block: ClosureBlock, start: int) -> None:
        self.path, behind = self.path_from(start)
        self.live = self.live_along(self.path, behind)
        self.body, self.end, self.at = [], None, 0
        code = self.function.code
        while self.at < len(self.path) and self.end is None:
            insn = code[self.path[self.at]]
            if insn.flags:
                self.look_after(insn)
            METHODS[type(insn)](self, insn)
            self.at += 1
        if self.end is None:
            self.finish(control.goto(self.block(behind)), self.live[-1] if self.live else -1)
        assert self.end is not None
        block.body, block.end = tuple(self.body), self.end
        self.count()

    def look_after(self, insn: i.Instruction) -> None:
        """Check what the flags of an instruction claim."""
        for claim in claims(insn):
            self.read_all(list(i.used(insn)))
            self.emit(claim)

    def count(self) -> None:
        statistics = self.linker.statistics
        statistics.blocks += 1
        statistics.instructions += self.at
        statistics.closures += len(self.body) + 1

    def path_from(self, start: int) -> tuple[list[int], int]:
        """The instructions of a block that starts there, and where it goes on if the last does not say so."""
        path: list[int] = []
        seen: set[int] = set()
        at = start
        while at not in seen and len(path) < MOST_INSTRUCTIONS:
            seen.add(at)
            insn = self.function.code[at]
            if isinstance(insn, i.Goto):
                at = insn.target
                continue
            path.append(at)
            if insn.leaves:
                break
            at += 1
        return path, at

    def live_along(self, path: list[int], behind: int) -> list[int]:
        """The registers that are needed behind each instruction of a path, as bits."""
        if not path:
            return []
        accesses = self.liveness.accesses
        if self.function.code[path[-1]].leaves:
            live = self.liveness.live_out[self.block_number(path[-1])]
        else:
            live = self.live_before(behind)
        result = []
        for index in reversed(path):
            result.append(live)
            kept, used, _, _ = accesses[index]
            live = live & kept | used
        result.reverse()
        return result

    def block_number(self, index: int) -> int:
        return bisect_right(self.starts, index) - 1

    def live_before(self, index: int) -> int:
        """The registers that are needed from an instruction on.

        A long run of instructions is cut into many blocks, from first to last, so what the way up from its
        end finds out is noted now and then.
        """
        number, accesses = self.block_number(index), self.liveness.accesses
        live, start = self.liveness.live_out[number], self.liveness.blocks[number][1]
        noted = (index + NOTED_EVERY - 1) // NOTED_EVERY * NOTED_EVERY
        if noted < start and noted in self.noted:
            live, start = self.noted[noted], noted
        for one in range(start - 1, index - 1, -1):
            kept, used, _, _ = accesses[one]
            live = live & kept | used
            if one % NOTED_EVERY == 0:
                self.noted[one] = live
        return live

    # What instructions use.

    @property
    def chain(self) -> Chain:
        """That of the present instruction, or of the last one if the block is cut behind it."""
        last = min(self.at, len(self.path) - 1)
        return self.function.chain(self.path[last]) if self.path else (Site(self.code.ref, self.code.line),)

    def emit(self, op: Op) -> None:
        self.body.append(op)
        self.code.places[op] = self.chain

    def finish(self, end: End, live: int) -> None:
        """End the block; `live` are the registers that are needed behind it."""
        for register in list(self.constants):
            if live >> register & 1:
                self.make(register)
        self.constants.clear()
        self.end = end
        self.code.places[end] = self.chain

    def leave(self, end: End) -> None:
        """End the block with the present instruction."""
        self.finish(end, self.live[self.at])

    def make(self, register: Register) -> None:
        """Put a constant into its register."""
        self.emit(objects.load_constant(register, self.constants.pop(register)))

    def read(self, register: Register) -> Register:
        """A register whose value is wanted in it."""
        if register in self.constants:
            self.make(register)
        return register

    def read_all(self, registers: Sequence[Register]) -> Sequence[Register]:
        for register in registers:
            self.read(register)
        return registers

    def write(self, register: Register) -> Register:
        """A register that gets a value; it comes behind what is read."""
        self.constants.pop(register, None)
        return register

    def next_instruction(self) -> i.Instruction | None:
        """The one behind this on the path."""
        after = self.at + 1
        return self.function.code[self.path[after]] if after < len(self.path) else None

    def is_dead(self, register: Register, later: int = 0) -> bool:
        """Whether nobody wants a register behind this instruction, or `later` ones behind it."""
        return not self.live[self.at + later] >> register & 1

    # Moves, constants, arithmetic.

    def move(self, insn: i.Move) -> None:
        if insn.src in self.constants:
            self.constants[insn.dst] = self.constants[insn.src]
        else:
            self.emit(arithmetic.move(self.write(insn.dst), insn.src))

    def load_constant(self, insn: i.LoadConstant) -> None:
        self.constants[insn.dst] = insn.value

    def load_text(self, insn: i.LoadText) -> None:
        self.constants[insn.dst] = self.linker.literal(insn.text)

    def compute(self, insn: i.Compute) -> None:
        if self.branches_on(insn):
            return
        row, args = insn.operation, insn.args
        if len(args) == 1:
            operand = self.read(args[0])
            return self.emit(arithmetic.unary(row, self.write(insn.dst), operand))
        left = self.read(args[0])
        if args[1] in self.constants and row not in comparisons.COMPARISONS:
            constant = self.constants[args[1]]
            return self.emit(arithmetic.with_constant(row, self.write(insn.dst), left, constant))
        right = self.read(args[1])
        make = comparisons.COMPARISONS.get(row)
        if make is not None:
            return self.emit(make(self.write(insn.dst), left, right))
        return self.emit(arithmetic.binary(row, self.write(insn.dst), left, right))

    def branches_on(self, insn: i.Compute) -> bool:
        """Whether this is a comparison for the branch behind it; then the block ends here."""
        following, makers = self.next_instruction(), comparisons.COMPARING_BRANCHES.get(insn.operation)
        if makers is None or not isinstance(following, i.BranchIf | i.BranchUnless):
            return False
        if following.condition != insn.dst or not self.is_dead(insn.dst, 1):
            return False
        then, other = self.ways(following, self.path[self.at + 1])
        left, right = self.read(insn.args[0]), insn.args[1]
        if right in self.constants:
            end = makers[1](left, self.constants[right], then, other)
        else:
            end = makers[0](left, right, then, other)
        self.at += 1
        self.leave(end)
        return True

    def ways(self, insn: i.BranchIf | i.BranchUnless, index: int) -> tuple[ClosureBlock, ClosureBlock]:
        """The blocks if the condition of a branch is true, and if it is false."""
        target, behind = self.block(insn.target), self.block(index + 1)
        return (target, behind) if isinstance(insn, i.BranchIf) else (behind, target)

    def same(self, insn: i.Same) -> None:
        left, right = self.read(insn.left), self.read(insn.right)
        self.emit(objects.same(self.write(insn.dst), left, right))

    # Objects.

    def new_object(self, insn: i.NewObject) -> None:
        self.emit(objects.new_object(self.write(insn.dst), insn.cls))

    def load_field(self, insn: i.LoadField) -> None:
        object = self.read(insn.object)
        self.emit(objects.load_field(self.write(insn.dst), object, insn.field.index))

    def store_field(self, insn: i.StoreField) -> None:
        object, index = self.read(insn.object), insn.field.index
        if insn.value in self.constants:
            self.emit(objects.store_field_constant(object, index, self.constants[insn.value]))
        else:
            self.emit(objects.store_field(object, index, insn.value))

    def is_instance(self, insn: i.IsInstance) -> None:
        object = self.read(insn.object)
        self.emit(objects.is_instance(self.write(insn.dst), object, insn.cls))

    def check_cast(self, insn: i.CheckCast) -> None:
        object = self.read(insn.object)
        self.emit(objects.check_cast(self.write(insn.dst), object, insn.cls))

    def check_nil(self, insn: i.CheckNil) -> None:
        self.emit(objects.check_nil(self.read(insn.object)))

    def load_global(self, insn: i.LoadGlobal) -> None:
        index = self.linker.global_index(insn.variable)
        self.emit(objects.load_global(self.write(insn.dst), self.linker.globals, index))

    def store_global(self, insn: i.StoreGlobal) -> None:
        index = self.linker.global_index(insn.variable)
        self.emit(objects.store_global(self.linker.globals, index, self.read(insn.value)))

    # Arrays.

    def new_array(self, insn: i.NewArray) -> None:
        length = self.read(insn.length)
        size = self.linker.context.heap_size
        self.emit(arrays.new_array(self.write(insn.dst), insn.cls, length, size))

    def load_element(self, insn: i.LoadElement) -> None:
        array = self.read(insn.array)
        if self.function.registers[insn.dst] is Kind.BOOL:
            index = self.read(insn.index)
            self.emit(arrays.load_flag(self.write(insn.dst), array, index))
        elif insn.index in self.constants:
            at: Any = self.constants[insn.index]
            self.emit(arrays.load_element_constant(self.write(insn.dst), array, at))
        else:
            self.emit(arrays.load_element(self.write(insn.dst), array, insn.index))

    def store_element(self, insn: i.StoreElement) -> None:
        array, index, value = self.read_all((insn.array, insn.index, insn.value))
        self.emit(arrays.store_element(array, index, value))

    def array_length(self, insn: i.ArrayLength) -> None:
        array = self.read(insn.array)
        self.emit(arrays.array_length(self.write(insn.dst), array))

    def fill_array(self, insn: i.FillArray) -> None:
        array, value = self.read(insn.array), self.read(insn.value)
        self.emit(arrays.fill_array(array, value, self.function.registers[value]))

    # Calls.

    def call(self, insn: i.Call) -> None:
        code, arguments = self.linker.code_of(insn.function), self.read_all(insn.args)
        self.emit(calls.call(self.write(insn.dst), code, arguments))

    def call_virtual(self, insn: i.CallVirtual) -> None:
        slot, arguments = insn.function.slot, self.read_all(insn.args)
        assert slot is not None, "the method has a place in the table"
        targets = calls.Targets(slot, self.linker.code_of)
        self.emit(calls.call_virtual(self.write(insn.dst), targets, arguments))

    def call_internal(self, insn: i.CallInternal) -> None:
        function, arguments = insn.function, self.read_all(insn.args)
        assert function.internal is not None
        meaning = MEANINGS[function.internal]
        if function.has_self:
            meaning = calls.with_receiver(meaning)
        self.emit(calls.call_internal(self.write(insn.dst), meaning, self.linker.context, arguments))

    # Exceptions.

    def check_exception(self, insn: i.CheckException) -> None:
        behind = self.block(self.path[self.at] + 1)
        self.leave(control.check_exception(self.linker.pending, self.block(insn.target), behind))

    def take_exception(self, insn: i.TakeException) -> None:
        self.emit(control.take_exception(self.write(insn.dst), self.linker.pending))

    def set_exception(self, insn: i.SetException) -> None:
        self.emit(control.set_exception(self.linker.pending, self.read(insn.value)))

    def leave_exception(self, insn: i.LeaveException) -> None:
        if self.function.ref.throws:
            return self.leave(control.give_first)
        register, line, fail = insn.line, self.chain[0].line, self.linker.leave_uncaught
        if register != NO_REGISTER:
            self.read(register)

        def end(r: Registers) -> None:
            fail(line if register == NO_REGISTER else r[register])

        return self.leave(end)

    # Control.

    def goto(self, insn: i.Goto) -> None:
        raise AssertionError("paths go on behind them")

    def branch_if(self, insn: i.BranchIf) -> None:
        then, other = self.ways(insn, self.path[self.at])
        self.leave(control.branch(self.read(insn.condition), then, other))

    def branch_unless(self, insn: i.BranchUnless) -> None:
        then, other = self.ways(insn, self.path[self.at])
        self.leave(control.branch(self.read(insn.condition), then, other))

    def branch_equal(self, insn: i.BranchEqual) -> None:
        then, other = self.block(insn.target), self.block(self.path[self.at] + 1)
        value = self.read(insn.value)
        self.leave(comparisons.branch_equals_constant(value, insn.constant, then, other))

    def poll(self, insn: i.Poll) -> None:
        """Python looks for Ctrl-C itself."""
        if self.heads is None:
            return
        closure = self.heads.closure(self.code)
        if closure is not None:
            self.emit(closure)
        end = self.heads.end(self, self.path[self.at])
        if end is not None:
            self.leave(end)

    def return_(self, insn: i.Return) -> None:
        if insn.value in self.constants:
            self.leave(control.give_constant(self.constants[insn.value]))
        elif insn.value in (0, NO_REGISTER):
            self.leave(control.give_first)
        else:
            self.leave(control.give(insn.value))

    def trap(self, insn: i.Trap) -> None:
        self.leave(control.trap(insn.kind))


METHODS: Final = method_table(Translator)
