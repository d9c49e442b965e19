"""The scheduled graph to bytecode.

    b2   n5 = LoadElement(n1, n4)        4: LoadElement r3:int, r0, r1
         n7 = Compute int.plus(n3, n5)   5: Compute     r2:int, int.plus, (r2, r3)
         goes to b1, where n3 = Phi(…)   6: BranchIf    …, ->4          no move: n3 and n7 are both r2

Blocks keep their order.  A phi's value is moved on the edge that it belongs to: at the end of the block if
that has one way on, else on a way of its own between the two.  Moves of an edge are made as if all at once.
"""

from __future__ import annotations

from typing import Final

from doralang.bytecode import instructions as i
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Instruction, Register, Target
from doralang.bytecode.places import Chain, Site
from doralang.optimizing.graph import BasicBlock, Graph, Node, instruction_of
from doralang.optimizing.registers import Registers
from doralang.optimizing.schedule import Schedule
from doralang.types.kinds import Kind

Copy = tuple[Register, Node]
"""the register of a phi and the value that it gets"""
WITHOUT_RESULT: Final = (i.Call, i.CallVirtual, i.CallInternal)
"""what may have no register for its result"""
INVERTED: Final = {i.BranchIf: i.BranchUnless, i.BranchUnless: i.BranchIf}
NATIVE_ADDRESS: Final = "nativeAddress"
"""the internal function whose argument is loaded right before"""


