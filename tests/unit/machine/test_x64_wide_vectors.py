"""Every row of instructions with 512 bits, over the shapes of its operands, against Capstone and two assemblers.

As with the other rows, the text of each case is written from the row's syntax alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import cycle, product
from pathlib import Path

import pytest
from elf import sections_of
from test_x64_rows import NAMES, SPECIAL, Case, decoded, index_shapes, memory_text, normal, operands_of
from test_x64_vectors import COMPARISONS

from doralang.machine.code import RangeError
from doralang.machine.x64.encoding import Row
from doralang.machine.x64.evex import EVEX_ROWS
from doralang.machine.x64.vex import VEX_ROWS
from doralang.machine.x64.wide_vectors import WideAssembler

SIZES = {16: "word", 32: "dword", 64: "qword", 128: "xmmword", 256: "ymmword", 512: "zmmword"}
SEVERAL = (0, 3, 4, 7, 8, 13, 15, 16, 20, 24, 31)
"""what differs in encoding"""
WHOLE_COMPARISONS = {0: "eq", 1: "lt", 2: "le", 4: "neq", 5: "nlt", 6: "nle"}
DISPLACEMENTS = (0, 1, -8, 8, 64, -64, 100, 8128, -8192, 8192, 4096, 2048, -2048, 2**31 - 1, -(2**31))
"""some are short for some sizes of memory only"""
MASKS = range(1, 8)
EVEX = 0x62
METHODS = {
    name: (EVEX_ROWS | VEX_ROWS)[emit]
    for name, emit in vars(WideAssembler).items()
    if emit in EVEX_ROWS or emit in VEX_ROWS
}


def operands(row: Row) -> list[str]:
    return [operand for operand in operands_of(row) if not operand.startswith("{")]


def name_of(operand: str, number: int) -> str:
    kind = operand.partition("/")[0]
    if kind == "r32":
        return NAMES[kind][number]
    return f"{kind}{number}"


def count_of(operand: str) -> int:
    """How many such registers there are."""
    return {"k": 8, "r32": 16}.get(operand.partition("/")[0], 32)


def registers_of(row: Row) -> Iterator[tuple[int, ...]]:
    """Every register in every place, and what differs in encoding together."""
    kinds = [operand for operand in operands(row) if operand != "imm8" and not operand.startswith("m")]
    if set(row.shape) & set("xmlb"):
        kinds = [operand for operand in kinds if "/m" not in operand]
    counts = [count_of(kind) for kind in kinds]
    for place, count in enumerate(counts):
        for number in range(count):
            yield tuple(number if at == place else (3 * at + 1) % other for at, other in enumerate(counts))
    yield from product(*[sorted({number % count for number in SEVERAL}) for count in counts])


def memories_of(row: Row) -> Iterator[tuple[int, ...]]:
    if "x" in row.shape:
        for _, base, index, scale, displacement in index_shapes():
            yield base, index, scale, displacement
        for displacement in DISPLACEMENTS:
            yield 13, 9, 8, displacement
    elif "m" in row.shape:
        yield from product(SPECIAL, DISPLACEMENTS)
    else:
        yield ()


def immediates_of(row: Row) -> tuple[int, ...]:
    mnemonic = row.syntax.split()[0]
    if mnemonic.startswith("vpcmp"):
        return tuple(WHOLE_COMPARISONS)
    return tuple(range(32)) if mnemonic.startswith("vcmp") else (0, 1, 8, 9, 10, 11)


def memory_at(operand: str, place: tuple[int, ...]) -> str:
    size = SIZES[int(operand.rpartition("m")[2])]
    if len(place) == 4:
        base, index, scale, displacement = place
        return f"{size} ptr {memory_text('m', base, displacement, index, scale)}"
    return f"{size} ptr {memory_text('m', *place)}"


def text_of(row: Row, registers: tuple[int, ...], mask: int, place: tuple[int, ...], value: int) -> str:
    """The instruction in words."""
    mnemonic, waiting, words = row.syntax.split()[0], list(registers), []
    letters = [letter for letter in row.shape if letter != "k"]
    for operand, letter in zip(operands(row), letters, strict=True):
        if letter == "r":
            words.append(name_of(operand, waiting.pop(0)))
        elif letter in "xm":
            words.append(memory_at(operand, place))
    if "k" in row.shape:
        words[0] += f" {{k{mask}}}" + (" {z}" if "{z}" in row.syntax else "")
    if mnemonic.startswith("vpcmp"):
        mnemonic = mnemonic.replace("vpcmp", f"vpcmp{WHOLE_COMPARISONS[value]}")
    elif mnemonic.startswith("vcmp"):
        mnemonic = mnemonic.replace("vcmp", f"vcmp{COMPARISONS[value]}")
    elif "i" in row.shape:
        words.append(f"{value:#x}")
    return f"{mnemonic} {', '.join(words)}"


def arguments_of(row: Row) -> Iterator[tuple[tuple[int, ...], str]]:
    masks, values = cycle(MASKS), cycle(immediates_of(row))
    several, places = list(registers_of(row)), list(memories_of(row))
    pairs = (
        zip(several, cycle(places), strict=False)
        if len(several) > len(places)
        else zip(cycle(several), places, strict=False)
    )
    for registers, place in pairs:
        mask, value, waiting = next(masks), next(values), list(registers)
        arguments: list[int] = []
        for letter in row.shape:
            if letter in "xm":
                arguments += place
            else:
                arguments.append(
                    {"k": mask, "i": value}.get(letter) or (waiting.pop(0) if letter == "r" else 0)
                )
        yield tuple(arguments), text_of(row, registers, mask, place, value)


@cache
def all_cases() -> list[tuple[Case, bytes]]:
    result = []
    for name, row in METHODS.items():
        for arguments, text in arguments_of(row) if not set(row.shape) & set("lb") else ():
            asm = WideAssembler()
            getattr(asm, name)(*arguments)
            result.append((Case(name, arguments, text), bytes(asm.code)))
    return result


def test_every_row_is_a_method() -> None:
    assert set(EVEX_ROWS.values()) <= {*METHODS.values()}
    assert len(METHODS) > 120
    assert len(all_cases()) > 10_000


def test_capstone_decodes_what_was_meant() -> None:
    wrong = []
    for case, data in all_cases():
        meant, read = normal(case.text), normal(decoded(data))
        if meant != read:
            wrong.append(f"{case.name}{case.arguments}: {data.hex(' ')} is {read}, not {meant}")
    assert not wrong, f"{len(wrong)} of {len(all_cases())}:\n" + "\n".join(wrong[:40])


FEATURES = ("avx512f", "avx512dq", "avx512bw", "avx512vl")
CLANG = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-gnu", "-c"]
ASSEMBLERS = {"clang": [*CLANG, *(f"-m{feature}" for feature in FEATURES)], "gnu": ["as"]}


@pytest.mark.parametrize("name", ASSEMBLERS)
def test_other_assemblers_make_the_same(name: str, tmp_path: Path) -> None:
    command = ASSEMBLERS[name]
    if shutil.which(command[0]) is None:
        pytest.skip("it is not installed")
    lines = [f"L{number}: {case.text}" for number, (case, _) in enumerate(all_cases())]
    ends = [f".long L{number} - L0" for number in range(len(lines))]
    source, object_file = tmp_path / "rows.s", tmp_path / "rows.o"
    head = [".intel_syntax noprefix", ".text"]
    tail = ["Lend:", ".section .ends", *ends, ".long Lend - L0", ""]
    source.write_text("\n".join([*head, *lines, *tail]))
    done = subprocess.run([*command, str(source), "-o", str(object_file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]
    sections = sections_of(object_file.read_bytes())
    words = memoryview(sections[".ends"]).cast("I")
    wrong = []
    for (case, ours), start, end in zip(all_cases(), words[:-1], words[1:], strict=True):
        theirs = sections[".text"][start:end]
        if ours != theirs and not has_another_form(case, ours, theirs):
            wrong.append(f"{case.name}{case.arguments} {case.text}: {ours.hex(' ')}, not {theirs.hex(' ')}")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:40])


def has_another_form(case: Case, ours: bytes, theirs: bytes) -> bool:
    """Whether the other assembler has taken the form that AVX has of the same instruction, or the shorter one
    that there is for equality."""
    return ours[0] == EVEX and normal(decoded(theirs)) == normal(case.text)


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if set(row.shape) & set("lb")])
def test_memory_at_a_label(name: str) -> None:
    row = METHODS[name]
    *others, last = operands(row)
    size = int(last.rpartition("m")[2])
    spread = f"{{1to{512 // size}}}" if row.shape.endswith("b") else ""
    for number in range(32):
        asm = WideAssembler()
        label = asm.label()
        registers = [(number + 5 * at) % count_of(other) for at, other in enumerate(others)]
        arguments, mask = list(registers), number % 7 + 1
        if "k" in row.shape:
            arguments.insert(1, mask)
        getattr(asm, name)(*arguments, label)
        end = len(asm.code)
        asm.nop(5)
        asm.bind(label)
        words = list(map(name_of, others, registers))
        if "k" in row.shape:
            words[0] += f" {{k{mask}}}" + (" {z}" if "{z}" in row.syntax else "")
        meant = f"{row.syntax.split()[0]} {', '.join(words)}, {SIZES[size]} ptr [rip + 0x5]{spread}"
        assert normal(decoded(bytes(asm.finish().data[:end]))) == normal(meant)


def test_upper_parts_are_forgotten() -> None:
    asm = WideAssembler()
    asm.vzeroupper()
    assert decoded(bytes(asm.code)) == "vzeroupper"


@pytest.mark.parametrize("memory", [(0, 4, 1, 0), (0, 1, 3, 0), (0, 1, 8, 2**31)])
def test_what_does_not_fit_is_refused(memory: tuple[int, ...]) -> None:
    with pytest.raises(RangeError):
        WideAssembler().vmovupd_rx(0, *memory)
