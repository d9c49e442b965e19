"""The direct path of formulas on whole numbers and truth values, too; and of all on AArch64.

    n * 2L + m % 3      with n, m: int      ->      a tree with the kind of each node  ->  machine code

The rules by which numbers meet are those of `checker/formulas.py`, as far as this path goes: what has kinds
that do not fit, or needs more than arithmetic, comparison, choice and a mathematical function, is left to the
general path.  So is an operation that fails: the general path computes the formula again and says what it
was.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from doralang.embed import layouts, native_calls
from doralang.embed.direct import (
    FOLDED,
    FUNCTIONS,
    LEVELS,
    LONGEST,
    MOST_VARIABLES,
    RENAMED,
    SIGN,
    Direct,
    DirectCalls,
    NotDirect,
    PlacedFormula,
    Reader,
    packed,
)
from doralang.machine.code import Code, link
from doralang.machine.formula_entries import KIND_BITS, KIND_CODES, MOST_KINDS, FormulaEntry, Layouts
from doralang.machine.formulas import INLINE, Node, OutOfRegisters, TableEntry, TypedFormulaEmitter
from doralang.machine.memory import CELL
from doralang.syntax.words import FORMULA_CONSTANTS
from doralang.types.kinds import BOOL, DOUBLE, INT, LONG, Kind

TOKEN: Final = re.compile(
    r"[ \t\r\n]*(?:([A-Za-z_][A-Za-z0-9_]*)"
    r"|([0-9]+L|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.])"
    r"|(\*\*|[<>=!]=(?!=)|&&|\|\||<>|//|/\*|[-+*/%(),?:<>]|\Z)|(.))",
    re.DOTALL,
)
"""a name, a number, an operator, or something that is left to the general path"""
NUMERIC: Final = (INT, LONG, DOUBLE)
"""by width: where two meet it is in the wider one"""
RANGES: Final = {INT: range(-(1 << 31), 1 << 31), LONG: range(-(1 << 63), 1 << 63)}
LARGE: Final = 1 << 64
"""above all that kinds of whole numbers have, however it is rounded"""
MOST_DIGITS: Final = 18
MANY_DIGITS: Final = 100
"""of numbers that are looked at closely"""
TRUTH: Final = frozenset({"compare", "and", "or", "not"})
"""nodes that no comparison takes"""
WHOLE: Final = {"abs": 1, "clamp": 3}
"""functions that whole numbers have, too, besides `min` and `max`, and how many numbers each takes"""
TO_WHOLE: Final = {"int": INT, "long": LONG}
TO_DOUBLE: Final = frozenset({"double", "float"})


class TypedReader(Reader):
    """A formula that is read into a tree with kinds (`machine/formulas.py`)."""

    __slots__ = ("kinds",)
    token = TOKEN

    def __init__(self, text: str, names: Sequence[str] | None, kinds: Sequence[Kind]) -> None:
        super().__init__(text, names)
        self.kinds = kinds

    # Numbers that meet.

    def number(self, node: Node) -> Node:
        if node[1] not in NUMERIC:
            raise NotDirect
        return node

    def condition(self, node: Node) -> Node:
        if node[1] is not BOOL:
            raise NotDirect
        return node

    def joined(self, operator: str, level: int, left: Node, right: Node) -> Node:
        kind = left[1]
        if kind is right[1] and kind is not BOOL and left[0] != "number" and operator in "+-*":
            return ("binary", kind, operator, left, right)
        if level <= 2:
            return ("or" if level == 1 else "and", BOOL, self.condition(left), self.condition(right))
        if level == 4:
            return self.compared(operator, left, right)
        if left[1] is BOOL or right[1] is BOOL:
            raise NotDirect
        if operator == "**":
            self.calls = True
            return ("function", DOUBLE, "pow", (widened(left, DOUBLE), widened(right, DOUBLE)))
        if operator != "%" and is_plain(left) and is_plain(right):
            raise NotDirect  # exact arithmetic
        kind = common(left, right)
        if operator == "/" and not (asks_whole(left) or asks_whole(right)):
            kind = DOUBLE
        return self.computed(operator, kind, widened(left, kind), widened(right, kind))

    def computed(self, operator: str, kind: Kind, left: Node, right: Node) -> Node:
        if operator == "%" and kind is DOUBLE:
            self.calls = True
            return ("function", DOUBLE, "fmod", (left, right))
        return ("binary", kind, operator, left, right)

    def compared(self, operator: str, left: Node, right: Node) -> Node:
        if left[0] in TRUTH or right[0] in TRUTH:
            raise NotDirect
        if left[1] is BOOL and right[1] is BOOL and operator in ("==", "!="):
            return ("compare", BOOL, operator, BOOL, left, right)
        left, right = as_whole(self.number(left), right[1]), as_whole(self.number(right), left[1])
        kind = common(left, right)
        return ("compare", BOOL, operator, kind, widened(left, kind), widened(right, kind))

    def chosen(self, condition: Node, then: Node, otherwise: Node) -> Node:
        self.condition(condition)
        if then[1] is BOOL and otherwise[1] is BOOL:
            return ("choice", BOOL, condition, then, otherwise)
        kind = common(self.number(then), self.number(otherwise))
        return ("choice", kind, condition, widened(then, kind), widened(otherwise, kind))

    def opposite(self, node: Node) -> Node:
        return ("not", BOOL, self.condition(node))

    def signed(self, operator: str) -> Node:
        self.at += 1
        node = self.number(self.deeper(SIGN))
        if operator == "+":
            return node
        if is_plain(node) and node[2]:
            return ("number", DOUBLE, -node[2], None if node[3] is None else -node[3], True)
        return ("negate", node[1], node)

    # Leaves.

    def leaf(self, level: int) -> Node | None:
        """A variable or a number, if what follows binds no tighter than this level."""
        name, digits, _, _ = self.tokens[self.at]
        _, _, operator, _ = following = self.tokens[self.at + 1]
        if LEVELS.get(operator or following[0], 0) > level or operator == "(":
            return None
        if digits:
            self.at += 1
            return self.literal(digits)
        if not name or name == "not":
            return None
        self.at += 1
        number = self.names.get(name)
        if number is not None and number < len(self.kinds):
            return ("variable", self.kinds[number], number)
        return self.variable(name)

    def literal(self, digits: str) -> Node:
        if digits[-1] == "L":
            whole = int(digits[:-1]) if len(digits) <= MOST_DIGITS else -1
            if whole < 0:
                raise NotDirect
            return ("number", LONG, whole, whole, False)
        value = float(digits)
        if value - value:
            raise NotDirect  # too large
        return ("number", DOUBLE, value, exactly(digits, value), True)

    def variable(self, name: str) -> Node:
        number = self.names.get(name)
        if number is None:
            number = self.new_variable(name)
            if number < 0:
                return ("number", DOUBLE, FORMULA_CONSTANTS[name], None, False)
        return ("variable", self.kinds[number] if number < len(self.kinds) else DOUBLE, number)

    # Functions.

    def called(self, name: str, arguments: list[Node]) -> Node:
        self.functions.add(name)
        if name in TO_WHOLE or name in TO_DOUBLE:
            return self.converted(name, *arguments)
        for argument in arguments:
            self.number(argument)
        name = "" if name == "fmod" else RENAMED.get(name, name)
        if name in FOLDED or name == "sum":
            return self.folded(name, arguments)
        kind = DOUBLE
        if name in WHOLE or name == "fmod":
            kind = meeting(arguments)
        values = tuple([as_kind(argument, kind) for argument in arguments])
        if FUNCTIONS.get(name) != len(arguments):
            raise NotDirect
        if name == "fmod":
            return self.computed("%", kind, *values)
        self.calls = self.calls or name not in INLINE
        return ("function", kind, name, values)

    def folded(self, name: str, arguments: list[Node]) -> Node:
        """`min`, `max` and `sum` of any number of numbers."""
        if len(arguments) < 2:
            raise NotDirect
        kind = max([argument[1] for argument in arguments], key=NUMERIC.index)
        node, *others = [widened(argument, kind) for argument in arguments]
        for other in others:
            if name == "sum":
                node = ("binary", kind, "+", node, other)
            else:
                node = ("function", kind, name, (node, other))
        return node

    def converted(self, name: str, *arguments: Node) -> Node:
        if len(arguments) != 1:
            raise NotDirect
        node = arguments[0]
        kind = TO_WHOLE.get(name, DOUBLE)
        if node[1] is BOOL or (kind is DOUBLE and node[1] is DOUBLE):
            raise NotDirect
        if node[1] is kind:  # whole numbers lack the method, so they have that of doubles
            node = widened(node, DOUBLE)
        return ("convert", kind, node[1], node)


def exactly(digits: str, value: float) -> int | None:
    """The whole number that a plain one is; None if it has a fraction, or is too large for all kinds."""
    if digits.isdigit() and len(digits) <= MOST_DIGITS:
        return int(digits)
    if not value.is_integer() or abs(value) > LARGE:
        return None
    mantissa, _, exponent = digits.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    scale = int(exponent or "0") - len(fraction)
    if len(mantissa) > MANY_DIGITS or abs(scale) > MANY_DIGITS:
        raise NotDirect
    number, rest = divmod(int(whole + fraction) * 10 ** max(scale, 0), 10 ** max(-scale, 0))
    return None if rest else number


def is_plain(node: Node) -> bool:
    """Whether a number is written as it is: with others of its kind it is computed exactly."""
    return node[0] == "number" and bool(node[4])


def asks_whole(node: Node) -> bool:
    """Whether a number is written as a whole one (`2L`, `-2L`)."""
    while node[0] == "negate":
        node = node[2]
    return node[0] == "number" and node[1] is LONG


def common(left: Node, right: Node) -> Kind:
    """The kind in which two numbers meet."""
    one: Kind = left[1]
    other: Kind = right[1]
    if one is other:
        return one
    return one if NUMERIC.index(one) >= NUMERIC.index(other) else other


def widened(node: Node, kind: Kind) -> Node:
    """A number as one of this kind, which is as wide at least."""
    if node[1] is kind:
        return node
    if node[0] == "number":
        return ("number", kind, float(node[2]) if kind is DOUBLE else node[2], None, False)
    return ("convert", kind, node[1], node)


def as_whole(node: Node, kind: Kind) -> Node:
    """A plain whole number as one of the kind that it meets, if that has it."""
    if kind in RANGES and is_plain(node) and node[3] is not None and node[3] in RANGES[kind]:
        return ("number", kind, node[3], None, False)
    return node


def as_kind(node: Node, kind: Kind) -> Node:
    return widened(as_whole(node, kind), kind)


def goes(node: Node, kind: Kind) -> bool:
    """Whether an argument can be of this kind."""
    if is_plain(node):
        return kind is DOUBLE or as_whole(node, kind) is not node
    return NUMERIC.index(node[1]) <= NUMERIC.index(kind)


def meeting(arguments: Sequence[Node]) -> Kind:
    """The kind of the first number that a function has for such others, too."""
    first, *others = arguments
    widest = max([argument[1] for argument in arguments], key=NUMERIC.index)
    return next(kind for kind in (first[1], widest, DOUBLE) if all(goes(one, kind) for one in others))


# Code.

KINDS: Final[dict[object, Kind]] = {
    **dict.fromkeys((int, "int"), INT),
    **dict.fromkeys((float, "float", "double"), DOUBLE),
    **dict.fromkeys((bool, "bool"), BOOL),
    "long": LONG,
}
"""the kinds of variables that this path has, as they are given"""


def compile_typed(
    text: str, names: Sequence[str] | None, given: Sequence[object], place: DirectCalls
) -> Direct | None:
    """The code of a formula whose first variables are of these kinds, all others doubles.

    None if the general path has to see to it.
    """
    kinds, bits = kinds_of(tuple(given))
    if len(text) > LONGEST or any(kind is not DOUBLE for kind in kinds[MOST_KINDS:]):
        return None
    reader = TypedReader(text, names, kinds)
    known = len(reader.names)
    try:
        node = reader.formula()
        if names is not None and len(reader.names) != known:
            return None
        emitter = TypedFormulaEmitter(place.target.assembler(), reader.calls)
        code = emitter.finish(node)
    except (NotDirect, OutOfRegisters, IndexError):
        return None
    variables = tuple(map(sys.intern, reader.names))
    placed, kind = placed_formula(code, emitter.table(), place), node[1]
    entry = place.typed_entries.get(kind.value) or new_entry(kind, place)
    types = [kind.value for kind in kinds] + ["double"] * (len(variables) - len(kinds))
    return Direct(variables, kind.value, placed, entry, tuple(types), bits)


@lru_cache
def kinds_of(given: tuple[object, ...]) -> tuple[tuple[Kind, ...], int]:
    """Kinds as somebody has given them, and the same for the entry."""
    kinds = tuple([KINDS[kind] for kind in given])
    return kinds, sum(KIND_CODES[kind] << KIND_BITS * number for number, kind in enumerate(kinds))


def placed_formula(code: Code, table: bytes, place: DirectCalls) -> PlacedFormula:
    """Code where it can run, with its constants apart from it."""

    def linked(address: int, constants: int) -> bytearray:
        def resolve(symbol: object) -> int:
            if isinstance(symbol, TableEntry):
                return constants + CELL * symbol
            return place.function(str(symbol))

        return link(code, address, resolve)

    size = len(code.data)
    return PlacedFormula(packed(place.place_linked(size, table, linked, 1), size))


def new_entry(kind: Kind, place: DirectCalls) -> int:
    """What CPython calls for formulas with a result of this kind."""
    items = layouts.tuple_items()
    assert items is not None, "the direct path is possible"
    entry = FormulaEntry(
        place.target.assembler(),
        Layouts(
            by_tag=layouts.int_layout() is layouts.IntLayout.TAG,
            items=items,
            type=layouts.TYPE,
            value=layouts.FLOAT_VALUE,
            digit=layouts.INT_DIGIT,
            tuple_size=layouts.TUPLE_SIZE,
            most_variables=MOST_VARIABLES,
            variables=native_calls.THREAD,
            code=native_calls.CELL,
            kinds=native_calls.TEXT_SHAPE,
            names=native_calls.NAMES,
        ),
    )
    code = entry.code(kind)
    address = place.arena.allocate(len(code.data))
    place.arena.write(address, link(code, address, lambda symbol: place.symbol(str(symbol))))
    place.typed_entries[kind.value] = address
    return address
