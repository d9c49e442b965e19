"""Parsing blocks and statements.

A block survives anything: what cannot be understood becomes an `InvalidStatement`, and parsing goes
on with the next statement.  Where a `}` is missing, the keyword of the next declaration tells.
"""

from __future__ import annotations

from collections.abc import Callable

from doralang.syntax import tree
from doralang.syntax.cursor import DECLARING, FARTHEST, OPENING, STATEMENT_KEYWORDS, STATEMENT_STARTS, Cursor
from doralang.syntax.expressions import (
    begins_value,
    condition,
    full_expression,
    head,
    if_chain,
    match,
)
from doralang.syntax.heads import MATCH, begins_match
from doralang.syntax.patterns import begins_pattern, simple_pattern
from doralang.syntax.reserved import (
    DECLARATIONS,
    WORDS,
    is_no_name,
    reserved_block,
)
from doralang.syntax.tokens import END, NAME
from doralang.syntax.types import annotated_type, complete_type
from doralang.text.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_MAY_BE_TAILS: Final = (tree.ExpressionStatement, tree.Return, tree.Throw, tree.Break, tree.Continue)
_BEFORE_STATEMENTS: Final = frozenset({";", "{", "}"})
_CONTINUING: Final = frozenset({"else", "catch", "finally"})


def block(c: Cursor) -> tree.Block:
    """`{ … }`"""
    if c.kind != "{":
        return missing_block(c)
    return c.deeper(_block)


def _block(c: Cursor) -> tree.Block:
    span = c.take()
    return c.spanning(open_block(c, span), span.start)


def open_block(c: Cursor, span: Span) -> tree.Block:
    """The statements of a block and its `}`."""
    c.panic = False
    statements: list[tree.Statement] = []
    while c.kind != "}":
        if c.kind is END or (c.kind in DECLARING and not c.inside(c.declaration)):
            c.fail("E0201", "`}`")
            c.skips += 1
            statements.append(tree.InvalidStatement(c.span()))  # where it ends, nobody knows
            break
        fails = c.fails
        add_statement(c, statements)
        if c.fails != fails:
            close_quietly(c)
    else:
        c.advance()
        c.panic = False
    return tree.Block(span, statements, take_tail(c, statements))


def take_tail(c: Cursor, statements: list[tree.Statement]) -> tree.Expression | None:
    """The last statement of a block that ends here, if it is an expression without a `;`."""
    last = statements[-1] if statements else None
    if c.kinds[c.at - 2] == ";" or not isinstance(last, _MAY_BE_TAILS):
        return None
    statements.pop()
    return last.expression if isinstance(last, tree.ExpressionStatement) else last


def add_statement(c: Cursor, statements: list[tree.Statement]) -> None:
    """Parse a statement; if it is not all there, say so with an invalid one behind it."""
    before, skips = c.at, c.skips
    c.panic = c.panic and not (c.first_on_line() or c.kinds[c.at - 1] in _BEFORE_STATEMENTS)
    statements.append(statement(c))
    if c.at == before:
        c.skip()
    if c.skips != skips and c.kind is not END:
        statements.append(tree.InvalidStatement(c.tokens.span(before)))
        c.skips = skips


def close_quietly(c: Cursor) -> None:
    """Go past brackets that close what was given up: `f(;);`"""
    while c.kind in (")", "]") and not c.first_on_line():
        c.skip()
        c.accept(";")


def missing_block(c: Cursor) -> tree.Block:
    """Where a `{` must be: stray tokens in front of it, one statement without braces, or nothing."""
    span = c.span()
    c.fail("E0201", "`{`")
    if c.kind == "do" and c.peek() == "{":
        c.advance()  # as other languages have it: `while c do { … }`
        return block(c)
    at = c.at
    while c.kinds[at] not in ("{", "}", ";", END) and c.kinds[at] not in STATEMENT_KEYWORDS | DECLARING:
        at = c.matching(at) + 1 if c.kinds[at] in ("(", "[") else at + 1
        at = min(at, len(c.kinds) - 1)
    if c.kinds[at] == "{" and c.source.text.find("\n", span.start, c.starts[at]) < 0:
        c.skips += 1
        c.move_to(at)
        return block(c)
    if c.kind in STATEMENT_STARTS and has_end(c):
        return c.deeper(lambda c: open_block(c, span))
    statements: list[tree.Statement] = []
    if c.kind in STATEMENT_STARTS:
        c.deeper(lambda c: add_statement(c, statements))
    statements.append(tree.InvalidStatement(span))
    return tree.Block(span, statements)


