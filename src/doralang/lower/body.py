"""The lowering of one function body: its state, and the way down into expressions and statements.

As in the checker, the meaning of each node stands in the sibling modules; tables of them are
handed in, so that this module knows none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from doralang.bytecode import instructions as i
from doralang.bytecode.builder import Builder, Label
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.instructions import NO_REGISTER, Register
from doralang.checker import program as typed
from doralang.checker.program import Function, TypedExpression
from doralang.lower.assigned import assigned_locals
from doralang.lower.specializer import Mapping, Specializer
from doralang.text.records import field, record
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.text.source import Span
from doralang.types.kinds import Kind
from doralang.types.types import ClassType, Type, kind_of, substitute
from doralang.typing_forms import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@record
class Handler:
    """Where exceptions go.  `line` is the register that gets the line, in functions not marked `throws`."""

    label: Label
    line: Register = NO_REGISTER


@record
class LoopTargets:
    """What `break` and `continue` refer to."""

    exit: Label
    again: Label


@record
class Finally:
    """A `finally` that every way out passes through.

    A way out puts its number into `state` and goes to `entry`; behind the block, `ways` says how each
    goes on from there.  `result` holds the value of a `return` meanwhile.  All of this is of one `finally`:
    in its block others may run, and drop the ways out that they hold.
    """

    entry: Label
    state: Register
    result: Register
    ways: list[object] = field(default_factory=list)


@record(eq=True)
class Tables:
    """What to do for each node class: the parts of lowering, put together by `functions`."""

    leaves: dict[type, Callable[..., Register]]
    """(body, node, into) for expressions without a first operand"""
    links: dict[type, Callable[..., Register]]
    """(body, node, first, into) for those with one, whose register is given"""
    statements: dict[type, Callable[..., None]]
    """(body, node)"""
    first_operand: Callable[[Any], TypedExpression | None]
    """the operand that is evaluated first, if the node is a link"""


class LoopCounter(Protocol):
    """What stands for the iterator of a counted loop."""

    at: Register

    def has_next(self, body: BodyLowering, into: Register, span: Span) -> None: ...

    def next(self, body: BodyLowering, into: Register, span: Span) -> None: ...


class BodyLowering:
    """One function while it is lowered."""

    def __init__(
        self,
        specializer: Specializer,
        ref: FunctionRef,
        function: Function,
        mapping: Mapping,
        tables: Tables,
    ) -> None:
        self.specializer = specializer
        self.function = function
        self.mapping = mapping
        self.tables = tables
        self.builder = Builder(ref)
        self.ref = ref
        self.locals: dict[int, Register] = {}
        self.temporaries: set[Register] = set()
        self.counters: dict[int, LoopCounter] = {}
        """for each local that is the iterator of a counted loop, what stands for it"""
        self.handlers: list[Handler] = []
        self.scopes: list[LoopTargets | Finally] = []
        """loops and `finally` blocks around this place, outermost first"""
        self.leaving: dict[int, Label] = {}
        """for each line from which an exception leaves the function, where that is done"""
        self.deferred: list[Callable[[], None]] = []
        """code that stands behind the function's body"""
        self.depth = 0
        for index in range(len(ref.parameters)):
            self.locals[index] = Register(index)

    # Types and places.

    def type(self, type: Type) -> Type:
        """A type of the typed program with the type arguments put in."""
        return substitute(type, self.mapping)

    def kind(self, type: Type) -> Kind:
        return kind_of(self.type(type))

    def class_type(self, type: Type) -> ClassType:
        concrete = self.type(type)
        assert isinstance(concrete, ClassType)
        return concrete

    def line(self, span: Span) -> int:
        return self.function.source.line_of(span.start)

    def local(self, local: typed.Local) -> Register:
        register = self.locals.get(local.index)
        if register is None:
            kind = Kind.REF if local.shared else self.kind(local.type)
            register = self.locals[local.index] = self.builder.register(kind)
        return register

    # Emitting.

    def emit(self, instruction: i.Instruction, span: Span) -> None:
        self.builder.emit(instruction, self.line(span))

    def temporary(self, kind: Kind) -> Register:
        register = self.builder.temporary(kind)
        self.temporaries.add(register)
        return register

    def done(self, *registers: Register) -> None:
        """Values that are no longer needed: temporaries among them are given back."""
        for register in registers:
            if register in self.temporaries:
                self.temporaries.discard(register)
                self.builder.release(register)

    def into(self, wanted: Register | None, kind: Kind) -> Register:
        """The register for a result: the one that is wanted, or a temporary."""
        return self.temporary(kind) if wanted is None else wanted

    def constant(self, kind: Kind, value: bool | int | float | None, span: Span) -> Register:
        register = self.temporary(kind)
        self.emit(i.LoadConstant(register, value), span)
        return register

    # Walking.

    def value(self, node: TypedExpression, into: Register | None = None) -> Register:
        """Evaluate an expression; its value is in the register returned (`into`, if given).

        Without `into` that may be the register of a local, so what is evaluated next must not assign to it:
        `operands` sees to that.  Of what has no value it is `NO_REGISTER`.
        """
        self.depth += 1
        try:
            if self.depth % HOP == 0:
                return on_fresh_stack(lambda: self._value(node, into))
            return self._value(node, into)
        finally:
            self.depth -= 1

    def _value(self, node: TypedExpression, into: Register | None) -> Register:
        links: list[TypedExpression] = []
        inner: TypedExpression | None = node
        while inner is not None:
            links.append(inner)
            inner = self.tables.first_operand(inner)
        leaf = links.pop()
        register = self.tables.leaves[type(leaf)](self, leaf, into if not links else None)
        for link in reversed(links):
            handler = self.tables.links[type(link)]
            register = handler(self, link, register, into if link is node else None)
        if into is not None and register != into:
            self.emit(i.Move(into, register), node.span)
            self.done(register)
            return into
        return register

    def operands(self, registers: list[Register], nodes: Sequence[TypedExpression]) -> list[Register]:
        """Evaluate operands behind those whose values are in `registers` already.

        Those keep their values: of a local that a later operand assigns to, a copy is taken.
        """
        registers = list(registers)
        for node in nodes:
            if self.function.has_block_values:
                self.keep(registers, node)
            registers.append(self.value(node))
        return registers

    def keep(self, registers: list[Register], node: TypedExpression) -> None:
        """Copy those of the registers that belong to locals which `node` assigns to."""
        assigned = {self.locals.get(local.index) for local in assigned_locals(node)}
        for index, register in enumerate(registers):
            if register in assigned:
                copy = self.temporary(self.builder.kind(register))
                self.builder.emit(i.Move(copy, register), self.line(node.span))
                registers[index] = copy

    def statement(self, node: typed.Statement) -> None:
        if self.builder.reachable:
            self.tables.statements[type(node)](self, node)

    def block(self, node: typed.Block) -> None:
        self.depth += 1
        try:
            if self.depth % HOP == 0:
                on_fresh_stack(lambda: self._block(node))
            else:
                self._block(node)
        finally:
            self.depth -= 1

    def _block(self, node: typed.Block) -> None:
        for statement in node.statements:
            self.statement(statement)

    # Exceptions.

    def check_exception(self, span: Span) -> None:
        """Behind a call that throws: go where exceptions go from here."""
        self.emit(i.CheckException(self.unwind_target(span).target), span)

    def throw_pending(self, span: Span) -> None:
        """Go where exceptions go from here; one is pending."""
        self.emit(i.Goto(self.unwind_target(span).target), span)

    def unwind_target(self, span: Span) -> Label:
        """Where the pending exception is taken to from a place in the code."""
        if not self.handlers:
            return self.leaving_label(span)
        handler = self.handlers[-1]
        if handler.line == NO_REGISTER:
            return handler.label
        label, line = self.builder.label(), self.line(span)
        handler.label.used |= self.builder.reachable

        def note_line() -> None:
            self.builder.bind(label)
            self.emit(i.LoadConstant(handler.line, line), span)
            self.emit(i.Goto(handler.label.target), span)

        self.deferred.append(note_line)
        return label

    def leaving_label(self, span: Span) -> Label:
        """Where the function is left with an exception; for each line its own if that will be told."""
        line = 0 if self.ref.throws else self.line(span)
        label = self.leaving.get(line)
        if label is None:
            label = self.leaving[line] = self.builder.label()
            place = label

            def leave() -> None:
                self.builder.bind(place)
                self.emit(i.LeaveException(NO_REGISTER), span)

            self.deferred.append(leave)
        return label

    def finish_deferred(self) -> None:
        """Emit what stands behind the body; that may defer more."""
        while self.deferred:
            self.deferred.pop(0)()
