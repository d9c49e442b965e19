"""Every function of the library and of the examples: good bytecode, machine code, sensible GC points."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiling import bytecode_of, compiled_program, functions_of, machine_code
from doralang.baseline.calls import INLINE
from doralang.baseline.primitives import EMITTERS
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function as Bytecode
from doralang.bytecode.instructions import Compute, Poll, Register, Return
from doralang.bytecode.verifier import verify
from doralang.checker.library import compiled_library
from doralang.checker.program import Function
from doralang.code.collectors import COLLECTORS
from doralang.code.constants import layout_constants
from doralang.code.layout import WORD
from doralang.library.files import HEAP
from doralang.library.internals import INTERNALS, Supplier
from doralang.lower.expressions import AS_INSTRUCTIONS
from doralang.lower.functions import lowering
from doralang.machine.targets import TARGETS
from doralang.native.upcalls import Upcalls
from doralang.types.primitives import PRIMITIVES
from doralang.types.types import substitute

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.dora"))
GENERIC = """
fun use<T>(vec: Vec<T>, item: T) {
  vec.push(item); vec.set(0, vec.get(0)); vec.pop(); vec.push(item); vec.removeAt(0); vec.trimToLen();
  let array = Array::<T>(vec.capacity() + vec.len(), item);
  array[0] = array[1];
}
fun main() {
  use(Vec(), true); use(Vec(), 1Y); use(Vec(), 'a'); use(Vec(), 1); use(Vec(), 1L); use(Vec(), 1F);
  use(Vec(), 1D); use(Vec(), "a");
  removeItem(Vec(), 1);
  bubbleSort(Array::<int>(3));
}
"""
PROGRAMS = {path.name: path.read_text() for path in EXAMPLES} | {"generic": GENERIC}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_function_compiles(name: str, target: str) -> None:
    count = 0
    for specializer, bytecode in bytecode_of(compiled_program(PROGRAMS[name])):
        verify(bytecode)
        compiled = machine_code(specializer, bytecode, target)
        lines = {0, *bytecode.lines}
        for point in compiled.points:
            assert 0 < point.offset <= compiled.code.body_size
            assert point.line in lines
            assert all(slot < 0 and slot % WORD == 0 for slot in point.slots)
        assert len({point.offset for point in compiled.points}) == len(compiled.points)
        count += 1
    assert count > 150, "the whole library is compiled each time"


def test_every_primitive_has_an_emitter() -> None:
    assert set(EMITTERS) == set(PRIMITIVES)


@pytest.mark.parametrize("target", TARGETS)
def test_rows_tell_whether_they_call_the_c_library(target: str) -> None:
    """Registers that a call loses are saved around those instructions only."""
    specializer = lowering(compiled_program("fun main() {}"))
    for row in PRIMITIVES.values():
        ref = FunctionRef("f", "f", "f()", None, row.operands, row.result, False)
        result = Register(len(row.operands))
        arguments = tuple(Register(number) for number in range(result))
        body = [Compute(result, row, arguments), Return(result)]
        function = Bytecode(ref, [*row.operands, row.result], body, [1, 1])
        code = machine_code(specializer, function, target).code
        calls = any(symbol.kind == "native" for _, _, symbol, _ in code.relocations)
        assert calls == row.calls_library, row


@pytest.mark.parametrize(
    "name", [name for row in COLLECTORS.values() for name in (row.allocate, row.collect)]
)
def test_collectors_functions_are_there(name: str) -> None:
    assert name in compiled_library(layout_constants()).library.functions


def internal_functions() -> list[Function]:
    library = compiled_library(layout_constants()).library
    functions = list(library.functions.values())
    for owner in library.classes.values():
        functions += [*owner.methods.values(), *owner.statics.values(), *owner.constructors]
    return [function for function in functions if function.internal]


def test_every_internal_function_is_supplied_once() -> None:
    keys = {function.key for function in internal_functions()}
    primitives = set(PRIMITIVES)
    assert keys == set(INTERNALS) | (primitives & keys)
    supplied = {supplier: set[str]() for supplier in Supplier}
    for row in INTERNALS.values():
        supplied[row.supplier].add(row.key)
        assert (row.supplier is Supplier.LIBRARY) == bool(row.stand_in), row
        assert not row.upcall or (row.supplier is Supplier.PYTHON and hasattr(Upcalls, row.upcall)), row
        assert row.supplier is not Supplier.PYTHON or row.meaning or row.upcall, row
    assert supplied[Supplier.COMPILER] == set(INLINE)
    assert supplied[Supplier.LOWERING] == {
        *AS_INSTRUCTIONS,
        *(set(INTERNALS) & primitives),
        "Array.Array",
        "defaultValue",
    }


def test_rows_and_annotations_agree_on_collections() -> None:
    """`@raw` in the library says that no collection can happen in a function."""
    for function in internal_functions():
        if function.key in INTERNALS and function.key not in PRIMITIVES:
            assert function.raw == (not INTERNALS[function.key].collects), function.key


STAND_INS = [row.key for row in INTERNALS.values() if row.stand_in]


@pytest.mark.parametrize("key", STAND_INS)
def test_heap_functions_fit_what_they_stand_for(key: str) -> None:
    library = compiled_library(layout_constants()).library
    owner, _, name = key.rpartition(".")
    internal = library.classes[owner].methods[name] if owner else library.functions[name]
    function = library.functions[INTERNALS[key].stand_in]
    assert types_of(function) == types_of(internal)
    assert not function.throws and not internal.throws
    assert function.hidden and not internal.hidden


def types_of(function: Function) -> list[str]:
    count = len(function.parameters) + function.has_self
    return [str(substitute(local.type, {})) for local in function.locals[:count]] + [str(function.result)]


def test_raw_functions_do_not_poll() -> None:
    program = compiled_program("fun main() { while true { } }")
    polls = {
        bytecode.name: any(isinstance(insn, Poll) for insn in bytecode.code)
        for _, bytecode in bytecode_of(program)
    }
    assert polls["main"] and polls["sleepSeconds"]
    raw = [function.name for function in functions_of(program) if function.raw]
    assert len(raw) > 20 and not any(polls[name] for name in raw)


def test_files_of_the_heap_are_hidden_in_traces() -> None:
    program = compiled_program("fun main() {}")
    hidden = {function.source.name for function in functions_of(program) if function.hidden}
    assert hidden <= set(HEAP) and "texts.dora" in hidden
