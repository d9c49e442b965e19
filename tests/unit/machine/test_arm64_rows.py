"""Every row of the AArch64 assembler, over all shapes of its operands, against independent oracles.

The text of each case is written here from the row's syntax alone.  Two assemblers (clang's, from the package
ziglang, and GNU's) must make the same bytes of it, and Capstone must decode the bytes to that text.  Where Capstone
prefers another name for the same instruction (`mov` for `orr` with the zero register), its text goes to
the assembler as well and must come back as the same bytes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import capstone
import pytest
from elf import sections_of

from doralang.machine.arm64 import registers as a
from doralang.machine.arm64.assembler import Assembler
from doralang.machine.arm64.encoding import OPERAND, ROWS, BitField, Row, form_of
from doralang.machine.arm64.immediates import bitmask, float_immediates
from doralang.machine.arm64.registers import SP, ZR
from doralang.machine.arm64.vectors import VectorAssembler
from doralang.machine.code import RangeError

LABELLED = {"to_label", "one_and_label"}
METHODS = {
    name: ROWS[emit]
    for assembler in (Assembler, VectorAssembler)
    for name, emit in vars(assembler).items()
    if callable(emit) and emit in ROWS
}

BITMASKS = [
    *(1 << bit for bit in range(0, 64, 3)),
    *((1 << length) - 1 for length in (2, 7, 8, 16, 31, 32, 33, 63)),
    *(~(1 << bit) for bit in (0, 1, 31, 32, 63)),
    0x5555_5555_5555_5555,
    0x3333_3333_3333_3333,
    0x0F0F_0F0F_0F0F_0F0F,
    0xFF00_FF00_FF00_FF00,
    0x8000_0001_8000_0001,
    0xFFFF_FFF8,
    -8,
    0x1FF0,
]


class Case(NamedTuple):
    """One encoding: what to emit, and how it is written."""

    name: str
    operands: tuple[int, ...]
    text: str


# ---- The operands that are tried, and how they are written ----


def every_value(field: BitField) -> list[int]:
    """All that is worth trying in one operand."""
    kind, top = field.kind, (1 << field.width) - 1
    if kind in ("X", "W"):
        return [*range(31), ZR]
    if kind == "SP":
        return [*range(31), SP]
    if kind in ("B", "H", "S", "D", "Q", "V", "fimm"):
        return list(range(top + 1))
    if kind == "cond":
        return list(range(len(a.CONDITION_NAMES)))
    if kind == "bimm":
        width = 64 if field.width == 13 else 32
        patterns = [value & (1 << width) - 1 for value in BITMASKS]
        return sorted({value for value in patterns if bitmask(value, width) is not None})
    if kind == "simm":
        half = 1 << field.width - 1
        return [field.scale * value for value in (-half, 1 - half, -8, -1, 0, 1, 8, half - 2, half - 1)]
    values = {0, 1, 2, 3, 5, 7, 8, 15, 31, 32, 63, 255, 4095, top // 2, top // 2 + 1, top - 1, top}
    return [field.scale * value for value in sorted(values) if value <= top]


def few_values(field: BitField) -> list[int]:
    """Those at the edges."""
    values = every_value(field)
    middle = len(values) // 2
    return sorted({values[0], values[1 % len(values)], values[middle], values[-1]})


def written(field: BitField, syntax: str, value: int) -> str:
    kind = field.kind
    if kind in ("X", "W"):
        return f"{kind.lower()}{'zr' if value == ZR else value}"
    if kind == "SP":
        narrow = syntax.startswith("<W")
        return ("wsp" if narrow else "sp") if value == SP else f"{'w' if narrow else 'x'}{value}"
    if kind in ("B", "H", "S", "D", "Q", "V"):
        return f"{kind.lower()}{value}"
    if kind == "cond":
        return a.CONDITION_NAMES[value]
    if kind == "fimm":
        return repr(next(number for number, bits in float_immediates().items() if bits == value))
    return str(value)


def text_of(row: Row, operands: tuple[int, ...]) -> str:
    """The row's syntax with these operands."""
    fields = form_of(row.syntax, row.pattern).fields
    found = [match for match in OPERAND.finditer(row.syntax) if match[1] != "label"]
    text, end = "", 0
    for match, field, value in zip(found, fields, operands, strict=True):
        text += row.syntax[end : match.start()].lower() + written(field, match[0], value)
        end = match.end()
    return text + row.syntax[end:].lower()


def operands_of(row: Row) -> Iterator[tuple[int, ...]]:
    """Each operand through all its values beside two choices of the others; then the edges of all."""
    fields = form_of(row.syntax, row.pattern).fields
    seen = set()
    for turn, field in enumerate(fields):
        for others in (0, 1):
            for value in every_value(field):
                rest = [choice(every_value(one), 3 + 5 * others * place) for place, one in enumerate(fields)]
                rest[turn] = value
                seen.add(tuple(rest))
    seen |= set(product(*(few_values(field) for field in fields)))
    yield from (operands for operands in sorted(seen) if not is_unpredictable(row, operands))


