"""A function that begins in the middle of another one: at the poll of a loop, where it is to be replaced.

    main   0: LoadConstant r0, 0       main@1 (r0, r1, r2)    0: Goto ->1
           …                                                  1: Poll
           1: Poll                                            …
           …                                                  5: Goto ->1
           5: Goto ->1

It is bytecode: its parameters are the registers that are live at the poll, and its code is all that can be
reached from there.  Whatever optimizes and lowers functions takes it as any other.

A loop that is entered in the middle is none that passes understand: its head does not dominate it, and the
loop around it becomes one with it.  So each loop around the poll is there twice: what is left of the round
that is under way, and behind that, entered at its head, the whole loop for all further rounds.

    for i { for j { poll; A } B }   ->   for j { poll; A }  B  for i { for j { poll; A } B }
    entered at the poll
"""

from __future__ import annotations

from doralang.bytecode import instructions as i
from doralang.bytecode.blocks import Block as CodeBlock
from doralang.bytecode.blocks import find_blocks
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Instruction, Register, Target
from doralang.bytecode.liveness import BITS, analyse
from doralang.optimizing.build import connect
from doralang.optimizing.dominators import Dominators
from doralang.optimizing.graph import BasicBlock, Graph
from doralang.optimizing.inlining import renamed

Piece = tuple[int, int]
"""the start of a block, and the number of its copy"""
PARTLY = -1
"""the copy in which the innermost loop goes on in the middle of a round; in copy n the n-th loop is whole"""


def entered_at(function: Function, poll: int) -> tuple[Function, list[Register]]:
    """The function from a poll on; the registers whose values are its arguments."""
    live = live_before(function, poll)
    return Splitting(function, poll, live).run(), live


def live_before(function: Function, index: int) -> list[Register]:
    """The registers whose values are needed from an instruction on."""
    liveness = analyse(function)
    for (start, end, _), live in zip(liveness.blocks, liveness.live_out, strict=True):
        if start <= index < end:
            for kept, used, _, _ in reversed(liveness.accesses[index:end]):
                live = live & kept | used
            return BITS[live]
    raise AssertionError("every instruction is in a block")


class Splitting:
    """The pieces of one function, as they are copied."""

    def __init__(self, function: Function, poll: int, live: list[Register]) -> None:
        self.function = function
        self.poll = poll
        blocks, _ = find_blocks(function)
        self.blocks = {start: (end, following) for start, end, following in blocks}
        self.block = next(start for start, end, _ in blocks if start <= poll < end)
        self.blocks[poll] = self.blocks[self.block]  # the rest of a block is a block, too
        self.loops = loops_around(function, blocks, self.block)
        others = [Register(one) for one in range(len(function.registers)) if one not in set(live)]
        self.kinds = [function.registers[one] for one in (*live, *others)]
        self.registers = [Register(0)] * len(self.kinds)
        for number, register in enumerate((*live, *others)):
            self.registers[register] = Register(number)
        self.ref = ref_of(function, poll, live)
        self.code: list[Instruction] = []
        self.lines: list[int] = []
        self.places: dict[Piece, int] = {}
        self.jumps: list[tuple[int, Piece]] = []

    def run(self) -> Function:
        is_head = self.poll == self.block and self.loops and self.loops[0][0] == self.block
        entry = (self.block, 0) if is_head else (self.poll, PARTLY)
        self.jump(entry, self.function.lines[self.poll])
        pieces = sorted(self.reached(entry), key=lambda piece: (piece[1], piece[0]))
        for piece, following in zip(pieces, [*pieces[1:], None], strict=True):
            self.copy(piece, following)
        for index, piece in self.jumps:
            self.code[index].target = Target(self.places[piece])  # type: ignore[attr-defined]
        return Function(
            self.ref, self.kinds, self.code, self.lines, start_line=self.function.lines[self.poll]
        )

    def reached(self, entry: Piece) -> set[Piece]:
        seen, waiting = {entry}, [entry]
        while waiting:
            piece = waiting.pop()
            for following in self.following(piece):
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
        return seen

    def following(self, piece: Piece) -> list[Piece]:
        """The pieces that come behind one: at the target of its jump, then where the code goes on."""
        start, copy = piece
        _, following = self.blocks[start]
        return [(one, self.copy_of(one, copy)) for one in following]

    def copy_of(self, block: int, copy: int) -> int:
        """Which copy of a block is entered from another copy."""
        number = next((one for one, (_, body) in enumerate(self.loops) if block in body), len(self.loops))
        if number > copy and number < len(self.loops) and self.loops[number][0] == block:
            return number
        return max(copy, number - 1)

    # Writing.

    def copy(self, piece: Piece, following: Piece | None) -> None:
        start, _ = piece
        end, _ = self.blocks[start]
        self.places[piece] = len(self.code)
        ways = self.following(piece)
        for index in range(start, end):
            insn = self.function.code[index]
            if insn.jumps:
                self.jumps.append((len(self.code), ways[0]))
            self.emit(renamed(insn, self.registers), self.function.lines[index])
        if not self.function.code[end - 1].ends and ways[-1] != following:
            self.jump(ways[-1], self.function.lines[end - 1])

    def emit(self, insn: Instruction, line: int) -> None:
        self.code.append(insn)
        self.lines.append(line)

    def jump(self, piece: Piece, line: int) -> None:
        self.jumps.append((len(self.code), piece))
        self.emit(i.Goto(Target(0)), line)


def loops_around(function: Function, blocks: list[CodeBlock], inner: int) -> list[tuple[int, set[int]]]:
    """The head and the blocks of each loop around a block, by their starts, the innermost loop first."""
    graph = Graph(function.ref, function.entry_line)
    made = {start: BasicBlock(start) for start, _, _ in blocks}
    graph.blocks = [BasicBlock(PARTLY), *made.values()]  # nothing jumps to the first
    connect(graph.blocks[0], graph.blocks[1])
    for start, _, following in blocks:
        for one in following:
            connect(made[start], made[one])
    loops = Dominators(graph).loops
    around = [(head.number, {one.number for one in body}) for head, body in loops.items()]
    return sorted([one for one in around if inner in one[1]], key=lambda one: len(one[1]))


def ref_of(function: Function, poll: int, live: list[Register]) -> FunctionRef:
    """What is called: for stack traces it is the function itself."""
    ref = function.ref
    return FunctionRef(
        f"{ref.name}@{poll}",
        ref.plain_name,
        ref.signature,
        ref.file,
        tuple([function.registers[one] for one in live]),
        ref.result,
        ref.throws,
        has_self=ref.has_self and live[:1] == [0],
        hidden=ref.hidden,
        head=ref.head,
        shared=ref.shared,
    )
