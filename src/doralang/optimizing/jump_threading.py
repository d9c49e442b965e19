"""Before the graph is built: jumps to branches that are decided on the way there go on to where those lead.

     7: LoadConstant  r4, false             7: LoadConstant  r4, false
     8: Goto          ->20                  8: Goto          ->22
    20: Poll                               20: Poll
    21: BranchIf      r4, ->30             21: BranchIf      r4, ->30      by way of 29 only
    22: …                                  22: …
    29: Compute       r4, …                29: Compute       r4, …
                      and on to 20                           and on to 20

Such flags are left of iterators whose objects are gone: a filter notes that it has found something, and asks
for that note again at once.  What is between, if it is little and has no effect, is done on each way that
goes past it.  A loop in a loop becomes one loop, if the inner one is always entered with the same answer.

What is known of the truth values in registers is taken along all ways at once, also that of a branch, and
never along one that cannot be taken (Wegman, Zadeck: Constant Propagation with Conditional Branches, 1991).
In bytecode no value has to be joined anew where ways meet differently: building the graph does that.

A loop that could be entered in its middle is none that passes understand, so then only branches that no loop
begins with are passed by.  Where ways go past a `Poll`, the loops that are left get one each, at their heads.
None may stand where an exception is pending, so no head may be where one is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import Final, NamedTuple

from doralang.bytecode import instructions as i
from doralang.bytecode.blocks import Block, find_blocks
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Instruction, Register, Target
from doralang.bytecode.liveness import analyse
from doralang.bytecode.places import Chain
from doralang.optimizing.build import connect
from doralang.optimizing.dominators import Dominators
from doralang.optimizing.graph import BasicBlock, Graph
from doralang.optimizing.inlining import renamed
from doralang.types.kinds import BOOL
from doralang.types.primitives import PRIMITIVES

NOT: Final = PRIMITIVES["bool.not"]
BRANCHES: Final = (i.BranchIf, i.BranchUnless)
CALLS: Final = (i.Call, i.CallVirtual, i.CallInternal)
MOST_COMPUTED: Final = 6
"""computations that are done on a way of its own"""
LONGEST_WAY: Final = 12
"""blocks that one way goes past"""
MOST_ROUNDS: Final = 3

Known = dict[Register, bool]
"""the truth values of registers, as far as they are known"""


class Edge(NamedTuple):
    """A way from the end of a block to the start of another one, and what is known on it."""

    target: int
    known: Known
    copied: tuple[int, ...] = ()
    """the instructions on the way, by their indices"""


def thread_jumps(function: Function) -> tuple[Function, int]:
    """A function that does the same, and how many edges lead elsewhere now.

    Where fewer edges meet then, more is known, so it goes on.
    """
    total = 0
    if decides_flags(function) and meets_exceptions_at_once(function):
        for _ in range(MOST_ROUNDS):
            threading = JumpThreading(function)
            found = threading.find_ways()
            polls = threading.place_polls() if found else None
            if polls is None:
                break
            function = WayWriter(threading, polls).write()
            total += found
    return function, total


def decides_flags(function: Function) -> bool:
    """Whether some register gets a constant truth value, and is branched on."""
    code, kinds = function.code, function.registers
    asked = {insn.condition for insn in code if isinstance(insn, BRANCHES)}
    return any(
        type(insn) is i.LoadConstant and insn.dst in asked and kinds[insn.dst] is BOOL for insn in code
    )


def meets_exceptions_at_once(function: Function) -> bool:
    """Whether exceptions are asked for right behind calls, and taken at once: none is pending elsewhere."""
    code = function.code
    return all(
        index not in function.targets
        and isinstance(code[index - 1], CALLS)
        and isinstance(code[insn.target], i.TakeException | i.LeaveException)
        for index, insn in enumerate(code)
        if type(insn) is i.CheckException
    )


class JumpThreading:
    """The blocks of one function, by the indices at which they start, and the edges between them."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.blocks: dict[int, Block] = {block[0]: block for block in find_blocks(function)[0]}
        self.writes = {start: list(self.writes_of(start)) for start in self.blocks}
        """the instructions of each block that write truth values"""
        self.edges: dict[int, list[Edge]] = {}
        """from each block that can be reached: where a branch leads if it is taken, then where it goes on"""
        self.solve()

    def writes_of(self, start: int) -> Iterator[int]:
        code, kinds = self.function.code, self.function.registers
        for index in self.inside(start):
            dst = i.defined(code[index])
            if dst >= 0 and kinds[dst] is BOOL:
                yield index

    # What is known.

    def solve(self) -> None:
        """Find all edges that can be taken, and what is known on them."""
        at_start: dict[int, Known] = {0: {}}
        changed = {0}
        while changed:
            for start in self.blocks:
                if start not in changed:
                    continue
                changed.discard(start)
                self.edges[start] = self.edges_of(start, at_start[start])
                for edge in self.edges[start]:
                    before = at_start.get(edge.target)
                    now = edge.known if before is None else in_both(before, edge.known)
                    if now != before:
                        at_start[edge.target] = now
                        changed.add(edge.target)

    def edges_of(self, start: int, known: Known) -> list[Edge]:
        for index in self.writes[start]:
            known = self.behind(index, known)
        _, end, following = self.blocks[start]
        asked = self.asked(end)
        if asked is None or len(following) != 2:
            return [Edge(target, known) for target in following]
        register, is_taken = asked
        values = zip(following, (is_taken, not is_taken), strict=True)
        return [
            Edge(target, {**known, register: value})
            for target, value in values
            if known.get(register, value) is value
        ]

    def behind(self, index: int, known: Known) -> Known:
        """What is known behind an instruction that writes a truth value."""
        insn = self.function.code[index]
        value: bool | None = None
        if type(insn) is i.LoadConstant:
            value = bool(insn.value)
        elif type(insn) is i.Move:
            value = known.get(insn.src)
        elif type(insn) is i.Compute and insn.operation is NOT:
            value = known.get(insn.args[0])
            value = None if value is None else not value
        dst = i.defined(insn)
        if value is None:
            return {one: known[one] for one in known if one != dst} if dst in known else known
        return {**known, dst: value}

    def asked(self, end: int) -> tuple[Register, bool] | None:
        """The register that the branch at the end of a block asks for, and for which value it is taken."""
        insn = self.function.code[end - 1]
        return (insn.condition, type(insn) is i.BranchIf) if isinstance(insn, BRANCHES) else None

    # Ways.

    def find_ways(self) -> int:
        """Let each edge lead as far as is known; how many of them lead elsewhere than before."""
        plain = self.edges
        found = self.extend(plain, frozenset())
        if found and not is_reducible(Dominators(self.as_graph())):
            self.edges = plain
            heads = {block.number for block in Dominators(self.as_graph()).loops}
            found = self.extend(plain, heads)
        return found

    def extend(self, plain: dict[int, list[Edge]], kept: Set[int]) -> int:
        """The same, but never past the blocks that are `kept`."""
        self.edges = {start: [self.follow(edge, kept) for edge in edges] for start, edges in plain.items()}
        return sum(
            edge.target != one.target
            for start, edges in self.edges.items()
            for edge, one in zip(edges, plain[start], strict=True)
        )

    def follow(self, edge: Edge, kept: Set[int]) -> Edge:
        """How far an edge leads: behind the last branch that is decided."""
        at, known = edge.target, edge.known
        copied: list[int] = []
        for _ in range(LONGEST_WAY):
            start, end, following = self.blocks[at]
            if at in kept or not following or not self.can_be_copied(start, end):
                break
            copied += range(start, end - 1 if self.function.code[end - 1].leaves else end)
            if sum(type(self.function.code[index]) is i.Compute for index in copied) > MOST_COMPUTED:
                break
            for index in self.writes[start]:
                known = self.behind(index, known)
            if len(following) == 1:
                at = following[0]
                continue
            asked = self.asked(end)
            value = None if asked is None else known.get(asked[0])
            if asked is None or value is None:
                break
            at = following[0 if value is asked[1] else 1]
            edge = Edge(at, known, tuple(copied))
        return edge

    def can_be_copied(self, start: int, end: int) -> bool:
        """Whether a block has no effect, but for the jump at its end."""
        for insn in self.function.code[start:end]:
            if type(insn) is i.Compute:
                if insn.operation.trap is not None or insn.operation.calls_library:
                    return False
            elif not isinstance(insn, i.LoadConstant | i.Move | i.Poll | i.Goto) and not insn.jumps:
                return False
        return True

    # Loops.

    def as_graph(self) -> Graph:
        """The blocks alone, as they follow each other by the edges that are there."""
        graph = Graph(self.function.ref, self.function.entry_line)
        made = {start: BasicBlock(start) for start in self.edges}
        graph.blocks = [BasicBlock(-1), *made.values()]  # nothing jumps to the first
        connect(graph.blocks[0], made[0])
        for start, edges in self.edges.items():
            for edge in edges:
                connect(made[start], made[edge.target])
        graph.keep_blocks(graph.reverse_postorder())
        return graph

    def place_polls(self) -> dict[int, int] | None:
        """The blocks that have a poll, each with the index of one; None if some loop could have none.

        Heads of loops get those that ways go past; then others are not needed, but where there is no head.
        """
        dominators = Dominators(self.as_graph())
        blocks, code = dominators.order[1:], self.function.code
        polls = {one.number: here[0] for one in blocks if (here := self.polls_in(self.inside(one.number)))}
        heads = set()
        for head, body in dominators.loops.items():
            heads.add(head.number)
            passed = [self.polls_in(edge.copied) for one in body for edge in self.edges[one.number]]
            if any(passed) and type(code[head.number]) is not i.TakeException:
                polls.setdefault(head.number, min(index for some in passed for index in some))
        if has_loop(one for one in blocks if one.number not in polls):
            return None
        for start in sorted(polls.keys() - heads):
            if not has_loop(one for one in blocks if one.number == start or one.number not in polls):
                del polls[start]
        return polls

    def inside(self, start: int) -> range:
        return range(start, self.blocks[start][1])

    def polls_in(self, indices: Iterable[int]) -> list[int]:
        return [index for index in indices if type(self.function.code[index]) is i.Poll]


