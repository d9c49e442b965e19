"""Memory, branches, frames and calls of the macro assembler, run: natively, or under an emulator."""

from __future__ import annotations

import ctypes
import math
import operator
import random
from collections.abc import Callable
from functools import partial
from itertools import product

import pytest
from native_program import (
    FLOATS,
    MASK_64,
    SLOT,
    Program,
    arena,
    assembler,
    choose,
    from_bits,
    place,
    processor,
    to_bits,
)

from doralang.machine.buffer import Label
from doralang.machine.code import RangeError
from doralang.machine.macro import (
    SWAPPED,
    Argument,
    BinaryOperation,
    Condition,
    FloatCondition,
    MacroAssembler,
    Register,
    float_negated,
    negated,
)
from doralang.machine.targets import TARGETS
from doralang.types.kinds import Kind

BOOL, BYTE, CHAR, INT = Kind.BOOL, Kind.BYTE, Kind.CHAR, Kind.INT
LONG, FLOAT, DOUBLE, REF = Kind.LONG, Kind.FLOAT, Kind.DOUBLE, Kind.REF
SIZES = {BOOL: 1, BYTE: 1, CHAR: 4, INT: 4, LONG: 8, FLOAT: 4, DOUBLE: 8, REF: 8}
SAMPLES: dict[Kind, list[int] | list[float]] = {
    BOOL: [0, 1],
    BYTE: [0, 0x80, 0xFF],
    CHAR: [0, 0x10FFFF],
    INT: [0, 1, -1, 2**31 - 1, -(2**31), 0x1234_5678],
    LONG: [0, 1, -1, 2**31, 2**32, -(2**31) - 1, 2**63 - 1, -(2**63), 0xFFFF_FFFF, 0x1234_5678_9ABC_DEF0],
    REF: [0, 0x7FFF_1234_5678, 0x1000],
    FLOAT: [0.0, -0.0, 1.5, math.inf, math.nan],
    DOUBLE: [0.0, -0.0, 0.1, -math.inf, math.nan, 5e-324],
}
KINDS = tuple(SIZES)


@pytest.fixture(params=sorted(TARGETS), autouse=True)
def target(request: pytest.FixtureRequest) -> None:
    """Every test is run for every processor."""
    choose(request.param)


MEANING: dict[Condition, tuple[bool, Callable[[int, int], bool]]] = {
    Condition.EQUAL: (True, operator.eq),
    Condition.NOT_EQUAL: (True, operator.ne),
    Condition.LESS: (True, operator.lt),
    Condition.LESS_EQUAL: (True, operator.le),
    Condition.GREATER: (True, operator.gt),
    Condition.GREATER_EQUAL: (True, operator.ge),
    Condition.BELOW: (False, operator.lt),
    Condition.BELOW_EQUAL: (False, operator.le),
    Condition.ABOVE: (False, operator.gt),
    Condition.ABOVE_EQUAL: (False, operator.ge),
}
FLOAT_MEANING: dict[FloatCondition, Callable[[float, float], bool]] = {
    FloatCondition.EQUAL: operator.eq,
    FloatCondition.LESS: operator.lt,
    FloatCondition.LESS_EQUAL: operator.le,
    FloatCondition.GREATER: operator.gt,
    FloatCondition.GREATER_EQUAL: operator.ge,
}


def holds(kind: Kind, condition: Condition, left: int, right: int) -> bool:
    signed, meaning = MEANING[condition]
    if not signed:
        left, right = to_bits(kind, left), to_bits(kind, right)
    return meaning(left, right)


def float_holds(condition: FloatCondition, left: float, right: float) -> bool:
    if condition in FLOAT_MEANING:
        return FLOAT_MEANING[condition](left, right)
    return not FLOAT_MEANING[float_negated(condition)](left, right)


