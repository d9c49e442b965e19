"""Statements to bytecode: control flow, and `do` with its ways out."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from doralang.bytecode import instructions as i
from doralang.bytecode.builder import Label
from doralang.bytecode.instructions import NO_REGISTER, Register
from doralang.checker import program as typed
from doralang.checker.program import FunctionKind
from doralang.lower.body import BodyLowering, Finally, Handler, LoopTargets
from doralang.lower.counting import count
from doralang.lower.expressions import DEFAULTS, emit_call, jump_if
from doralang.lower.variables import STATEMENTS as VARIABLES
from doralang.lower.variables import bind
from doralang.text.records import record
from doralang.text.source import Span
from doralang.types.kinds import Kind
from doralang.types.types import has_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


def block(body: BodyLowering, node: typed.Block) -> None:
    if not count(body, node):
        body.block(node)


def let(body: BodyLowering, node: typed.Let) -> None:
    if node.local.shared:
        bind(body, node.local, body.value(node.value), node.span)
    else:
        body.value(node.value, body.local(node.local))


def evaluate(body: BodyLowering, node: typed.Evaluate) -> None:
    body.done(body.value(node.expression))


def construct(body: BodyLowering, node: typed.Construct) -> None:
    """Another constructor of the same object."""
    arguments = body.operands([Register(0)], node.arguments)
    types = tuple(body.type(argument) for argument in node.target.arguments)
    callee = body.specializer.function_ref(node.target.function, types)
    emit_call(body, i.Call, callee, arguments, node.span, None)


# Control flow.


def if_chain(body: BodyLowering, node: typed.If) -> None:
    end = body.builder.label()
    for condition, arm in node.arms:
        if not body.builder.reachable:
            break
        otherwise = body.builder.label()
        jump_if(body, condition, otherwise, False)
        body.block(arm)
        body.emit(i.Goto(end.target), node.span)
        body.builder.bind(otherwise)
    if node.otherwise is not None and body.builder.reachable:
        body.block(node.otherwise)
    body.builder.bind(end)


def while_loop(body: BodyLowering, node: typed.While) -> None:
    """The condition stands at the end, so that a round has one jump."""
    builder = body.builder
    start, again, end = builder.label(), builder.label(), builder.label()
    if node.condition is not None:
        body.emit(i.Goto(again.target), node.span)
        builder.reachable = True
    builder.bind_loop(start)
    body.scopes.append(LoopTargets(end, again))
    body.block(node.body)
    body.scopes.pop()
    builder.bind(again)
    if builder.reachable:
        if not body.ref.raw:
            body.emit(i.Poll(), node.span)
        if node.condition is not None:
            jump_if(body, node.condition, start, True)
        else:
            body.emit(i.Goto(start.target), node.span)
    builder.bind(end)


# Ways out.


class Way(Enum):
    ON = auto()
    EXCEPTION = auto()
    RETURN = auto()


@record
class LoopJump:
    """A `break` or `continue`: to a label of a loop."""

    loop: LoopTargets
    label: Label


def break_loop(body: BodyLowering, node: typed.Break) -> None:
    loop = innermost_loop(body)
    leave(body, LoopJump(loop, loop.exit), node.span)


def continue_loop(body: BodyLowering, node: typed.Continue) -> None:
    loop = innermost_loop(body)
    leave(body, LoopJump(loop, loop.again), node.span)


def innermost_loop(body: BodyLowering) -> LoopTargets:
    return next(scope for scope in reversed(body.scopes) if isinstance(scope, LoopTargets))


def return_value(body: BodyLowering, node: typed.Return) -> None:
    if body.function.kind is FunctionKind.GLOBAL:
        return store_global(body, node)
    if node.value is None or not has_value(body.type(node.value.type)):
        if node.value is not None:
            body.value(node.value)
        return leave(body, Way.RETURN, node.span)
    scope = innermost_finally(body)
    if scope is None:
        value = body.value(node.value)
        body.emit(i.Return(value), node.span)
        return body.done(value)
    body.value(node.value, scope.result)
    return leave(body, Way.RETURN, node.span)


def innermost_finally(body: BodyLowering) -> Finally | None:
    """What a `return` passes through first."""
    return next((scope for scope in reversed(body.scopes) if isinstance(scope, Finally)), None)


def store_global(body: BodyLowering, node: typed.Return) -> None:
    """The initialiser of a global does not return its value but stores it."""
    assert node.value is not None
    variable = next(one for one in body.specializer.program.globals if one.initializer is body.function)
    value = body.value(node.value)
    body.emit(i.StoreGlobal(body.specializer.global_ref(variable), value), node.span)
    body.emit(i.Return(NO_REGISTER), node.span)


def leave(body: BodyLowering, way: Way | LoopJump, span: Span, result: Register = NO_REGISTER) -> None:
    """Go a way out, through the innermost `finally` if there is one on it, else with the result."""
    for scope in reversed(body.scopes):
        if isinstance(scope, Finally):
            enter_finally(body, scope, way, span)
            return
        if isinstance(way, LoopJump) and scope is way.loop:
            break
    if isinstance(way, LoopJump):
        body.emit(i.Goto(way.label.target), span)
    else:
        body.emit(i.Return(result), span)


def enter_finally(body: BodyLowering, scope: Finally, way: object, span: Span) -> None:
    """Note which way is gone, and go to the block."""
    if not body.builder.reachable:
        return
    known = next((number for number, one in enumerate(scope.ways) if same_way(one, way)), None)
    if known is None:
        known = len(scope.ways)
        scope.ways.append(way)
    body.emit(i.LoadConstant(scope.state, known), span)
    body.emit(i.Goto(scope.entry.target), span)


def same_way(one: object, other: object) -> bool:
    if isinstance(one, LoopJump) and isinstance(other, LoopJump):
        return one.label is other.label
    return one is other


# do


def do(body: BodyLowering, node: typed.Do) -> None:
    if node.last is None:
        return do_catch(body, node, None)
    span = node.last.span
    scope = Finally(body.builder.label(), body.builder.register(Kind.INT), result_register(body, span))
    exception = body.builder.register(Kind.REF)
    handler = new_handler(body, span)
    body.emit(i.LoadConstant(exception, None), span)
    body.scopes.append(scope)
    body.handlers.append(handler)
    do_catch(body, node, handler)
    enter_finally(body, scope, Way.ON, span)
    body.handlers.pop()
    body.scopes.pop()
    body.builder.bind(handler.label)
    body.emit(i.TakeException(exception), span)
    enter_finally(body, scope, Way.EXCEPTION, span)
    body.builder.bind(scope.entry)
    body.block(node.last)
    go_on(body, scope, exception, handler, span)
    return None


def new_handler(body: BodyLowering, span: Span) -> Handler:
    """A handler; where the line of an exception may be told, with a register for it."""
    handler = Handler(body.builder.label())
    if not body.ref.throws:
        handler.line = body.builder.register(Kind.INT)
        body.emit(i.LoadConstant(handler.line, 0), span)
    return handler


def result_register(body: BodyLowering, span: Span) -> Register:
    """For the value of a `return` through a `finally`; it has a value on all ways there."""
    kind = body.ref.result
    if kind is None:
        return NO_REGISTER
    result = body.builder.register(kind)
    body.emit(i.LoadConstant(result, DEFAULTS[kind]), span)
    return result


def go_on(body: BodyLowering, scope: Finally, exception: Register, handler: Handler, span: Span) -> None:
    """Behind a `finally` block: each way out that is taken goes on from here; the last needs no test."""
    if not body.builder.reachable:
        return
    end = body.builder.label()

    def go_way(way: object) -> None:
        """On behind the `do`, further with the exception, or further out as was wanted."""
        if way is Way.ON:
            body.emit(i.Goto(end.target), span)
        elif way is Way.EXCEPTION:
            body.emit(i.SetException(exception), span)
            pass_on(body, handler, span)
        else:
            assert isinstance(way, Way | LoopJump)
            go_further(body, scope, way, span)

    *tested, (_, last) = sorted(enumerate(scope.ways), key=lambda way: way[1] is Way.ON)
    labels = [body.builder.label() for _ in tested]
    for (number, _), label in zip(tested, labels, strict=True):
        body.emit(i.BranchEqual(scope.state, number, label.target), span)
    go_way(last)
    for (_, way), label in zip(tested, labels, strict=True):
        body.builder.bind(label)
        go_way(way)
    body.builder.bind(end)


def go_further(body: BodyLowering, scope: Finally, way: Way | LoopJump, span: Span) -> None:
    """From behind a `finally` to where a `return`, `break` or `continue` goes, the result handed outwards."""
    outer = innermost_finally(body)
    if way is Way.RETURN and outer is not None and scope.result != NO_REGISTER:
        body.emit(i.Move(outer.result, scope.result), span)
    leave(body, way, span, scope.result)


def pass_on(body: BodyLowering, handler: Handler, span: Span) -> None:
    """Send the pending exception, whose line `handler` noted, further out."""
    if not body.handlers:
        if handler.line == NO_REGISTER:
            body.throw_pending(span)
        else:
            body.emit(i.LeaveException(handler.line), span)
        return
    outer = body.handlers[-1]
    if outer.line != NO_REGISTER and handler.line != NO_REGISTER:
        body.emit(i.Move(outer.line, handler.line), span)
    body.emit(i.Goto(outer.label.target), span)


def do_catch(body: BodyLowering, node: typed.Do, last: Handler | None) -> None:
    """The `do` block and its catches; what they do not catch goes further out."""
    if not node.catches:
        body.block(node.body)
        return
    end = body.builder.label()
    handler = new_handler(body, node.span)
    body.handlers.append(handler)
    body.block(node.body)
    body.handlers.pop()
    body.emit(i.Goto(end.target), node.span)
    body.builder.bind(handler.label)
    if body.builder.reachable:
        exception = body.builder.register(Kind.REF)
        body.emit(i.TakeException(exception), node.span)
        for catch in node.catches:
            catch_one(body, catch, exception, end)
        body.emit(i.SetException(exception), node.span)
        pass_on(body, handler, node.span)
    body.builder.bind(end)


def catch_one(body: BodyLowering, node: typed.Catch, exception: Register, end: Label) -> None:
    if not body.builder.reachable:
        return
    past, span = body.builder.label(), node.body.span
    matches = body.temporary(Kind.BOOL)
    cls = body.specializer.class_ref(body.class_type(node.type))
    body.emit(i.IsInstance(matches, exception, cls), span)
    body.done(matches)
    body.emit(i.BranchUnless(matches, past.target), span)
    body.emit(i.Move(body.local(node.local), exception), span)
    body.block(node.body)
    body.emit(i.Goto(end.target), span)
    body.builder.bind(past)


def throw(body: BodyLowering, node: typed.Throw) -> None:
    value = body.value(node.value)
    body.emit(i.SetException(value), node.span)
    body.done(value)
    body.throw_pending(node.span)


STATEMENTS: Final = {
    typed.Block: block,
    typed.Let: let,
    typed.Evaluate: evaluate,
    typed.Construct: construct,
    typed.If: if_chain,
    typed.While: while_loop,
    typed.Break: break_loop,
    typed.Continue: continue_loop,
    typed.Return: return_value,
    typed.Do: do,
    typed.Throw: throw,
    **VARIABLES,
}


def leave_operand(body: BodyLowering, node: typed.Leave, into: Register | None) -> Register:
    """A jump as an operand; what is behind it is not reached."""
    body.statement(node.statement)
    return NO_REGISTER


LEAVES: Final[dict[type, Callable[..., Register]]] = {typed.Leave: leave_operand}