def choice(values: list[int], number: int) -> int:
    return values[number % len(values)]


def is_unpredictable(row: Row, operands: tuple[int, ...]) -> bool:
    """What the manual forbids, and assemblers refuse: loading two values into one register, and the like."""
    mnemonic = row.syntax.split()[0]
    if mnemonic == "STLXR":
        return operands[0] in operands[1:]
    if mnemonic in ("LDP", "STP"):
        changes_base = "]!" in row.syntax or "]," in row.syntax
        if changes_base and operands[2] in operands[:2]:
            return True
        return mnemonic == "LDP" and operands[0] == operands[1]
    return "]," in row.syntax and operands[0] == operands[1]


@cache
def all_cases() -> list[tuple[Case, bytes]]:
    """Every case with the bytes that the assembler made."""
    result = []
    for name, row in METHODS.items():
        for operands in operands_of(row):
            for distance in distances(row):
                text = text_of(row, operands)
                if distance is not None:
                    text = text.replace("<label>", f".{distance:+d}")
                result.append((Case(name, operands, text), emitted(name, operands, distance)))
    return result


def distances(row: Row) -> list[int | None]:
    """How far away labels are tried."""
    if row.shape not in LABELLED:
        return [None]
    step = 1 if row.syntax.startswith("ADR") else 4
    reach = 1 << row.pattern.count("i") - 1
    return [step * words for words in (-reach, -2, 0, 1, 2, 100, reach // 2 + 1, reach - 1)]


def emitted(name: str, operands: tuple[int, ...], distance: int | None) -> bytes:
    asm = VectorAssembler()
    if distance is None:
        getattr(asm, name)(*operands)
    else:
        label = asm.label()
        asm.positions[label] = distance
        getattr(asm, name)(*operands, label)
    return bytes(asm.finish().data)


# ---- The oracles ----


@cache
def decoder() -> Any:
    return capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)


def decoded(data: bytes) -> str:
    """The text of exactly one instruction."""
    instructions = list(decoder().disasm_lite(data, 0))
    if len(instructions) != 1:
        return f"not one instruction: {data.hex()}"
    _, _, mnemonic, operands = instructions[0]
    return f"{mnemonic} {operands}".strip()


def normal(text: str) -> str:
    """One spelling of numbers; no spaces, no shift by nothing."""
    text = re.sub(r"(?<=,)\.\+?(-?\d+)$", r"\1", text.replace(" ", ","))
    text = re.sub(r"#?(-?(?:0x[0-9a-f]+|\d+\.\d+|\d+))\b", number_text, text)
    return text.replace(",lsl,0", "").replace(",0]", "]").replace(",,", ",")


def number_text(match: re.Match[str]) -> str:
    text = match[1]
    return str(float(text)) if "." in text else str(int(text, 0) & (1 << 64) - 1)


def with_clang(source: Path, object_file: Path) -> list[str]:
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-gnu", "-c"]
    return [*command, str(source), "-o", str(object_file)]


def with_gnu(source: Path, object_file: Path) -> list[str]:
    gnu = shutil.which("aarch64-linux-gnu-as")
    if gnu is None and not os.environ.get("CI"):
        pytest.skip("GNU as for AArch64 is missing: apt-get install binutils-aarch64-linux-gnu")
    return [gnu or "aarch64-linux-gnu-as", str(source), "-o", str(object_file)]


ASSEMBLERS = {"clang": with_clang, "gnu": with_gnu}


def assembled(name: str, texts: list[str], folder: Path) -> list[bytes]:
    """What an assembler makes of all texts, 4 bytes each."""
    source, object_file = folder / "rows.s", folder / "rows.o"
    source.write_text("\n".join([".text", *texts]) + "\n")
    done = subprocess.run(ASSEMBLERS[name](source, object_file), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]
    text = sections_of(object_file.read_bytes())[".text"]
    return [text[start : start + 4] for start in range(0, 4 * len(texts), 4)]


def complaints(cases: list[tuple[Case, bytes]], theirs: list[bytes]) -> list[str]:
    return [
        f"{case.name}{case.operands} {case.text}: {ours.hex()} ({decoded(ours)}), not {other.hex()}"
        for (case, ours), other in zip(cases, theirs, strict=True)
        if ours != other
    ]


def test_every_method_that_emits_is_a_row() -> None:
    assert len(METHODS) == len(ROWS)
    assert {row.shape for row in METHODS.values()} <= {"none", "one", "two", "three", "four"} | LABELLED


def test_there_are_many_cases() -> None:
    assert len(all_cases()) >= 20_000


@pytest.mark.parametrize("name", ASSEMBLERS)
def test_another_assembler_makes_the_same(name: str, tmp_path: Path) -> None:
    theirs = assembled(name, [case.text for case, _ in all_cases()], tmp_path)
    wrong = complaints(all_cases(), theirs)
    assert not wrong, f"{len(wrong)} of {len(theirs)}:\n" + "\n".join(wrong[:40])


def test_capstone_decodes_what_was_meant(tmp_path: Path) -> None:
    named_otherwise = [
        (Case(case.name, case.operands, decoded(ours)), ours)
        for case, ours in all_cases()
        if normal(decoded(ours)) != normal(case.text)
    ]
    assert len(named_otherwise) < len(all_cases()) / 7
    theirs = assembled("clang", [case.text for case, _ in named_otherwise], tmp_path)
    # A constant that both `movz` and `orr` can make is `mov` to Capstone; the assembler prefers `movz`.
    pairs = zip(named_otherwise, theirs, strict=True)
    theirs = [
        ours if case.text.startswith("mov ") and decoded(other) == case.text else other
        for (case, ours), other in pairs
    ]
    wrong = complaints(named_otherwise, theirs)
    assert not wrong, f"{len(wrong)} of {len(theirs)}:\n" + "\n".join(wrong[:40])


# ---- What does not fit, labels, symbols ----


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("add64_rr", (SP, 1, 2)),
        ("add64_ri", (ZR, 1, 2)),
        ("add64_ri", (0, 1, 4096)),
        ("add64_ri", (0, 1, -1)),
        ("add64_rr", (33, 1, 2)),
        ("and64_ri", (0, 1, 0)),
        ("and64_ri", (0, 1, 0x12345)),
        ("and32_ri", (0, 1, 0xFFFF_FFFF)),
        ("ldr_64", (0, 1, 4)),
        ("ldr_64", (0, 1, 8 * 4096)),
        ("ldr_64", (0, ZR, 8)),
        ("ldur_64", (0, 1, 256)),
        ("ldur_64", (0, 1, -257)),
        ("stp_64", (0, 1, 2, 512)),
        ("stp_64", (0, 1, 2, 4)),
        ("movz64_ri", (0, 65536, 0)),
        ("movz64_ri", (0, 1, 8)),
        ("movz32_ri", (0, 1, 32)),
        ("add64_shifted", (0, 1, 2, 64)),
        ("csel64_rr", (0, 1, 2, 16)),
        ("fmov_double_i", (0, 256)),
        ("fadd_double", (32, 0, 0)),
        ("brk", (65536,)),
    ],
)
def test_what_does_not_fit_is_refused(name: str, operands: tuple[int, ...]) -> None:
    with pytest.raises(RangeError):
        getattr(Assembler, name)(Assembler(), *operands)


