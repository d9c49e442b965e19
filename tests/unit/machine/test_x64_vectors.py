"""Every row of packed instructions, over the shapes of its operands, against Capstone and another assembler.

As with the scalar rows (`test_x64_rows.py`), the text of each case is written from the row's syntax alone.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from elf import sections_of
from test_x64_rows import (
    ALL,
    SPECIAL,
    Case,
    alike,
    decoded,
    index_shapes,
    memory_shapes,
    memory_text,
    normal,
    operands_of,
)
from test_x64_rows import NAMES as SCALAR_NAMES
from test_x64_rows import SIZES as SCALAR_SIZES

from doralang.machine.code import RangeError
from doralang.machine.x64.encoding import Row
from doralang.machine.x64.vectors import VectorAssembler
from doralang.machine.x64.vex import VEX_ROWS
from doralang.machine.x64.wide_vectors import WideAssembler

SIZES = {
    **SCALAR_SIZES,
    "xmm/m32": "dword ptr ",
    "ymm/m256": "ymmword ptr ",
    "m256": "ymmword ptr ",
    "xmm/m128": "xmmword ptr ",
}
COMPARISONS = [
    *(
        "eq",
        "lt",
        "le",
        "unord",
        "neq",
        "nlt",
        "nle",
        "ord",
        "eq_uq",
        "nge",
        "ngt",
        "false",
        "neq_oq",
        "ge",
        "gt",
        "true",
    ),
    *(
        "eq_os",
        "lt_oq",
        "le_oq",
        "unord_s",
        "neq_us",
        "nlt_uq",
        "nle_uq",
        "ord_s",
        "eq_us",
        "nge_uq",
        "ngt_uq",
        "false_os",
        "neq_os",
        "ge_oq",
        "gt_oq",
        "true_us",
    ),
]
IMMEDIATES = {
    "vroundpd": (0, 1, 2, 3, 8, 11),
    "vroundps": (0, 9),
    "vextractf128": (0, 1),
    "vshufps": (0, 0x88, 255),
    "vpinsrb": (0, 1, 7, 15),
}
METHODS = {name: VEX_ROWS[emit] for name, emit in vars(VectorAssembler).items() if emit in VEX_ROWS}


def name_of(operand: str, number: int) -> str:
    kind = operand.partition("/")[0]
    if kind == "r":
        kind = "r" + operand[3:]
    return SCALAR_NAMES[kind][number] if kind in SCALAR_NAMES else f"ymm{number}"


def registers_of(row: Row) -> Iterator[tuple[int, ...]]:
    """Every register in every place, and what differs in encoding together."""
    count = row.shape.count("r")
    for place, number in product(range(count), ALL):
        yield tuple((number if at == place else 3 * at + 1) for at in range(count))
    yield from product(SPECIAL if count < 4 else (0, 7, 8, 15), repeat=count)


def memories_of(row: Row) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Registers and the operands of memory."""
    count = row.shape.count("r")
    if "x" in row.shape:
        for reg, base, index, scale, displacement in index_shapes():
            yield tuple((reg + 5 * at) % 16 for at in range(count)), (base, index, scale, displacement)
    else:
        for reg, base, displacement in memory_shapes():
            yield tuple((reg + 5 * at) % 16 for at in range(count)), (base, displacement)


def text_of(row: Row, registers: tuple[int, ...], memory: tuple[int, ...], value: int | None) -> str:
    """The instruction in words; operands of the syntax are taken one after the other."""
    mnemonic, waiting, words = row.syntax.split()[0], list(registers), []
    for operand, letter in zip(operands_of(row), row.shape, strict=True):
        if letter == "r":
            words.append(name_of(operand, waiting.pop(0)))
        elif letter == "x":
            base, index, scale, displacement = memory
            words.append(memory_at(operand, base, displacement, index, scale))
        elif letter == "m":
            words.append(memory_at(operand, *memory))
    if value is not None and mnemonic.startswith("vcmp"):
        mnemonic = mnemonic.replace("vcmp", "vcmp" + COMPARISONS[value])
    elif value is not None:
        words.append(f"{value:#x}")
    return f"{mnemonic} {', '.join(words)}"


def memory_at(operand: str, base: int, displacement: int, index: int | None = None, scale: int = 1) -> str:
    text = memory_text("m", base, displacement, index, scale)
    return SIZES[operand] + text


