"""Functions to bytecode: lowering put together.

    specializer = lowering(program)
    ref = specializer.function_ref(program.main)
    bytecode = specializer.code(ref)

Lowering turns what is rich (virtual calls by name, `finally`, short-circuit conditions) into few
plain instructions, so that the engines stay small.
"""

from __future__ import annotations

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function as Bytecode
from doralang.bytecode.instructions import NO_REGISTER, Register
from doralang.checker import program as typed
from doralang.checker.program import Block, Function, Program
from doralang.lower import expressions, patterns, statements, variables
from doralang.lower.body import BodyLowering, Tables
from doralang.lower.expressions import DEFAULTS, LINKS, first_operand
from doralang.lower.specializer import Mapping, Specializer
from doralang.lower.statements import STATEMENTS
from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def match(body: BodyLowering, node: typed.Match, into: Register | None) -> Register:
    """What takes long to load, and many programs do without."""
    register: Register = load("doralang.lower.matches").match(body, node, into)
    return register


TABLES: Final = Tables(
    {**expressions.LEAVES, **statements.LEAVES, **patterns.LEAVES, typed.Match: match, **variables.LEAVES},
    LINKS,  # type: ignore[arg-type]
    STATEMENTS,  # type: ignore[arg-type]
    first_operand,
)


def lowering(program: Program, parent: Specializer | None = None) -> Specializer:
    """The concrete entities of a program, with bytecode on demand.

    `parent` has those that are made of the library alone, for all programs that share it.
    """
    return Specializer(program, lower_function, parent)


def lower_function(
    specializer: Specializer, ref: FunctionRef, function: Function, mapping: Mapping
) -> Bytecode:
    """The bytecode of one concrete function."""
    block = function.body
    body = BodyLowering(specializer, ref, function, mapping, TABLES)
    if block is None:
        return lower_internal(body, ref)
    body.block(block)
    end_body(body, block)
    body.finish_deferred()
    return body.builder.finish()


def lower_internal(body: BodyLowering, ref: FunctionRef) -> Bytecode:
    """An internal function as one of its own, for whoever calls it by name."""
    assert ref.internal is not None, f"{ref.name} has a body"
    builder = body.builder
    arguments = tuple(Register(index) for index in range(len(ref.parameters)))
    result = NO_REGISTER if ref.result is None else builder.register(ref.result)
    builder.emit(i.CallInternal(result, ref, arguments), 0)
    builder.emit(i.Return(result), 0)
    return builder.finish()


def end_body(body: BodyLowering, block: Block) -> None:
    """The end of the block; with a result, only a `break` out of a `loop` that returns leads here."""
    kind = body.ref.result
    value = NO_REGISTER if kind is None else body.constant(kind, DEFAULTS[kind], block.span)
    body.emit(i.Return(value), block.span)
