"""The direct path: a formula on doubles, from its text to machine code in one go.

    compile_direct("a * (b + 1)", None)     ->      Direct(("a", "b"), "double", PlacedFormula(…), …)

What is not arithmetic, comparison, choice or a mathematical function is left to the general path
(`embed/expressions.py`), and so is everything that is wrong: None is returned.  Both must give the same bits
(`tests/fuzz/formulas.py`).  Little is imported, as the first formula of a process waits for it; whole numbers
and other processors than x86-64 are a matter of `embed/direct_typed.py`.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
import sys
from typing import NamedTuple

from doralang.locks import Lock
from doralang.machine.foreign import copy
from doralang.machine.memory import CELL, CodeArena
from doralang.machine.targets import host
from doralang.machine.x64.doubles import FormulaEmitter, TooDeep, entry
from doralang.optional import load
from doralang.syntax.words import FORMULA_CONSTANTS, FORMULA_WORDS, KEYWORDS, KNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doralang.machine.x64.doubles import Node

LONGEST = 2000
"""characters; longer formulas have the limits of the general path"""
MOST_VARIABLES = 200
DEEPEST = 40
"""levels of brackets, prefixes and powers"""

TOKEN = re.compile(
    r"[ \t\r\n]*(?:([A-Za-z_][A-Za-z0-9_]*)|([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.])"
    r"|(\*\*|[<>=!]=(?!=)|&&|\|\||<>|//|/\*|[-+*/%(),?:<>]|\Z)|(.))",
    re.DOTALL,
)
"""a name, a number, an operator, or something that is left to the general path"""

LEVELS = {
    **dict.fromkeys(("or", "||"), 1),
    **dict.fromkeys(("and", "&&"), 2),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 4),
    **dict.fromkeys("+-", 5),
    **dict.fromkeys("*/%", 6),
    "**": 8,
}
NOT = 3
SIGN = 7
TRUTH = frozenset({"compare", "and", "or", "not"})
"""nodes that are conditions"""

ONE_NUMBER = """
    abs acos asin atan cbrt ceil cos cosh exp expm1 floor log log10
    log1p log2 round sin sinh sqrt tan tanh trunc
