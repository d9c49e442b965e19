"""Packed code at all levels: every primitive that has a packed form against its meaning, and random programs that
need more registers than there are.  Arrays end where memory does."""

from __future__ import annotations

import ctypes
import math
import mmap
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from struct import pack, unpack
from typing import Any, Final

import pytest

import vector_levels
from doralang.embed import formulas, kernels, levels
from doralang.machine.arm64.packed_neon import NeonPacker
from doralang.machine.arm64.vectors import VectorAssembler
from doralang.machine.buffer import Tabled
from doralang.machine.packed.mathematics import FUNCTIONS, FUNCTIONS_OF_TWO, FastFunctions
from doralang.machine.packed.primitives import FORMATS, NotPacked, Packer, Term, Wider
from doralang.machine.packed.programs import NARROW, SIZES, WIDE
from doralang.machine.targets import ARM64, host
from doralang.machine.x64.levels import Level
from doralang.optional import load
from doralang.types.kinds import BOOL, DOUBLE, FLOAT, INT, LONG, Kind
from doralang.types.primitives import PRIMITIVES, Primitive

PACKERS: list[type[Packer]] = list(dict.fromkeys(map(levels.packer_for, vector_levels.HERE)))
PACKERS.append(NeonPacker)
FLOATS = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    1e-40,
    3e38,
    math.inf,
    -math.inf,
    math.nan,
    12345.75,
)
WHOLE = (0, 1, -1, 2, 3, 7, -8, 31, 32, 33, 63, 64, 65, 12345, -99999, 2**31 - 1, -(2**31))
VALUES: dict[Kind, tuple[Any, ...]] = {
    BOOL: (False, True, True),
    INT: WHOLE,
    LONG: (
        *WHOLE,
        2**53 + 1,
        -(2**53) - 1,
        2**62 + 12345,
        2**63 - 1,
        -(2**63),
        2**32,
        -(2**32) - 1,
        2**63 - 513,
    ),
    FLOAT: tuple(unpack("<f", pack("<f", value))[0] for value in FLOATS),
    DOUBLE: (*FLOATS, 1e300, -1e-310, 0.49999999999999994, 4503599627370495.5, 2.0**52 + 1),
}
STRUCT = {**FORMATS, BOOL: "<?"}
COUNTS = (1, 2, 3, 4, 5, 7, 8, 9, 31, 45)
PAGE = mmap.PAGESIZE


class Guarded:
    """Elements behind which there is no memory."""

    def __init__(self) -> None:
        self.map = mmap.mmap(-1, 2 * PAGE)
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        assert protect(ctypes.c_void_p(self.base + PAGE), ctypes.c_size_t(PAGE), 0) == 0

    def put(self, kind: Kind, values: list[Any]) -> int:
        data = b"".join(pack(STRUCT[kind], value) for value in values)
        self.map[PAGE - len(data) : PAGE] = data
        return self.base + PAGE - len(data)


APART: Final = 1 << 17
"""bytes between code and its constants"""


@cache
def emulator() -> Any:
    return load("emulated").Emulator()


@contextmanager
def callable_kernel(packer: type[Packer], code: bytearray) -> Iterator[Callable[[int, int, int], object]]:
    """The code as something to call, on this processor or an emulated one."""
    if packer is not NeonPacker or host() is ARM64:
        formulas.place()
        kernel = kernels.placed(code)
        yield kernels.KERNEL(kernel.address)
        del kernel
    else:
        assert isinstance(code, Tabled)
        room = (ctypes.c_uint8 * (len(code) + APART + 16))()
        start = ctypes.addressof(room) + 15 & -16
        behind = start + code.table + APART
        ctypes.memmove(start, bytes(code.alone(behind - start)), code.table)
        ctypes.memmove(behind, bytes(code[code.table :]), len(code) - code.table)
        emulator().forget()
        yield partial(emulator().call, start)


@pytest.fixture(scope="module")
def memory() -> list[Guarded]:
    return [Guarded() for _ in range(4)]


def run(
    packer: type[Packer],
    memory: list[Guarded],
    code: bytearray,
    columns: list[tuple[Kind, list[Any]]],
    result: Kind,
) -> list[Any]:
    """The results of a kernel."""
    count = len(columns[0][1])
    table = (ctypes.c_int64 * len(columns))(
        *[place.put(kind, values) for place, (kind, values) in zip(memory, columns, strict=False)]
    )
    out = memory[-1].put(result, [0] * count)
    with callable_kernel(packer, code) as kernel:
        kernel(ctypes.addressof(table), out, count)
    size = SIZES[result]
    data = ctypes.string_at(out, count * size)
    return [unpack(STRUCT[result], data[at : at + size])[0] for at in range(0, len(data), size)]