def as_number(emit: Callable[[MacroAssembler, Label], None], target: Register, masm: MacroAssembler) -> None:
    """1 in `target` if `emit` branched to the label, else 0; once forwards, once backwards."""
    forward, done, backward, start = masm.label(), masm.label(), masm.label(), masm.label()
    masm.jump(start)
    masm.bind(backward)
    masm.load_constant(INT, target, 1)
    masm.jump(done)
    masm.bind(forward)
    emit(masm, backward)
    masm.trap()
    masm.bind(start)
    emit(masm, forward)
    masm.load_constant(INT, target, 0)
    masm.bind(done)


def branching(emit: Callable[[MacroAssembler, Label], None], target: Register) -> Program:
    return Program(partial(as_number, emit, target))


# ---- Comparing ----


@pytest.mark.parametrize("kind", [INT, LONG], ids=str)
@pytest.mark.parametrize("condition", Condition, ids=lambda condition: condition.name)
def test_conditions_of_integers(condition: Condition, kind: Kind) -> None:
    a, b, c = assembler().temporaries[:3]
    programs = [
        branching(lambda m, label: m.branch(kind, condition, a, b, label), c),
        branching(lambda m, label: m.branch(kind, SWAPPED[condition], b, a, label), c),
        Program(lambda m: m.compare(kind, condition, c, a, b)),
    ]
    opposite = branching(lambda m, label: m.branch(kind, negated(condition), a, b, label), c)
    for x, y in product(SAMPLES[kind], SAMPLES[kind]):
        inputs = {(kind, a): x, (kind, b): y}
        meant = holds(kind, condition, int(x), int(y))
        assert [program.value(INT, c, inputs) for program in programs] == [meant] * 3, (x, y)
        assert opposite.value(INT, c, inputs) == (not meant)


@pytest.mark.parametrize("kind", [INT, LONG], ids=str)
@pytest.mark.parametrize("condition", Condition, ids=lambda condition: condition.name)
def test_conditions_with_constants_and_memory(condition: Condition, kind: Kind) -> None:
    a, b, c = assembler().temporaries[:3]

    def to_memory(m: MacroAssembler, label: Label) -> None:
        m.store(kind, b, m.frame_pointer, SLOT)
        m.branch_memory(kind, condition, a, m.frame_pointer, SLOT, label)

    memory = branching(to_memory, c)
    for y in SAMPLES[kind]:

        def from_memory(m: MacroAssembler, label: Label, y: int = int(y)) -> None:
            m.store(kind, a, m.frame_pointer, SLOT)
            m.branch_memory_immediate(kind, condition, m.frame_pointer, SLOT, y, label)

        programs = [
            branching(lambda m, label: m.branch_immediate(kind, condition, a, int(y), label), c),  # noqa: B023
            branching(from_memory, c),
            Program(lambda m: m.compare_immediate(kind, condition, c, a, int(y))),  # noqa: B023
            memory,
        ]
        for x in SAMPLES[kind]:
            inputs = {(kind, a): x, (kind, b): y}
            meant = holds(kind, condition, int(x), int(y))
            assert [program.value(INT, c, inputs) for program in programs] == [meant] * 4, (x, y)


@pytest.mark.parametrize("condition", [Condition.EQUAL, Condition.BELOW, Condition.ABOVE_EQUAL])
def test_bytes_in_memory(condition: Condition) -> None:
    a, c = assembler().temporaries[:2]
    for y in (0, 1, 127, 128, 255):

        def emit(m: MacroAssembler, label: Label, y: int = y) -> None:
            m.store(BYTE, a, m.frame_pointer, SLOT)
            m.branch_memory_immediate(BYTE, condition, m.frame_pointer, SLOT, y, label)

        program = branching(emit, c)
        for x in (0, 1, 127, 128, 255):
            assert program.value(INT, c, {(BYTE, a): x}) == holds(BYTE, condition, x, y)