"""
FUNCTIONS = {
    **dict.fromkeys(ONE_NUMBER.split(), 1),
    **dict.fromkeys(("atan2", "fmod", "hypot", "pow"), 2),
    "clamp": 3,
}
"""functions, and how many numbers each takes"""
RENAMED = {"ln": "log", "ceiling": "ceil", "power": "pow", "mod": "fmod"}
FOLDED = ("min", "max")
INLINE = frozenset({"sqrt", "abs", "min", "max", "clamp"})
"""functions that are not called"""
NO_VARIABLES = KEYWORDS | KNOWN | {*FORMULA_WORDS, "_"}


class NotDirect(Exception):
    """The general path has to see to it."""


class Reader:
    """A formula that is read, token by token, into a small tree (`machine/x64/doubles.py`)."""

    __slots__ = ("at", "calls", "depth", "functions", "names", "tokens", "truth")
    token = TOKEN

    def __init__(self, text: str, names: Sequence[str] | None) -> None:
        self.tokens = self.token.findall(text)
        self.at = 0
        self.depth = 0
        self.names: dict[str, int] = {}
        """variables and their numbers"""
        if names is not None:
            for name in names:
                self.names[name] = len(self.names)
        self.functions: set[str] = set()
        self.calls = False

    def formula(self) -> Node:
        node = self.expression()
        if self.tokens[self.at] != END or not self.functions.isdisjoint(self.names):
            raise NotDirect
        return node

    def expression(self) -> Node:
        node = self.binary(1)
        if self.tokens[self.at][2] != "?":
            return node
        self.at += 1
        then = self.expression()
        self.expect(":")
        return self.chosen(node, then, self.expression())

    def chosen(self, condition: Node, then: Node, otherwise: Node) -> Node:
        return ("choice", self.condition(condition), self.number(then), self.number(otherwise))

    def opposite(self, node: Node) -> Node:
        return ("not", self.condition(node))

    def expect(self, operator: str) -> None:
        if self.tokens[self.at][2] != operator:
            raise NotDirect
        self.at += 1

    def number(self, node: Node) -> Node:
        if node[0] in TRUTH:
            raise NotDirect
        return node

    def condition(self, node: Node) -> Node:
        if node[0] not in TRUTH:
            raise NotDirect
        return node

    def binary(self, least: int) -> Node:
        """Operands joined by operators of at least this level."""
        name, _, operator = self.tokens[self.at][:3]
        if operator == "-" or operator == "+":
            node = self.signed(operator)
        elif name == "not" and least <= NOT:
            self.at += 1
            node = self.opposite(self.deeper(NOT))
        else:
            node = self.atom()
        while True:
            token = self.tokens[self.at]
            operator = token[2] or token[0]
            level = LEVELS.get(operator, 0)
            if level < least or not level:
                return node
            self.at += 1
            if operator == "%" and self.tokens[self.at][2] in ("+", "-"):
                raise NotDirect  # a percentage, perhaps
            right = self.leaf(level)
            if right is None:
                right = self.binary(level + 1) if level < 8 else self.deeper(8)
            node = self.joined(operator, level, node, right)

    def leaf(self, level: int) -> Node | None:
        """A variable or a number, if what follows binds no tighter than this level.  Most are so."""
        name, digits, _, _ = self.tokens[self.at]
        _, _, operator, _ = following = self.tokens[self.at + 1]
        if LEVELS.get(operator or following[0], 0) > level or operator == "(":
            return None
        if digits:
            return self.atom()
        if not name or name == "not":
            return None
        self.at += 1
        number = self.names.get(name)
        return self.variable(name) if number is None else ("variable", number)

    def joined(self, operator: str, level: int, left: Node, right: Node) -> Node:
        if level <= 2:
            return ("or" if level == 1 else "and", self.condition(left), self.condition(right))
        if left[0] in TRUTH or right[0] in TRUTH:
            raise NotDirect
        if level == 4:
            return ("compare", operator, left, right)
        if operator == "**" or operator == "%":
            self.calls = True
            return ("function", "pow" if operator == "**" else "fmod", (left, right))
        if is_plain(left) and is_plain(right):
            raise NotDirect  # exact arithmetic
        return ("binary", operator, left, right)

    def deeper(self, least: int) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotDirect
        node = self.binary(least)
        self.depth -= 1
        return node

    def signed(self, operator: str) -> Node:
        self.at += 1
        node = self.number(self.deeper(SIGN))
        if operator == "+":
            return node
        if is_plain(node) and node[1]:
            return ("number", -node[1], True)
        return ("negate", node)

    def atom(self) -> Node:
        name, digits, operator, _ = self.tokens[self.at]
        self.at += 1
        if name:
            following = self.tokens[self.at][2] if self.at < len(self.tokens) else ""
            return self.call(name) if following == "(" else self.variable(name)
        if digits:
            return self.literal(digits)
        if operator != "(":
            raise NotDirect
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotDirect
        node = self.expression()
        self.depth -= 1
        self.expect(")")
        return node

    def literal(self, digits: str) -> Node:
        value = float(digits)
        if value - value:
            raise NotDirect  # too large
        return ("number", value, True)

    def variable(self, name: str) -> Node:
        number = self.names.get(name)
        if number is None:
            number = self.new_variable(name)
            if number < 0:
                return ("number", FORMULA_CONSTANTS[name], False)
        return ("variable", number)

    def new_variable(self, name: str) -> int:
        """The number of a new variable; -1 for a constant."""
        if name in FORMULA_CONSTANTS:
            self.functions.add(name)  # no variable may have its name
            return -1
        if name in NO_VARIABLES or len(self.names) >= MOST_VARIABLES:
            raise NotDirect
        self.names[name] = number = len(self.names)
        return number

    def call(self, name: str) -> Node:
        arguments = self.arguments()
        if name == "if":
            if len(arguments) != 3:
                raise NotDirect
            return self.chosen(*arguments)
        return self.called(name, arguments)

    def called(self, name: str, arguments: list[Node]) -> Node:
        """A function of this name on these."""
        self.functions.add(name)
        for argument in arguments:
            self.number(argument)
        name = "" if name == "fmod" else RENAMED.get(name, name)
        if name in FOLDED and len(arguments) > 1:
            node, *others = arguments
            for argument in others:
                node = ("function", name, (node, argument))
            return node
        if FUNCTIONS.get(name) != len(arguments):
            raise NotDirect
        self.calls = self.calls or name not in INLINE
        return ("function", name, tuple(arguments))

    def arguments(self) -> list[Node]:
        self.at += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotDirect
        arguments = [self.expression()]
        while self.tokens[self.at][2] == ",":
            self.at += 1
            arguments.append(self.expression())
        self.expect(")")
        self.depth -= 1
        return arguments


END = ("", "", "", "")


def is_plain(node: Node) -> bool:
    """Whether a number is written as it is: with others of its kind it is computed exactly."""
    return node[0] == "number" and bool(node[2])


# Code.

ARENA = 64 << 20
"""bytes of addresses for the code of formulas"""


SIZE_BITS = 20

TYPES = ("double", "bool")
"""of results, by whether they are truth values"""
TYPED = "doralang.embed.direct_typed"
NO_TABLE = 0, 0
"""of code without constants"""


class PlacedFormula(int):
    """Code that has been placed, as one number: its address and its size.  It is freed with the object."""

    __slots__ = ()
    formulas = 1
    """how many it counts as"""

    @property
    def address(self) -> int:
        return self >> SIZE_BITS

    @property
    def size(self) -> int:
        return self & (1 << SIZE_BITS) - 1

    def __del__(self) -> None:
        if PLACES:  # else the interpreter is about to end
            PLACES[0].condemn(self.address, self.size, self.formulas)


class PlacedKernel(PlacedFormula):
    """A kernel of a formula, which is counted already."""

    __slots__ = ()
    formulas = 0


def packed(address: int, size: int) -> int:
    """Address and size as one number."""
    assert size < 1 << SIZE_BITS, "code of formulas is short"
    return address << SIZE_BITS | size


class Direct(NamedTuple):
    """What has taken the direct path."""

    names: tuple[str, ...]
    type: str
    """of the result"""
    code: PlacedFormula
    entry: int
    """the address of what CPython calls"""
    kinds: tuple[str, ...] | None
    """the types of the variables; none where all are doubles and packed code computes arrays"""
    kind_bits: int
    """the same for the entry"""


class DirectCalls:
    """Where the code of formulas is, and what CPython calls to get there."""

    def __init__(self, slow: object, by_tag: bool, items: int) -> None:
        self.slow = slow
        target = host()
        assert target is not None, "the direct path is possible"
        self.target = target
        self.arena = CodeArena(ARENA)
        self.libm = ctypes.CDLL("libm.so.6")
        self.addresses: dict[str, int] = {}
        self.condemned: list[tuple[int, int, int]] = []
        """code that nobody needs any more"""
        self.tables: dict[int, tuple[int, int]] = {}
        """address and size of the constants of code, by its address"""
        self.used = self.formulas = 0
        """bytes of code with its constants, and of how many formulas"""
        self.lock = Lock()
        self.collecting = False
        """whether Python's collector of cycles is at work"""
        gc.callbacks.append(self.note_collection)
        os.register_at_fork(after_in_child=self.after_fork)

        self.entries: list[int] = []
        """what CPython calls for doubles: to get a number, or a truth value; none but for x86-64"""
        self.typed_entries: dict[str, int] = {}
        """what it calls for others, by the type of the result; made when first needed"""
        if is_quick():
            made = [entry(truth, by_tag, items, self.symbol) for truth in (False, True)]
            self.entries = [self.arena.place(code) for code in made]

    def symbol(self, name: str) -> int:
        """The address of an object or a function of CPython."""
        found = OBJECTS.get(name) or ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
        assert found, "CPython has it"
        return id(self.slow) if name == "SLOW" else found

    def function(self, name: str) -> int:
        """The address of a function of the C library."""
        address = self.addresses.get(name)
        if address is None:
            found = ctypes.cast(getattr(self.libm, name), ctypes.c_void_p).value
            assert found, "the C library has it"
            address = self.addresses[name] = found
        return address

    def place(self, code: bytearray, formulas: int = 1) -> int:
        if self.condemned:
            self.reap()
        self.used += len(code)
        self.formulas += formulas
        return self.arena.place(code)

    def place_apart(self, size: int, table: bytes, code: Callable[[int], bytearray], formulas: int) -> int:
        """Place code of this size, and its constants where nothing can be run; `code` gets their distance."""
        return self.place_linked(size, table, lambda address, constants: code(constants - address), formulas)

    def place_linked(
        self, size: int, table: bytes, code: Callable[[int, int], bytearray], formulas: int
    ) -> int:
        """The same where `code` gets its own address and that of the constants."""
        if self.condemned:
            self.reap()
        arena, length = self.arena, len(table) + CELL if table else 0
        address, constants = arena.allocate(size), 0
        if table:
            room = arena.data.allocate(length)
            constants = room + CELL & -2 * CELL
            copy(constants, table, len(table))
            self.tables[address] = room, length
        arena.write(address, code(address, constants))
        self.used += size + length
        self.formulas += formulas
        return address

    def condemn(self, address: int, size: int, formulas: int) -> None:
        """The last reference to a formula is gone: free its code.

        While Python's collector of cycles is at work that is done later: finalizers that it has still to call
        may call the formula.
        """
        self.condemned.append((address, size, formulas))
        self.reap()

    def after_fork(self) -> None:
        """In a child, which has none of the threads that may have held the lock."""
        self.lock = Lock()

    def note_collection(self, phase: str, info: dict[str, int]) -> None:
        self.collecting = phase == "start"
        if self.condemned and not self.collecting:
            self.reap()

    def reap(self) -> None:
        """Free what is condemned, unless another thread is at it: then that one looks at the list once more
        when it is done.  Ctrl-C may come anywhere, and never leaves the lock taken."""
        if self.is_mine():
            return
        try:
            while self.condemned and not self.collecting and self.lock.acquire(blocking=False):
                if self.condemned:
                    self.free(*self.condemned.pop())
                self.lock.release()
        finally:
            if self.is_mine():
                self.lock.release()

    def is_mine(self) -> bool:
        """Whether this thread has the lock."""
        return bool(self.lock._is_owned())  # type: ignore[attr-defined]

    def free(self, address: int, size: int, formulas: int) -> None:
        constants, length = self.tables.pop(address, NO_TABLE)
        self.used -= size + length
        self.formulas -= formulas
        if length:
            self.arena.free_data(constants, length)
        self.arena.free(address, size)


