"""The operators of formulas (reference 1.5): those of the language, and what people write elsewhere.

    not a > 1 and b in [1, 2]       ->      Binary(&&, Unary(!, Binary(>, a, 1)), Binary(in, b, [1, 2]))
    -x ** 2                         ->      Unary(-, MethodCall(x, pow, 2))
    if(c, a, b)                     ->      Choice(c, a, b)

What looks like something else, such as `x = 3` or `1 < x < 3`, is reported with what to write instead
(E0217), and read as if that had been written.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from doralang.syntax import tree
from doralang.syntax.atoms import number
from doralang.syntax.cursor import DEEPEST, OPERAND_STARTS, Cursor
from doralang.syntax.expressions import (
    EXPRESSION_STARTS,
    LEVELS,
    RANGE,
    inner_expression,
    primary,
)
from doralang.syntax.tokens import END, NAME, NUMBER, STRING
from doralang.syntax.types import parse_type
from doralang.text.shown import excerpt
from doralang.text.source import Span

# Twice the levels of the language leave room between them.
NOT: Final = 2 * LEVELS["&&"] + 1
COMPARISON: Final = 2 * LEVELS["=="]
PREFIX: Final = 2 * LEVELS["*"] + 2
POWER: Final = PREFIX + 1

BINARY: Final = {
    **{name: 2 * level for name, level in LEVELS.items()},
    "or": 2 * LEVELS["||"],
    "and": 2 * LEVELS["&&"],
    "in": COMPARISON,
    "not": COMPARISON,
    "=": COMPARISON,
    "<>": COMPARISON,
    "**": POWER,
}
PREFIXES: Final = {"not": NOT, "-": PREFIX, "+": PREFIX, "!": PREFIX}
MEANT: Final = {"or": "||", "and": "&&", "=": "==", "<>": "!=", "not": "!"}
"""the operators of the language for those of formulas, and for what is reported"""
ORDERING: Final = frozenset({"<", "<=", ">", ">="})
NEIGHBOURS: Final = frozenset({"(", NAME, NUMBER, STRING})
"""what begins another operand where an operator is missing"""


class Pending(NamedTuple):
    """An operator that waits for its right operand."""

    level: int
    operator: str
    span: Span
    left: tree.Expression | None
    """none of a prefix"""
    start: int


def operation(c: Cursor) -> tree.Expression:
    """Operands joined by operators."""
    waiting: list[Pending] = []
    start = prefixes(c, waiting)
    left = operand(c)
    while True:
        operator = c.kind
        if operator == "is" or operator == "as":
            left, start = reduced(c, waiting, PREFIX, left, start)
            make = tree.TypeTest if operator == "is" else tree.Cast
            left = c.spanning(make(c.take(), left, parse_type(c)), start)
            continue
        level = BINARY.get(operator)
        if level is None or (operator == "not" and c.peek() != "in"):
            if not misses_operator(c, left):
                break
            operator, level, span = "*", BINARY["*"], Span(c.starts[c.at], c.starts[c.at])
        else:
            if operator == "%" and is_percent(c, left):
                continue
            look_at(c, operator, level, waiting, left)
            span = c.take()
        left, start = reduced(c, waiting, level + (level == POWER), left, start)
        if operator == "in" or operator == "not":
            left = membership(c, operator, span, left, start)
            continue
        waiting.append(Pending(level, MEANT.get(operator, operator), span, left, start))
        start = prefixes(c, waiting)
        left = operand(c)
    return reduced(c, waiting, 0, left, start)[0]


def prefixes(c: Cursor, waiting: list[Pending]) -> int:
    """Go past the prefixes of an operand; where it begins.  Each is a level of nesting, and so is a power."""
    while (level := PREFIXES.get(c.kind)) is not None:
        start = c.starts[c.at]
        waiting.append(Pending(level, MEANT.get(c.kind, c.kind), c.take(), None, start))
        if c.depth + len(waiting) >= DEEPEST:
            c.too_deep()
    if c.depth + len(waiting) >= DEEPEST:
        c.too_deep()
    return c.starts[c.at]


def reduced(
    c: Cursor, waiting: list[Pending], level: int, left: tree.Expression, start: int
) -> tuple[tree.Expression, int]:
    """The operand that all waiting operators of a level, and of tighter ones, make; and where it begins."""
    end = c.ends[c.at - 1] if waiting and c.at else 0
    while waiting and waiting[-1].level >= level:
        one = waiting.pop()
        left, start = joined(one, left), one.start
        left.start, left.end = start, end
    return left, start


def joined(one: Pending, right: tree.Expression) -> tree.Expression:
    if one.left is None:
        return tree.Unary(one.span, one.operator, right)
    if one.operator == "**":
        return tree.MethodCall(one.span, one.left, "pow", [], [right])
    return tree.Binary(one.span, one.operator, one.left, right)


def membership(c: Cursor, operator: str, span: Span, left: tree.Expression, start: int) -> tree.Expression:
    """`in [a, b]`, `not in [a, b]`"""
    if operator == "not":
        c.advance()
    at = c.span()
    if c.kind != "[":
        c.fail("E0201", "`[`")
        return tree.InvalidExpression(at)
    c.advance()
    elements = c.spanning(
        tree.ListLiteral(at, c.comma_list("]", inner_expression, EXPRESSION_STARTS)), at.start
    )
    found: tree.Expression = c.spanning(tree.Binary(span, "in", left, elements), start)
    return c.spanning(tree.Unary(span, "!", found), start) if operator == "not" else found


# Operands.


def operand(c: Cursor) -> tree.Expression:
    if c.kind == "if" and c.peek() == "(":
        return conditional(c)
    if c.kind == NUMBER and c.peek() == "." and c.peek(2) != NAME and adjoins(c, 1):
        text = c.text()
        mistake(c, Span(c.starts[c.at], c.ends[c.at + 1]), "digits follow a point", f"write `{text}.0`")
        found = number(c)
        c.advance()
        return found
    if c.kind == "." and c.peek() == NUMBER and adjoins(c, 1):
        span = Span(c.starts[c.at], c.ends[c.at + 1])
        digits = c.source.text[span.start : span.end]
        mistake(c, span, "a digit comes before a point", f"write `0{digits}`")
        c.advance()
        return number(c)
    return primary(c)


def conditional(c: Cursor) -> tree.Expression:
    """`if(c, a, b)`"""
    at = c.take()
    start = at.start
    c.advance()
    parts = c.comma_list(")", inner_expression, EXPRESSION_STARTS)
    if len(parts) != 3:
        if not c.panic:
            mistake(
                c, at, "`if` needs a condition and two values", "write `if(condition, value, other value)`"
            )
        return tree.InvalidExpression(at)
    return c.spanning(tree.Choice(at, *parts), start)


def adjoins(c: Cursor, distance: int) -> bool:
    """Whether there is nothing between two tokens from here on."""
    at = c.at + distance
    return c.ends[at - 1] == c.starts[at]


# What looks like something else.


def mistake(c: Cursor, span: Span, message: str, help: str) -> None:
    if not c.panic:
        c.report("E0217", span, message, help)


def written(c: Cursor, node: tree.Expression) -> str:
    return excerpt(c.source.text[node.extent.start : node.extent.end])


def look_at(c: Cursor, operator: str, level: int, waiting: list[Pending], left: tree.Expression) -> None:
    """Report an operator that means something else here than its writer thinks."""
    if operator == "=":
        mistake(c, c.span(), "a formula assigns nothing", "two values are compared with `==`")
    elif operator == "<>":
        mistake(c, c.span(), "`<>` is no operator", "write `!=`")
    elif operator in ORDERING:
        before = next((one for one in waiting if one.operator in ORDERING and one.level >= level), None)
        if before is not None and before.left is not None and not c.skips:
            first, middle = written(c, before.left), c.source.text[before.span.end : c.ends[c.at - 1]].strip()
            line = f"write `{first} {before.operator} {middle} and {middle} {operator} …`"
            mistake(c, c.span(), "comparisons cannot be chained", line)
            c.skips += 1  # so that the comparison of a truth value is not one more mistake
    elif level == 2 * RANGE and any(one.level == 2 * RANGE for one in waiting) and not c.panic:
        c.report("E0216", c.span(), "ranges cannot be chained")
        c.skips += 1


def is_percent(c: Cursor, left: tree.Expression) -> bool:
    """Report a `%` with no right operand, and go past it.  In `5% + x` the `+` is no sign."""
    after = c.peek()
    signed = after in ("+", "-") and adjoins(c, 0) and not adjoins(c, 1) and not adjoins(c, 2)
    if (after in OPERAND_STARTS or after in PREFIXES or after in ("(", "if")) and not signed:
        return False
    mistake(c, c.span(), "`%` is the remainder of a division", f"write `{written(c, left)} / 100`")
    c.advance()
    return True


def misses_operator(c: Cursor, left: tree.Expression) -> bool:
    """Report an operand right behind another one."""
    if c.kind == "if":
        mistake(c, c.span(), "the condition comes first", "write `if(condition, value, other value)`")
        c.panic = True
        return False
    if c.kind not in NEIGHBOURS or isinstance(left, tree.InvalidExpression):
        return False
    both_numbers = c.kinds[c.at - 1] == NUMBER and c.kind == NUMBER
    if both_numbers or c.at in c.tokens.quiet or c.kind == STRING:
        return False
    help = f"write `{written(c, left)} * {'(…)' if c.kind == '(' else c.text()}`"
    if c.kind == NAME and isinstance(left, tree.Name):
        help += f", or `` `{left.name} {c.text()}` `` if that is a name"
    mistake(c, c.span(), "an operator is missing", help)
    return True


def report_rest(c: Cursor) -> None:
    """Report what stands behind the formula."""
    if c.kind == "," and c.kinds[c.at - 1] == NUMBER and c.peek() == NUMBER:
        whole, fraction = c.tokens.text(c.at - 1), c.tokens.text(c.at + 1)
        mistake(c, c.span(), "numbers are written with a point", f"write `{whole}.{fraction}`")
    elif c.kind in (";", ",") and not c.panic:
        message = f"expected end of formula, found {c.found()}"
        c.report("E0201", c.span(), message, "a formula is one expression")
    elif c.kind is not END:
        c.fail("E0201", "end of formula")