@pytest.mark.parametrize("kind", FLOATS, ids=str)
@pytest.mark.parametrize("condition", FloatCondition, ids=lambda condition: condition.name)
def test_conditions_of_floats(condition: FloatCondition, kind: Kind) -> None:
    masm = assembler()
    (a, b), c = masm.float_temporaries[:2], masm.temporaries[0]
    values = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan]
    programs = [
        branching(lambda m, label: m.float_branch(kind, condition, a, b, label), c),
        Program(lambda m: m.float_compare(kind, condition, c, a, b)),
    ]
    for x, y in product(values, values):
        inputs = {(kind, a): x, (kind, b): y}
        meant = float_holds(condition, x, y)
        assert [program.value(INT, c, inputs) for program in programs] == [meant] * 2, (x, y)


# ---- Memory ----


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("displacement", [0, 8, -8, 127, 128, 4096, -4096])
def test_load_and_store(kind: Kind, displacement: int) -> None:
    masm = assembler()
    source, target = (masm.float_temporaries if kind in FLOATS else masm.temporaries[2:])[:2]
    base, index = masm.temporaries[:2]
    memory = (ctypes.c_uint8 * 16384)()
    for size, scale in ((SIZES[kind], 1), (SIZES[kind], SIZES[kind])):

        def emit(m: MacroAssembler, scale: int = scale) -> None:
            m.store(kind, source, base, displacement)
            m.load_indexed(kind, target, base, index, scale, displacement - scale)
            m.store_indexed(kind, target, base, index, scale, displacement + 64 - scale)
            m.load(kind, target, base, displacement + 64)

        program = Program(emit)
        for value in SAMPLES[kind]:
            ctypes.memset(memory, 0xA5, len(memory))
            inputs = {(kind, source): value, (LONG, base): ctypes.addressof(memory) + 8192, (LONG, index): 1}
            result = program.value(kind, target, inputs)
            assert to_bits(kind, result) == to_bits(kind, value)
            for start in (8192 + displacement, 8192 + displacement + 64):
                assert int.from_bytes(memory[start : start + size], "little") == to_bits(kind, value)
                assert memory[start - 1] == memory[start + size] == 0xA5


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_constants(kind: Kind) -> None:
    masm = assembler()
    target = masm.float_temporaries[1] if kind in FLOATS else masm.temporaries[1]
    for value in SAMPLES[kind]:

        def emit(m: MacroAssembler, value: int | float = value) -> None:
            m.load_constant(kind, target, value)

        def through_memory(m: MacroAssembler, value: int | float = value) -> None:
            m.store_constant(kind, value, m.frame_pointer, SLOT)
            m.load(kind, target, m.frame_pointer, SLOT)

        for program in (Program(emit), Program(through_memory)):
            assert to_bits(kind, program.value(kind, target, {})) == to_bits(kind, value)


def test_unsigned_patterns_as_constants() -> None:
    a = assembler().temporaries[0]
    assert Program(lambda m: m.load_constant(INT, a, 0xFFFF_FFFF)).value(INT, a, {}) == -1
    assert Program(lambda m: m.load_constant(LONG, a, MASK_64)).value(LONG, a, {}) == -1


def test_shorts() -> None:
    a, b, c = assembler().temporaries[:3]

    def emit(m: MacroAssembler) -> None:
        m.store_constant(LONG, -1, m.frame_pointer, SLOT)
        m.store_short(a, m.frame_pointer, SLOT)
        m.load_short(b, m.frame_pointer, SLOT)
        m.load(LONG, c, m.frame_pointer, SLOT)

    program = Program(emit)
    for value in (0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x12345):
        program.run({(INT, a): value})
        assert program.after[False, b] == value & 0xFFFF
        assert program.after[False, c] == MASK_64 - 0xFFFF | value & 0xFFFF


