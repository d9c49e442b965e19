"""Functions to bytecode: lowering put together.

    specializer = lowering(program)
    ref = specializer.function_ref(program.main)
    bytecode = specializer.code(ref)

Lowering turns what is rich (virtual calls by name, `finally`, short-circuit conditions) into few
plain instructions, so that the engines stay small.
"""

from __future__ import annotations

from typing import Final

from dora.bytecode import instructions as i
from dora.bytecode.entities import FunctionRef
from dora.bytecode.function import Function as Bytecode
from dora.bytecode.instructions import NO_REGISTER
from dora.check.program import Block, Function, Program
from dora.lower.body import Body, Tables
from dora.lower.expressions import DEFAULTS, LEAVES, LINKS, first_operand
from dora.lower.specializer import Mapping, Specializer
from dora.lower.statements import STATEMENTS

TABLES: Final = Tables(LEAVES, LINKS, STATEMENTS, first_operand)  # type: ignore[arg-type]


def lowering(program: Program) -> Specializer:
    """The concrete entities of a program, with bytecode on demand."""
    return Specializer(program, lower_function)


def lower_function(
    specializer: Specializer, ref: FunctionRef, function: Function, mapping: Mapping
) -> Bytecode:
    """The bytecode of one concrete function."""
    block = function.body
    assert block is not None, f"{ref.name} has a body"
    body = Body(specializer, ref, function, mapping, TABLES)
    body.block(block)
    end_body(body, block)
    body.finish_deferred()
    return body.builder.finish()


def end_body(body: Body, block: Block) -> None:
    """The end of the block; with a result, only a `break` out of a `loop` that returns leads here."""
    kind = body.ref.result
    value = NO_REGISTER if kind is None else body.constant(kind, DEFAULTS[kind], block.span)
    body.emit(i.Return(value), block.span)