def in_both(one: Known, other: Known) -> Known:
    return {register: value for register, value in one.items() if other.get(register) is value}


def is_reducible(dominators: Dominators) -> bool:
    """Whether each loop is entered at its head alone."""
    position = dominators.position
    return all(
        position[following] > position[block] or dominators.dominates(following, block)
        for block in dominators.order
        for following in block.successors
    )


def has_loop(blocks: Iterable[BasicBlock]) -> bool:
    """Whether some of these blocks lead to each other in a circle; what none of them leads to is in none."""
    inside = set(blocks)
    before = {block: sum(one in inside for one in block.predecessors) for block in inside}
    waiting = [block for block in inside if not before[block]]
    gone = 0
    while waiting:
        gone += 1
        for following in waiting.pop().successors:
            if following in inside:
                before[following] -= 1
                if not before[following]:
                    waiting.append(following)
    return gone < len(inside)


class WayWriter:
    """The code with its new ways; blocks keep their order, behind them stand those of branches taken."""

    def __init__(self, threading: JumpThreading, polls: dict[int, int]) -> None:
        self.function = threading.function
        self.blocks = threading.blocks
        self.edges = threading.edges
        self.polls = polls
        self.live_in = analyse(self.function).live_in
        self.registers = [Register(number) for number in range(len(self.function.registers))]
        self.code: list[Instruction] = []
        self.chains: list[Chain] = []
        self.labels: dict[object, int] = {}
        """where blocks and ways begin"""
        self.jumps: list[tuple[int, object]] = []
        """instructions whose target is not filled in, and what it is"""
        self.later: list[tuple[object, Edge, Chain]] = []

    def write(self) -> Function:
        starts = self.reached()
        for start, following in zip(starts, [*starts[1:], None], strict=True):
            self.labels[start] = len(self.code)
            self.write_block(start, following)
        for label, edge, chain in self.later:
            self.labels[label] = len(self.code)
            self.write_way(edge, None, chain)
        for index, label in self.jumps:
            self.code[index].target = Target(self.labels[label])  # type: ignore[attr-defined]
        function = self.function
        lines = [chain[0].line for chain in self.chains]
        chains = self.chains if function.chains else []
        return Function(
            function.ref, function.registers, self.code, lines, chains=chains, start_line=function.entry_line
        )

    def reached(self) -> list[int]:
        """The blocks that are left, in order."""
        seen, waiting = {0}, [0]
        while waiting:
            for edge in self.edges[waiting.pop()]:
                if edge.target not in seen:
                    seen.add(edge.target)
                    waiting.append(edge.target)
        return sorted(seen)

    def write_block(self, start: int, following: int | None) -> None:
        _, end, _ = self.blocks[start]
        edges, chain = self.edges[start], self.function.chain(end - 1)
        poll = self.polls.get(start)
        if poll is not None and not start <= poll < end:
            self.emit(poll)
        jumps = bool(edges) and self.function.code[end - 1].leaves
        for index in range(start, end - jumps):
            if index == poll or type(self.function.code[index]) is not i.Poll:
                self.emit(index)
        if len(edges) == 2:
            self.write_branch(end - 1, edges[0], chain)
        if edges:
            self.write_way(edges[-1], following, chain)

    def write_branch(self, index: int, taken: Edge, chain: Chain) -> None:
        label: object = taken.target
        if self.needed(taken):
            label = object()
            self.later.append((label, taken, chain))
        self.jumps.append((len(self.code), label))
        self.emit(index)

    def write_way(self, edge: Edge, following: int | None, chain: Chain) -> None:
        for index in self.needed(edge):
            self.emit(index)
        if edge.target != following:
            self.jumps.append((len(self.code), edge.target))
            self.code.append(i.Goto(Target(0)))
            self.chains.append(chain)

    def needed(self, edge: Edge) -> list[int]:
        """What is done on a way: nothing for registers that nobody reads behind it."""
        result = []
        live = self.live_in[edge.target]
        for index in reversed(edge.copied):
            insn = self.function.code[index]
            if type(insn) is not i.Poll and live >> i.defined(insn) & 1:
                result.append(index)
                for register in i.used(insn):
                    live |= 1 << register
        return result[::-1]

    def emit(self, index: int) -> None:
        insn = self.function.code[index]
        self.code.append(renamed(insn, self.registers) if insn.jumps else insn)
        self.chains.append(self.function.chain(index))
