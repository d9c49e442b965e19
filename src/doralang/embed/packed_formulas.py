"""Checked formulas as packed code: what is computed of primitives, without loops, objects and failures.

    fun formula(n: int, x: double) -> double { n.toDouble() * x }       ->      vcvtdq2pd, vmulpd

Library functions are put in where they are called, `if` and `?:` become choices between what both sides give,
as nothing here can fail or have an effect; every meaning stays that of the library's own text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from doralang.checker import program as typed
from doralang.machine.packed.primitives import NotPacked, Packer, Term
from doralang.types.types import PrimitiveType

DEEPEST: Final = 120
"""levels of expressions and calls"""

Environment = dict[int, Term]
"""values of locals, by their numbers"""


class PackedTranslator:
    """Adds expressions to a program."""

    def __init__(self, packer: Packer) -> None:
        self.packer = packer
        self.depth = 0

    def formula(self, function: typed.Function) -> Term:
        """The value of a function whose parameters are the variables.  Raises NotPacked, Wider."""
        kinds = [kind_of(parameter.type) for parameter in function.parameters]
        terms = [self.packer.variable(index, kind) for index, kind in enumerate(kinds)]
        return self.inside(function, terms)

    def inside(self, function: typed.Function, terms: Sequence[Term]) -> Term:
        if function.body is None or function.type_parameters or function.throws:
            raise NotPacked(function.name)
        return self.statements(function.body.statements, dict(enumerate(terms)))

    def statements(self, statements: Sequence[typed.Statement], locals: Environment) -> Term:
        """What is returned in the end."""
        for at, statement in enumerate(statements):
            if isinstance(statement, typed.Return) and statement.value is not None:
                return self.value(statement.value, locals)
            if isinstance(statement, typed.Let):
                locals = {**locals, statement.local.index: self.value(statement.value, locals)}
            elif isinstance(statement, typed.If):
                return self.branches(statement, statements[at + 1 :], locals)
            elif isinstance(statement, typed.Block):
                return self.statements([*statement.statements, *statements[at + 1 :]], locals)
            else:
                break
        raise NotPacked

    def branches(self, statement: typed.If, rest: Sequence[typed.Statement], locals: Environment) -> Term:
        """Each branch goes on with what stands behind the statement, unless it returns."""
        otherwise = statement.otherwise.statements if statement.otherwise else []
        result = self.statements([*otherwise, *rest], locals)
        for condition, block in reversed(statement.arms):
            then = self.statements([*block.statements, *rest], locals)
            result = self.packer.choice(self.value(condition, locals), then, result)
        return result

    def value(self, node: typed.TypedExpression, locals: Environment) -> Term:
        found = VALUES.get(type(node))
        self.depth += 1
        if found is None or self.depth > DEEPEST:
            raise NotPacked(type(node).__name__)
        term = found(self, node, locals)
        self.depth -= 1
        return term

    def constant(self, node: typed.Constant, locals: Environment) -> Term:
        return self.packer.constant(node.value, kind_of(node.type))

    def local(self, node: typed.GetLocal, locals: Environment) -> Term:
        return locals[node.local.index]

    def compute(self, node: typed.Compute, locals: Environment) -> Term:
        terms = [self.value(argument, locals) for argument in node.arguments]
        return self.packer.primitive(node.primitive.name, terms)

    def logical(self, node: typed.Logical, locals: Environment) -> Term:
        left, right = self.value(node.left, locals), self.value(node.right, locals)
        if node.operator is typed.Logic.AND:
            return self.packer.both(left, right)
        return self.packer.either(left, right)

    def choice(self, node: typed.Choice, locals: Environment) -> Term:
        result = self.value(node.otherwise, locals)
        for condition, value in reversed(node.arms):
            result = self.packer.choice(self.value(condition, locals), self.value(value, locals), result)
        return result

    def block(self, node: typed.BlockValue, locals: Environment) -> Term:
        """A block with a value."""
        if node.value is None:
            raise NotPacked
        last = typed.Return(node.block.span, node.value)
        return self.statements([*node.block.statements, last], locals)

    def call(self, node: typed.Call, locals: Environment) -> Term:
        target = node.target
        if target.arguments or node.dispatch not in (typed.Dispatch.STATIC, typed.Dispatch.DIRECT):
            raise NotPacked(target.function.name)
        return self.inside(target.function, [self.value(argument, locals) for argument in node.arguments])


VALUES: Final[dict[type, Callable[[PackedTranslator, Any, Environment], Term]]] = {
    typed.Constant: PackedTranslator.constant,
    typed.GetLocal: PackedTranslator.local,
    typed.Compute: PackedTranslator.compute,
    typed.Logical: PackedTranslator.logical,
    typed.Choice: PackedTranslator.choice,
    typed.BlockValue: PackedTranslator.block,
    typed.Call: PackedTranslator.call,
}


def kind_of(type: object) -> Any:
    """The kind of a primitive type.  Raises NotPacked."""
    if not isinstance(type, PrimitiveType):
        raise NotPacked
    return type.kind
