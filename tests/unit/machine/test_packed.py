"""Packed code: every primitive that has a packed form against its meaning, with 8 lanes and with 4, and random
programs that need more registers than there are.  Arrays end where memory does."""

from __future__ import annotations

import ctypes
import math
import mmap
import random
from collections.abc import Iterator
from struct import pack, unpack
from typing import Any

import pytest

from doralang.embed import formulas, kernels
from doralang.machine.x64.packed import FUSED, NARROW, SIZES, WIDE, PackedEmitter, PackedProgram
from doralang.machine.x64.packed_primitives import FORMATS, NotPacked, Packer, Term, Wider
from doralang.types.kinds import BOOL, DOUBLE, FLOAT, INT, LONG, Kind
from doralang.types.primitives import PRIMITIVES, Primitive

pytestmark = pytest.mark.skipif(
    not formulas.IS_POSSIBLE or not (formulas.place() and kernels.has_vectors()),
    reason="there is no packed code for this processor",
)
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
    """Elements behind which there is no memory; bytes of truth values have the few that may be read."""

    def __init__(self) -> None:
        self.map = mmap.mmap(-1, 2 * PAGE)
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        assert protect(ctypes.c_void_p(self.base + PAGE), ctypes.c_size_t(PAGE), 0) == 0

    def put(self, kind: Kind, values: list[Any], spare: int = 0) -> int:
        data = b"".join(pack(STRUCT[kind], value) for value in values) + bytes(spare)
        self.map[PAGE - len(data) : PAGE] = data
        return self.base + PAGE - len(data)


@pytest.fixture(scope="module")
def memory() -> list[Guarded]:
    return [Guarded() for _ in range(4)]


def run(
    memory: list[Guarded], code: bytearray, columns: list[tuple[Kind, list[Any]]], result: Kind
) -> list[Any]:
    """The results of a kernel."""
    count = len(columns[0][1])
    table = (ctypes.c_int64 * len(columns))(
        *[
            place.put(kind, values, 8 if kind is BOOL else 0)
            for place, (kind, values) in zip(memory, columns, strict=False)
        ]
    )
    out = memory[-1].put(result, [0] * count)
    kernel = kernels.placed(code)
    kernels.KERNEL(kernel.address)(ctypes.addressof(table), out, count)
    size = SIZES[result]
    data = ctypes.string_at(out, count * size)
    return [unpack(STRUCT[result], data[at : at + size])[0] for at in range(0, len(data), size)]


def packed_code(row: Primitive, lanes: int) -> bytearray | None:
    packer = Packer(lanes, [False] * len(row.operands))
    try:
        terms = [packer.variable(index, kind) for index, kind in enumerate(row.operands)]
        packer.store(packer.primitive(row.name, terms))
    except (NotPacked, Wider):
        return None
    return PackedEmitter(packer.program).kernel(len(row.operands))


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, float):
        return found != found if expected != expected else pack("<d", found) == pack("<d", expected)
    return bool(found == expected)


def cases() -> Iterator[tuple[str, int]]:
    for name, row in PRIMITIVES.items():
        if all(kind in SIZES for kind in row.operands) and row.trap is None:
            yield from ((name, lanes) for lanes in (NARROW, WIDE))


@pytest.mark.parametrize(("name", "lanes"), list(cases()) if formulas.IS_POSSIBLE else [])
def test_primitives_mean_the_same(name: str, lanes: int, memory: list[Guarded]) -> None:
    row = PRIMITIVES[name]
    code = packed_code(row, lanes)
    if code is None:
        return
    choose = random.Random(name)
    for count in COUNTS:
        columns = [(kind, choose.choices(VALUES[kind], k=count)) for kind in row.operands]
        found = run(memory, code, columns, row.result)
        for index, value in enumerate(found):
            arguments = [values[index] for _, values in columns]
            assert same(value, row.meaning(*arguments)), (name, arguments)


