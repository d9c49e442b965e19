"""C entries: functions called under the platform's convention, by a caller that expects its registers back."""

from __future__ import annotations

import random

import pytest
from native_program import FLOATS, Program, arena, assembler, choose, place, processor, to_bits

from doralang.baseline.compiler import compile_for
from doralang.bytecode.entities import ClassRef, FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Register, Return
from doralang.code.collectors import COLLECTORS
from doralang.code.environment import Environment
from doralang.code.symbols import entry_of
from doralang.machine.macro import MacroAssembler
from doralang.machine.targets import TARGETS
from doralang.runtime import stubs
from doralang.types.kinds import Kind

VALUES: dict[Kind, tuple[int | float, ...]] = {
    Kind.BOOL: (0, 1),
    Kind.BYTE: (0, 200),
    Kind.CHAR: (65, 0x1F600),
    Kind.INT: (7, 0x7FFF_FFFF),
    Kind.LONG: (-5, 1 << 62),
    Kind.FLOAT: (1.5, -0.25),
    Kind.DOUBLE: (1e300, -2.5),
    Kind.REF: (0x1000, 0x7FFF_0000_1000),
}
MOST = 20
THREAD = 0x1234_5678
"""stands for a thread block, at which a function that neither calls nor polls does not look"""


def signatures() -> list[tuple[tuple[Kind, ...], int]]:
    """Kinds of parameters, and which of them is to be returned: each kind alone, in rows, and mixtures."""
    pure = [(kind,) * count for kind in VALUES for count in (1, 5, 6, 8, 9, 12)]
    pick = random.Random(12)
    mixed = [tuple(pick.choices(list(VALUES), k=count)) for count in range(2, MOST) for _ in range(2)]
    return [(kinds, place) for kinds in [*pure, *mixed] for place in {0, len(kinds) // 2, len(kinds) - 1}]


@pytest.fixture(autouse=True, params=TARGETS)
def target(request: pytest.FixtureRequest) -> None:
    choose(request.param)


def entry_for(kinds: tuple[Kind, ...], returned: int) -> int:
    """The C entry of a function that returns one of its parameters."""
    ref = FunctionRef("f", "f", "f()", None, kinds, kinds[returned], False)
    environment = Environment(ClassRef("Str", None, "Str"), COLLECTORS["zero"], lambda function: None)
    function = Function(ref, [*kinds], [Return(Register(returned))], [1])
    body = place(compile_for(processor().target, function, environment).code)
    cell = entry_of(ref)
    code = stubs.assemble(processor().target.assembler, stubs.c_entry(ref, cell))
    return place(code, {cell: arena.new_cell(body)})  # type: ignore[dict-item]


def pass_argument(masm: MacroAssembler, kind: Kind, where: object, stack: int, bits: int) -> None:
    """Put a value where the convention has it."""
    work = next(register for register in masm.temporaries if register not in masm.arguments)
    masm.load_constant(Kind.LONG, work, bits - (1 << 64) if bits >> 63 else bits)
    masm.store(Kind.LONG, work, masm.stack_pointer, stack if where is None else SPARE)
    if where is not None:
        masm.load(Kind.DOUBLE if kind in FLOATS else Kind.LONG, where, masm.stack_pointer, SPARE)  # type: ignore[arg-type]


SPARE = 8 * MOST
ROOM = SPARE + 16


@pytest.mark.parametrize(("kinds", "returned"), signatures())
def test_every_kind_of_signature(kinds: tuple[Kind, ...], returned: int) -> None:
    entry = entry_for(kinds, returned)
    values = [VALUES[kind][number % 2] for number, kind in enumerate(kinds)]
    result = kinds[returned]

    def emit(masm: MacroAssembler) -> None:
        (first, *arguments), _ = masm.call_layout((Kind.LONG, *kinds))
        masm.load_address(masm.stack_pointer, masm.stack_pointer, -ROOM)
        for argument, value in zip(arguments, values, strict=True):
            pass_argument(
                masm, argument.kind, argument.register, argument.stack, to_bits(argument.kind, value)
            )
        masm.load_constant(Kind.LONG, first.register, THREAD)  # type: ignore[arg-type]
        masm.call_symbol("entry")
        masm.load_address(masm.stack_pointer, masm.stack_pointer, ROOM)

    program = Program(emit, symbols={"entry": entry}, loses_scratch=True)
    masm = assembler()
    changed = program.run({})
    kept = {(False, register) for register in masm.callee_saved}
    assert not kept & set(changed), "a register of the caller was not given back"
    register = masm.float_result if result in FLOATS else masm.result
    bits = program.after[result in FLOATS, register]
    width = (
        32 if result in (Kind.FLOAT, Kind.INT, Kind.CHAR) else 8 if result in (Kind.BOOL, Kind.BYTE) else 64
    )
    mask = (1 << width) - 1
    assert bits & mask == to_bits(result, values[returned]) & mask
    program.free()
