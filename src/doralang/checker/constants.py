"""Values of constants, computed at compile time as they would be at run time (section 6)."""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker.operators import COMPARISONS, METHODS, NUMBER_TYPES, UNARY_METHODS, number_value
from doralang.checker.resolve import resolve_type
from doralang.checker.scopes import ConstantName, Context, Progress, Unit, kind_name
from doralang.syntax import tree
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.text.source import Span
from doralang.types.arithmetic import DivisionByZero
from doralang.types.primitives import PRIMITIVES
from doralang.types.types import BOOL, CHAR, ERROR, PrimitiveType, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Value = bool | int | float | str
Result = tuple[Type, Value] | None
"""A type and a value; None for what was reported."""

LONGEST: Final = 1_000_000
"""Characters of a text that a constant is computed to (E0420): each could be twice the one before."""
ALL_TEXTS: Final = 10 * LONGEST
"""Characters of all such texts of a program."""

TEXT_COMPARISONS: Final = {
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
}


class ConstantChecker:
    """Computes the constants of a unit, each when it is first needed."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.running: list[ConstantName] = []
        self.depth = 0
        self.dead = 0
        """inside a side of `&&` or `||` that is not evaluated"""
        self.room = ALL_TEXTS
        """how many characters may still be computed; less than none once that is reported"""

    def compute(self, constant: ConstantName) -> None:
        """Compute the value of a constant, which stays None if there is something wrong."""
        if constant.progress is not Progress.TODO:
            return
        constant.progress = Progress.RUNNING
        self.running.append(constant)
        dead, self.dead = self.dead, 0
        self.set_value(constant)
        self.dead = dead
        self.running.pop()
        constant.progress = Progress.DONE

    def set_value(self, constant: ConstantName) -> None:
        constant.type = resolve_type(constant.context, constant.node.type)
        result = self.value(constant.context, constant.node.value)
        if result is None or constant.type is ERROR:
            return
        type, value = result
        if type is constant.type:
            constant.value = value
            return
        hint = f"`{constant.name}` is declared as `{constant.type}`"
        constant.context.error(
            "E0401", constant.node.value.span, expected=constant.type, found=type, hint=hint
        )

    def value(self, context: Context, node: tree.Expression) -> Result:
        self.depth += 1
        try:
            if self.depth % HOP == 0:
                return on_fresh_stack(lambda: self.value_here(context, node))
            return self.value_here(context, node)
        finally:
            self.depth -= 1

    def value_here(self, context: Context, node: tree.Expression) -> Result:
        leaf, links = tree.spine(node)
        for link in links:
            if not isinstance(link, tree.Binary) or link.operator in ("===", "!=="):
                return not_constant(context, link.span)
        result = self.leaf(context, leaf)
        done = 0
        while done < len(links):
            link = links[done]
            assert isinstance(link, tree.Binary)
            if link.operator == "+" and result is not None and result[0] is self.text_type:
                result, done = self.text(context, str(result[1]), links, done)
            else:
                result = self.binary(context, link, result)
                done += 1
        return result

    def text(self, context: Context, first: str, links: Sequence[tree.Link], done: int) -> tuple[Result, int]:
        """A text with all that is added to it, joined at once, and how many links are done then."""
        texts, length = [first], len(first)
        while done < len(links):
            link = links[done]
            if not (isinstance(link, tree.Binary) and link.operator == "+"):
                break
            done += 1
            right = self.value(context, link.right)
            if right is None or right[0] is not self.text_type:
                return (right and no_operator(context, link, self.text_type, right[0])), done
            texts.append(str(right[1]))
            length += len(texts[-1])
            if length > min(LONGEST, self.room):
                return self.too_long(context, link, length), done
        self.room -= length
        return (self.text_type, "".join(texts)), done

    def too_long(self, context: Context, node: tree.Binary, length: int) -> Result:
        """Report a text that is too long; that there is no more room, once."""
        if length > LONGEST:
            context.error("E0420", node.span, hint=f"a constant has at most {LONGEST:,} characters")
        elif self.room >= 0:
            self.room = -1
            context.error("E0420", node.span, hint=f"all constants together have at most {ALL_TEXTS:,}")
        return None

    def leaf(self, context: Context, node: tree.Expression) -> Result:
        if isinstance(node, tree.Number):
            return self.number(context, node, False)
        if isinstance(node, tree.Character):
            return CHAR, node.value
        if isinstance(node, tree.Boolean):
            return BOOL, node.value
        if isinstance(node, tree.Text):
            return self.text_type, node.value
        if isinstance(node, tree.Unary):
            return self.unary(context, node)
        if isinstance(node, tree.Name):
            return self.name(context, node)
        return None if isinstance(node, tree.InvalidExpression) else not_constant(context, node.span)

    @property
    def text_type(self) -> Type:
        return self.unit.library_class("Str").of()

    def number(self, context: Context, node: tree.Number, negated: bool) -> Result:
        value = number_value(context, node, negated)
        return None if value is None else (NUMBER_TYPES[node.kind], value)

    def name(self, context: Context, node: tree.Name) -> Result:
        entity = self.unit.find(node.name)
        if entity is not None:
            context.note(node.span.start, entity)
        if isinstance(entity, ConstantName):
            if entity.progress is Progress.RUNNING:
                return self.cycle(entity)
            self.compute(entity)
            return None if entity.value is None else (entity.type, entity.value)
        if entity is None:
            if not self.unit.incomplete:
                context.error("E0301", node.span, name=node.name, hint=None)
            return None
        what = kind_name(entity)
        if what == "a global":
            return not_constant(context, node.span)
        context.error("E0301", node.span, name=node.name, hint=f"`{node.name}` is {what}, not a value")
        return None

    def cycle(self, entity: ConstantName) -> Result:
        """Report a cycle once, at its first constant."""
        members = self.running[self.running.index(entity) :]
        first = min(members, key=lambda member: member.span.start)
        first.context.error("E0415", first.span, name=first.name)
        return None

    def unary(self, context: Context, node: tree.Unary) -> Result:
        if node.operator == "-" and isinstance(node.operand, tree.Number):
            operand = self.number(context, node.operand, True)
        else:
            operand = self.value(context, node.operand)
        if operand is None:
            return None
        type, value = operand
        row = PRIMITIVES.get(f"{type}.{UNARY_METHODS[node.operator]}")
        if row is None or not isinstance(type, PrimitiveType):
            context.error("E0411", node.span, operator=node.operator, type=type)
            return None
        return type, row.meaning(value)

    def binary(self, context: Context, node: tree.Binary, left: Result) -> Result:
        if node.operator in ("&&", "||"):
            return self.logical(context, node, left)
        right = self.value(context, node.right)
        if left is None or right is None:
            return None
        (type, x), (other, y) = left, right
        if type is other and type is self.text_type and node.operator in TEXT_COMPARISONS:
            return BOOL, TEXT_COMPARISONS[node.operator](x, y)
        name = COMPARISONS.get(node.operator) or METHODS[node.operator]
        row = PRIMITIVES.get(f"{type}.{name}")
        if type is not other or row is None or not isinstance(type, PrimitiveType):
            return no_operator(context, node, type, other)
        return self.apply(context, node, row.meaning, type, (x, y))

    def apply(
        self, context: Context, node: tree.Binary, meaning: object, type: Type, operands: tuple[Value, Value]
    ) -> Result:
        result = BOOL if node.operator in COMPARISONS else type
        try:
            return result, meaning(*operands)  # type: ignore[operator]
        except DivisionByZero:
            if self.dead:
                return result, 0
            context.error("E0414", node.span)
            return None

    def logical(self, context: Context, node: tree.Binary, left: Result) -> Result:
        """The right side must be right, but what would fail there fails only if it is evaluated."""
        skipped = left is not None and left[1] is (node.operator == "||")
        self.dead += skipped
        right = self.value(context, node.right)
        self.dead -= skipped
        if left is None or right is None:
            return None
        if left[0] is not BOOL or right[0] is not BOOL:
            return no_operator(context, node, left[0], right[0])
        return left if skipped else right


def not_constant(context: Context, span: Span) -> Result:
    context.error("E0413", span)
    return None


def no_operator(context: Context, node: tree.Binary, left: Type, right: Type) -> Result:
    context.error("E0412", node.span, operator=node.operator, left=left, right=right, hint=None)
    return None
