"""The texts of a million random values of both float types, made by compiled code and read as literals.

`test_number_texts` has the interesting values, in the tree walk; here is the multitude.
"""

from __future__ import annotations

import random
import struct
from array import array
from io import BytesIO

from test_number_texts import expected_double, positional, shortest_float

from compiling import compiled_program
from doralang.code import layout
from doralang.engines.native import Machine
from doralang.runtime.memory import Words, store_bytes
from doralang.syntax.literals import number
from doralang.types.arithmetic import round_float
from doralang.types.types import DOUBLE, FLOAT, PrimitiveType

PORTION = 50_000
PORTIONS = 20  # a million in all
PROGRAM = """
fun doubles(values: Array<double>) {
  for i in range(0, values.len()) { println(values[i].toString()); }
}
fun floats(values: Array<float>) {
  for i in range(0, values.len()) { println(values[i].toString()); }
}
fun main() {}
"""


class Texts:
    """Has the library print arrays of numbers."""

    def __init__(self) -> None:
        self.stdout = BytesIO()
        self.machine = Machine(compiled_program(PROGRAM), stdout=self.stdout, stderr=BytesIO())

    def of(self, function: str, element: PrimitiveType, values: array[float]) -> list[str]:
        machine = self.machine
        data = values.tobytes()
        address = machine.new_memory(layout.ARRAY_ELEMENTS + len(data))
        head = machine.program.library.classes["Array"]
        words = Words(address, layout.ARRAY_ELEMENTS)
        with machine.module.space.freeing, machine.module.space.lock:
            cls = machine.module.specializer.class_ref(head.of((element,)))
            ref = machine.module.specializer.function_ref(machine.program.functions[function])
        words[layout.HEADER] = machine.module.loader.shape(cls)
        words[layout.ARRAY_LENGTH] = len(values)
        store_bytes(address + layout.ARRAY_ELEMENTS, data)
        machine.run(ref, [address])
        lines = self.stdout.getvalue().decode().splitlines()
        self.stdout.seek(0)
        self.stdout.truncate()
        return lines


def test_a_million_doubles() -> None:
    generator, texts = random.Random(2026), Texts()
    for _ in range(PORTIONS):
        values = array("d", generator.randbytes(8 * PORTION))
        lines = texts.of("doubles", DOUBLE, values)
        assert len(lines) == PORTION
        for value, line in zip(values, lines, strict=True):
            if value == value:
                assert line == expected_double(value), value.hex()
                if value - value == 0.0:
                    assert read(line, "D").hex() == value.hex()
            else:
                assert line == "NaN"


def test_a_million_floats() -> None:
    generator, texts = random.Random(2027), Texts()
    for _ in range(PORTIONS):
        values = array("f", generator.randbytes(4 * PORTION))
        lines = texts.of("floats", FLOAT, values)
        assert len(lines) == PORTION
        for value, line in zip(values, lines, strict=True):
            if value - value != 0.0:
                assert line == ("NaN" if value != value else str(value))
                continue
            if line != quick_shortest(value):
                sign = "-" if value < 0.0 else ""
                assert line == sign + shortest_float(abs(value)), value.hex()
            assert round_float(read(line, "F")).hex() == value.hex()


def read(text: str, suffix: str) -> float:
    """What a literal of these digits means to the lexer, with its sign."""
    value = float(number(text.lstrip("-") + suffix)[1])
    return -value if text.startswith("-") else value


def quick_shortest(value: float) -> str:
    """The nearest decimal of each length until one reads back: right but for halfway cases and powers of two."""
    for digits in range(9):
        written = f"{value:.{digits}e}"
        if struct.unpack("<f", struct.pack("<f", float(written)))[0] == value:
            return positional(written)
    raise AssertionError(value.hex())