OBJECTS = {
    "SLOW": -1,
    "PyFloat_Type": id(float),
    "PyLong_Type": id(int),
    "_Py_TrueStruct": id(True),
    "_Py_FalseStruct": id(False),
}
"""what code refers to besides functions; what is called slowly is each one's own"""
PLACES: list[DirectCalls] = []
"""the one of the process, once there is a formula"""


def compile_direct(text: str, names: Sequence[str] | None, place: DirectCalls) -> Direct | None:
    """The code of a formula whose variables are doubles: these, or those that it names.

    None if the general path has to see to it.
    """
    if len(text) > LONGEST:
        return None
    if not place.entries:
        return compile_typed(text, names, (), place)
    reader = Reader(text, names)
    known = len(reader.names)
    try:
        node = reader.formula()
        if names is not None and len(reader.names) != known:
            return None
        truth = node[0] in TRUTH
        emitter = FormulaEmitter(place.function)
        code = emitter.finish(node, reader.calls, truth)
    except (NotDirect, TooDeep, IndexError):
        return compile_typed(text, names, (), place) if "L" in text else None
    table = b"".join(emitter.constants)
    address = place.place_apart(len(code), table, emitter.bound, 1) if table else place.place(code)
    formula = PlacedFormula(packed(address, len(code)))
    return Direct(tuple(map(sys.intern, reader.names)), TYPES[truth], formula, place.entries[truth], None, 0)


def compile_typed(
    text: str, names: Sequence[str] | None, kinds: Sequence[object], place: DirectCalls
) -> Direct | None:
    """The same for variables of which the first ones are of these kinds, as somebody has given them."""
    return load(TYPED).compile_typed(text, names, kinds, place)  # type: ignore[no-any-return]


def is_quick() -> bool:
    """Whether doubles have a quick way of their own."""
    target = host()
    return target is not None and target.name == "x64"


def works_here() -> bool:
    """Whether there is a direct path for this processor."""
    return host() is not None
