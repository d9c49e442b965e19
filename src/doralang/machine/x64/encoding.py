"""Encodings of x86-64 instructions, from rows in the wording of the manual.

A row is the syntax and the encoding as the Intel manual (volume 2) lists them:

    add64_rr = rr("add r/m64, r64", "REX.W 01 /r")      masm.add64_rr(RAX, R9)  ->  4c 01 c8

The functions below turn a row into the method that emits it; its parameters are the operands in
the order of the syntax, a memory operand being base, displacement or base, index, scale,
displacement.  The letters say what the operands are: r register, m memory, x memory with an index, i
immediate, l memory at a label, s memory at a symbol, c condition code.

Encoding is general and slow, but the bytes of every combination of operands are kept: emitting one
that was met before is one look-up.  Rows are parsed when first used, so importing is cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from struct import Struct

from doralang.machine.buffer import Buffer, Label
from doralang.machine.code import RELATIVE_32, RangeError
from doralang.machine.x64.registers import ConditionCode
from doralang.typing_forms import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar

    B = TypeVar("B", bound=Buffer)
    P = ParamSpec("P")
    Emit: TypeAlias = Callable[Concatenate[Buffer, P], None]

Key = int | tuple[int, ...]
Memo = dict[Key, bytes]

PREFIXES: Final = frozenset(("66", "F2", "F3", "F0"))
IMMEDIATES: Final = {"ib": 1, "iw": 2, "id": 4, "io": 8}
SCALES: Final = {1: 0, 2: 1, 4: 2, 8: 3}
REX: Final = 0x40
pack_distance: Final = Struct("<i").pack_into
MEMO_LIMIT: Final = 4096
"""A memory that grew to this many entries starts anew: displacements are without end."""


class Row(NamedTuple):
    """What the rows are made of; tests walk over them through `ROWS`."""

    shape: str
    syntax: str
    encodings: tuple[str, ...]


ROWS: Final[dict[object, Row]] = {}
"""The row behind each emitting function."""


class Form(NamedTuple):
    """A parsed row.

    `digit` is /0 to /7, `immediate` the bytes of it, `byte_register` and `byte_memory` whether what stands in
    `reg` and `rm` is a byte, `register_first` whether the first operand of the syntax is that of `reg`,
    `added` whether the register is added to the opcode.
    """

    prefix: bytes
    wide: int
    opcode: bytes
    digit: int
    immediate: int
    byte_register: bool
    byte_memory: bool
    register_first: bool
    added: bool


FORMS: Final[dict[tuple[str, str], Form]] = {}


def form_of(syntax: str, encoding: str) -> Form:
    """The parsed row, kept."""
    form = FORMS.get((syntax, encoding))
    if form is None:
        form = FORMS[syntax, encoding] = parse(syntax, encoding)
    return form


def parse(syntax: str, encoding: str) -> Form:
    """Take apart a row such as ("movzx r32, r/m8", "0F B6 /r")."""
    parts = encoding.split()
    start = 0
    while parts[start] in PREFIXES:
        start += 1
    prefix = bytes.fromhex("".join(parts[:start]))
    rest = [part for part in parts[start:] if part != "REX.W"]
    opcode = bytes.fromhex("".join(part[:2] for part in rest if part[0] != "/" and part not in IMMEDIATES))
    digits = [int(part[1]) for part in rest if part[0] == "/" and part != "/r"]
    immediate = sum(IMMEDIATES.get(part, 0) for part in rest)
    operands = syntax.replace(",", " ").split()[1:]
    return Form(
        prefix,
        8 if "REX.W" in parts else 0,
        opcode,
        digits[0] if digits else 0,
        immediate,
        "r8" in operands,
        "r/m8" in operands,
        bool(operands) and not operands[0].startswith(("r/m", "xmm/m", "m")),
        "+r" in encoding,
    )


# ---- The bytes of an instruction ----


def with_register(form: Form, reg: int, rm: int, plus: int = 0) -> bytes:
    """Both operands in registers; `plus` is added to the opcode."""
    rex = REX | form.wide | (reg >> 3) << 2 | rm >> 3
    # Without REX the numbers 4 to 7 are ah, ch, dh, bh.
    low_byte = (form.byte_register and reg >= 4) or (form.byte_memory and rm >= 4)
    return head(form, rex, low_byte, plus) + bytes((0xC0 | (reg & 7) << 3 | rm & 7,))


def head(form: Form, rex: int, needed: bool, plus: int = 0) -> bytes:
    """Prefixes and opcode."""
    opcode = form.opcode
    if plus:
        opcode = opcode[:-1] + bytes((opcode[-1] + plus,))
    if needed or rex != REX:
        return form.prefix + bytes((rex,)) + opcode
    return form.prefix + opcode


def displaced(displacement: int, base: int) -> tuple[int, bytes]:
    """The `mod` bits and the bytes of a displacement; rbp and r13 as base always need one."""
    if displacement == 0 and base & 7 != 5:
        return 0x00, b""
    if -128 <= displacement < 128:
        return 0x40, bytes((displacement & 0xFF,))
    return 0x80, signed(displacement, 4)


def with_memory(form: Form, reg: int, base: int, displacement: int) -> bytes:
    """Memory at base + displacement; rsp and r12 as base need a SIB byte."""
    rex = REX | form.wide | (reg >> 3) << 2 | base >> 3
    mod, tail = displaced(displacement, base)
    if base & 7 == 4:
        tail = b"\x24" + tail
    modrm = bytes((mod | (reg & 7) << 3 | base & 7,))
    return head(form, rex, form.byte_register and reg >= 4) + modrm + tail


def with_index(form: Form, reg: int, base: int, index: int, scale: int, displacement: int) -> bytes:
    """Memory at base + index * scale + displacement."""
    if index == 4:
        raise RangeError("rsp cannot be an index")
    if scale not in SCALES:
        raise RangeError(f"scale {scale}")
    rex = REX | form.wide | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3
    mod, tail = displaced(displacement, base)
    sib = SCALES[scale] << 6 | (index & 7) << 3 | base & 7
    modrm = bytes((mod | (reg & 7) << 3 | 4, sib))
    return head(form, rex, form.byte_register and reg >= 4) + modrm + tail


def with_nearby(form: Form, reg: int) -> bytes:
    """Memory relative to rip, the four bytes of the distance still zero."""
    rex = REX | form.wide | (reg >> 3) << 2
    modrm = bytes(((reg & 7) << 3 | 5,))
    return head(form, rex, form.byte_register and reg >= 4) + modrm + bytes(4)


def signed(value: int, size: int) -> bytes:
    """`value` in `size` bytes, two's complement."""
    if not -1 << size * 8 - 1 <= value < 1 << size * 8 - 1:
        raise RangeError(f"{value} does not fit {size * 8} bits with a sign")
    return value.to_bytes(size, "little", signed=True)