@pytest.mark.parametrize("kind", [INT, LONG], ids=str)
@pytest.mark.parametrize("value", [1, -1, 1000, -(2**31)])
def test_adding_to_memory(kind: Kind, value: int) -> None:
    a, b = assembler().temporaries[:2]

    def emit(m: MacroAssembler) -> None:
        m.store(kind, a, m.frame_pointer, SLOT)
        m.add_to_memory(kind, value, m.frame_pointer, SLOT)
        m.load(kind, b, m.frame_pointer, SLOT)

    program = Program(emit)
    for start in SAMPLES[kind]:
        assert to_bits(kind, program.value(kind, b, {(kind, a): start})) == to_bits(kind, int(start) + value)


@pytest.mark.parametrize(
    "choice", [choice for choice in product(range(4), repeat=4) if choice[1] != choice[2]]
)
def test_compare_and_swap(choice: tuple[int, ...]) -> None:
    registers = assembler().temporaries
    target, base, expected, value = (registers[index] for index in choice)
    word = ctypes.c_uint64()
    program = Program(lambda m: m.compare_and_swap(target, base, 8, expected, value))
    inputs = {(LONG, registers[index]): 100 + index for index in range(4)}
    inputs[LONG, base] = ctypes.addressof(word) - 8
    for found in (inputs[LONG, expected], 55):
        word.value = found
        stored = found == inputs[LONG, expected]
        assert program.value(INT, target, inputs) == stored
        assert word.value == (inputs[LONG, value] if stored else found)


def test_fence() -> None:
    a, b, c = assembler().temporaries[:3]

    def emit(m: MacroAssembler) -> None:
        m.store(LONG, a, c, 8)
        m.fence()
        m.load(LONG, b, c, 8)

    memory = (ctypes.c_int64 * 2)()
    inputs = {(LONG, a): -5, (LONG, c): ctypes.addressof(memory)}
    assert Program(emit).value(LONG, b, inputs) == -5
    assert memory[1] == -5


@pytest.mark.parametrize("size", [*range(20), 63, 64, 65, 1000])
def test_copying_and_clearing(size: int) -> None:
    a, b, c = assembler().temporaries[:3]
    copy = Program(lambda m: m.copy_memory(a, b, c))
    clear = Program(lambda m: m.clear_memory(a, c))
    memory = (ctypes.c_uint8 * 4096)()
    content = random.Random(size).randbytes(4096)
    for target in (100, 1999, 3050):  # apart, overlapping downwards, apart
        ctypes.memmove(memory, content, 4096)
        address = ctypes.addressof(memory)
        changed = copy.run({(LONG, a): address + target, (LONG, b): address + 2000, (LONG, c): size})
        meant = bytearray(content)
        meant[target : target + size] = content[2000 : 2000 + size]
        assert bytes(memory) == meant
        assert set(changed) <= {(False, a), (False, b), (False, c)}
        changed = clear.run({(LONG, a): address + target, (LONG, c): size})
        meant[target : target + size] = bytes(size)
        assert bytes(memory) == meant
        assert set(changed) <= {(False, a), (False, c)}


def test_addresses() -> None:
    a, b, c = assembler().temporaries[:3]
    inputs = {(LONG, a): 1 << 40, (LONG, b): 5}
    for displacement in (0, 1, -1, 1000):
        program = Program(lambda m: m.load_address(c, a, displacement))  # noqa: B023
        assert program.value(LONG, c, inputs) == (1 << 40) + displacement
        for scale in (1, 2, 4, 8):
            program = Program(lambda m: m.load_address_indexed(c, a, b, scale, displacement))  # noqa: B023
            assert program.value(LONG, c, inputs) == (1 << 40) + 5 * scale + displacement


def test_zero_extension() -> None:
    a, b = assembler().temporaries[:2]
    for kind, mask in ((BOOL, 0xFF), (BYTE, 0xFF), (CHAR, 0xFFFF_FFFF), (INT, 0xFFFF_FFFF), (LONG, MASK_64)):
        for target in (a, b):
            program = Program(lambda m: m.zero_extend(kind, target, a))  # noqa: B023
            program.run({(LONG, a): 0x9234_5678_9ABC_DEF0})
            assert program.after[False, target] == 0x9234_5678_9ABC_DEF0 & mask


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_moves(kind: Kind) -> None:
    masm = assembler()
    a, b = (masm.float_temporaries if kind in FLOATS else masm.temporaries)[:2]
    for value in SAMPLES[kind]:
        assert to_bits(
            kind, Program(lambda m: m.move(kind, b, a)).value(kind, b, {(kind, a): value})
        ) == to_bits(kind, value)