NEAR = {"b": 1 << 27, "bl": 1 << 27, "adr": 1 << 20}


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if row.shape in LABELLED])
def test_references_to_labels(name: str, tmp_path: Path) -> None:
    """Backwards, to itself, forwards."""
    row = METHODS[name]
    first = [()] if row.shape == "to_label" else [(0,), (5,), (13,)]
    for operands, before, behind in product(first, (0, 1, 9), (0, 1, 9)):
        asm = VectorAssembler()
        back, forward = asm.bound(), asm.label()
        for _ in range(before):
            asm.nop()
        start = asm.position
        for label in (back, forward):
            getattr(VectorAssembler, name)(asm, *operands, label)
        for _ in range(behind):
            asm.nop()
        asm.bind(forward)
        data = bytes(asm.finish().data)
        text = text_of(row, operands)
        for offset, target in ((start, 0), (start + 4, start + 8 + 4 * behind)):
            read = next(decoder().disasm_lite(data[offset : offset + 4], offset))
            meant = text.replace("<label>", f"#{target:#x}")
            assert normal(" ".join(read[2:])) == normal(meant)


@pytest.mark.parametrize(("name", "reach"), [*NEAR.items(), ("cbz64", 1 << 20), ("ldr_64_l", 1 << 20)])
@pytest.mark.parametrize("beyond", [-4, 0])
def test_the_reach_of_labels(name: str, reach: int, beyond: int) -> None:
    asm = VectorAssembler()
    label = asm.label()
    operands = (label,) if name in ("b", "bl") else (0, label)
    getattr(VectorAssembler, name)(asm, *operands)
    asm.positions[label] = reach + beyond
    if beyond < 0:
        read = next(decoder().disasm_lite(bytes(asm.finish().data), 0))
        assert normal(read[3]).endswith(str(reach + beyond))
    else:
        with pytest.raises(RangeError):
            asm.finish()