def pattern(value: int, size: int) -> bytes:
    """`value`, signed or unsigned, in `size` bytes."""
    if not -1 << size * 8 - 1 <= value < 1 << size * 8:
        raise RangeError(f"{value} does not fit {size * 8} bits")
    return value.to_bytes(size, "little", signed=value < 0)


def one_register(form: Form, operand: int) -> bytes:
    """A register in ModRM beside a digit, or added to the opcode."""
    if form.added:
        return head(form, REX | form.wide | operand >> 3, False, operand & 7)
    return with_register(form, form.digit, operand)


def two_registers(form: Form, first: int, second: int) -> bytes:
    """Two registers in the order of the syntax."""
    return with_register(form, first, second) if form.register_first else with_register(form, second, first)


def only_memory(form: Form, base: int, displacement: int) -> bytes:
    """Memory beside a digit."""
    return with_memory(form, form.digit, base, displacement)


def immediate_of(form: Form, value: int) -> bytes:
    """The immediate at the end: extended by its sign with REX.W, otherwise a pattern of its width."""
    if form.wide and form.immediate == 4:
        return signed(value, 4)
    return pattern(value, form.immediate)


def shortest(syntax: str, encodings: tuple[str, ...], value: int) -> Form:
    """With two encodings, the one with a byte for the immediate comes first and extends its sign."""
    fits = len(encodings) == 1 or -128 <= value < 128
    return form_of(syntax, encodings[0] if fits else encodings[1])


def register_immediate(form: Form, operand: int, value: int) -> bytes:
    return one_register(form, operand) + immediate_of(form, value)


def memory_immediate(form: Form, base: int, displacement: int, value: int) -> bytes:
    return only_memory(form, base, displacement) + immediate_of(form, value)


def registers_immediate(form: Form, reg: int, rm: int, value: int) -> bytes:
    return with_register(form, reg, rm) + immediate_of(form, value)


def patch_relative(code: bytearray, offset: int, target: int) -> None:
    """The 4-byte distance of jumps and rip-relative operands."""
    pack_distance(code, offset, target - offset - 4)


def patch_short(code: bytearray, offset: int, target: int) -> None:
    """The 1-byte distance of short jumps."""
    distance = target - offset - 1
    if not -128 <= distance < 128:
        raise RangeError(f"short jump over {distance} bytes")
    code[offset] = distance & 0xFF