def test_encoded_moves_happen_as_if_all_at_once() -> None:
    masm = assembler()
    a, b, c, d = masm.temporaries[:4]
    x, y, z = masm.float_temporaries[:3]
    moves = (
        (LONG, b, a),
        (DOUBLE, x, y),
        (LONG, a, b),
        (LONG, d, c),
        (DOUBLE, y, z),
        (DOUBLE, z, x),
        (LONG, c, c),
    )
    program = Program(lambda m: m.append(m.encode_moves(moves)), loses_scratch=True)
    changed = program.run(
        {(LONG, a): 1, (LONG, b): 2, (LONG, c): 3, (DOUBLE, x): 0.5, (DOUBLE, y): 1.5, (DOUBLE, z): 2.5}
    )
    integers = {(False, a): 2, (False, b): 1, (False, d): 3}
    floats = {x: 1.5, y: 2.5, z: 0.5}
    assert changed == integers | {(True, one): to_bits(DOUBLE, value) for one, value in floats.items()}


# ---- Code: labels, blocks put off, calls, frames ----


def test_blocks_out_of_line_come_behind_the_body() -> None:
    masm = assembler()
    a = masm.temporaries[0]
    offsets: list[int] = []

    def emit(m: MacroAssembler) -> None:
        slow, back = m.label(), m.label()

        def later() -> None:
            offsets.append(m.position)
            m.bind(slow)
            m.load_constant(INT, a, 7)
            m.jump(back)

        m.branch_immediate(INT, Condition.EQUAL, a, 0, slow)
        m.out_of_line(later)
        m.bind(back)
        offsets.append(m.position)

    program = Program(emit, masm)
    assert offsets[0] < offsets[1] <= program.code.body_size
    assert program.value(INT, a, {(INT, a): 0}) == 7
    assert program.value(INT, a, {(INT, a): 9}) == 9


def test_addresses_of_labels_and_symbols() -> None:
    masm = assembler()
    a, b, c = masm.temporaries[:3]
    label = masm.bound()

    def emit(m: MacroAssembler) -> None:
        m.load_label(a, label)
        m.load_symbol(b, "far", 5)

    program = Program(emit, masm, {"far": 1 << 50})
    program.run({})
    assert program.after[False, a] == program.address
    assert program.after[False, b] == (1 << 50) + 5


def answer(number: int) -> int:
    """The address of code that returns a number."""
    masm = assembler()
    masm.load_constant(LONG, masm.result, number)
    masm.return_()
    return place(masm.finish())


def test_all_ways_to_call() -> None:
    masm = assembler()
    a = masm.callee_saved[0]
    memory = (ctypes.c_uint64 * 2)(0, answer(1000))
    symbols = {"cell": arena.new_cell(answer(1)), "far": answer(10), "memory": ctypes.addressof(memory)}
    symbols["near"] = answer(100_000)
    returns: list[int] = []

    def emit(m: MacroAssembler) -> None:
        m.load_constant(LONG, a, 0)
        returns.append(m.call_near("near"))
        m.binary(BinaryOperation.ADD, LONG, a, a, m.result)
        for ways in range(4):
            if ways == 0:
                returns.append(m.call_cell("cell"))
            elif ways == 1:
                returns.append(m.call_symbol("far"))
            elif ways == 2:
                m.load_symbol(m.temporaries[1], "far")
                returns.append(m.call(m.temporaries[1]))
            else:
                m.load_symbol(m.temporaries[1], "memory")
                returns.append(m.call_memory(m.temporaries[1], 8))
            assert returns[-1] == m.position
            m.binary(BinaryOperation.ADD, LONG, a, a, m.result)

    program = Program(emit, masm, symbols)
    program.run({})
    assert program.after[False, a] == 101_021
    arena.set_cell(symbols["cell"], answer(3))
    program.run({})
    assert program.after[False, a] == 101_023