def packed_code(packer_class: type[Packer], row: Primitive, widest: int) -> bytearray | None:
    packer = packer_class(widest, [False] * len(row.operands))
    try:
        terms = [packer.variable(index, kind) for index, kind in enumerate(row.operands)]
        packer.store(packer.primitive(row.name, terms))
    except (NotPacked, Wider):
        return None
    return packer.kernel()


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, float):
        return found != found if expected != expected else pack("<d", found) == pack("<d", expected)
    return bool(found == expected)


def cases() -> Iterator[tuple[str, int]]:
    for name, row in PRIMITIVES.items():
        if all(kind in SIZES for kind in row.operands) and row.trap is None:
            yield from ((name, widest) for widest in (NARROW, WIDE))


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize(("name", "widest"), list(cases()))
def test_primitives_mean_the_same(
    name: str, widest: int, packer: type[Packer], memory: list[Guarded]
) -> None:
    row = PRIMITIVES[name]
    code = packed_code(packer, row, widest)
    if code is None:
        return
    choose = random.Random(name)
    for count in COUNTS:
        columns = [(kind, choose.choices(VALUES[kind], k=count)) for kind in row.operands]
        found = run(packer, memory, code, columns, row.result)
        for index, value in enumerate(found):
            arguments = [values[index] for _, values in columns]
            assert same(value, row.meaning(*arguments)), (name, arguments)


def packed_by(packer: type[Packer]) -> set[str]:
    return {name for name, widest in cases() if packed_code(packer, PRIMITIVES[name], widest)}


@pytest.mark.skipif(not vector_levels.HERE, reason="there are no levels on this processor")
def test_most_primitives_are_packed() -> None:
    narrow, *others = map(packed_by, PACKERS)
    common = {f"{kind}.plus" for kind in ("int", "long", "float", "double")} | {
        "int.less",
        "long.less",
        "double.less",
    }
    assert common | {"long.times", "long.toDouble", "int.times", "bool.equals", "double.sqrt"} <= narrow
    assert not {"int.shiftLeft", "double.round", "double.floor"} & narrow
    assert len(narrow) > 60
    for packed in others:
        assert packed == others[0] > narrow
        assert {"long.shiftRight", "double.round"} <= packed
        assert not {"long.toFloat", "double.toInt", "double.mod", "double.sin"} & packed
        assert len(packed) > 80


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("name", ["int.div", "long.mod"])
def test_what_can_fail_is_refused(name: str, packer: type[Packer]) -> None:
    assert packed_code(packer, PRIMITIVES[name], WIDE) is None


@pytest.mark.parametrize("packer_class", PACKERS)
def test_scalars_are_in_all_lanes(packer_class: type[Packer], memory: list[Guarded]) -> None:
    for kind, (lone, values) in {INT: (3, [1, 2, 3]), DOUBLE: (0.5, [1.0] * 6), LONG: (-1, [5] * 9)}.items():
        packer = packer_class(NARROW if kind is INT else WIDE, [True, False])
        terms = [packer.variable(index, kind) for index in range(2)]
        packer.store(packer.primitive(f"{kind.value}.plus", terms))
        code = packer.kernel()
        table = (ctypes.c_int64 * 2)(memory[0].put(kind, [lone]), memory[1].put(kind, values))
        out = memory[2].put(kind, values)
        with callable_kernel(packer_class, code) as kernel:
            kernel(ctypes.addressof(table), out, len(values))
        data = ctypes.string_at(out, len(values) * SIZES[kind])
        assert data == b"".join(pack(FORMATS[kind], lone + value) for value in values)