def test_most_primitives_are_packed() -> None:
    packed = {name for name, lanes in cases() if packed_code(PRIMITIVES[name], lanes)}
    assert {
        f"{kind}.{name}" for kind in ("int", "long", "float", "double") for name in ("plus", "less")
    } <= packed
    assert {"long.times", "long.shiftRight", "long.toDouble", "double.round", "bool.equals"} <= packed
    assert not {"long.toFloat", "double.toInt", "double.mod", "double.sin"} & packed
    assert len(packed) > 80


@pytest.mark.parametrize("name", ["int.div", "long.mod"])
def test_what_can_fail_is_refused(name: str) -> None:
    assert packed_code(PRIMITIVES[name], WIDE) is None


def test_scalars_are_in_all_lanes(memory: list[Guarded]) -> None:
    for kind, (lone, values) in {INT: (3, [1, 2, 3]), DOUBLE: (0.5, [1.0] * 6), LONG: (-1, [5] * 9)}.items():
        packer = Packer(NARROW if kind is INT else WIDE, [True, False])
        terms = [packer.variable(index, kind) for index in range(2)]
        packer.store(packer.primitive(f"{kind.value}.plus", terms))
        code = PackedEmitter(packer.program).kernel(2)
        table = (ctypes.c_int64 * 2)(memory[0].put(kind, [lone]), memory[1].put(kind, values))
        out, kernel = memory[2].put(kind, values), kernels.placed(code)
        kernels.KERNEL(kernel.address)(ctypes.addressof(table), out, len(values))
        data = ctypes.string_at(out, len(values) * SIZES[kind])
        assert data == b"".join(pack(FORMATS[kind], lone + value) for value in values)


@pytest.mark.parametrize("seed", range(12))
def test_more_values_than_registers(seed: int, memory: list[Guarded]) -> None:
    """Sums, products and fused ones of small whole numbers, which are exact, whose parts live long."""
    choose = random.Random(seed)
    program = PackedProgram(WIDE)
    values = [program.load(index, DOUBLE) for index in range(3)]
    columns = [(DOUBLE, [float(choose.randrange(-3, 4)) for _ in range(13)]) for _ in range(3)]
    meant = [list(column) for _, column in columns]
    for _ in range(60):
        number = float(choose.randrange(-2, 3))
        if choose.random() < 0.3:
            values.append(program.constant(pack("<d", number)))
            meant.append([number] * 13)
        parts = [choose.randrange(max(0, len(values) - 30), len(values)) for _ in range(3)]
        if choose.random() < 0.3:
            values.append(program.op(FUSED, *[values[part] for part in parts]))
            meant.append([x * y + z for x, y, z in zip(*[meant[part] for part in parts], strict=True)])
        elif choose.random() < 0.3:
            values.append(program.op("vsubpd", *[values[part] for part in parts[:2]]))
            meant.append([x - y for x, y in zip(*[meant[part] for part in parts[:2]], strict=True)])
        else:
            values.append(program.op("vmaxpd", *[values[part] for part in parts[:2]]))
            meant.append([max(x, y) for x, y in zip(*[meant[part] for part in parts[:2]], strict=True)])
        if max(map(abs, meant[-1])) > 2.0**20:
            values.pop()
            meant.pop()
    total, expected = values[-1], meant[-1]
    order = choose.sample(range(len(values)), len(values))
    for index in order:
        total = program.op("vaddpd", total, values[index])
        expected = [x + y for x, y in zip(expected, meant[index], strict=True)]
    program.store(total, DOUBLE)
    found = run(memory, PackedEmitter(program).kernel(3), columns, DOUBLE)
    assert found == expected


def test_what_is_the_same_is_computed_once() -> None:
    packer = Packer(WIDE, [False])
    term = packer.variable(0, DOUBLE)
    first, second = (packer.primitive("double.times", [term, term]) for _ in range(2))
    assert first == second == Term(1, DOUBLE, 8)