def test_all_ways_to_jump_away() -> None:
    symbols = {"far": answer(10)}
    for way in range(3):
        masm = assembler()
        masm.prologue(masm.callee_saved[:1])
        masm.load_constant(LONG, masm.callee_saved[0], -1)
        masm.set_frame_size(32)
        masm.leave_frame()
        if way == 0:
            masm.jump_symbol("far")
        elif way == 1:
            masm.jump_near("far")
        else:
            masm.load_symbol(masm.temporaries[0], "far")
            masm.jump_register(masm.temporaries[0])
        assert processor().call(place(masm.finish(), symbols)) == 10


def test_frames_keep_saved_registers_and_alignment() -> None:
    for count, size in product(range(5), (0, 8, 16, 40, 5000)):
        masm = assembler()
        saved = masm.callee_saved[:count]
        masm.prologue(saved)
        for register in saved:
            masm.load_constant(LONG, register, 0)
        stack = masm.temporaries[2]
        masm.move(LONG, stack, masm.stack_pointer)
        masm.binary_immediate(BinaryOperation.AND, LONG, masm.result, stack, 15)
        masm.binary(BinaryOperation.SUB, LONG, masm.temporaries[1], masm.frame_pointer, stack)
        enough = masm.label()
        masm.branch_immediate(LONG, Condition.GREATER_EQUAL, masm.temporaries[1], 8 * count + size, enough)
        masm.load_constant(LONG, masm.result, 99)
        masm.bind(enough)
        masm.epilogue()
        masm.set_frame_size(size)
        address = place(masm.finish())
        around = assembler()

        def emit(m: MacroAssembler, address: int = address) -> None:
            for register in m.callee_saved:
                m.load_constant(LONG, register, 77)
            m.call_symbol("inner")

        program = Program(emit, around, {"inner": address})
        program.run({})
        assert program.after[False, around.result] == 0
        assert all(program.after[False, register] == 77 for register in around.callee_saved)


C_TYPES = {
    BOOL: ctypes.c_bool,
    BYTE: ctypes.c_uint8,
    CHAR: ctypes.c_uint32,
    INT: ctypes.c_int32,
    LONG: ctypes.c_int64,
    REF: ctypes.c_uint64,
    FLOAT: ctypes.c_float,
    DOUBLE: ctypes.c_double,
}


def slots_of(masm: MacroAssembler, kinds: list[Kind]) -> tuple[tuple[Argument, ...], int]:
    arguments, size = masm.call_layout(kinds)
    assert size % 16 == 0
    return arguments, size


