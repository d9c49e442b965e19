"""The macro assembler: what a compiler can ask of every processor, in neutral terms.

`MacroAssembler` is the interface, `x64.macro` and `arm64.macro` implement it; nothing above it knows
which processor it emits for.

    masm.load(Kind.INT, a, masm.frame_pointer, -24)      mov eax, [rbp - 24]
    masm.binary(ADD, Kind.INT, a, a, b)                  add eax, ecx
    masm.branch(Kind.INT, LESS, a, b, label)             cmp eax, ecx; jl label

Registers are numbers and are known by role only.  Rules that hold for every method:

* **Nothing is clobbered but the destination** and the registers that no client can name (the
  assembler's own).  Where a method differs, its docstring says so.  The destination may be the same
  register as any operand.
* **A register holds a value of its kind**: `bool` and `byte` extended with zeros to 32 bits, `char` and
  `int` in the low half of the register, `long` and `ref` in all of it, `float` and `double` in a float
  register.  Every method that makes a value of at most 32 bits clears the upper half, so an index
  below 2^31 can be used in an address as it is.  Arguments that arrive in registers come from code
  that may leave anything there: `zero_extend` them, or store and load them.
* Integer kinds of arithmetic and comparison are taken by width: `bool byte char int` work on 32 bits, `long
  ref` on 64.
* Displacements and immediates may be any value of 32 (`displacement`) or 64 bits; what does not fit an
  instruction is built in a register of the assembler's own.
* Processor flags are never visible: comparing and using the result is one method.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from doralang.machine.buffer import Label
from doralang.machine.code import Code
from doralang.machine.operations import (
    SWAPPED,
    BinaryOperation,
    Condition,
    FloatBinary,
    FloatCondition,
    Rounding,
    float_negated,
    negated,
)
from doralang.types.kinds import Kind
from doralang.typing_forms import NamedTuple, NewType, Protocol

__all__ = (
    "SWAPPED",
    "BinaryOperation",
    "Condition",
    "FloatBinary",
    "FloatCondition",
    "Rounding",
    "float_negated",
    "negated",
)
"""What clients find here, too."""

Register = NewType("Register", int)
"""An integer register of the processor, by its number."""

FloatRegister = NewType("FloatRegister", int)
"""A register for `float` and `double`, by its number."""

AnyRegister = Register | FloatRegister
"""Which of the two is told by the `Kind` beside it."""

Move = tuple[Kind, AnyRegister, AnyRegister]
"""A copy of one register into another: kind, target, source."""


class Argument(NamedTuple):
    """Where one argument of a call is: in `register`, or on the stack if that is None.

    `stack` is its distance from the stack pointer at the call instruction; the called function finds it
    at `incoming_arguments + stack` from its frame pointer, once its prologue has run.
    """

    kind: Kind
    register: AnyRegister | None
    stack: int


CallLayout = tuple[tuple[Argument, ...], int]
"""where the arguments of a call are, and how many bytes of stack they need (a multiple of 16)"""


class Taken:
    """A register lent for the length of a `with` block; lending it twice is an error."""

    __slots__ = ("register", "taken")

    def __init__(self, register: int) -> None:
        self.register = register
        self.taken = False

    def __exit__(self, *_: object) -> None:
        self.taken = False

    def take(self) -> None:
        assert not self.taken, "the scratch register is taken already"
        self.taken = True


class Scratch(Taken):
    """An integer register to be lent."""

    __slots__ = ()

    def __enter__(self) -> Register:
        self.take()
        return Register(self.register)


class FloatScratch(Taken):
    """A float register to be lent."""

    __slots__ = ()

    def __enter__(self) -> FloatRegister:
        self.take()
        return FloatRegister(self.register)


class MacroAssembler(Protocol):
    """Emits code for one processor; one object makes one `Code`."""

    # Registers by role.  Lists are in order of preference and disjoint but for the arguments and
    # results, which are among the temporaries.

    thread: Register
    """Holds the thread block; callee-saved, so a function that sets it must save it."""
    frame_pointer: Register
    stack_pointer: Register
    result: Register
    float_result: FloatRegister
    arguments: tuple[Register, ...]
    float_arguments: tuple[FloatRegister, ...]
    temporaries: tuple[Register, ...]
    """Free for the client's use; a call loses them.  At least 7."""
    float_temporaries: tuple[FloatRegister, ...]
    """Free for the client's use; a call loses them.  At least 8."""
    callee_saved: tuple[Register, ...]
    """Calls keep them; a function that uses them names them in its `prologue`.  At least 4."""
    incoming_arguments: int
    """Distance from the frame pointer to the first argument that came on the stack."""

    # ---- Offsets, labels, what is put off ----

    @property
    def position(self) -> int:
        """The offset of the next instruction."""

    def label(self) -> Label:
        """A new label, to be bound later."""

    def labels(self, count: int) -> Sequence[Label]:
        """New labels, to be bound later."""

    def bind(self, label: Label) -> None:
        """Let `label` stand for the next instruction."""

    def bound(self) -> Label:
        """A new label that stands for the next instruction."""

    def align(self, boundary: int) -> None:
        """Emit instructions without effect up to the next multiple of `boundary` (a power of 2, up to 16)."""

    def comment(self, text: str) -> None:
        """Attach a line of text to the next instruction, for the listing."""

    def out_of_line(self, emit: Callable[[], None]) -> None:
        """Put off a block behind the body: `emit` is called by `finish`, and may put off more."""

    def finish(self) -> Code:
        """Emit what was put off, lay out the constants, close references to labels.  Once, at the end."""

    def scratch(self) -> Scratch:
        """A register for the length of a `with` block: `with masm.scratch() as register:`.

        One can be taken at a time; it is lost by calls.  Methods of the assembler leave it alone,
        jumps out of this code and `prologue` included, so a value can be handed to a stub in it.
        """

    def float_scratch(self) -> FloatScratch:
        """A float register for the length of a `with` block.  One at a time; lost by calls."""

    # ---- Frames and calls ----

    def prologue(self, saved: tuple[Register, ...] = ()) -> None:
        """Push return address and frame pointer as the platform's frames do, save registers, make room.

        At the frame pointer is that of the caller, at +8 the return address.  The saved registers
        are at -8, -16, ... in this order; the room of `set_frame_size` lies below them.  Leaves all registers
        with arguments and the scratch registers alone.  Once in a piece of code.
        """

    def set_frame_size(self, size: int) -> None:
        """Fix the bytes that `prologue` reserves below the saved registers; at any time up to `finish`.

        They hold the client's slots and, at the lower end, the stack arguments of its calls.  The
        stack pointer stays a multiple of 16.
        """

    def use_frame(self, saved: tuple[Register, ...]) -> None:
        """This code runs in a frame that other code has made, with a prologue that saved these registers."""

    def epilogue(self) -> None:
        """Restore what `prologue` saved and return.  As often as wanted.  Results are left alone."""

    def leave_frame(self) -> None:
        """Restore what `prologue` saved without returning, before a jump to another function."""

    def return_(self) -> None:
        """Return from code without a frame."""

    def call_layout(self, kinds: Sequence[Kind]) -> CallLayout:
        """Where the C calling convention puts arguments of these kinds."""

    def call(self, target: Register) -> int:
        """Call the code at an address.

        Like all calls this loses temporaries, scratch and float registers, needs a stack pointer that is a
        multiple of 16, and returns the offset of the return address.
        """

    def call_cell(self, symbol: Hashable) -> int:
        """Call the code whose address is in the 8-byte cell `symbol`, which is near (an entry cell)."""

    def call_symbol(self, symbol: Hashable) -> int:
        """Call the code at the address `symbol`, however far."""

    def call_near(self, symbol: Hashable) -> int:
        """Call the code at the address `symbol`, which lies in the same arena: the shortest call."""

    def call_memory(self, base: Register, displacement: int) -> int:
        """Call the code whose address is in memory (a vtable)."""

    def jump(self, label: Label) -> None:
        """Go to a label."""

    def jump_register(self, target: Register) -> None:
        """Go to an address."""

    def jump_symbol(self, symbol: Hashable) -> None:
        """Go to the address `symbol`, however far."""

    def jump_near(self, symbol: Hashable) -> None:
        """Go to the address `symbol`, which lies in the same arena."""

    # ---- Moves, constants, addresses ----

    def move(self, kind: Kind, target: AnyRegister, source: AnyRegister) -> None:
        """Copy a register; nothing if both are the same.

        Here, as the base of addresses, and in `binary_immediate` with ADD or SUB of `long`, the frame and
        the stack pointer are allowed; stubs switch stacks with them.
        """

    @staticmethod
    def encode_moves(moves: tuple[Move, ...]) -> bytes:
        """Copies as if all at once: none overwrites what another still reads.  No target comes twice.

        Registers of both kinds may be among them.  Loses the scratch registers.  `append` emits it; who makes
        the same moves again and again keeps it.
        """

    def append(self, instructions: bytes) -> None:
        """Emit what was encoded before."""

    def zero_extend(self, kind: Kind, target: Register, source: Register) -> None:
        """Make a clean value of an integer kind from a register whose upper bits may be anything."""

    def load_constant(self, kind: Kind, target: AnyRegister, value: int | float) -> None:
        """A constant of this kind; `bool` is 0 or 1, `ref` an address, integers may be signed or patterns."""

    def load_symbol(self, target: Register, symbol: Hashable, addend: int = 0) -> None:
        """The address `symbol` plus `addend`, however far."""

    def load_near(self, target: Register, symbol: Hashable) -> None:
        """The address `symbol`, which is within reach of the code."""

    def load_label(self, target: Register, label: Label) -> None:
        """The address of a label."""

    def load_address(self, target: Register, base: Register, displacement: int) -> None:
        """base + displacement."""

    def load_address_indexed(
        self, target: Register, base: Register, index: Register, scale: int, displacement: int
    ) -> None:
        """base + index * scale + displacement; scale 1, 2, 4 or 8; all 64 bits of the index count."""

    # ---- Memory ----

    def load(self, kind: Kind, target: AnyRegister, base: Register, displacement: int) -> None:
        """Load from base + displacement: 1 byte for `bool` and `byte`, 4 for `char int float`, else 8."""

    def store(self, kind: Kind, source: AnyRegister, base: Register, displacement: int) -> None:
        """Store to base + displacement, sizes as in `load`."""

    def load_indexed(
        self, kind: Kind, target: AnyRegister, base: Register, index: Register, scale: int, displacement: int
    ) -> None:
        """Load from base + index * scale + displacement."""

    def store_indexed(
        self, kind: Kind, source: AnyRegister, base: Register, index: Register, scale: int, displacement: int
    ) -> None:
        """Store to base + index * scale + displacement."""

    def store_constant(self, kind: Kind, value: int | float, base: Register, displacement: int) -> None:
        """Store a constant to base + displacement."""

    def load_short(self, target: Register, base: Register, displacement: int) -> None:
        """Load 16 bits, extended with zeros."""

    def store_short(self, source: Register, base: Register, displacement: int) -> None:
        """Store the low 16 bits."""

    def add_to_memory(self, kind: Kind, value: int, base: Register, displacement: int) -> None:
        """Add a constant of 32 bits to an `int` or `long` in memory; not atomic."""

    def compare_and_swap(
        self, target: Register, base: Register, displacement: int, expected: Register, value: Register
    ) -> None:
        """Atomically: if the `long` there equals `expected`, store `value`.  Target is 1 if so, else 0."""

    def fence(self) -> None:
        """Full memory barrier."""

    def copy_memory(self, target: Register, source: Register, size: Register) -> None:
        """Copy `size` (64 bits) bytes upwards, 8 at a time; overlapping is right if target < source.

        Clobbers all three, which must be different registers.
        """

    def clear_memory(self, target: Register, size: Register) -> None:
        """Set `size` (64 bits) bytes to zero, 8 at a time.  Clobbers both, which must differ."""

    def synchronize_code(self, start: Register, end: Register) -> None:
        """Let instructions stored from `start` up to `end` be fetched; loses the scratch register."""

    # ---- Integer arithmetic ----

    def binary(
        self, operation: BinaryOperation, kind: Kind, target: Register, left: Register, right: Register
    ) -> None:
        """target = left operation right."""

    def binary_immediate(
        self, operation: BinaryOperation, kind: Kind, target: Register, left: Register, value: int
    ) -> None:
        """target = left operation value."""

    def binary_memory(
        self,
        operation: BinaryOperation,
        kind: Kind,
        target: Register,
        left: Register,
        base: Register,
        displacement: int,
    ) -> None:
        """target = left operation the value in memory.

        `target` may be `base` too.  Shifts are not offered here.
        """

    def divide(self, kind: Kind, target: Register, left: Register, right: Register) -> None:
        """Quotient towards zero; the minimum by -1 is the minimum.  The divisor is not zero (see below).

        `branch_immediate(kind, EQUAL, right, 0, label)` is the check that comes before.
        """

    def remainder(self, kind: Kind, target: Register, left: Register, right: Register) -> None:
        """Remainder with the sign of `left`; anything by -1 is 0.  The divisor is not zero."""

    def multiply_high(self, target: Register, left: Register, right: Register) -> None:
        """The upper 64 bits of the unsigned product of two `long`s."""

    def negate(self, kind: Kind, target: Register, source: Register) -> None:
        """target = -source, wrapping."""

    def complement(self, kind: Kind, target: Register, source: Register) -> None:
        """All bits inverted; for `bool`, 1 - source."""

    def count_one_bits(self, kind: Kind, target: Register, source: Register) -> None:
        """How many bits are set, an `int`."""

    def leading_zeros(self, kind: Kind, target: Register, source: Register) -> None:
        """How many bits stand above the highest one that is set, an `int`; 32 or 64 for zero."""

    # ---- Floating point ----

    def float_binary(
        self,
        operation: FloatBinary,
        kind: Kind,
        target: FloatRegister,
        left: FloatRegister,
        right: FloatRegister,
    ) -> None:
        """target = left operation right, rounded to the kind."""

    def float_binary_memory(
        self,
        operation: FloatBinary,
        kind: Kind,
        target: FloatRegister,
        left: FloatRegister,
        base: Register,
        displacement: int,
    ) -> None:
        """target = left operation the value in memory."""

    def float_negate(self, kind: Kind, target: FloatRegister, source: FloatRegister) -> None:
        """Flip the sign bit."""

    def float_absolute(self, kind: Kind, target: FloatRegister, source: FloatRegister) -> None:
        """Clear the sign bit."""

    def float_square_root(self, kind: Kind, target: FloatRegister, source: FloatRegister) -> None:
        """Square root."""

    def float_round(
        self, rounding: Rounding, kind: Kind, target: FloatRegister, source: FloatRegister
    ) -> None:
        """To a whole number in a direction, as C's `floor`, `ceil` and `trunc`."""

    def convert(self, source_kind: Kind, target_kind: Kind, target: AnyRegister, source: AnyRegister) -> None:
        """A conversion of the language: `int.toLong` is `convert(INT, LONG, ...)`.

        Between integers: extended by the sign of `int` and `long`, by zeros of the others, or cut
        off.  To floats: rounded once.  From floats: towards zero, NaN and out of range give the
        minimum.  All pairs of integer kinds but `ref` (`bool` as a source only), `int` and `long` with
        the floats, and the two floats.
        """

    def float_bits(self, kind: Kind, target: Register, source: FloatRegister) -> None:
        """The bit pattern of a `float` or `double` (`kind`) in an integer register."""

    def float_from_bits(self, kind: Kind, target: FloatRegister, source: Register) -> None:
        """The `float` or `double` (`kind`) with this bit pattern."""

    # ---- Comparing ----

    def branch(self, kind: Kind, condition: Condition, left: Register, right: Register, label: Label) -> None:
        """Go to the label if `left condition right`."""

    def branch_immediate(
        self, kind: Kind, condition: Condition, left: Register, value: int, label: Label
    ) -> None:
        """Go to the label if `left condition value`."""

    def branch_memory(
        self,
        kind: Kind,
        condition: Condition,
        left: Register,
        base: Register,
        displacement: int,
        label: Label,
    ) -> None:
        """Go to the label if `left condition the value in memory`; `kind` has 4 or 8 bytes."""

    def mask_index(
        self, target: Register, index: Register, base: Register, displacement: int, label: Label
    ) -> None:
        """Go to the label unless `index` is below the `int` in memory, both without sign.

        Else the target is the index.  Where the processor goes on before it knows, and the index is not
        below, the target is 0 meanwhile.
        """

    def branch_memory_immediate(
        self, kind: Kind, condition: Condition, base: Register, displacement: int, value: int, label: Label
    ) -> None:
        """Go to the label if `the value in memory condition value`; any integer kind."""

    def float_branch(
        self, kind: Kind, condition: FloatCondition, left: FloatRegister, right: FloatRegister, label: Label
    ) -> None:
        """Go to the label if `left condition right`."""

    def compare(
        self, kind: Kind, condition: Condition, target: Register, left: Register, right: Register
    ) -> None:
        """target = 1 if `left condition right`, else 0."""

    def compare_immediate(
        self, kind: Kind, condition: Condition, target: Register, left: Register, value: int
    ) -> None:
        """target = 1 if `left condition value`, else 0."""

    def float_compare(
        self,
        kind: Kind,
        condition: FloatCondition,
        target: Register,
        left: FloatRegister,
        right: FloatRegister,
    ) -> None:
        """target = 1 if `left condition right`, else 0."""

    def float_compare_sign(
        self, kind: Kind, target: Register, left: FloatRegister, right: FloatRegister
    ) -> None:
        """target = -1 if less, 1 if greater, 0 if equal or unordered (an `int`)."""

    # ---- Stopping ----

    def trap(self) -> None:
        """An instruction that ends the process, where control never comes."""

    def breakpoint(self) -> None:
        """Stop in a debugger."""