class BytecodeEmitter:
    """One function on its way back to bytecode."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.schedule = Schedule(graph)
        self.registers = Registers(self.schedule)
        self.used = self.registers.liveness.used
        self.code: list[Instruction] = []
        self.chains: list[Chain] = []
        self.labels: dict[object, int] = {}
        """where blocks, and the ways between them, begin"""
        self.jumps: list[tuple[int, object]] = []
        """instructions whose target is not filled in, and what it is"""
        self.later: list[tuple[object, list[Copy], BasicBlock, Chain]] = []
        """ways between blocks that stand behind everything"""
        self.made: dict[Node, Register] = {}
        """constants and texts that have been made in the present block"""
        self.passed: dict[BasicBlock, BasicBlock] = {}
        """blocks that have no code, and what comes behind each"""

    def emit_function(self) -> Function:
        self.pass_empty_blocks()
        blocks = [block for block in self.graph.blocks if block not in self.passed]
        for block, following in zip(blocks, [*blocks[1:], None], strict=True):
            self.labels[block] = len(self.code)
            self.made.clear()
            self.emit_block(block, following)
        for label, copies, successor, chain in self.later:
            self.labels[label] = len(self.code)
            self.made.clear()
            self.emit_copies(copies, chain)
            self.emit_goto(successor, None, chain)
        for index, label in self.jumps:
            self.code[index].target = Target(self.labels[label])  # type: ignore[attr-defined]
        lines = [chain[0].line for chain in self.chains]
        is_plain = all(len(chain) == 1 for chain in self.chains)
        return Function(
            self.graph.ref,
            self.registers.kinds,
            self.code,
            lines,
            chains=[] if is_plain else self.chains,
            start_line=self.graph.entry_line,
        )

    def pass_empty_blocks(self) -> None:
        """Find the blocks in which nothing is done, not even at their ends."""
        for block in reversed(self.graph.blocks[1:]):
            if not self.schedule.lists[block] and len(block.successors) == 1:
                (successor,) = block.successors
                if self.code_of(successor) is not block and not self.copies(block, successor):
                    self.passed[block] = successor

    def code_of(self, block: BasicBlock) -> BasicBlock:
        """The block whose code stands for that of another, which has none."""
        while block in self.passed:
            block = self.passed[block]
        return block

    def emit(self, insn: Instruction, chain: Chain) -> None:
        self.code.append(insn)
        self.chains.append(chain)

    def emit_goto(self, target: BasicBlock, following: BasicBlock | None, chain: Chain) -> None:
        """Go on at a block, if that is not the one whose code follows."""
        target = self.code_of(target)
        if target is not following:
            self.jumps.append((len(self.code), target))
            self.emit(i.Goto(Target(0)), chain)

    # Blocks.

    def emit_block(self, block: BasicBlock, following: BasicBlock | None) -> None:
        jump = block.jump
        chain: Chain = (Site(self.graph.ref, self.graph.entry_line),)
        for node in self.schedule.lists[block]:
            chain = node.chain or chain
            if node is not jump:
                self.emit_node(node)
        if jump is not None:
            self.emit_jump(block, jump, following)
            return
        (successor,) = block.successors
        self.emit_copies(self.copies(block, successor), chain)
        self.emit_goto(successor, following, chain)

    def emit_node(self, node: Node) -> None:
        registers = [self.read(one, node) for one in node.inputs]
        dst = self.registers.of.get(node, NO_REGISTER)
        if node.op is i.CheckCast:
            dst = registers[0]  # what is checked keeps its value
        elif node.op in WITHOUT_RESULT and node not in self.used:
            dst = NO_REGISTER
        self.emit(instruction_of(node, dst, registers), node.chain)

    def read(self, node: Node, user: Node) -> Register:
        """The register of a value, which is made now if that is done anew in each block."""
        if not self.schedule.is_remade(node):
            return self.registers.of[node]
        register = self.made.get(node)
        if register is None or (is_native_address(user)):
            register = self.made[node] = self.registers.new(node.kind)
            self.emit(instruction_of(node, register, []), user.chain)
        return register

    # Ways on.

    def emit_jump(self, block: BasicBlock, jump: Node, following: BasicBlock | None) -> None:
        registers = [self.read(one, jump) for one in jump.inputs]
        insn = instruction_of(jump, NO_REGISTER, registers)
        if not block.successors:
            self.emit(insn, jump.chain)
            return
        taken, other = block.successors
        copies, more = self.copies(block, taken), self.copies(block, other)
        if type(insn) in INVERTED and (self.code_of(taken) is following or copies) and not more:
            insn = INVERTED[type(insn)](insn.condition, insn.target)  # type: ignore[attr-defined]
            taken, other, copies, more = other, taken, more, copies
        target: object = self.code_of(taken)
        if copies:
            target = object()
            self.later.append((target, copies, taken, jump.chain))
        self.jumps.append((len(self.code), target))
        self.emit(insn, jump.chain)
        self.made.clear()
        self.emit_copies(more, jump.chain)
        self.emit_goto(other, following, jump.chain)

    def copies(self, block: BasicBlock, successor: BasicBlock) -> list[Copy]:
        """What is moved on the way from one block to another."""
        at, of = successor.predecessors.index(block), self.registers.of
        return [
            (of[phi], phi.inputs[at])
            for phi in successor.phis
            if phi in self.used and of.get(phi.inputs[at]) != of[phi]
        ]

    def emit_copies(self, copies: list[Copy], chain: Chain) -> None:
        """Move values as if all at once: first where nobody else reads; one more register opens a ring."""
        of = self.registers.of
        waiting = {to: of[node] for to, node in copies if node in of}
        while waiting:
            read = set(waiting.values())
            free = next((to for to in waiting if to not in read), None)
            if free is not None:
                self.emit(i.Move(free, waiting.pop(free)), chain)
                continue
            to = next(iter(waiting))
            spare = self.registers.new(self.kind(to))
            self.emit(i.Move(spare, to), chain)
            waiting = {one: spare if source == to else source for one, source in waiting.items()}
        for to, node in copies:
            if node not in of:
                self.emit(instruction_of(node, to, []), chain)

    def kind(self, register: Register) -> Kind:
        return self.registers.kinds[register]


def is_native_address(node: Node) -> bool:
    return node.op is i.CallInternal and node.get("function").internal == NATIVE_ADDRESS


def emit_function(graph: Graph) -> Function:
    """The bytecode of a graph."""
    return BytecodeEmitter(graph).emit_function()
