"""Behind the graph: a loop down a column asks once whether all rows are long enough.

                                               m = the least length of b[0] … b[n - 1]; 0 if one is nil
    J: …                                    J: …
       k = 0;  Goto ->H                        k = 0;  if j < 0 or m <= j ->S;  Goto ->H
    B: LoadElement  row, b, k               B: LoadElement  row, b, k
       LoadElement  x, row, j                  LoadElement  x, row, j, nonnil, unchecked
       k = k + 1                               k = k + 1
    H: Poll                                 H: Poll
       less = k < n;  BranchIf less ->B        less = k < n;  BranchIf less ->B
       …                                       Goto ->E
                                            S: the loop as it was
                                            E: …

The length of a row stands in front of its elements, in another line of the cache than what is wanted, so that
a bounds check in each row costs as much as the access; and it may fail, so the loop is no strip.  Rows are
looked at once before the loop around, each round of which goes down a column: that holds as long as nothing
calls, or stores references into arrays.  What could have failed does so in the loop as it was.

It is done only where that is worth while: the loop around has some rounds to go, each of them comes through
the whole loop within, which begins at a constant, and there is no other way out.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from doralang.bytecode import instructions as i
from doralang.bytecode.definition import defined, target_of
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Instruction, Register, Target
from doralang.optimizing.code_writer import CodeWriter
from doralang.optimizing.counted_loops import COUNTED, PLUS
from doralang.optimizing.strips import row
from doralang.types.kinds import BOOL, INT, REF, Kind
from doralang.types.primitives import PRIMITIVES

FEWEST: Final = 8
"""rounds of the loop around for which it is worth while to look at all rows"""
LONGEST: Final = 40
"""instructions of the loop within"""
GREATEST: Final = (1 << 31) - 1
"""int"""
LESS: Final = frozenset(PRIMITIVES[f"{kind.value}.less"] for kind in COUNTED)
GREATER: Final = frozenset(PRIMITIVES[f"{kind.value}.greater"] for kind in COUNTED)
KEEPS_ROWS: Final = frozenset(
    [
        *(
            i.LoadConstant,
            i.Move,
            i.Same,
            i.Compute,
            i.Poll,
            i.Goto,
            i.BranchIf,
            i.BranchUnless,
            i.BranchEqual,
        ),
        *(i.LoadElement, i.StoreElement, i.ArrayLength, i.LoadField, i.StoreField, i.LoadGlobal, i.CheckNil),
    ]
)
"""instructions after which the rows of an array are what they were, if no reference is stored into one"""


class NestedLoop(NamedTuple):
    """A loop that is entered at its head and left there; places in the code."""

    body: int
    head: int
    branch: int
    """back to the body, its last instruction"""

    @property
    def entry(self) -> int:
        """The jump into the loop."""
        return self.body - 1


class Column(NamedTuple):
    """What a loop down a column goes through."""

    array: Register
    """of rows"""
    element: Register
    """in each row"""


class ColumnLoop(NamedTuple):
    """A loop down columns, in a loop that does not change the rows."""

    outer: NestedLoop
    inner: NestedLoop
    start: int
    """the first row"""
    columns: dict[int, Column]
    """by the place of the access"""

    @property
    def arrays(self) -> list[Register]:
        return sorted({column.array for column in self.columns.values()})


def check_columns(function: Function) -> tuple[Function, int]:
    """The function with loops that do not look at the lengths of rows, and how many there are."""
    found = find_column_loops(function)
    if not found:
        return function, 0
    return ColumnWriter(function).run(found), len(found)


# Which loops.


def find_column_loops(function: Function) -> list[ColumnLoop]:
    loops = find_loops(function.code)
    found = []
    for inner in loops:
        around = [outer for outer in loops if outer.body < inner.entry and inner.branch < outer.head]
        if around and inner.branch - inner.body < LONGEST:
            loop = column_loop(function, min(around, key=lambda one: one.branch - one.body), inner)
            if loop is not None:
                found.append(loop)
    return found


def find_loops(code: list[Instruction]) -> list[NestedLoop]:
    entries: dict[int, list[int]] = {}
    for index, insn in enumerate(code):
        target = target_of(insn)
        if target is not None:
            entries.setdefault(target, []).append(index)
    found = []
    for branch, insn in enumerate(code):
        if isinstance(insn, i.BranchIf) and 0 < insn.target < branch:
            body = insn.target
            head = target_of(code[body - 1]) if isinstance(code[body - 1], i.Goto) else None
            if head is None or not body < head < branch or not isinstance(code[head], i.Poll):
                continue
            if is_closed(code, entries, NestedLoop(body, head, branch)):
                found.append(NestedLoop(body, head, branch))
    return found


def is_closed(code: list[Instruction], entries: dict[int, list[int]], loop: NestedLoop) -> bool:
    """Whether a loop is entered by its entry and left by its last branch, and by nothing else."""
    inside = range(loop.body, loop.branch + 1)
    for place in inside:
        target = target_of(code[place])
        if code[place].leaves and (target is None or target not in inside):
            return False
        if any(source not in inside and source != loop.entry for source in entries.get(place, ())):
            return False
    return not any(code[place].leaves for place in range(loop.head, loop.branch))


def column_loop(function: Function, outer: NestedLoop, inner: NestedLoop) -> ColumnLoop | None:
    """The loop within, if it goes down columns, and all of it in each round of the one around."""
    code = function.code
    around, within = code[outer.body : outer.branch + 1], code[inner.body : inner.branch + 1]
    changed = set(map(defined, around))
    rounds, steps = bounds_of(code, outer.head, outer.branch), bounds_of(code, inner.head, inner.branch)
    if rounds is None or steps is None or any(code[place].leaves for place in range(inner.body, inner.head)):
        return None
    counter, limit = steps
    kinds = function.registers
    start = start_of(function, outer, inner, counter)
    if start is None or kinds[counter] is not INT or kinds[rounds[0]] is not INT:
        return None
    in_head = set(map(defined, code[outer.head : outer.branch]))
    if {limit, rounds[1]} & changed or rounds[0] in in_head or not steps_by_one(within, counter):
        return None
    if not is_in_each_round(code, outer, inner) or not all(keeps_rows(kinds, insn) for insn in around):
        return None
    columns = find_columns(kinds, code, inner, counter, changed)
    return ColumnLoop(outer, inner, start, columns) if columns else None


def bounds_of(code: list[Instruction], head: int, branch: int) -> tuple[Register, Register] | None:
    """What the head of a loop compares: a counter, and what that is to be less than."""
    compare, last = code[branch - 1], code[branch]
    if head >= branch - 1 or not isinstance(compare, i.Compute) or not isinstance(last, i.BranchIf):
        return None
    if compare.dst != last.condition or compare.operation not in LESS | GREATER:
        return None
    left, right = compare.args
    return (left, right) if compare.operation in LESS else (right, left)


def start_of(function: Function, outer: NestedLoop, inner: NestedLoop, counter: Register) -> int | None:
    """The constant at which a loop begins to count, if it is one and not negative."""
    for place in range(inner.entry - 1, outer.body - 1, -1):
        insn = function.code[place]
        if insn.leaves:
            return None
        if defined(insn) == counter:
            value = insn.value if isinstance(insn, i.LoadConstant) else None
            return value if type(value) is int and value >= 0 else None
        if place in function.targets:
            return None
    return None


def steps_by_one(within: list[Instruction], counter: Register) -> bool:
    """Whether a counter that is less than something at the head is changed once, by one more."""
    changes = [place for place, insn in enumerate(within) if defined(insn) == counter]
    if len(changes) != 1:
        return False
    change = within[changes[0]]
    if not isinstance(change, i.Compute) or change.operation not in PLUS or counter not in change.args:
        return False
    (step,) = [one for one in change.args if one != counter] or [counter]
    values = [insn for insn in within if defined(insn) == step]
    return len(values) == 1 and isinstance(values[0], i.LoadConstant) and values[0].value == 1


def is_in_each_round(code: list[Instruction], outer: NestedLoop, inner: NestedLoop) -> bool:
    """Whether no jump passes the loop within by, or what its counter begins with."""
    before = range(outer.body, inner.entry)
    targets = [target_of(code[place]) for place in before]
    return all(target is None or target < inner.entry for target in targets)


def keeps_rows(kinds: list[Kind], insn: Instruction) -> bool:
    if isinstance(insn, i.StoreElement) and kinds[insn.value] is REF:
        return False
    return type(insn) in KEEPS_ROWS


def find_columns(
    kinds: list[Kind], code: list[Instruction], inner: NestedLoop, counter: Register, changed: set[Register]
) -> dict[int, Column]:
    """The accesses to the same element of each row, behind the load of the row."""
    written = [defined(insn) for insn in code[inner.body : inner.branch + 1]]
    rows: dict[Register, Register] = {}
    found = {}
    for place in range(inner.body, inner.head):
        insn = code[place]
        if defined(insn) == counter:
            break
        if not isinstance(insn, i.LoadElement | i.StoreElement):
            continue
        if insn.array in rows and insn.index not in written and not insn.unchecked:
            found[place] = Column(rows[insn.array], insn.index)
        to = defined(insn)
        is_row = to != NO_REGISTER and kinds[to] is REF and written.count(to) == 1
        if is_row and insn.index == counter and insn.array not in changed:
            rows[to] = insn.array
    return found


# Writing them.


class ColumnWriter(CodeWriter):
    """Writes a function anew."""

    def run(self, loops: list[ColumnLoop]) -> Function:
        outer: dict[int, list[ColumnLoop]] = {}
        for loop in loops:
            outer.setdefault(loop.outer.entry, []).append(loop)
        inner = {loop.inner.entry: loop for loop in loops}
        least: dict[tuple[int, Register], Register] = {}
        """the length of the shortest row, for a loop and an array"""
        index = 0
        while index < len(self.function.code):
            start = len(self.code)
            for loop in outer.get(index, ()):
                for array in loop.arrays:
                    least[loop.inner.entry, array] = LeastLength(self, loop, array).write()
            if index in inner:
                self.write_loop(inner[index], least)
                index = inner[index].inner.branch
            else:
                self.copy(index)
            self.places[index] = start
            index += 1
        return self.finish()

    def write_loop(self, loop: ColumnLoop, least: dict[tuple[int, Register], Register]) -> None:
        """Both loops, and the question which of them it is to be."""
        inner = loop.inner
        self.places[inner.entry] = len(self.code)
        refused = []
        for column in sorted(set(loop.columns.values())):
            length = least[inner.entry, column.array]
            refused += self.write_question(inner.entry, column.element, length)
        self.write_copy(loop, is_checked=False)
        behind = self.emit(i.Goto(Target(0)), inner.branch)
        self.aim_all(refused)
        self.write_copy(loop, is_checked=True)
        self.aim(behind, len(self.code))

    def write_question(self, origin: int, index: Register, length: Register) -> list[int]:
        """Branches that are taken where the index is not in all rows."""
        zero, is_negative, is_inside = self.register(INT), self.register(BOOL), self.register(BOOL)
        self.emit(i.LoadConstant(zero, 0), origin)
        self.emit(i.Compute(is_negative, row(INT, "less"), (index, zero)), origin)
        negative = self.emit(i.BranchIf(is_negative, Target(0)), origin)
        self.emit(i.Compute(is_inside, row(INT, "less"), (index, length)), origin)
        return [negative, self.emit(i.BranchUnless(is_inside, Target(0)), origin)]

    def write_copy(self, loop: ColumnLoop, *, is_checked: bool) -> None:
        inner, code = loop.inner, self.function.code
        entry = self.emit(i.Goto(Target(0)), inner.entry)
        body = len(self.code)
        for place in range(inner.body, inner.branch):
            if place == inner.head:
                self.aim(entry, len(self.code))
            is_free = place in loop.columns and not is_checked
            self.emit(unchecked(code[place]) if is_free else code[place], place)
        branch = code[inner.branch]
        assert isinstance(branch, i.BranchIf)
        self.emit(i.BranchIf(branch.condition, Target(body)), inner.branch)


def unchecked(insn: Instruction) -> Instruction:
    """An access to an element that is there."""
    if isinstance(insn, i.LoadElement):
        return i.LoadElement(insn.dst, insn.array, insn.index, True, True)
    assert isinstance(insn, i.StoreElement), "it is an access"
    return i.StoreElement(insn.array, insn.index, insn.value, True, True)


class LeastLength:
    """Writes a loop that looks for the shortest of the rows that another one will go through."""

    def __init__(self, writer: ColumnWriter, loop: ColumnLoop, array: Register) -> None:
        self.writer, self.loop, self.array = writer, loop, array
        self.origin = loop.outer.entry
        self.nil = writer.register(REF)
        self.least = writer.register(INT)
        self.done: list[int] = []
        """branches taken where nothing is known"""

    def write(self) -> Register:
        """The register with the length; 0 if there is a nil, and if it is not worth while to look."""
        self.constant(0, self.least)
        code = self.writer.function.code
        bounds = bounds_of(code, self.loop.outer.head, self.loop.outer.branch)
        assert bounds is not None, "it counts"
        counter, limit = bounds
        left = self.compute("minus", limit, counter)
        self.done.append(self.branch_if(self.compute("less", left, self.constant(FEWEST))))
        self.emit(i.LoadConstant(self.nil, None))
        self.done.append(self.branch_if(self.is_nil(self.array)))
        self.write_rows(self.end())
        self.writer.aim_all(self.done)
        return self.least

    def end(self) -> Register:
        """Where the loop within ends: at its limit or with the array."""
        code, inner = self.writer.function.code, self.loop.inner
        bounds = bounds_of(code, inner.head, inner.branch)
        assert bounds is not None, "it counts"
        end, length = self.writer.register(INT), self.writer.register(INT)
        self.emit(i.Move(end, bounds[1]))
        self.emit(i.ArrayLength(length, self.array, True))
        self.make_less(end, length)
        return end

    def write_rows(self, end: Register) -> None:
        at, one = self.constant(self.loop.start), self.constant(1)
        self.done.append(self.branch_if(self.compute("greaterEquals", at, end)))
        self.constant(GREATEST, self.least)
        again = len(self.writer.code)
        self.emit(i.Poll())
        found, length = self.writer.register(REF), self.writer.register(INT)
        self.emit(i.LoadElement(found, self.array, at, True, True))
        missing = self.branch_if(self.is_nil(found))
        self.emit(i.ArrayLength(length, found, True))
        self.make_less(self.least, length)
        self.emit(i.Compute(at, row(INT, "plus"), (at, one)))
        self.writer.aim(self.branch_if(self.compute("less", at, end)), again)
        self.done.append(self.emit(i.Goto(Target(0))))
        self.writer.aim_all([missing])
        self.constant(0, self.least)

    def make_less(self, register: Register, other: Register) -> None:
        """Let a register be the smaller one of two."""
        is_less = self.compute("less", other, register)
        skip = self.emit(i.BranchUnless(is_less, Target(0)))
        self.emit(i.Move(register, other))
        self.writer.aim_all([skip])

    def is_nil(self, register: Register) -> Register:
        to = self.writer.register(BOOL)
        self.emit(i.Same(to, register, self.nil))
        return to

    def branch_if(self, condition: Register) -> int:
        return self.emit(i.BranchIf(condition, Target(0)))

    def emit(self, insn: Instruction) -> int:
        return self.writer.emit(insn, self.origin)

    def compute(self, name: str, left: Register, right: Register) -> Register:
        operation = row(INT, name)
        to = self.writer.register(operation.result)
        self.emit(i.Compute(to, operation, (left, right)))
        return to

    def constant(self, value: int, register: Register = NO_REGISTER) -> Register:
        register = self.writer.register(INT) if register == NO_REGISTER else register
        self.emit(i.LoadConstant(register, value))
        return register
