"""What statements mean: one short function for each kind.

    EXECUTORS[type(node)](machine, node, frame)  ->  None, or the jump that is under way

A jump is a value, not a Python exception, so that `finally` sees all ways out of a block side by
side: the normal one (None), a jump, and an exception of the program (`Thrown`).  Failures are none of
these and pass by.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from doralang.checker.program import (
    Block,
    Break,
    Catch,
    Construct,
    Continue,
    Do,
    Evaluate,
    If,
    Let,
    Restore,
    Return,
    Share,
    StatementBase,
    Throw,
    While,
)
from doralang.interpreter.objects import Array, ClassInstance, Object, Str
from doralang.treewalk.expressions import EVALUATORS, evaluate, trap
from doralang.treewalk.frames import Activation
from doralang.treewalk.machine import Leaving, ThrownObject, WalkState
from doralang.treewalk.variables import bind
from doralang.types.traps import Trap


class Completion(Enum):
    BREAK = "break"
    CONTINUE = "continue"
    RETURN = "return"
    """with the value in `Frame.result`"""


Outcome = Completion | None


def block(machine: WalkState, node: Block, frame: Activation) -> Outcome:
    try:
        for statement in node.statements:
            jump = EXECUTORS[type(statement)](machine, statement, frame)
            if jump is not None:
                return jump
    except Leaving as leaving:
        assert isinstance(leaving.jump, Completion)
        return leaving.jump
    return None


def let(machine: WalkState, node: Let, frame: Activation) -> Outcome:
    value = evaluate(machine, node.value, frame)
    if node.local.shared:
        frame.span = node.span
        bind(machine, frame, node.local, value)
    else:
        frame.locals[node.local.index] = value
    return None


def share(machine: WalkState, node: Share, frame: Activation) -> Outcome:
    bind(machine, frame, node.local, frame.locals[node.local.index])
    return None


def restore(machine: WalkState, node: Restore, frame: Activation) -> Outcome:
    object = frame.locals[0]
    assert isinstance(object, ClassInstance)
    for local, value in zip(node.locals, object.fields, strict=True):
        frame.locals[local.index] = value
    return None


def evaluate_statement(machine: WalkState, node: Evaluate, frame: Activation) -> Outcome:
    evaluate(machine, node.expression, frame)
    return None


def construct(machine: WalkState, node: Construct, frame: Activation) -> Outcome:
    arguments = [frame.locals[0]]
    for argument in node.arguments:
        arguments.append(evaluate(machine, argument, frame))
    frame.span = node.span
    bindings = machine.classes.bindings_of(node.target, frame.bindings)
    machine.invoke(node.target.function, bindings, arguments)
    return None


def if_statement(machine: WalkState, node: If, frame: Activation) -> Outcome:
    for condition, then in node.arms:
        if EVALUATORS[type(condition)](machine, condition, frame):
            return block(machine, then, frame)
    return block(machine, node.otherwise, frame) if node.otherwise else None


def while_statement(machine: WalkState, node: While, frame: Activation) -> Outcome:
    condition = node.condition
    while condition is None or EVALUATORS[type(condition)](machine, condition, frame):
        jump = block(machine, node.body, frame)
        if jump is Completion.BREAK:
            return None
        if jump is Completion.RETURN:
            return jump
    return None


def break_statement(machine: WalkState, node: Break, frame: Activation) -> Outcome:
    return Completion.BREAK


def continue_statement(machine: WalkState, node: Continue, frame: Activation) -> Outcome:
    return Completion.CONTINUE


def return_statement(machine: WalkState, node: Return, frame: Activation) -> Outcome:
    if node.value is not None:
        frame.result = evaluate(machine, node.value, frame)
    return Completion.RETURN


def throw(machine: WalkState, node: Throw, frame: Activation) -> Outcome:
    value = evaluate(machine, node.value, frame)
    if value is None:
        raise trap(Trap.NIL, frame, node.span)
    frame.span = node.span
    assert isinstance(value, ClassInstance | Str | Array)
    raise ThrownObject(value)


# do, catch, finally


def do(machine: WalkState, node: Do, frame: Activation) -> Outcome:
    """The body, perhaps a `catch`, and then, whatever came of them, the `finally`.

    That one runs with the value of a `return` and the line of an exception put aside, as both are
    needed again if it ends normally.
    """
    jump, thrown = attempt(machine, node.body, frame)
    if thrown is not None:
        handler = find_catch(machine, node, frame, thrown.object)
        if handler is not None:
            frame.locals[handler.local.index] = thrown.object
            jump, thrown = attempt(machine, handler.body, frame)
    if node.last is not None:
        result, span = frame.result, frame.span
        replacement = block(machine, node.last, frame)
        if replacement is not None:
            return replacement
        frame.result, frame.span = result, span
    if thrown is not None:
        raise thrown
    return jump


def attempt(machine: WalkState, node: Block, frame: Activation) -> tuple[Outcome, ThrownObject | None]:
    """Run a block and take hold of the exception that leaves it, if any.

    Its traceback, which holds all these frames, is dropped.
    """
    try:
        return block(machine, node, frame), None
    except ThrownObject as thrown:
        return None, thrown.with_traceback(None)


def find_catch(machine: WalkState, node: Do, frame: Activation, object: Object) -> Catch | None:
    for catch in node.catches:
        if machine.classes.is_instance(object.type, frame.bindings.class_of(catch.type)):
            return catch
    return None


EXECUTORS: Final[dict[type[StatementBase], Callable[[WalkState, Any, Activation], Outcome]]] = {
    Block: block,
    Let: let,
    Share: share,
    Restore: restore,
    Evaluate: evaluate_statement,
    Construct: construct,
    If: if_statement,
    While: while_statement,
    Do: do,
    Break: break_statement,
    Continue: continue_statement,
    Return: return_statement,
    Throw: throw,
}
