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
So is the answer to a comparison that is asked again, as long as nothing has written to what it compares.  Of
two iterators that are chained the first is asked in each round; once it has said that it is at its end, the
loop goes on in one of its own, which does not ask any more:

    20: Poll                               20: Poll
    21: BranchIf      i < n, ->30          21: BranchIf      i < n, ->30
    22: BranchUnless  j < m, ->50          22: Poll; BranchUnless j < m, ->50
    23: …; j += 1                          23: …; j += 1
    24: Goto          ->40                 24: sum += x;  Goto ->22
    30: …; i += 1                          30: …; i += 1
    40: sum += x;  Goto ->20               40: sum += x;  Goto ->20

In bytecode no value has to be joined anew where ways meet differently: building the graph does that.
A loop that could be entered in its middle is none that passes understand, so then only branches that no loop
begins with are passed by.  Where ways go past a `Poll`, the loops that are left get one each, at their heads.
None may stand where an exception is pending, so no head may be where one is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from typing import Final, NamedTuple

from doralang.bytecode import instructions as i
from doralang.bytecode.blocks import Block, find_blocks
from doralang.bytecode.entities import FieldRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import INSTRUCTIONS, Instruction, Register, Target
from doralang.bytecode.liveness import analyse
from doralang.bytecode.places import Chain
from doralang.optimizing.build import connect
from doralang.optimizing.dominators import Dominators
from doralang.optimizing.graph import BasicBlock, Graph
from doralang.optimizing.inlining import renamed
from doralang.types.kinds import BOOL
from doralang.types.primitives import PRIMITIVES, Primitive

NOT: Final = PRIMITIVES["bool.not"]
BRANCHES: Final = (i.BranchIf, i.BranchUnless)
STORES: Final = frozenset(one for one in INSTRUCTIONS if one is i.StoreField or one.effects & i.Effect.CALLS)
"""what may change fields"""
SAME_AGAIN: Final = (i.LoadConstant, i.LoadField, i.ArrayLength)
"""what may give the same when it is done again"""
CALLS: Final = (i.Call, i.CallVirtual, i.CallInternal)
MOST_COMPUTED: Final = 6
"""computations that are done on a way of its own"""
LONGEST_WAY: Final = 12
"""blocks that one way goes past"""
MOST_ROUNDS: Final = 3

Comparison = tuple[Primitive, tuple[Register, ...]]


class KnownTerm(NamedTuple):
    """A comparison, or what is compared: a field, the length of an array, a constant."""

    what: object
    inputs: tuple[Register | KnownTerm, ...]

    def mentions(self, register: Register) -> bool:
        return any(
            one.mentions(register) if isinstance(one, KnownTerm) else one == register for one in self.inputs
        )

    @property
    def may_change(self) -> bool:
        """Whether somebody may store something else there."""
        return isinstance(self.what, FieldRef) or any(
            isinstance(one, KnownTerm) and one.may_change for one in self.inputs
        )


Known = dict[Register | KnownTerm, bool | KnownTerm]
"""the truth values of registers and comparisons, as far as they are known, and what else is in registers"""


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
    if (decides_flags(function) or asks_again(function)) and meets_exceptions_at_once(function):
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


def asks_again(function: Function) -> bool:
    """Whether a loop may come to a comparison of a counter again before what that compares is written to."""
    return bool(repeated_comparisons(function))


def repeated_comparisons(function: Function) -> set[Comparison]:
    """Those comparisons."""
    blocks, back = find_blocks(function)
    code = function.code
    counters = {insn.dst for insn in code if isinstance(insn, i.Compute) and insn.dst in insn.args}
    if not back or not counters:
        return set()
    following = {start: after for start, _, after in blocks}
    written = {start: set(map(i.defined, code[start:end])) for start, end, _ in blocks}
    found = set()
    for start, end, _ in blocks:
        asked = comparison(code[start:end])
        if asked is not None and not counters.isdisjoint(asked[1]):
            closed = {one for one in written if not written[one].isdisjoint(asked[1])}
            if comes_back(start, following, closed):
                found.add(asked)
    return found


def comparison(block: list[Instruction]) -> Comparison | None:
    """What a block compares for the branch at its end, if that may be the same when it comes here again."""
    last = block[-1]
    asked = None
    if isinstance(last, BRANCHES):
        for insn in reversed(block):
            dst = i.defined(insn)
            if dst == last.condition and isinstance(insn, i.Compute):
                asked = insn.operation, insn.args
            elif asked is not None and dst in asked[1] and not isinstance(insn, SAME_AGAIN):
                return None
    return asked