def has_end(c: Cursor) -> bool:
    """Whether the block that begins here without its `{` has its `}`: on the line, or below its start."""
    if not c.tokens.misses_opening():
        return False
    text, start = c.source.text, c.starts[c.at]
    first = c.at - 1
    while first and text.find("\n", c.ends[first - 1], c.starts[first]) < 0:
        first -= 1
    level = 0
    for at in range(c.at, min(c.at + FARTHEST, len(c.kinds))):
        if c.kinds[at] == "{":
            level += 1
        elif c.kinds[at] == "}":
            level -= 1
            if level < 0:
                return text.find("\n", start, c.starts[at]) < 0 or c.column(at) == c.column(first)
    return False


def statement(c: Cursor) -> tree.Statement:
    c.diagnostics.look_at_clock()
    start = c.starts[c.at]
    parse = _STATEMENTS.get(c.kind)
    node = parse(c) if parse else other_statement(c)
    node.start, node.end = start, c.ends[c.at - 1]
    return node


def other_statement(c: Cursor) -> tree.Statement:
    """An expression, a `match`, or something reserved or misplaced."""
    if c.kind is NAME:
        word = c.text()
        if word == MATCH:
            return match_statement(c)
        if word in WORDS and is_no_name(c):
            return reserved_statement(c)
    if c.kind in DECLARING:
        return nested_declaration(c)
    return expression_statement(c)


def expression_statement(c: Cursor) -> tree.Statement:
    span = c.span()
    value = ended_or_tail(c, full_expression(c))
    return tree.ExpressionStatement(span, value)


def ended_or_tail(c: Cursor, value: tree.Expression) -> tree.Expression:
    """The `;` behind a value, which the last one of a block does without."""
    return value if c.kind == "}" else ended(c, value)


def ended(c: Cursor, value: tree.Expression) -> tree.Expression:
    """The `;` behind a value, which is not judged if something else stands there: it may be half of one."""
    whole = c.kind in (";", "}") or c.first_on_line()
    end_statement(c)
    return value if whole else tree.InvalidExpression(value.span)


def end_statement(c: Cursor) -> None:
    """The `;`; if it is missing, skip what cannot be the start of the next statement."""
    if c.expect(";"):
        return
    if c.kind == "}" or c.kind == "{" or c.kind in STATEMENT_KEYWORDS:
        return
    if c.first_on_line() and c.kind in STATEMENT_STARTS:
        return
    skip_statement(c)


def skip_statement(c: Cursor) -> None:
    """Go to where the next statement may begin."""
    while c.kind not in ("}", END) and not (c.kind in DECLARING and not c.inside(c.declaration)):
        if c.kind == ";":
            c.advance()
            return
        is_block = c.kind == "{"
        c.skip()
        if is_block and c.kind not in _CONTINUING and c.kind not in (";", ")"):
            return
        if c.first_on_line() and c.kind in STATEMENT_STARTS:
            return


def variable(c: Cursor) -> tree.Statement:
    """`let x: T = e;`, `var x = e;`"""
    mutable = c.kind == "var"
    span, name_span = c.take(), c.span()
    if begins_pattern(c):
        return destructuring(c, span, mutable)
    name = c.name()
    declared = value = None
    if c.accept(":"):
        declared = complete_type(c)
    if c.accept("="):
        value = full_expression(c)
    skips = c.skips
    if value is not None and c.kind == "else":
        return with_else(
            c, tree.Destructuring(span, tree.NamePattern(name_span, name), mutable, declared, value)
        )
    if value is not None:
        value = ended(c, value)
    else:
        end_statement(c)
    if value is None and c.skips != skips:
        # What was skipped may have said more about the type, and a value.
        declared, value = tree.InvalidType(span), tree.InvalidExpression(span)
    if not name:
        return tree.InvalidStatement(span)
    return tree.Variable(span, name, name_span, mutable, declared, value)


def destructuring(c: Cursor, span: Span, mutable: bool) -> tree.Statement:
    """`let (a, b): T = e;`; what stands behind it is not judged if it is not all there."""
    fails, skips = c.fails, c.skips
    pattern = simple_pattern(c)
    declared = complete_type(c) if c.accept(":") else None
    c.expect("=")
    value = full_expression(c)
    if c.kind == "else" and c.fails == fails and c.skips == skips:
        return with_else(c, tree.Destructuring(span, pattern, mutable, declared, value))
    value = ended(c, value)
    if c.fails != fails or c.skips != skips:
        return tree.InvalidStatement(span)
    return tree.Destructuring(span, pattern, mutable, declared, value)


def with_else(c: Cursor, node: tree.Destructuring) -> tree.Statement:
    """The `else { … };` of a `let`"""
    c.advance()
    node.otherwise = block(c)
    end_statement(c)
    return node