@pytest.mark.parametrize("seed", range(25))
def test_arguments_of_calls_in_and_out(seed: int) -> None:
    """C calls ours, which passes everything on to C in reverse order."""
    if not processor().is_native:
        pytest.skip("there is no C in the emulator")
    source = random.Random(seed)
    kinds = [source.choice(KINDS) for _ in range(source.randrange(0, 24))]
    values = [source.choice(SAMPLES[kind]) for kind in kinds]
    seen: list[object] = []
    callback = ctypes.CFUNCTYPE(ctypes.c_int64, *(C_TYPES[kind] for kind in reversed(kinds)))(
        lambda *arguments: seen.extend(arguments) or 42
    )
    masm = assembler()
    incoming, _ = slots_of(masm, kinds)
    outgoing, size = slots_of(masm, kinds[::-1])
    masm.prologue()
    masm.set_frame_size(8 * len(kinds) + size)
    slots = [-8 * (index + 1) for index in range(len(kinds))]
    for argument, slot in zip(incoming, slots, strict=True):
        register = argument.register
        if register is None:
            register = masm.float_temporaries[-1] if argument.kind in FLOATS else masm.temporaries[0]
            masm.load(argument.kind, register, masm.frame_pointer, masm.incoming_arguments + argument.stack)
        masm.store(argument.kind, register, masm.frame_pointer, slot)
    stack_first = sorted(
        zip(outgoing, reversed(slots), strict=True), key=lambda pair: pair[0].register is not None
    )
    for argument, slot in stack_first:
        register = argument.register
        if register is None:
            register = masm.float_temporaries[-1] if argument.kind in FLOATS else masm.temporaries[0]
        masm.load(argument.kind, register, masm.frame_pointer, slot)
        if argument.register is None:
            masm.store(argument.kind, register, masm.stack_pointer, argument.stack)
    masm.call_symbol("callback")
    masm.epilogue()
    address = place(masm.finish(), {"callback": ctypes.cast(callback, ctypes.c_void_p).value or 0})
    function = ctypes.CFUNCTYPE(ctypes.c_int64, *(C_TYPES[kind] for kind in kinds))(address)
    assert function(*values) == 42
    for kind, value, got in zip(kinds, values, reversed(seen), strict=True):
        assert to_bits(kind, got) == to_bits(kind, C_TYPES[kind](value).value)


def test_scratch_registers_are_lent_once() -> None:
    masm = assembler()
    with masm.scratch() as register:
        assert register not in (*masm.temporaries, *masm.callee_saved, *masm.arguments, masm.thread)
        with pytest.raises(AssertionError, match="taken"), masm.scratch():
            pass
    with masm.scratch() as again:
        assert again == register
    with masm.float_scratch() as float_register:
        assert float_register not in (*masm.float_temporaries, *masm.float_arguments)


def test_mistakes_with_labels_are_noticed() -> None:
    masm = assembler()
    label = masm.bound()
    with pytest.raises(AssertionError, match="bound already"):
        masm.bind(label)
    masm.jump(masm.label())
    with pytest.raises(AssertionError, match="never bound"):
        masm.finish()
    masm = assembler()
    masm.prologue()
    with pytest.raises(AssertionError, match="frame"):
        masm.finish()


def test_alignment_and_stops() -> None:
    masm = assembler()
    masm.trap()
    masm.breakpoint()
    masm.align(16)
    assert masm.position == 16
    assert from_bits(LONG, 5) == 5


MEGABYTE = 1 << 20


@pytest.mark.parametrize("far", [False, True])
def test_code_of_more_than_a_megabyte(far: bool) -> None:
    """Conditional branches over all of it, constants and symbols behind it; some processors must know before."""
    masm = processor().target.assembler(far)
    a, b = masm.temporaries[:2]
    x, y = masm.float_temporaries[:2]

    def emit(m: MacroAssembler) -> None:
        ends = [m.label() for _ in range(3)]
        m.load_symbol(b, "far", 1)
        m.load_constant(DOUBLE, y, 0.1)
        m.branch_immediate(INT, Condition.LESS, a, 5, ends[0])
        m.branch_immediate(INT, Condition.EQUAL, a, 0, ends[1])
        m.float_branch(DOUBLE, FloatCondition.GREATER, x, y, ends[2])
        while m.position < MEGABYTE + 64:
            for _ in range(1000):
                m.load_constant(INT, a, 7)
        for end in ends:
            m.bind(end)

    try:
        program = Program(emit, masm, {"far": 1 << 40})
    except RangeError:
        assert not far and processor().target.name == "arm64"
        return
    for value, result in ((4, 4), (5, 7), (-1, -1)):
        program.run({(INT, a): value, (DOUBLE, x): 0.0})
        assert from_bits(INT, program.after[False, a]) == result
        assert program.after[False, b] == (1 << 40) + 1
        assert from_bits(DOUBLE, program.after[True, y]) == 0.1
    program.run({(INT, a): 9, (DOUBLE, x): 0.5})
    assert program.after[False, a] == 9
    program.free()