def comes_back(start: int, following: dict[int, tuple[int, ...]], closed: set[int]) -> bool:
    """Whether a way leads from a block back to it, but for it through none that is closed."""
    waiting, seen = [*following[start]], set(closed)
    while waiting:
        at = waiting.pop()
        if at == start:
            return True
        if at not in seen:
            seen.add(at)
            waiting += following[at]
    return False


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
        self.repeated = repeated_comparisons(function)
        self.compared = self.find_compared()
        self.constants = self.find_constants()
        self.writes = {start: list(self.writes_of(start)) for start in self.blocks}
        """the instructions of each block that write truth values, or what is compared"""
        self.edges: dict[int, list[Edge]] = {}
        """from each block that can be reached: where a branch leads if it is taken, then where it goes on"""
        self.solve()

    def find_compared(self) -> set[Register]:
        """The registers in comparisons that are asked again, and those of which they are loaded."""
        compared = {register for _, args in self.repeated for register in args}
        loads = [insn for insn in self.function.code if isinstance(insn, i.LoadField | i.ArrayLength)]
        return compared | {register for insn in loads if insn.dst in compared for register in i.used(insn)}

    def find_constants(self) -> dict[Register, KnownTerm]:
        """Of the registers that are compared those that never hold anything else than one number.

        Parameters hold what the caller has given before anything is written to them.
        """
        writes = Counter(i.defined(insn) for insn in self.function.code)
        writes.update(map(Register, range(len(self.function.ref.parameters))))
        return {
            insn.dst: KnownTerm(insn.value, ())
            for insn in self.function.code
            if isinstance(insn, i.LoadConstant) and insn.dst in self.compared and writes[insn.dst] == 1
        }

    def writes_of(self, start: int) -> Iterator[int]:
        code, kinds = self.function.code, self.function.registers
        for index in self.inside(start):
            dst = i.defined(code[index])
            is_written = dst >= 0 and (kinds[dst] is BOOL or dst in self.compared)
            if is_written or (self.compared and type(code[index]) in STORES):
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
            Edge(target, self.assume(known, register, value))
            for target, value in values
            if truth(known, register) in (None, value)
        ]

    def assume(self, known: Known, register: Register, value: bool) -> Known:
        """What is known where a branch has said it of a register."""
        comparison = known.get(register)
        more: Known = {comparison: value} if isinstance(comparison, KnownTerm) else {}
        return {**known, **more, register: value}

    def behind(self, index: int, known: Known) -> Known:
        """What is known behind an instruction that writes a truth value, or what is compared."""
        insn = self.function.code[index]
        dst = i.defined(insn)
        value = self.made(insn, known)
        if isinstance(value, KnownTerm) and value.mentions(dst):
            value = None
        left = self.forget(insn, dst, known)
        return left if value is None else {**left, dst: value}

    def forget(self, insn: Instruction, dst: Register, known: Known) -> Known:
        """What is left of what was known when an instruction has written or stored something."""
        if not self.compared and dst not in known:
            return known
        return {
            one: what
            for one, what in known.items()
            if one != dst and not is_changed(one, insn, dst) and not is_changed(what, insn, dst)
        }

    def made(self, insn: Instruction, known: Known) -> bool | KnownTerm | None:
        """What an instruction writes, if it is known, or may be asked again."""
        match insn:
            case i.LoadConstant(value=bool(value)):
                return value
            case i.Move():
                return known.get(insn.src)
            case i.LoadField():
                return KnownTerm(insn.field, (insn.object,))
            case i.ArrayLength():
                return KnownTerm(i.ArrayLength, (insn.array,))
            case i.Compute(operation=operation) if operation is NOT:
                negated = truth(known, insn.args[0])
                return None if negated is None else not negated
            case i.Compute(operation=operation, args=args) if (operation, args) in self.repeated:
                term = KnownTerm(operation, tuple([self.operand(known, one) for one in args]))
                return known.get(term, term)
        return None

    def operand(self, known: Known, register: Register) -> Register | KnownTerm:
        what = known.get(register)
        return what if isinstance(what, KnownTerm) else self.constants.get(register, register)

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
            value = None if asked is None else truth(known, asked[0])
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
            elif isinstance(insn, i.LoadField | i.ArrayLength):
                if not insn.nonnil:
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
        A loop that had none gets none by a way that leaves it: it may know addresses of objects.
        """
        dominators = Dominators(self.as_graph())
        blocks, code = dominators.order[1:], self.function.code
        polls = {one.number: here[0] for one in blocks if (here := self.polls_in(self.inside(one.number)))}
        heads, polled = set(), frozenset(polls)
        for head, body in dominators.loops.items():
            heads.add(head.number)
            within = {one.number for one in body}
            ways = [edge for start in within for edge in self.edges[start]]
            passed = [
                self.polls_in(edge.copied)
                for edge in ways
                if edge.target in within or not polled.isdisjoint(within)
            ]
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


def truth(known: Known, register: Register) -> bool | None:
    """The truth value in a register, if it is known."""
    value = known.get(register)
    return value if isinstance(value, bool) else None


def in_both(one: Known, other: Known) -> Known:
    return {what: value for what, value in one.items() if other.get(what) == value}


def is_changed(what: Register | bool | KnownTerm, insn: Instruction, dst: Register) -> bool:
    """Whether a term may be another value behind an instruction."""
    return isinstance(what, KnownTerm) and (what.mentions(dst) or (type(insn) in STORES and what.may_change))


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
