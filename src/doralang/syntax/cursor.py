"""Where the parser stands in the tokens, and how it reports and gets over syntax errors.

One mistake shall give one report, and shall not hide the next mistake.  Three devices do that:

* After a report the parser is in `panic`, which keeps it silent until a token that it expects
  turns up again, or a new statement or declaration begins.
* A token that is missing is taken for present if what follows makes sense; otherwise text is
  skipped up to a place that does.  `skips` counts how often, so that whoever parses something can
  tell that it is not all there and put an `Invalid…` node in its place.
* Lexical errors and reserved constructs are reported once; what they lead to is not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from doralang.syntax import tree
from doralang.syntax.tokens import CHARACTER, END, FINAL, NAME, NUMBER, STRING, TEMPLATE, Tokens, new_span
from doralang.syntax.words import KEYWORDS
from doralang.text.diagnostics import Diagnostics
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.text.shown import excerpt
from doralang.text.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NoReturn, TypeVar

    T = TypeVar("T")
    N = TypeVar("N", bound=tree.Node)

DEEPEST: Final = 1000
"""Levels of blocks, expressions and types within each other (E0215 beyond); a multiple of `HOP`."""

MODIFIERS: Final = frozenset({"abstract", "open", "override", "final", "internal", "pub", "static"})
DECLARING: Final = frozenset({"fun", "class", "enum", "trait", "impl", "const", "init", *MODIFIERS})
"""Keywords that no statement begins with or contains: a brace must be missing in front of them."""

STATEMENT_KEYWORDS: Final = frozenset(
    {"let", "var", "if", "while", "loop", "for", "do", "break", "continue", "return", "throw"}
)
JUMPS: Final = frozenset({"break", "continue", "return", "throw"})
OPERAND_STARTS: Final = frozenset(
    {
        NAME,
        NUMBER,
        STRING,
        TEMPLATE,
        CHARACTER,
        "true",
        "false",
        "nil",
        "self",
        "super",
        "try",
        "try!",
        "try?",
    }
)
STATEMENT_STARTS: Final = STATEMENT_KEYWORDS | OPERAND_STARTS | {"{", "defer", "spawn", "@"}

OPENING: Final = {"(": ")", "[": "]", "{": "}", TEMPLATE: FINAL}
_CLOSING: Final = frozenset(OPENING.values())

FARTHEST: Final = 300
"""So many tokens are looked at for the end of a list or block after an error in it."""

_ENDING_LISTS: Final = STATEMENT_KEYWORDS | {";", "}"}

# What may follow a name: a keyword in front of one of these was meant as a name.
_AFTER_NAME: Final = frozenset({":", "=", ";", ",", ")", "(", "<", "{", "in", "for"})


NEVER: Final = sys.maxsize


class NestedTooDeep(Exception):
    """Reported already; the declaration around it is given up."""


class Cursor:
    """The current token, and all that the functions of the parser share."""

    __slots__ = (
        "at",
        "block",
        "declaration",
        "depth",
        "diagnostics",
        "ends",
        "fails",
        "formula",
        "kind",
        "kinds",
        "last_fail",
        "panic",
        "reserved",
        "skips",
        "source",
        "split",
        "starts",
        "struct_literals",
        "tokens",
    )

    def __init__(
        self,
        tokens: Tokens,
        diagnostics: Diagnostics,
        block: Callable[[Cursor], tree.Block],
        *,
        at: int = 0,
        formula: Callable[[Cursor], tree.Expression] | None = None,
    ) -> None:
        self.tokens = tokens
        self.source: Source = tokens.source
        self.kinds, self.starts, self.ends = tokens.kinds, tokens.starts, tokens.ends
        self.diagnostics = diagnostics
        self.block = block
        """Parses a block: expressions (lambdas) contain them, but stand below in the layers."""
        self.formula = formula
        """in formulas, what parses operands and their operators"""
        self.move_to(at)
        self.start_over()
        self.skips = 0
        self.fails = 0
        """how often something that must be here was not, whether that was reported or not"""
        self.split = -1
        """index of the last token (`>>`) of which a part was passed"""
        self.declaration = at
        """index of the first token of the declaration at hand"""

    def start_over(self) -> None:
        """Be in the state at the start of a declaration."""
        self.panic = False
        self.last_fail = NEVER
        """after so many `fails` nothing is news until the expression ends"""
        self.depth = 0
        self.reserved = 0
        """inside how many reserved constructs"""
        self.struct_literals = True
        """whether `IDENT {` may begin one here"""

    # Moving.

    def move_to(self, index: int) -> None:
        self.at = index
        self.kind = self.kinds[index]

    def advance(self) -> None:
        if self.kind is not END:
            self.at += 1
            self.kind = self.kinds[self.at]

    def take(self) -> Span:
        """Go on to the next token, returning the span of this one."""
        at = self.at
        if self.kind is not END:
            self.at = at + 1
            self.kind = self.kinds[at + 1]
        return new_span(Span, (self.starts[at], self.ends[at]))

    def take_text(self) -> str:
        at = self.at
        if self.kind is not END:
            self.at = at + 1
            self.kind = self.kinds[at + 1]
        text = self.source.text[self.starts[at] : self.ends[at]]
        return text[1:-1] if self.formula and text[0] == "`" else text

    def accept(self, kind: str) -> bool:
        """Go past a token of this kind if it is here."""
        if self.kind != kind:
            return False
        self.advance()
        return True

    def spanning(self, node: N, start: int) -> N:
        """Note that the extent of `node` is from offset `start` to the token passed last."""
        node.start = start
        node.end = self.ends[self.at - 1]
        return node

    # Looking.

    def span(self) -> Span:
        return new_span(Span, (self.starts[self.at], self.ends[self.at]))

    def text(self) -> str:
        return self.source.text[self.starts[self.at] : self.ends[self.at]]

    def peek(self, distance: int = 1) -> str:
        """The kind of a later token."""
        index = self.at + distance
        return self.kinds[index] if index < len(self.kinds) else END

    def first_on_line(self) -> bool:
        """Whether only white space and comments stand between the line's start and this token."""
        before = self.ends[self.at - 1] if self.at else 0
        return self.at == 0 or self.source.text.find("\n", before, self.starts[self.at]) >= 0

    def column(self, index: int) -> int:
        start = self.starts[index]
        return start - self.source.text.rfind("\n", 0, start)

    def inside(self, index: int) -> bool:
        """Whether this token is laid out as part of what begins at token `index`."""
        text, start = self.source.text, self.starts[index]
        same_line = text.find("\n", start, self.starts[self.at]) < 0
        return same_line or self.column(self.at) > self.column(index)

    def found(self) -> str:
        return "end of file" if self.kind is END else f"`{excerpt(self.text())}`"

    # Reporting.

    def report(self, code: str, span: Span, message: str, help: str | None = None) -> None:
        """Report something that is wrong in itself, wherever the parser stands."""
        if self.at < self.tokens.silent_from:
            self.diagnostics.report(code, self.source, span, message, help)

    def fail(self, code: str, expected: str, help: str | None = None) -> None:
        """Report that the current token is not what must be here, unless that is no news."""
        if not self.panic and self.fails <= self.last_fail and self.at not in self.tokens.quiet:
            self.report(code, self.span(), f"expected {expected}, found {self.found()}", help)
        self.panic = True
        self.fails += 1

    def reserve(self, span: Span, what: str) -> None:
        """Report a reserved construct, unless it is part of one, or of what was reported already."""
        if not self.reserved and not self.panic:
            self.report("E0220", span, f"{what} not supported yet")

    # Expecting.

    def expect(self, kind: str) -> bool:
        """Go past a token that must be here; if it is not, report that and stay."""
        if self.kind == kind:
            self.at += 1
            self.kind = self.kinds[self.at]
            self.panic = False
            return True
        self.fail("E0201", f"`{kind}`")
        return False

    def name(self) -> str:
        """Go past a name that must be here; empty if there is none."""
        if self.kind == NAME:
            return self.take_text()
        self.fail("E0202", "a name")
        self.skips += 1
        if (self.kind in KEYWORDS or self.kind == "_") and self.peek() in _AFTER_NAME:
            self.advance()
        return ""

    # Getting over errors.

    def skip(self) -> None:
        """Skip a token, or a whole group in brackets."""
        self.skips += 1
        if self.kind in OPENING:
            self.move_to(self.matching(self.at))
        self.advance()

    def skip_past(self, closing: str) -> None:
        """Skip up to and with a closing token, or to the end: it may stand in a group that is skipped."""
        while self.kind not in (closing, END):
            self.skip()
        self.accept(closing)

    def matching(self, index: int) -> int:
        """The token that closes the bracket at `index`, or the last one before the text ends.

        Only brackets of the same sort count: where one is missing, the others still match.
        """
        opening = self.kinds[index]
        closing = OPENING[opening]
        level = 0
        for at in range(index, len(self.kinds)):
            if self.kinds[at] == opening:
                level += 1
            elif self.kinds[at] == closing:
                level -= 1
                if level == 0:
                    return at
        return len(self.kinds) - 1

    def closes_later(self, closing: str, starts: frozenset[str] = frozenset()) -> bool:
        """Whether the list at hand goes on and is closed before the statement ends.

        A keyword among `starts` begins an element of the list, not a statement.
        """
        level = 0
        for at in range(self.at, min(self.at + FARTHEST, len(self.kinds))):
            kind = self.kinds[at]
            if kind == closing and level == 0:
                return True
            if kind in OPENING:
                level += 1
            elif kind in _CLOSING:
                level -= 1
            if level < 0 or (level == 0 and kind in _ENDING_LISTS and kind not in starts):
                return False
            if kind in DECLARING or kind is END:
                return False
        return False

    def comma_list(self, closing: str, element: Callable[[Cursor], T], starts: frozenset[str]) -> list[T]:
        """Elements, each beginning with one of `starts`, up to and with the closing token."""
        elements: list[T] = []
        while self.kind != closing:
            before = self.at
            elements.append(element(self))
            if self.kind == ",":
                self.panic = self.panic and self.at == before  # of several commas one is reported
                self.advance()
            elif self.kind == closing or not self.bridge(closing, starts, self.at != before):
                break
        self.expect(closing)
        return elements

    def bridge(self, closing: str, starts: frozenset[str], moved: bool) -> bool:
        """Get over a missing comma or stray tokens in a list; false if the list ends here."""
        if not self.closes_later(closing, starts):
            return False
        self.fail("E0201", "`,`")
        if moved and self.kind in starts:
            return True
        while self.kind not in (",", closing, END):
            self.skip()
        return self.accept(",")

    # Nesting.

    def deeper(self, parse: Callable[[Cursor], T]) -> T:
        """Parse something one level further in."""
        self.depth += 1
        result = parse(self) if self.depth % HOP else self.hop(parse)
        self.depth -= 1
        return result

    def hop(self, parse: Callable[[Cursor], T]) -> T:
        """Parse on a fresh stack, if this level is still allowed."""
        if self.depth >= DEEPEST:
            self.too_deep()
        return on_fresh_stack(lambda: parse(self))

    def too_deep(self) -> NoReturn:
        self.report("E0215", self.span(), "this is nested too deeply")
        raise NestedTooDeep