def while_statement(c: Cursor) -> tree.Statement:
    span = c.take()
    tested, test = head(c)
    return tree.While(span, test, block(c), tested)


def loop_statement(c: Cursor) -> tree.Statement:
    return tree.Loop(c.take(), block(c))


def for_statement(c: Cursor) -> tree.Statement:
    span = c.take()
    skips, fails = c.skips, c.fails
    if begins_pattern(c):
        pattern = simple_pattern(c)
    else:
        name_span = c.span()
        pattern = tree.NamePattern(name_span, c.name())
    c.expect("in")
    iterable = condition(c)
    c.panic = c.panic or c.fails != fails
    if c.skips == skips:
        return tree.For(span, pattern, iterable, block(c))
    body = block(c)
    # Without its name the body is only good for its own syntax errors.
    return tree.InvalidStatement(body.span)


def do_statement(c: Cursor) -> tree.Statement:
    span = c.take()
    body = block(c)
    catches = []
    while c.kind == "catch":
        catches.append(catch(c))
    last = block(c) if c.accept("finally") else None
    if not catches and last is None and not c.panic:
        c.report("E0212", span, "a `do` needs a `catch` or a `finally`")
        c.skips += 1
    return tree.Do(span, body, catches, last)


def catch(c: Cursor) -> tree.Catch:
    span, fails = c.take(), c.fails
    name_span = c.span()
    name = c.name()
    caught = annotated_type(c)
    c.panic = c.panic or c.fails != fails
    body = block(c)
    if c.fails != fails:
        body.statements.insert(0, tree.InvalidStatement(span))
    return c.spanning(tree.Catch(span, name, name_span, caught, body), span.start)


def break_statement(c: Cursor) -> tree.Statement:
    span = c.take()
    if c.kind != "}":
        end_statement(c)
    return tree.Break(span)


def continue_statement(c: Cursor) -> tree.Statement:
    span = c.take()
    if c.kind != "}":
        end_statement(c)
    return tree.Continue(span)


def return_statement(c: Cursor) -> tree.Statement:
    span = c.take()
    doubtful = c.panic or (c.kind in STATEMENT_KEYWORDS and not c.first_on_line())
    value = None if returns_nothing(c) else full_expression(c)
    if value is None and doubtful:
        value = tree.InvalidExpression(span)
    if value is not None:
        value = ended_or_tail(c, value)
    elif c.kind != "}":
        end_statement(c)
    return tree.Return(span, value)


def returns_nothing(c: Cursor) -> bool:
    if c.kind == ";" or c.kind == "}":
        return True
    return (c.kind in STATEMENT_KEYWORDS and not begins_value(c)) or c.kind in DECLARING


def throw_statement(c: Cursor) -> tree.Statement:
    span = c.take()
    return tree.Throw(span, ended_or_tail(c, full_expression(c)))


def empty_statement(c: Cursor) -> tree.Statement:
    return tree.Empty(c.take())


def stray_else(c: Cursor) -> tree.Statement:
    span = c.span()
    c.report("E0209", span, "this `else` belongs to no `if`")
    c.advance()
    if c.kind == "if":
        return if_chain(c)
    return block(c) if c.kind == "{" else tree.Empty(span)


def stray_annotation(c: Cursor) -> tree.Statement:
    span = c.take()
    c.report("E0214", span, "annotations are not allowed here")
    if c.kind == NAME:
        c.advance()
    return tree.Empty(span)


def reserved_statement(c: Cursor) -> tree.Statement:
    span = c.span()
    reserved_block(c)
    return tree.InvalidStatement(span)


def match_statement(c: Cursor) -> tree.Statement:
    """What begins with `match`, as a name or not."""
    start = c.at
    c.advance()
    is_match = begins_match(c)
    c.move_to(start)
    return match(c) if is_match else expression_statement(c)


def nested_declaration(c: Cursor) -> tree.Statement:
    """A function or class among statements: not possible, and skipped as a whole."""
    span = c.span()
    c.fail("E0203", "an expression")
    while c.kind not in ("{", ";", "}", END):
        c.skip()
    if c.kind in OPENING:
        c.skip()
    c.accept(";")
    return tree.InvalidStatement(span)


_STATEMENTS: Final[dict[str, Callable[[Cursor], tree.Statement]]] = {
    "let": variable,
    "var": variable,
    "{": block,
    "if": if_chain,
    "while": while_statement,
    "loop": loop_statement,
    "for": for_statement,
    "do": do_statement,
    "break": break_statement,
    "continue": continue_statement,
    "return": return_statement,
    "throw": throw_statement,
    ";": empty_statement,
    "else": stray_else,
    "@": stray_annotation,
    **dict.fromkeys(DECLARATIONS, reserved_statement),
}