@pytest.mark.parametrize("packer_class", PACKERS)
@pytest.mark.parametrize("seed", range(12))
def test_more_values_than_registers(seed: int, packer_class: type[Packer], memory: list[Guarded]) -> None:
    """Sums, products, choices and fused products of small whole numbers, which are exact, whose parts live
    long, and so do masks."""
    choose = random.Random(seed)
    packer = packer_class(WIDE, [False] * 3)
    has_fused = packer.unit.accumulates or packer.unit.name != "sse2" and vector_levels.HERE[-1] >= Level.FMA
    terms = [packer.variable(index, DOUBLE) for index in range(3)]
    columns = [(DOUBLE, [float(choose.randrange(-3, 4)) for _ in range(45)]) for _ in range(3)]
    meant = [list(column) for _, column in columns]
    masks: list[tuple[Term, list[bool]]] = []
    for _ in range(60):
        number = float(choose.randrange(-2, 3))
        if choose.random() < 0.3:
            terms.append(packer.constant(number, DOUBLE))
            meant.append([number] * 45)
        parts = [choose.randrange(max(0, len(terms) - 30), len(terms)) for _ in range(3)]
        (x, y, z), rows = [terms[part] for part in parts], [meant[part] for part in parts]
        what = choose.random()
        if what < 0.25:
            masks.append((packer.compare("less", x, y), [a < b for a, b in zip(*rows[:2], strict=True)]))
        if what < 0.3 and has_fused:
            terms.append(packer.fma(x, y, z))
            meant.append([a * b + c for a, b, c in zip(*rows, strict=True)])
        elif what < 0.5 and masks:
            mask, truth = choose.choice(masks)
            terms.append(packer.choice(mask, x, y))
            meant.append([a if c else b for c, a, b in zip(truth, *rows[:2], strict=True)])
        elif what < 0.75:
            terms.append(packer.double("vsubpd", x, y))
            meant.append([a - b for a, b in zip(*rows[:2], strict=True)])
        else:
            terms.append(packer.double("vmaxpd", x, y))
            meant.append([max(a, b) for a, b in zip(*rows[:2], strict=True)])
        if max(map(abs, meant[-1])) > 2.0**20:
            terms.pop()
            meant.pop()
    total, expected = terms[-1], meant[-1]
    for mask, truth in masks:
        total = packer.choice(mask, total, packer.double("vaddpd", total, terms[0]))
        expected = [x if c else x + y for c, x, y in zip(truth, expected, meant[0], strict=True)]
    for index in choose.sample(range(len(terms)), len(terms)):
        total = packer.double("vaddpd", total, terms[index])
        expected = [x + y for x, y in zip(expected, meant[index], strict=True)]
    packer.store(total)
    assert run(packer_class, memory, packer.kernel(), columns, DOUBLE) == expected


HARD = 42.0
"""what the functions of the C library are said to give, which only hard lanes are left to"""


def hard_function(packer: type[Packer]) -> tuple[int, object]:
    """The address of a function that gives it, which destroys what calls may; and what keeps it alive."""
    if packer is not NeonPacker or host() is ARM64:
        native = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda _: HARD)
        return ctypes.cast(native, ctypes.c_void_p).value or 0, native
    asm = VectorAssembler()
    for number in range(18):
        asm.movz64_ri(number, 0xBAD, 0)
    for number in (*range(8), *range(16, 32)):
        asm.fmov_from_64(number, 5)
        asm.dup_2d(number, number)
    asm.ldr_double_l(0, asm.constant(pack("<d", HARD)))
    asm.ret()
    code = bytes(asm.finish().data)
    room = (ctypes.c_uint8 * (len(code) + 16))()
    start = ctypes.addressof(room) + 15 & -16
    ctypes.memmove(start, code, len(code))
    return start, room


def results_of(
    function: str, packer: type[Packer], memory: list[Guarded], columns: list[list[float]]
) -> bytes:
    address, kept = hard_function(packer)
    made = packer(WIDE, [False] * len(columns), FastFunctions(lambda _: address))
    made.store(made.function(function, [made.variable(index, DOUBLE) for index in range(len(columns))]))
    found = run(packer, memory, made.kernel(), [(DOUBLE, column) for column in columns], DOUBLE)
    del kept
    return b"".join(pack("<d", math.nan if value != value else value) for value in found)


@pytest.mark.skipif(vector_levels.HERE[-1:] < [Level.FMA], reason="functions are packed with fused products")
@pytest.mark.parametrize("name", [*FUNCTIONS, *FUNCTIONS_OF_TWO])
def test_functions_have_the_same_bits_on_all_processors(name: str, memory: list[Guarded]) -> None:
    """And leave the same lanes to the C library."""
    choose = random.Random(name)
    usual = [choose.choice((-1, 1)) * choose.random() * 10.0 ** choose.randrange(-8, 6) for _ in range(60)]
    inside = [2 * choose.random() - 1 for _ in range(20)]
    any_bits = [unpack("<d", choose.randbytes(8))[0] for _ in range(20)]
    values = [*VALUES[DOUBLE], *usual, *inside, *any_bits]
    choose.shuffle(values)
    others = choose.choices(values, k=len(values))
    columns = [values, others][: 1 + (name in FUNCTIONS_OF_TWO)]
    for count in (1, 3, len(values)):
        part = [column[:count] for column in columns]
        expected = results_of(name, levels.packer_for(Level.FMA), memory, part)
        assert results_of(name, NeonPacker, memory, part) == expected


@pytest.mark.parametrize("packer_class", PACKERS)
def test_what_is_the_same_is_computed_once(packer_class: type[Packer]) -> None:
    packer = packer_class(WIDE, [False])
    term = packer.variable(0, DOUBLE)
    first, second = (packer.primitive("double.times", [term, term]) for _ in range(2))
    assert first == second == Term(1, DOUBLE, 8)
