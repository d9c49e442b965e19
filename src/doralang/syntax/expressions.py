"""Parsing expressions: precedence climbing over a table of operators.

    a + b * -c.f()      ->      Binary(+, a, Binary(*, b, Unary(-, MethodCall(c, f))))

Chains of operators, of calls and of prefixes are loops; only brackets, `try` and the like recurse.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.syntax import literals, tree
from doralang.syntax.atoms import character, element_of_tuple, number, string
from doralang.syntax.cursor import DECLARING, DEEPEST, JUMPS, OPERAND_STARTS, Cursor
from doralang.syntax.heads import MATCH, begins_match, may_hold_statements, no_expression, value_in_head
from doralang.syntax.lambdas import begins_call, begins_lambda, lambda_expression
from doralang.syntax.patterns import pattern
from doralang.syntax.reserved import looks_like_struct
from doralang.syntax.tokens import (
    ASSIGNMENTS,
    CHARACTER,
    END,
    FINAL,
    MIDDLE,
    NAME,
    NUMBER,
    STRING,
    TEMPLATE,
)
from doralang.syntax.types import MOST_ELEMENTS, explicit_types, parse_type, too_many_elements
from doralang.text.recursion import HOP
from doralang.text.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


# From loosest to tightest (reference 3.1); `is` and `as` bind tighter than all of these.
_OPERATORS: Final = (
    ("||",),
    ("&&",),
    ("==", "!=", "<", "<=", ">", ">="),
    ("===", "!=="),
    ("..", "..="),
    ("|", "&", "^"),
    ("<<", ">>", ">>>"),
    ("+", "-"),
    ("*", "/", "%"),
)
LEVELS: Final = {name: level for level, row in enumerate(_OPERATORS, 1) for name in row}
RANGE: Final = LEVELS[".."]
PREFIXES: Final = frozenset({"+", "-", "!"})
EXPRESSION_STARTS: Final = OPERAND_STARTS | PREFIXES | {"(", "[", "|", "||", "spawn", "defer"}
"""what begins an element of a list; `{`, `if` and jumps do, too, but are rather the next statement if a
comma or parenthesis is missing"""


def full_expression(c: Cursor) -> tree.Expression:
    """An expression; invalid as a whole if a part of it had to be skipped or was missing."""
    skips, fails, outer = c.skips, c.fails, c.last_fail
    start = c.span()
    c.last_fail = fails
    parsed = expression(c)
    c.last_fail = outer
    if c.fails != fails:
        c.panic = True
    elif c.skips == skips:
        return parsed
    c.skips = skips
    return tree.InvalidExpression(start)


def condition(c: Cursor) -> tree.Expression:
    """An expression in front of a block: `NAME {` is no struct literal in it.

    It is not judged if something else follows: it may be half of one.
    """
    before, c.struct_literals = c.struct_literals, False
    parsed = full_expression(c)
    c.struct_literals = before
    if c.kind == "{" or c.kind == "do" or c.first_on_line():
        return parsed
    return tree.InvalidExpression(parsed.span)


def expression(c: Cursor) -> tree.Expression:
    kind = c.kind
    if kind in _SIMPLE and c.kinds[c.at + 1] in _ENDS:  # more than half of all
        return _FACTORS[kind](c)
    c.depth += 1
    parsed = _expression(c) if c.depth % HOP else c.hop(_expression)
    c.depth -= 1
    return parsed


def _expression(c: Cursor) -> tree.Expression:
    c.diagnostics.look_at_clock()
    parsed = c.formula(c) if c.formula else operation(c)
    if c.kind in ASSIGNMENTS and not c.formula:
        parsed = c.spanning(assignment(c, parsed), parsed.extent.start)
    if c.kind == "?":
        parsed = c.spanning(choice(c, parsed), parsed.extent.start)
    return parsed


def inner_expression(c: Cursor) -> tree.Expression:
    """An expression inside brackets, where struct literals are possible again."""
    if c.struct_literals:
        return expression(c)
    c.struct_literals = True
    parsed = expression(c)
    c.struct_literals = False
    return parsed


def assignment(c: Cursor, target: tree.Expression) -> tree.Expression:
    operator, at = c.kind[:-1] or None, c.take()
    value = operation(c)
    if c.kind not in ASSIGNMENTS:
        return tree.Assign(at, target, value, operator)
    if not c.panic:
        c.report("E0211", c.span(), "assignments cannot be chained")
    while c.kind in ASSIGNMENTS:
        c.advance()
        operation(c)
    return tree.InvalidExpression(at)


def choice(c: Cursor, condition: tree.Expression) -> tree.Expression:
    """`? A : B` of a formula."""
    at = c.take()
    then = expression(c)
    c.expect(":")
    return tree.Choice(at, condition, then, expression(c))


def operation(c: Cursor) -> tree.Expression:
    """Operands joined by binary operators."""
    start = c.starts[c.at]
    left = operand(c)
    if c.kind not in LEVELS:
        return left
    waiting: list[tuple[int, str, Span, tree.Expression, int]] = []  # for their right operands
    level_of = LEVELS.get
    while level := level_of(c.kind):
        if level == RANGE and any(one[0] == RANGE for one in waiting) and not c.panic:
            c.report("E0216", c.span(), "ranges cannot be chained")
            c.skips += 1  # so the expression is not looked at further
        while waiting and waiting[-1][0] >= level:
            _, operator, span, first, start = waiting.pop()
            left = tree.Binary(span, operator, first, left)
            left.start, left.end = start, c.ends[c.at - 1]
        waiting.append((level, c.kind, c.take(), left, start))
        start = c.starts[c.at]
        left = number(c) if c.kind is NUMBER and c.kinds[c.at + 1] in LEVELS else operand(c)
    while waiting:
        _, operator, span, first, start = waiting.pop()
        left = tree.Binary(span, operator, first, left)
        left.start, left.end = start, c.ends[c.at - 1]
    return left


def operand(c: Cursor) -> tree.Expression:
    """A unary expression with the `is` and `as` behind it."""
    parsed = prefixed(c) if c.kind in PREFIXES else primary(c)
    while c.kind == "is" or c.kind == "as":
        make = tree.TypeTest if c.kind == "is" else tree.Cast
        span = c.take()
        parsed = c.spanning(make(span, parsed, parse_type(c)), parsed.extent.start)
    return parsed


def prefixed(c: Cursor) -> tree.Expression:
    """`- - !x`: each prefix is a level of nesting, though none needs the stack here."""
    operators: list[tuple[str, Span]] = []
    while c.kind in PREFIXES:
        if c.depth + len(operators) >= DEEPEST:
            c.too_deep()
        operators.append((c.kind, c.take()))
    c.depth += len(operators)
    parsed = primary(c)
    c.depth -= len(operators)
    for operator, span in reversed(operators):
        parsed = c.spanning(tree.Unary(span, operator, parsed), span.start)
    return parsed


def primary(c: Cursor) -> tree.Expression:
    """An atom and the calls, fields and indexes hung onto it."""
    at = c.at
    parse = _FACTORS.get(c.kind)
    parsed = parse(c) if parse else no_expression(c)
    if c.kind != "." and c.kind != "[" and c.kind != "(":
        return parsed
    start = c.starts[at]
    while True:
        if c.kind == ".":
            parsed = member(c, parsed)
            parsed.start, parsed.end = start, c.ends[c.at - 1]
        elif c.kind == "[":
            span = c.take()
            index = inner_expression(c)
            close(c, "]")
            parsed = c.spanning(tree.Index(span, parsed, index), start)
        elif c.kind == "(" and (type(parsed) in _CALLABLE or c.kinds[c.at - 1] == ")") and begins_call(c):
            parsed = c.spanning(tree.ValueCall(c.span(), parsed, arguments(c)), start)
        else:
            return parsed


def close(c: Cursor, closing: str) -> None:
    """Go past a closing bracket, and past what wrongly stands in front of it."""
    if c.expect(closing) or not c.closes_later(closing):
        return
    c.skip_past(closing)


def member(c: Cursor, receiver: tree.Expression) -> tree.Expression:
    """`.name`, `.name(…)`, `.name::<T>(…)`"""
    start = c.starts[c.at]
    c.advance()
    if c.kind is NUMBER and not c.formula:
        return element_of_tuple(c, receiver, start)
    name = c.name()
    span = Span(start, max(c.ends[c.at - 1], start + 1))
    if c.kind == "(":
        return tree.MethodCall(span, receiver, name, [], arguments(c))
    if c.kind == "::":
        types = explicit_types(c)
        if c.kind == "(" or c.formula:
            return tree.MethodCall(span, receiver, name, types, arguments(c))
        return tree.Member(span, receiver, name, types)
    return tree.Member(span, receiver, name)


def arguments(c: Cursor) -> list[tree.Expression]:
    if not c.expect("("):
        return []
    if c.kind == ")":
        c.advance()
        return []
    return c.comma_list(")", inner_expression, EXPRESSION_STARTS)


def named(c: Cursor) -> tree.Expression:
    """A name, a call, a static call, or the reserved struct literal."""
    at = c.at
    name = c.take_text()
    if name == MATCH and not c.formula and begins_match(c):
        c.move_to(at)
        return match(c) if c.struct_literals else value_in_head(c, match)
    if c.kind == "(":
        return c.spanning(tree.Call(c.tokens.span(at), name, [], arguments(c)), c.starts[at])
    if c.kind == "::":
        return path(c, at, name)
    if c.kind == "{" and looks_like_struct(c):
        return struct_literal(c, c.tokens.span(at))
    return tree.Name(c.tokens.span(at), name)


def path(c: Cursor, at: int, name: str) -> tree.Expression:
    """`f::<T>(…)`, `C::f(…)`, `C::<T>::f::<S>(…)`"""
    span = c.tokens.span(at)
    first: list[tree.Type] = []
    if c.peek() == "<":
        first = explicit_types(c)
        if c.kind == "(" or c.formula:
            return c.spanning(tree.Call(span, name, first, arguments(c)), span.start)
        if c.kind != "::":
            return c.spanning(tree.Name(span, name, first), span.start)
    c.advance()
    method_span = c.span()
    method = c.name()
    second = explicit_types(c) if c.kind == "::" and c.peek() == "<" else []
    if c.kind != "(":
        if c.kind != "::" and method:
            return c.spanning(tree.StaticName(span, name, first, method, method_span, second), span.start)
        no_call(c)
        return tree.InvalidExpression(span)
    call = tree.StaticCall(span, name, first, method, method_span, second, arguments(c))
    return c.spanning(call, span.start)


def no_call(c: Cursor) -> None:
    """`a::b` without a call means nothing; go past longer paths, too."""
    c.expect("(")
    while c.kind == "::":
        c.skip()
        if c.kind == NAME:
            c.skip()
    if c.panic and c.kind == "(":
        c.skip()


def struct_literal(c: Cursor, span: Span) -> tree.Expression:
    c.reserve(span, "struct literals are")
    c.reserved += 1
    c.advance()
    c.comma_list("}", _struct_field, frozenset({NAME}))
    c.reserved -= 1
    return tree.InvalidExpression(span)


def _struct_field(c: Cursor) -> None:
    c.name()
    c.expect(":")
    inner_expression(c)


def parenthesis(c: Cursor) -> tree.Expression:
    """`(e)`, or the tuple `(a, b)`"""
    at, start = c.at, c.starts[c.at]
    c.advance()
    parsed = inner_expression(c)
    if c.kind != "," or c.formula:
        if c.kind == ")":
            c.advance()
        else:
            close(c, ")")
        parsed.start, parsed.end = start, c.ends[c.at - 1]
        return parsed
    span = c.tokens.span(at)
    c.advance()
    elements = [parsed, *c.comma_list(")", inner_expression, EXPRESSION_STARTS)]
    if len(elements) > MOST_ELEMENTS:
        too_many_elements(c, span)
        return tree.InvalidExpression(span)
    return c.spanning(tree.Tuple(span, elements) if len(elements) > 1 else parsed, start)


def attempt(c: Cursor) -> tree.Expression:
    """`try E`, `try E else V`"""
    span = c.take()
    operand = expression(c)
    otherwise = expression(c) if c.accept("else") else None
    return c.spanning(tree.Try(span, operand, otherwise), span.start)


def forced(c: Cursor) -> tree.Expression:
    span = c.take()
    return c.spanning(tree.ForcedTry(span, expression(c)), span.start)


def optional(c: Cursor) -> tree.Expression:
    """`try? E`"""
    if c.formula is not None:
        return no_expression(c)
    span = c.take()
    return c.spanning(tree.OptionalTry(span, expression(c)), span.start)


def reserved_word(c: Cursor) -> tree.Expression:
    """`spawn f()` and the like where an expression is expected"""
    c.reserve(c.span(), f"`{c.kind}` is")
    span = c.take()
    if c.kind in EXPRESSION_STARTS:
        c.reserved += 1
        expression(c)
        c.reserved -= 1
    return tree.InvalidExpression(span)


def bar(c: Cursor) -> tree.Expression:
    return lambda_expression(c, expression) if begins_lambda(c) and not c.formula else no_expression(c)


def template(c: Cursor) -> tree.Expression:
    """`"text ${e} text"`"""
    at = c.at
    pieces: list[str] = []
    holes: list[tree.Expression] = []
    places: list[Span] = []
    while True:
        kind, end = c.kind, c.ends[c.at]
        pieces.append(literals.piece(c.take_text()))
        if kind is FINAL:
            break
        places.append(Span(end - 2, end))
        if c.kind is MIDDLE or c.kind is FINAL:
            c.report("E0111", places[-1], "there is no expression in this hole")
            c.skips += 1
            continue
        holes.append(inner_expression(c))
        if not end_of_hole(c):
            break
    return c.spanning(tree.Template(c.tokens.span(at), pieces, holes, places), c.starts[at])


def end_of_hole(c: Cursor) -> bool:
    """Be at the text behind a hole; false if there is none."""
    if c.kind is not MIDDLE and c.kind is not FINAL:
        c.fail("E0201", "`}`")
    while c.kind is not MIDDLE and c.kind is not FINAL and c.kind is not END:
        c.skip()
    return c.kind is not END


def list_literal(c: Cursor) -> tree.Expression:
    """`[a, b, c]`"""
    if c.formula:
        return no_expression(c)
    span = c.take()
    return c.spanning(
        tree.ListLiteral(span, c.comma_list("]", inner_expression, EXPRESSION_STARTS)), span.start
    )


# Statements with a value.


def block_value(c: Cursor) -> tree.Expression:
    """A block as an operand."""
    return c.block(c) if may_hold_statements(c) else value_in_head(c, c.block)


def if_value(c: Cursor) -> tree.Expression:
    return if_chain(c) if may_hold_statements(c) else value_in_head(c, if_chain)


def if_chain(c: Cursor) -> tree.If:
    """`if … { … } else if … { … } else { … }`, as a statement or as an operand"""
    start = c.span()
    arms = [arm(c)]
    otherwise = None
    while c.kind == "else":
        c.advance()
        if c.kind != "if":
            otherwise = c.block(c)
            break
        arms.append(arm(c))
    chain = tree.If(start, arms, otherwise)
    chain.has_value = any(one.body.has_value for one in arms) or (
        otherwise is not None and otherwise.has_value
    )
    return c.spanning(chain, start.start)


def arm(c: Cursor) -> tree.Arm:
    span = c.take()
    tested, test = head(c)
    return c.spanning(tree.Arm(span, test, c.block(c), tested), span.start)


def head(c: Cursor) -> tuple[tree.Pattern | None, tree.Expression]:
    """What stands behind `if` or `while`: a condition, or `let P = e`."""
    if not c.accept("let"):
        return None, condition(c)
    skips, fails = c.skips, c.fails
    tested = pattern(c)
    c.expect("=")
    if c.skips != skips or c.fails != fails:
        tested = tree.InvalidPattern(tested.span)
    return tested, condition(c)


def match(c: Cursor) -> tree.Match:
    """`match e { P => a, Q if g => { b } }`; the cursor is at the `match`"""
    fails, skips, span = c.fails, c.skips, c.take()
    subject = condition(c)
    if not c.expect("{"):
        while c.kind not in (";", "}", END) and c.kind not in DECLARING:
            c.skip()
    arms = c.deeper(match_arms) if c.kinds[c.at - 1] == "{" else []
    found = tree.Match(span, subject, arms)
    found.has_value = any(not isinstance(one.body, tree.Block) or one.body.has_value for one in arms)
    found.is_broken = (c.fails, c.skips) != (fails, skips)
    return c.spanning(found, span.start)


def match_arms(c: Cursor) -> list[tree.MatchArm]:
    """All arms up to and with the `}`."""
    literals, c.struct_literals = c.struct_literals, True
    arms: list[tree.MatchArm] = []
    while c.kind != "}" and c.kind is not END:
        before, c.panic = c.at, False
        arms.append(match_arm(c))
        if c.kind == ",":
            c.advance()
        elif c.kind != "}" and not isinstance(arms[-1].body, tree.Block):
            arms[-1].body = tree.InvalidExpression(arms[-1].body.span)
            if not next_arm(c):
                break
        if c.at == before:
            c.skip()
    c.expect("}")
    c.struct_literals = literals
    return arms


def match_arm(c: Cursor) -> tree.MatchArm:
    start = c.starts[c.at]
    skips, fails = c.skips, c.fails
    tested = pattern(c)
    if c.kind != "=>" and c.kind != "if":
        c.fail("E0201", "`=>`")
    is_broken = c.skips != skips or c.fails != fails
    if is_broken:
        tested = tree.InvalidPattern(tested.span)
        while c.kind not in ("=>", "{", "}", ";", END):
            c.skip()
        c.skips = skips
    guard = full_expression(c) if c.accept("if") else None
    c.expect("=>")
    body = c.block(c) if c.kind == "{" else full_expression(c)
    if is_broken:
        body = tree.InvalidExpression(body.span)
    return c.spanning(tree.MatchArm(tested.span, tested, guard, body), start)


def next_arm(c: Cursor) -> bool:
    """Report a missing comma behind an arm, and be at the next one, if there is one."""
    c.fail("E0201", "`,`")
    if c.first_on_line():
        return True
    if c.kind == ";" and arm_follows(c):
        c.advance()
        return True
    while c.kind not in (",", "}", ";", END):
        c.skip()
    return c.accept(",")


def arm_follows(c: Cursor) -> bool:
    """Whether `P =>` or the end of the arms stands behind this token."""
    distance, depth = 1, 0
    while (kind := c.peek(distance)) not in (";", "{", "}", END) and (kind != "," or depth > 0):
        if kind == "=>":
            return True
        depth += (kind == "(") - (kind == ")")
        distance += 1
    return kind == "}" and distance == 1


def jump(c: Cursor) -> tree.Expression:
    """`return e`, `throw e`, `break`, `continue` as operands"""
    if c.formula:
        return no_expression(c)
    kind, span = c.kind, c.take()
    if kind == "break":
        return tree.Break(span)
    if kind == "continue":
        return tree.Continue(span)
    value = expression(c) if kind == "throw" or begins_value(c) else None
    made = (
        tree.Return(span, value)
        if kind == "return"
        else tree.Throw(span, value or tree.InvalidExpression(span))
    )
    return c.spanning(made, span.start)


def begins_value(c: Cursor) -> bool:
    """Whether an expression can begin here, as behind a `return`."""
    if c.kind == "{" or c.kind == "if":
        return may_hold_statements(c)
    return c.kind in EXPRESSION_STARTS or c.kind in JUMPS


def misplaced_annotation(c: Cursor) -> tree.Expression:
    c.report("E0214", c.span(), "annotations are not allowed here")
    c.advance()
    if c.kind == NAME:
        c.advance()
    return primary(c) if c.kind in OPERAND_STARTS else tree.InvalidExpression(c.span())


_CALLABLE: Final = frozenset({tree.Index, tree.Member})
"""what is called by a `(` behind it, as everything in parentheses is and every call"""
_SIMPLE: Final = frozenset({NAME, NUMBER, STRING})
_ENDS: Final = frozenset({")", ",", ";", "]"})
"""behind these an atom is all of an expression"""

_FACTORS: Final[dict[str, Callable[[Cursor], tree.Expression]]] = {
    NAME: named,
    NUMBER: number,
    STRING: string,
    TEMPLATE: template,
    CHARACTER: character,
    "true": lambda c: tree.Boolean(c.take(), True),
    "false": lambda c: tree.Boolean(c.take(), False),
    "nil": lambda c: tree.Nil(c.take()),
    "self": lambda c: tree.Self(c.take()),
    "super": lambda c: tree.Super(c.take()),
    "(": parenthesis,
    "[": list_literal,
    "try": attempt,
    "try!": forced,
    "try?": optional,
    "|": bar,
    "||": bar,
    "{": block_value,
    "if": if_value,
    **dict.fromkeys(JUMPS, jump),
    "@": misplaced_annotation,
    **dict.fromkeys(("alias", "defer", "spawn", "struct", "type"), reserved_word),
}
