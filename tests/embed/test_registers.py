"""What calls compiled functions finds its registers as they were, however the call ended."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import doralang as dora
from doralang.machine.macro import MacroAssembler
from doralang.machine.targets import host
from doralang.types.kinds import Kind

sys.path.insert(0, str(Path(__file__).parent.parent / "unit" / "machine"))

from native_program import Program, choose

SOURCE = """
fun busy(n: int) -> int {
  var a = n; var b = 1; var c = 2; var d = 3; var e = 4; var f = 5; var g = 6; var h = 7; var i = 8; var k = 9;
  for round in range(0, 3) {
    nothing();
    a = a + b; b = b + c; c = c + d; d = d + e; e = e + f; f = f + g; g = g + h; h = h + i; i = i + k; k = k / n;
  }
  return a + b + c + d + e + f + g + h + i + k;
}
fun nothing() { forceCollect(); }
"""


def kept(program: Program) -> list[int]:
    """The registers that C functions give back, as the program has noted them last."""
    callee_saved = host().assembler().callee_saved
    return [
        program.block[index]
        for index, (kind, register) in enumerate(program.places)
        if kind is Kind.LONG and register in callee_saved
    ]


@pytest.mark.skipif(host() is None, reason="there is no machine code")
@pytest.mark.parametrize("argument", [3, 0])
def test_registers_are_kept(argument: int) -> None:
    choose(host().name)
    function = dora.compile(SOURCE).busy
    for number in range(3):  # all is compiled then
        with suppress(dora.DivisionByZero):
            function(number)
    arguments = (ctypes.py_object * 1)(argument)

    def emit(masm: MacroAssembler) -> None:
        given = id(function), ctypes.addressof(arguments), 1, 0
        for register, value in zip(masm.arguments, given, strict=False):
            masm.load_constant(Kind.LONG, register, value)
        masm.call_symbol("wrapper")
        masm.call_symbol("clear")

    clear = ctypes.cast(ctypes.pythonapi.PyErr_Clear, ctypes.c_void_p).value
    assert clear is not None
    program = Program(
        emit, symbols={"wrapper": function._wrapper.address, "clear": clear}, loses_scratch=True
    )
    program.block[:] = range(len(program.block))
    before = kept(program)
    ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(program.address)(ctypes.addressof(program.block))
    assert kept(program) == before
    program.free()