# ---- From rows to methods ----


def keep(memo: Memo, key: Key, data: bytes) -> bytes:
    """Remember the bytes of one combination of operands."""
    if len(memo) >= MEMO_LIMIT:
        memo.clear()
    memo[key] = data
    return data


def none(syntax: str, encoding: str) -> Emit[[]]:
    """No operands."""
    data = bytes.fromhex(encoding.replace("REX.W", "48"))

    def emit(self: Buffer) -> None:
        self.code += data

    ROWS[emit] = Row("", syntax, (encoding,))
    return emit


def r(syntax: str, encoding: str) -> Emit[[int]]:
    """One register, in ModRM or added to the opcode (`50+rd`)."""
    memo: Memo = {}

    def emit(self: Buffer, operand: int) -> None:
        try:
            self.code += memo[operand]
        except KeyError:
            form = form_of(syntax, encoding)
            self.code += keep(memo, operand, one_register(form, operand))

    ROWS[emit] = Row("r", syntax, (encoding,))
    return emit


def rr(syntax: str, encoding: str) -> Emit[[int, int]]:
    """Two registers."""
    memo: Memo = {}

    def emit(self: Buffer, first: int, second: int) -> None:
        try:
            self.code += memo[first << 4 | second]
        except KeyError:
            form = form_of(syntax, encoding)
            self.code += keep(memo, first << 4 | second, two_registers(form, first, second))

    ROWS[emit] = Row("rr", syntax, (encoding,))
    return emit


def rm(syntax: str, encoding: str) -> Emit[[int, int, int]]:
    """A register and memory."""
    memo: Memo = {}

    def emit(self: Buffer, reg: int, base: int, displacement: int) -> None:
        try:
            self.code += memo[reg, base, displacement]
        except KeyError:
            form = form_of(syntax, encoding)
            self.code += keep(memo, (reg, base, displacement), with_memory(form, reg, base, displacement))

    ROWS[emit] = Row("rm", syntax, (encoding,))
    return emit


def mr(syntax: str, encoding: str) -> Emit[[int, int, int]]:
    """Memory and a register."""
    memo: Memo = {}

    def emit(self: Buffer, base: int, displacement: int, reg: int) -> None:
        try:
            self.code += memo[reg, base, displacement]
        except KeyError:
            form = form_of(syntax, encoding)
            self.code += keep(memo, (reg, base, displacement), with_memory(form, reg, base, displacement))

    ROWS[emit] = Row("mr", syntax, (encoding,))
    return emit


def m(syntax: str, encoding: str) -> Emit[[int, int]]:
    """Memory alone."""
    memo: Memo = {}

    def emit(self: Buffer, base: int, displacement: int) -> None:
        try:
            self.code += memo[base, displacement]
        except KeyError:
            form = form_of(syntax, encoding)
            self.code += keep(memo, (base, displacement), only_memory(form, base, displacement))

    ROWS[emit] = Row("m", syntax, (encoding,))
    return emit


def rx(syntax: str, encoding: str) -> Emit[[int, int, int, int, int]]:
    """A register and indexed memory."""
    memo: Memo = {}

    def emit(self: Buffer, reg: int, base: int, index: int, scale: int, displacement: int) -> None:
        try:
            self.code += memo[reg, base, index, scale, displacement]
        except KeyError:
            form = form_of(syntax, encoding)
            self.code += keep(
                memo,
                (reg, base, index, scale, displacement),
                with_index(form, reg, base, index, scale, displacement),
            )

    ROWS[emit] = Row("rx", syntax, (encoding,))
    return emit


def xr(syntax: str, encoding: str) -> Emit[[int, int, int, int, int]]:
    """Indexed memory and a register."""
    memo: Memo = {}

    def emit(self: Buffer, base: int, index: int, scale: int, displacement: int, reg: int) -> None:
        try:
            self.code += memo[reg, base, index, scale, displacement]
        except KeyError:
            form = form_of(syntax, encoding)
            self.code += keep(
                memo,
                (reg, base, index, scale, displacement),
                with_index(form, reg, base, index, scale, displacement),
            )

    ROWS[emit] = Row("xr", syntax, (encoding,))
    return emit


def rl(syntax: str, encoding: str) -> Emit[[int, Label]]:
    """A register and memory at a label of this code."""
    memo: Memo = {}

    def emit(self: Buffer, reg: int, label: Label) -> None:
        self.code += memo.get(reg) or keep(memo, reg, with_nearby(form_of(syntax, encoding), reg))
        self.fixups.append((len(self.code) - 4, label, patch_relative))

    ROWS[emit] = Row("rl", syntax, (encoding,))
    return emit


