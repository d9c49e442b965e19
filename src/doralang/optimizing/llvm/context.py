"""One function on its way to LLVM's text.

Bytecode registers are stack slots, `%r3`, of which LLVM makes values.  A reference is a `ptr addrspace(1)`:
the collector moves what it points to, so calls at which that can happen are *statepoints*, which take the
live references and give them back as they are behind the call.  Each call whose frame can be looked at has a
number, and `sites` says where that is; the stack map of the object file has the return address.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import Final

from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Register
from doralang.bytecode.liveness import BITS, analyse
from doralang.bytecode.places import Chain, Site
from doralang.code.environment import Environment
from doralang.code.symbols import ATTENTION, Symbol, trap_of
from doralang.library.internals import WITHOUT_CALL
from doralang.optimizing.llvm.entries import PollEntry, entries_past_polls
from doralang.types.kinds import BOOL, BYTE, CHAR, DOUBLE, FLOAT, INT, LONG, REF, Kind
from doralang.types.traps import Trap

FUNCTION: Final = "function"
"""the name of what is compiled"""
REFERENCE: Final = "ptr addrspace(1)"
TYPES: Final = {
    BOOL: "i8",
    BYTE: "i8",
    CHAR: "i32",
    INT: "i32",
    LONG: "i64",
    FLOAT: "float",
    DOUBLE: "double",
    REF: REFERENCE,
}
"""of a value in a register of bytecode"""
NARROW: Final = frozenset(["i8", "i32"])
"""what is passed extended with zeros, as Dora code passes it"""
RESULTS: Final = {"i64": "i64", "double": "f64", "float": "f32", REFERENCE: "p1"}
"""the suffix of the intrinsic that takes a result from a statepoint"""
STATEPOINT: Final = "@llvm.experimental.gc.statepoint.p0"
POLLS, TRAPPING = "#1", "#2"
"""groups of attributes: calls that touch no memory of the program; those that never come back"""
RARELY, MOSTLY = "!0", "!1"
"""weights of branches"""
READABLE: Final = re.compile(r"[\w.:<>(), +-]{1,80}", re.ASCII)


def passed_type(kind: Kind) -> str:
    """The type of an argument or a result."""
    return "i64" if TYPES[kind] in NARROW else TYPES[kind]


def floating(value: float) -> str:
    """A constant of either floating type: the bits of the double."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def block_label(target: int) -> str:
    """Of the instruction that a jump leads to."""
    return f"b{target}"


def entry_label(target: int) -> str:
    """Of what comes behind a poll, where a loop is entered."""
    return f"e{target}"