def arguments_of(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    values: tuple[int | None, ...] = (None,)
    if "i" in row.shape:
        mnemonic = row.syntax.split()[0]
        values = IMMEDIATES.get(mnemonic) or tuple(range(32))
    operands = (
        memories_of(row)
        if set(row.shape) & {"x", "m"}
        else ((registers, ()) for registers in registers_of(row))
    )
    for number, (registers, memory) in enumerate(operands):
        value = values[number % len(values)]
        waiting, arguments = list(registers), []
        for letter in row.shape:
            if letter == "r":
                arguments.append(waiting.pop(0))
            else:
                arguments += [value] if letter == "i" else memory
        yield tuple(arguments), text_of(row, registers, memory, value)


@cache
def all_cases() -> list[tuple[Case, bytes]]:
    result = []
    for name, row in METHODS.items():
        for arguments, text in arguments_of(row) if "l" not in row.shape else ():
            asm = VectorAssembler()
            getattr(asm, name)(*arguments)
            result.append((Case(name, arguments, text), bytes(asm.code)))
    return result


def test_every_row_is_a_method() -> None:
    of_masks = [name for name, emit in vars(WideAssembler).items() if emit in VEX_ROWS]
    assert len(METHODS) + len(of_masks) == len(VEX_ROWS) > 90
    assert len(all_cases()) > 10_000


def test_capstone_decodes_what_was_meant() -> None:
    wrong = []
    for case, data in all_cases():
        meant, read = normal(case.text), normal(decoded(data))
        if meant != read:
            wrong.append(f"{case.name}{case.arguments}: {data.hex(' ')} is {read}, not {meant}")
    assert not wrong, f"{len(wrong)} of {len(all_cases())}:\n" + "\n".join(wrong[:40])


COMMUTES = re.compile(
    r"v(add|mul|and|or|xor)p[sd]|vpadd.|vpmul.+|vp(and|or|xor)|vpcmpeq.|vcmp(eq|neq|ord|unord|true|false).*"
)


def commuted(ours: bytes, theirs: bytes) -> bool:
    """Whether the other assembler has turned two operands around, for a byte less."""
    spoken = [decoded(data).partition(" ") for data in (ours, theirs)]
    (mnemonic, _, first), (other, _, second) = spoken
    target, *operands = first.split(", ")
    turned = [target, *reversed(operands)] == second.split(", ")
    return (
        mnemonic == other and turned and COMMUTES.fullmatch(mnemonic) is not None and len(theirs) < len(ours)
    )


def test_another_assembler_makes_the_same(tmp_path: Path) -> None:
    lines = [f"L{number}: {case.text}" for number, (case, _) in enumerate(all_cases())]
    ends = [f".long L{number} - L0" for number in range(len(lines))]
    source, object_file = tmp_path / "rows.s", tmp_path / "rows.o"
    source.write_text(
        "\n".join(
            [
                ".intel_syntax noprefix",
                ".text",
                *lines,
                "Lend:",
                ".section .ends",
                *ends,
                ".long Lend - L0",
                "",
            ]
        )
    )
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        "x86_64-linux-gnu",
        "-mavx2",
        "-mfma",
        "-c",
        str(source),
    ]
    done = subprocess.run([*command, "-o", str(object_file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]
    sections = sections_of(object_file.read_bytes())
    words = memoryview(sections[".ends"]).cast("I")
    wrong, different = [], 0
    for (case, ours), start, end in zip(all_cases(), words[:-1], words[1:], strict=True):
        theirs = sections[".text"][start:end]
        if ours == theirs or commuted(ours, theirs):
            continue
        different += 1
        if not alike(case, ours, theirs):
            wrong.append(f"{case.name}{case.arguments} {case.text}: {ours.hex(' ')}, not {theirs.hex(' ')}")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:40])
    assert different < len(all_cases()) / 50, f"{different} encodings differ"


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if "l" in row.shape])
def test_memory_at_a_label(name: str) -> None:
    *operands, last = operands_of(METHODS[name])
    for reg in ALL:
        asm = VectorAssembler()
        label = asm.label()
        registers = [(reg + 5 * at) % 16 for at in range(len(operands))]
        getattr(asm, name)(*registers, label)
        size = len(asm.code)
        asm.nop(5)
        asm.bind(label)
        memory = SIZES.get(last) or SCALAR_SIZES[last]
        spoken = ", ".join(map(name_of, operands, registers))
        meant = f"{METHODS[name].syntax.split()[0]} {spoken}, {memory}[rip + 0x5]"
        assert normal(decoded(bytes(asm.finish().data[:size]))) == normal(meant)


def test_upper_halves_are_forgotten() -> None:
    asm = VectorAssembler()
    asm.vzeroupper()
    assert decoded(bytes(asm.code)) == "vzeroupper"


@pytest.mark.parametrize("memory", [(0, 4, 1, 0), (0, 1, 3, 0), (0, 1, 8, 2**31)])
def test_what_does_not_fit_is_refused(memory: tuple[int, ...]) -> None:
    with pytest.raises(RangeError):
        VectorAssembler().vmovupd_rx(0, *memory)