def rs(syntax: str, encoding: str) -> Emit[[int, Hashable]]:
    """A register and memory at a symbol nearby."""
    memo: Memo = {}

    def emit(self: Buffer, reg: int, symbol: Hashable) -> None:
        self.code += memo.get(reg) or keep(memo, reg, with_nearby(form_of(syntax, encoding), reg))
        self.relocations.append((len(self.code) - 4, RELATIVE_32, symbol, -4))

    ROWS[emit] = Row("rs", syntax, (encoding,))
    return emit


def s(syntax: str, encoding: str) -> Emit[[Hashable]]:
    """Memory at a symbol nearby, alone."""
    memo: Memo = {}

    def emit(self: Buffer, symbol: Hashable) -> None:
        if not memo:
            form = form_of(syntax, encoding)
            memo[0] = with_nearby(form, form.digit)
        self.code += memo[0]
        self.relocations.append((len(self.code) - 4, RELATIVE_32, symbol, -4))

    ROWS[emit] = Row("s", syntax, (encoding,))
    return emit


def ri(syntax: str, *encodings: str) -> Emit[[int, int]]:
    """A register, in ModRM or added to the opcode, and an immediate in the shortest form that holds it."""
    memo: Memo = {}

    def emit(self: Buffer, operand: int, value: int) -> None:
        try:
            self.code += memo[operand, value]
        except KeyError:
            form = shortest(syntax, encodings, value)
            self.code += keep(memo, (operand, value), register_immediate(form, operand, value))

    ROWS[emit] = Row("ri", syntax, encodings)
    return emit


def mi(syntax: str, *encodings: str) -> Emit[[int, int, int]]:
    """Memory and an immediate in the shortest form that holds it."""
    memo: Memo = {}

    def emit(self: Buffer, base: int, displacement: int, value: int) -> None:
        try:
            self.code += memo[base, displacement, value]
        except KeyError:
            form = shortest(syntax, encodings, value)
            self.code += keep(
                memo, (base, displacement, value), memory_immediate(form, base, displacement, value)
            )

    ROWS[emit] = Row("mi", syntax, encodings)
    return emit


def rri(syntax: str, *encodings: str) -> Emit[[int, int, int]]:
    """Two registers and an immediate."""
    memo: Memo = {}

    def emit(self: Buffer, reg: int, rm: int, value: int) -> None:
        try:
            self.code += memo[reg, rm, value]
        except KeyError:
            form = shortest(syntax, encodings, value)
            self.code += keep(memo, (reg, rm, value), registers_immediate(form, reg, rm, value))

    ROWS[emit] = Row("rri", syntax, encodings)
    return emit


def cr(syntax: str, encoding: str) -> Emit[[ConditionCode, int]]:
    """A condition code, added to the opcode, and a register."""
    memo: Memo = {}

    def emit(self: Buffer, condition: ConditionCode, operand: int) -> None:
        try:
            self.code += memo[condition << 4 | operand]
        except KeyError:
            form = form_of(syntax, encoding)
            self.code += keep(memo, condition << 4 | operand, with_register(form, 0, operand, condition))

    ROWS[emit] = Row("cr", syntax, (encoding,))
    return emit


def crr(syntax: str, encoding: str) -> Emit[[ConditionCode, int, int]]:
    """A condition code, added to the opcode, and two registers."""
    memo: Memo = {}

    def emit(self: Buffer, condition: ConditionCode, reg: int, rm: int) -> None:
        try:
            self.code += memo[condition, reg, rm]
        except KeyError:
            form = form_of(syntax, encoding)
            self.code += keep(memo, (condition, reg, rm), with_register(form, reg, rm, condition))

    ROWS[emit] = Row("crr", syntax, (encoding,))
    return emit


def remembered(emit: Callable[Concatenate[B, P], None]) -> Callable[Concatenate[B, P], None]:
    """An operation whose bytes depend on its operands alone: those of each combination are kept."""
    memo: dict[tuple[object, ...], bytes] = {}

    def emit_remembered(self: B, *operands: Any) -> None:
        try:
            self.code += memo[operands]
        except KeyError:
            if len(memo) >= MEMO_LIMIT:
                memo.clear()
            start, references = len(self.code), (len(self.fixups), len(self.relocations))
            emit(self, *operands)  # type: ignore[call-arg]
            assert references == (len(self.fixups), len(self.relocations)), "more than bytes was emitted"
            memo[operands] = bytes(self.code[start:])

    return emit_remembered  # type: ignore[return-value]  # keyword arguments would need a dictionary
