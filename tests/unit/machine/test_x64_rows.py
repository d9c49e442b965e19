"""Every row of the x86-64 assembler, over all shapes of its operands, against independent oracles.

The Intel syntax of each case is written here from the row's syntax alone.  Capstone must decode the
bytes to that text, and an assembler (clang's, from the package ziglang) must make the same bytes of it; where
it chooses another encoding of the same instruction, Capstone must read both alike.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import capstone
import pytest
from elf import sections_of

from doralang.machine.code import RangeError
from doralang.machine.x64.assembler import Assembler
from doralang.machine.x64.encoding import ROWS, Row
from doralang.machine.x64.narrow_vectors import NarrowAssembler
from doralang.machine.x64.registers import CONDITION_NAMES, RSP, ConditionCode

LOW = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"]
NAMES = {
    "r64": ["r" + name for name in LOW] + [f"r{number}" for number in range(8, 16)],
    "r32": ["e" + name for name in LOW] + [f"r{number}d" for number in range(8, 16)],
    "r16": LOW + [f"r{number}w" for number in range(8, 16)],
    "r8": ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"] + [f"r{number}b" for number in range(8, 16)],
    "xmm": [f"xmm{number}" for number in range(16)],
}
ALL = range(16)
# What differs in encoding: low, needs SIB or displacement, needs REX, both.
SPECIAL = (0, 3, 4, 5, 6, 8, 12, 13, 15)
DISPLACEMENTS = (0, 1, -1, 127, -128, 128, -129, 0x1234, 2**31 - 1, -(2**31))
IMMEDIATES = {
    "imm8": (0, 1, 5, 31, 63, 127),
    "imm16": (0, 1, 127, 128, 0x7FFF, 0x8000, 0xFFFF),
    "imm32": (0, 1, -1, 127, -128, 128, -129, 0x1234_5678, 2**31 - 1, -(2**31)),
    "imm64": (0, 1, -1, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63), 0x1122_3344_5566_7788),
}
COMPARISONS = ("eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord")
"""of packed floating-point numbers"""
SIZES = {
    "r/m8": "byte ptr ",
    "r/m16": "word ptr ",
    "r/m32": "dword ptr ",
    "xmm/m32": "dword ptr ",
    "r/m64": "qword ptr ",
    "xmm/m64": "qword ptr ",
    "xmm/m128": "xmmword ptr ",
    "m": "",
    "m32": "dword ptr ",
}


class Case(NamedTuple):
    """One encoding: what to emit, and how it is written."""

    name: str
    arguments: tuple[int, ...]
    text: str


def register_name(operand: str, number: int) -> str:
    """`operand` is that of the syntax, such as `r/m32`."""
    kind = operand.replace("/m", "") if operand.startswith("r") else "xmm"
    return NAMES[kind][number]


def signed_text(value: int) -> str:
    return f"+ {value:#x}" if value >= 0 else f"- {-value:#x}"


def memory_text(operand: str, base: int, displacement: int, index: int | None = None, scale: int = 1) -> str:
    inner = NAMES["r64"][base]
    if index is not None:
        inner += f" + {NAMES['r64'][index]}" + (f"*{scale}" if scale > 1 else "")
    if displacement:
        inner += f" {signed_text(displacement)}"
    return f"{SIZES[operand]}[{inner}]"


def written(row: Row, *operands: str) -> str:
    mnemonic = row.syntax[: -len(row.syntax.split(" ", 1)[1])].strip() if row.shape else row.syntax
    if row.syntax.startswith("lock"):
        mnemonic = " ".join(row.syntax.split()[:2])
    tail = ", cl" if row.syntax.endswith(", cl") else ""
    return f"{mnemonic} {', '.join(operands)}{tail}".strip()


def operands_of(row: Row) -> list[str]:
    words = row.syntax.replace(",", " ").split()
    return words[2:] if words[0] == "lock" else words[1:]


def immediate_text(value: int) -> str:
    return f"{value:#x}"


def cases_r(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    (first, *_) = operands_of(row)
    for number in ALL:
        yield (number,), written(row, register_name(first, number))


def cases_rr(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    first, second = operands_of(row)
    for a, b in product(ALL, ALL):
        yield (a, b), written(row, register_name(first, a), register_name(second, b))


def cases_rm(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    first, second = operands_of(row)
    for reg, base, displacement in memory_shapes():
        text = written(row, register_name(first, reg), memory_text(second, base, displacement))
        yield (reg, base, displacement), text


def memory_shapes() -> Iterator[tuple[int, int, int]]:
    """All bases; all displacements with the special ones; all registers."""
    yield from product((0, 13), ALL, (0, 8, -200))
    yield from product((7,), SPECIAL, DISPLACEMENTS)
    yield from product(ALL, (4, 5), (16,))


def cases_mr(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    first, second = operands_of(row)
    for reg, base, displacement in memory_shapes():
        text = written(row, memory_text(first, base, displacement), register_name(second, reg))
        yield (base, displacement, reg), text


def cases_m(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    (first,) = operands_of(row)
    for base, displacement in product(ALL, DISPLACEMENTS):
        yield (base, displacement), written(row, memory_text(first, base, displacement))


def index_shapes() -> Iterator[tuple[int, int, int, int, int]]:
    """Register, base, index, scale, displacement."""
    for base, index in product(ALL, ALL):
        if index != RSP:
            yield (base + 3) % 16, base, index, (1, 2, 4, 8)[(base + index) % 4], 24
    for base, index, scale, displacement in product((3, 5, 13), (1, 12), (1, 2, 4, 8), (0, -128, 128)):
        yield 6, base, index, scale, displacement


def cases_rx(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    first, second = operands_of(row)
    for reg, base, index, scale, displacement in index_shapes():
        memory = memory_text(second, base, displacement, index, scale)
        yield (reg, base, index, scale, displacement), written(row, register_name(first, reg), memory)


def cases_xr(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    first, second = operands_of(row)
    for reg, base, index, scale, displacement in index_shapes():
        memory = memory_text(first, base, displacement, index, scale)
        yield (base, index, scale, displacement, reg), written(row, memory, register_name(second, reg))


def cases_ri(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    first, immediate = operands_of(row)
    for number, value in product(ALL, IMMEDIATES[immediate]):
        yield (number, value), written(row, register_name(first, number), immediate_text(value))


def cases_mi(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    first, immediate = operands_of(row)
    for base, displacement, value in product(SPECIAL, (0, -8, 300), IMMEDIATES[immediate]):
        text = written(row, memory_text(first, base, displacement), immediate_text(value))
        yield (base, displacement, value), text


def cases_rri(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    first, second, immediate = operands_of(row)
    values = IMMEDIATES[immediate][:6]
    mnemonic = row.syntax.split()[0]
    for (a, b), value in product(product(SPECIAL, SPECIAL), values):
        names = register_name(first, a), register_name(second, b)
        if mnemonic.startswith("cmp"):
            value %= len(COMPARISONS)
            yield (a, b, value), written(row, *names).replace("cmp", f"cmp{COMPARISONS[value]}")
        else:
            yield (a, b, value), written(row, *names, immediate_text(value))


def cases_cr(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    (first,) = operands_of(row)
    for code, number in product(ALL, ALL):
        mnemonic = row.syntax.split()[0].replace("cc", CONDITION_NAMES[code])
        yield (code, number), f"{mnemonic} {register_name(first, number)}"


def cases_crr(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    first, second = operands_of(row)
    for code, a, b in product(ALL, SPECIAL, SPECIAL):
        mnemonic = row.syntax.split()[0].replace("cc", CONDITION_NAMES[code])
        yield (code, a, b), f"{mnemonic} {register_name(first, a)}, {register_name(second, b)}"


SHAPES: dict[str, Callable[[Row], Iterator[tuple[tuple[int, ...], str]]]] = {
    "": lambda row: iter([((), row.syntax)]),
    "r": cases_r,
    "rr": cases_rr,
    "rm": cases_rm,
    "mr": cases_mr,
    "m": cases_m,
    "rx": cases_rx,
    "xr": cases_xr,
    "ri": cases_ri,
    "mi": cases_mi,
    "rri": cases_rri,
    "cr": cases_cr,
    "crr": cases_crr,
}
NEARBY = {"rl", "rs", "s"}
"""Shapes of memory at labels and symbols, tested by themselves."""

METHODS = {
    name: ROWS[emit]
    for assembler in (Assembler, NarrowAssembler)
    for name, emit in vars(assembler).items()
    if callable(emit) and emit in ROWS
}


@cache
def all_cases() -> list[tuple[Case, bytes]]:
    """Every case with the bytes that the assembler made."""
    result = []
    for name, row in METHODS.items():
        if row.shape in NEARBY:
            continue
        for arguments, text in SHAPES[row.shape](row):
            asm = NarrowAssembler()
            getattr(asm, name)(*arguments)
            result.append((Case(name, arguments, text), bytes(asm.code)))
    return result


@cache
def decoder() -> Any:
    return capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)


def decoded(data: bytes) -> str:
    """The text of exactly one instruction."""
    instructions = list(decoder().disasm_lite(data, 0))
    if len(instructions) != 1 or instructions[0][1] != len(data):
        return f"not one instruction: {data.hex(' ')}"
    _, _, mnemonic, operands = instructions[0]
    if mnemonic.startswith("rep "):
        return str(mnemonic)  # the operands are implied
    return f"{mnemonic} {operands}".strip()


WIDTHS = {"imm8": 8, "imm16": 16, "imm32": 32, "imm64": 64}


def normal(text: str) -> str:
    """One spelling of what can be written in several ways.

    Numbers become patterns of 64 bits without sign (of 32 and 16 where a register or a memory operand of that
    width says so); sizes of memory that the instruction implies and spaces go.
    """
    text = re.sub(r"\b(byte|word|dword|qword|xmmword) ptr ", r"\1 ", text)
    mask = (1 << operand_width(text)) - 1
    head, _, last = text.rpartition(", ")
    if re.fullmatch(r"-?(0x[0-9a-f]+|\d+)", last):
        text = f"{head}, {int(last, 0) & mask}"
    text = re.sub(r"0x[0-9a-f]+", lambda number: str(int(number[0], 0)), text)
    return text.replace(" ", "").replace("*1]", "]").replace("*1+", "+").replace("*1-", "-")


def operand_width(text: str) -> int:
    """Of the first operand."""
    first = text.partition(",")[0].split()[1:]
    words = " ".join(first)
    for width, kind, size in ((8, "r8", "byte"), (16, "r16", "word"), (32, "r32", "dword")):
        if words.startswith(f"{size} ") or (first and first[-1] in NAMES[kind]):
            return width
    return 64


def test_every_method_that_emits_is_a_row() -> None:
    assert len(METHODS) == len(ROWS)
    assert {row.shape for row in METHODS.values()} <= SHAPES.keys() | NEARBY


def test_there_are_many_cases() -> None:
    assert len(all_cases()) >= 20_000


def test_capstone_decodes_what_was_meant() -> None:
    wrong = []
    for case, data in all_cases():
        meant, read = normal(case.text), normal(decoded(data))
        if meant != read:
            wrong.append(f"{case.name}{case.arguments}: {data.hex(' ')} is {read}, not {meant}")
    assert not wrong, f"{len(wrong)} of {len(all_cases())}:\n" + "\n".join(wrong[:40])


@cache
def assembled_by_clang(folder: Path) -> list[bytes]:
    """What the assembler makes of all texts; a jump table of offsets tells where each begins."""
    lines = [".intel_syntax noprefix", ".text"]
    ends = [".section .ends"]
    for number, (case, _) in enumerate(all_cases()):
        lines.append(f"L{number}: {case.text}")
        ends.append(f".long L{number} - L0")
    ends.append(".long Lend - L0")
    source, object_file = folder / "rows.s", folder / "rows.o"
    source.write_text("\n".join([*lines, "Lend:", *ends]) + "\n")
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-gnu", "-c", str(source), "-o"]
    done = subprocess.run([*command, str(object_file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]
    sections = sections_of(object_file.read_bytes())
    offsets = [
        int.from_bytes(sections[".ends"][at : at + 4], "little") for at in range(0, len(sections[".ends"]), 4)
    ]
    text = sections[".text"]
    return [text[start:end] for start, end in zip(offsets, offsets[1:], strict=False)]


def alike(case: Case, ours: bytes, theirs: bytes) -> bool:
    """Whether two different encodings are the same instruction, ours at most one byte longer.

    The other assembler knows shorter forms that are no rows here: opcodes for eax, shifts by one.
    """
    if theirs == b"\x90":  # what exchanges rax with itself
        return ours in (b"\x90", b"\x48\x87\xc0")
    read = [normal(decoded(data)) for data in (ours, theirs)]
    if case.name.startswith("xchg"):  # symmetric: some assemblers turn the operands around
        read = [
            re.sub(r"xchg(\w+),(\w+)", lambda found: ",".join(sorted(found.groups())), text) for text in read
        ]
    return read[0] == read[1] and len(ours) <= len(theirs) + 1


def test_another_assembler_makes_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    theirs = assembled_by_clang(tmp_path_factory.mktemp("rows"))
    assert len(theirs) == len(all_cases())
    different = [
        (case, ours, other) for (case, ours), other in zip(all_cases(), theirs, strict=True) if ours != other
    ]
    wrong = [
        f"{case.name}{case.arguments} {case.text}: {ours.hex(' ')}, not {other.hex(' ')}"
        for case, ours, other in different
        if not alike(case, ours, other)
    ]
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:40])
    assert len(different) < len(theirs) / 50, f"{len(different)} encodings differ"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mov32_rm", (0, 5, 2**31)),
        ("mov32_rm", (0, 5, -(2**31) - 1)),
        ("add64_ri", (0, 2**31)),
        ("add64_mi", (0, 0, -(2**31) - 1)),
        ("mov64_ri", (0, 2**31)),
        ("mov32_ri", (0, 2**32)),
        ("movabs_ri", (0, 2**64)),
        ("shl32_ri", (0, 256)),
        ("mov8_mi", (0, 0, 256)),
        ("lea64_rx", (0, 0, 4, 1, 0)),
        ("lea64_rx", (0, 0, 1, 3, 0)),
    ],
)
def test_what_does_not_fit_is_refused(name: str, arguments: tuple[int, ...]) -> None:
    with pytest.raises(RangeError):
        getattr(NarrowAssembler(), name)(*arguments)


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if row.shape == "rl"])
def test_memory_at_a_label(name: str) -> None:
    for reg in ALL:
        asm = NarrowAssembler()
        label = asm.label()
        getattr(asm, name)(reg, label)
        size = len(asm.code)
        asm.nop(5)
        asm.bind(label)
        row = METHODS[name]
        first, second = operands_of(row)
        meant = written(row, register_name(first, reg), f"{SIZES[second]}[rip + 0x5]")
        assert normal(decoded(bytes(asm.finish().data[:size]))) == normal(meant)


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if row.shape in ("rs", "s")])
def test_memory_at_a_symbol(name: str) -> None:
    row = METHODS[name]
    for reg in ALL if row.shape == "rs" else (0,):
        asm = Assembler()
        getattr(asm, name)(*((reg, "there") if row.shape == "rs" else ("there",)))
        ((offset, _, symbol, addend),) = asm.relocations
        assert (offset, symbol, addend) == (len(asm.code) - 4, "there", -4)
        *registers, last = operands_of(row)
        names = [register_name(operand, reg) for operand in registers]
        assert normal(decoded(bytes(asm.code))) == normal(written(row, *names, f"{SIZES[last]}[rip]"))


@pytest.mark.parametrize("size", range(1, 30))
def test_nops_fill_their_space(size: int) -> None:
    asm = Assembler()
    asm.nop(size)
    assert len(asm.code) == size
    assert {mnemonic for _, _, mnemonic, _ in decoder().disasm_lite(bytes(asm.code), 0)} == {"nop"}


@pytest.mark.parametrize("code", ALL)
@pytest.mark.parametrize("distance", [0, 1, 100, 120, 124, 125, 126, 127, 128, 129, 200, 100_000])
def test_conditional_jumps_both_ways(code: int, distance: int) -> None:
    condition = ConditionCode(code)
    forward = Assembler()
    label = forward.label()
    forward.jcc(condition, label)
    end = len(forward.code)
    forward.nop(distance)
    forward.bind(label)
    read = decoded(bytes(forward.finish().data[:end]))
    assert normal(read) == normal(f"j{CONDITION_NAMES[code]} {end + distance}")
    backward = Assembler()
    label = backward.bound()
    backward.nop(distance)
    backward.jcc(condition, label)
    data = bytes(backward.finish().data[distance:])
    ((_, size, mnemonic, operand),) = decoder().disasm_lite(data, distance)
    assert (mnemonic, operand) == (f"j{CONDITION_NAMES[code]}", "0")
    assert size == (2 if distance <= 126 else 6)


@pytest.mark.parametrize("distance", [0, 1, 124, 125, 126, 127, 128, 129, 100_000])
def test_jumps_and_calls_both_ways(distance: int) -> None:
    for name in ("jmp", "call_l"):
        forward = Assembler()
        label = forward.label()
        getattr(forward, name)(label)
        forward.nop(distance)
        forward.bind(label)
        assert normal(decoded(bytes(forward.finish().data[:5]))) == normal(
            f"{name.split('_')[0]} {5 + distance}"
        )
        backward = Assembler()
        label = backward.bound()
        backward.nop(distance)
        getattr(backward, name)(label)
        ((_, size, _, operand),) = decoder().disasm_lite(bytes(backward.finish().data[distance:]), distance)
        assert operand == "0"
        assert size == (2 if name == "jmp" and distance <= 126 else 5)


@pytest.mark.parametrize("distance", [0, 127, 128])
def test_short_jumps_are_checked(distance: int) -> None:
    asm = Assembler()
    label = asm.label()
    asm.jmp_short(label)
    asm.nop(distance)
    asm.bind(label)
    if distance < 128:
        assert normal(decoded(bytes(asm.finish().data[:2]))) == normal(f"jmp {2 + distance}")
    else:
        with pytest.raises(RangeError):
            asm.finish()