class FunctionLowering:
    """What all emitters share while one function is lowered."""

    def __init__(self, function: Function, environment: Environment) -> None:
        self.function = function
        self.environment = environment
        self.kinds = function.registers
        self.index = 0
        """of the instruction that is being lowered"""
        self.body: list[str] = []
        self.slots: list[str] = []
        """of the entry block: what needs a stack slot"""
        self.count = 0
        self.sites: list[Chain] = []
        """by the number of the statepoint"""
        self.names: dict[str, Symbol] = {}
        """what is outside, by its name in the module"""
        self.known: dict[Symbol, str] = {}
        self.declarations: dict[str, None] = {}
        self.traps: dict[tuple[Trap, Chain], str] = {}
        """the blocks of failures"""
        self.tags: dict[str, int] = {}
        """classes of memory that do not overlap"""
        liveness = analyse(function, WITHOUT_CALL)
        self.across = liveness.across
        self.past_polls = entries_past_polls(function, self.across)
        """ways into loops that lead behind their polls"""
        self.polls_passed = {entry.target for entry in self.past_polls}
        self.fresh: set[Register] = {Register(0)} if function.ref.fresh_self else set()
        """references to objects made since a collection was last possible: stores need no write barrier"""
        self.nil: set[Register] = set()
        """registers that hold nil for certain"""
        self.is_open = True
        """whether the block that is written has no end yet"""

    # Text.

    def name(self) -> str:
        self.count += 1
        return f"%t{self.count}"

    def emit(self, text: str) -> None:
        self.body.append("  " + text)

    def value(self, text: str) -> str:
        """The name of a new value."""
        self.count += 1
        name = f"%t{self.count}"
        self.body.append(f"  {name} = {text}")
        return name

    def label(self) -> str:
        self.count += 1
        return f"l{self.count}"

    def label_of(self, target: int) -> str:
        """Of the instruction that the present one goes on at, or of the one behind it."""
        is_past_poll = PollEntry(self.index, target) in self.past_polls
        return entry_label(target) if is_past_poll else block_label(target)

    def begin(self, label: str) -> None:
        """Begin a block; the one before goes on in it unless it has an end."""
        if self.is_open:
            self.emit(f"br label %{label}")
        self.body.append(f"{label}:")
        self.is_open = True

    def jump(self, label: str) -> None:
        self.emit(f"br label %{label}")
        self.is_open = False

    def branch(self, condition: str, yes: str, no: str, weight: str = "") -> None:
        """Go on in one of two blocks; neither begins here."""
        self.emit(f"br i1 {condition}, label %{yes}, label %{no}" + (f", !prof {weight}" if weight else ""))
        self.is_open = False

    def declare(self, text: str) -> None:
        self.declarations[text] = None

    def slot(self, type: str) -> str:
        """A new stack slot."""
        name = self.name()
        self.slots.append(f"  {name} = alloca {type}")
        return name

    # Registers.

    def read(self, register: Register) -> str:
        return self.value(f"load {TYPES[self.kinds[register]]}, ptr %r{register}")

    def write(self, register: Register, value: str) -> None:
        if register != NO_REGISTER:
            self.emit(f"store {TYPES[self.kinds[register]]} {value}, ptr %r{register}")
            self.fresh.discard(register)
            self.nil.discard(register)

    def condition(self, register: Register) -> str:
        """The value of a `bool` as a bit."""
        return self.value(f"trunc i8 {self.read(register)} to i1")

    def write_condition(self, register: Register, bit: str) -> None:
        self.write(register, self.value(f"zext i1 {bit} to i8"))

    def passed(self, register: Register) -> str:
        """The value as an argument or a result."""
        value, type = self.read(register), TYPES[self.kinds[register]]
        return self.value(f"zext {type} {value} to i64") if type in NARROW else value

    def received(self, kind: Kind, value: str) -> str:
        """What was passed, as a value of its kind; what is behind its bits does not matter."""
        return self.value(f"trunc i64 {value} to {TYPES[kind]}") if TYPES[kind] in NARROW else value

    # Memory.

    def at(self, base: str, offset: int, type: str = "ptr") -> str:
        return self.value(f"getelementptr i8, {type} {base}, i64 {offset}") if offset else base

    def thread(self, offset: int) -> str:
        """The address of a word in the thread block."""
        return self.at("%thread", offset)

    def tag(self, name: str) -> str:
        """Says that an access is to a class of memory which overlaps with no other one."""
        number = self.tags.setdefault(name, len(self.tags))
        return f", !tbaa !{TAGS + 2 * number}"

    # Symbols.

    def symbol(self, symbol: Symbol, type: str = "%opaque", space: str = "") -> str:
        """What is outside, as an operand."""
        quoted = self.known.get(symbol)
        if quoted is None:
            quoted = self.quoted(symbol)
            self.declare(f"{quoted} = external hidden {space}global {type}, align 8")
        return quoted

    def code(self, symbol: Symbol, result: str = "void", parameters: str = "...") -> str:
        """Code outside, as an operand."""
        quoted = self.known.get(symbol)
        if quoted is None:
            quoted = self.quoted(symbol)
            self.declare(f"declare hidden {result} {quoted}({parameters})")
        return quoted

    def quoted(self, symbol: Symbol) -> str:
        name = str(symbol)
        if not READABLE.fullmatch(name):
            name = f"{symbol.kind}#{len(self.names)}"
        self.names[name] = symbol
        quoted = self.known[symbol] = f'@"{name}"'
        return quoted

    # Places and failures.

    @property
    def place(self) -> Chain:
        return self.function.chain(self.index)

    def trap(self, kind: Trap) -> str:
        """The block in which the function fails at the present place."""
        key = kind, self.place
        label = self.traps.get(key)
        if label is None:
            label = self.traps[key] = self.label()
        return label

    def trap_if(self, bit: str, kind: Trap) -> None:
        good = self.label()
        self.branch(bit, self.trap(kind), good, RARELY)
        self.begin(good)

    def emit_traps(self) -> None:
        """The blocks that traps lead to."""
        for (kind, place), label in self.traps.items():
            self.begin(label)
            self.statepoint(self.code(trap_of(kind)), [], [], None, place, attributes=TRAPPING)
            self.emit("unreachable")
            self.is_open = False

    def checked(self, register: Register, nonnil: bool) -> str:
        """A reference behind its nil check."""
        value = self.read(register)
        if not nonnil:
            self.trap_if(self.value(f"icmp eq {REFERENCE} {value}, null"), Trap.NIL)
        return value

    def poll(self, place: Chain) -> None:
        """Compare the frame with the limit: too deep, or somebody wants attention.

        Nothing of the program changes while it is looked at, and no collection is possible.
        """
        self.declare("declare ptr @llvm.frameaddress.p0(i32)")
        frame = self.value("call ptr @llvm.frameaddress.p0(i32 0)")
        limit = self.value("load volatile ptr, ptr %thread")
        slow, further = self.label(), self.label()
        self.branch(self.value(f"icmp ult ptr {frame}, {limit}"), slow, further, RARELY)
        self.begin(slow)
        self.statepoint(self.code(ATTENTION), [], [], None, place, attributes=POLLS)
        self.begin(further)

    # Calls.

    def statepoint(
        self,
        callee: str,
        types: Sequence[str],
        arguments: Sequence[str],
        result: str | None,
        place: Chain,
        live: Sequence[str] = (),
        attributes: str = "",
    ) -> str:
        """Call code whose frame can be looked at; the token of the statepoint."""
        self.sites.append(place)
        returned, all_types = result or "void", ["ptr", *types]
        values = ["ptr swiftself %thread", *map(" ".join, zip(types, arguments, strict=True))]
        bundle = f' ["gc-live"({", ".join(f"{REFERENCE} {one}" for one in live)})]' if live else ""
        return self.value(
            f"call token (i64, i32, ptr, i32, i32, ...) {STATEPOINT}(i64 {len(self.sites) - 1}, i32 0, "
            f"ptr elementtype({returned} ({', '.join(all_types)})) {callee}, i32 {len(values)}, i32 0, "
            f"{', '.join(values)}, i32 0, i32 0) {attributes}{bundle}"
        )

    def call(self, callee: str, types: Sequence[str], arguments: Sequence[str], result: str | None) -> str:
        """Call code that may collect; its result, if it has one.  References are read again behind it."""
        live = BITS[self.across.get(self.index, 0)]
        references = [one for one in live if self.kinds[one] is REF and one not in self.nil]
        values = [self.read(one) for one in references]
        token = self.statepoint(callee, types, arguments, result, self.place, values)
        value = ""
        if result is not None:
            suffix = RESULTS[result]
            self.declare(f"declare {result} @llvm.experimental.gc.result.{suffix}(token)")
            value = self.value(f"call {result} @llvm.experimental.gc.result.{suffix}(token {token})")
        for number, register in enumerate(references):
            relocate = f"@llvm.experimental.gc.relocate.p1(token {token}, i32 {number}, i32 {number})"
            moved = self.value(f"call {REFERENCE} {relocate}")
            self.emit(f"store {REFERENCE} {moved}, ptr %r{register}")
        self.fresh.clear()
        return value

    def forget(self) -> None:
        """The code is jumped to from elsewhere, where other things are known."""
        self.fresh.clear()
        self.nil.clear()


TAGS: Final = 100
"""number of the first tag among the module's metadata"""


def site_of(function: Function) -> Chain:
    """Where a function is when it is entered."""
    return (Site(function.ref, function.entry_line),)
