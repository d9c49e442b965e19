"""The kinds of tokens, and the list of tokens that the lexer hands to the parser.

A kind is a string.  Keywords, operators and separators are their own kind (`fun`, `>=`), so that
the parser and its messages can simply write what they mean; everything else has a kind in
capitals, which no keyword is spelled like.

    let x = 1;      ->      let NAME = NUMBER ; END
"""

from __future__ import annotations

import re

from doralang.syntax.words import KEYWORDS
from doralang.text.records import record
from doralang.text.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

NAME: Final = "NAME"
NUMBER: Final = "NUMBER"
STRING: Final = "STRING"
CHARACTER: Final = "CHARACTER"
TEMPLATE: Final = "TEMPLATE"
"""`"text ${`, the start of a template; then come the tokens of the hole"""
MIDDLE: Final = "MIDDLE"
"""`} text ${`"""
FINAL: Final = "FINAL"
"""`} text"`"""
END: Final = "END"
BODY: Final = "BODY"
"""the whole `{ … }` of a function, in files whose functions are read when they are needed"""

_OPERATORS: Final = """
    + - * / % ! ~ & | ^ << >> >>> && || = == != < <= > >= === !==
    += -= *= /= %= &= |= ^= <<= >>= >>>=
    ( ) [ ] { } , ; : :: . .. ..= -> => @
"""
OPERATORS: Final = frozenset(_OPERATORS.split())

COMPOUND: Final = frozenset({"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", ">>>"})
"""the operators that an assignment may apply"""
ASSIGNMENTS: Final = frozenset({"=", *(f"{operator}=" for operator in COMPOUND)})

# `try!` and `try?` are tokens of their own, and so is a lone `_`.
FIXED: Final[dict[str, str]] = {text: text for text in {*KEYWORDS, *OPERATORS, "try!", "try?", "_"}}
"""Every token that is its own kind; looking it up also gives one shared string per kind."""


# Makes a `Span` in half the time that calling the class takes, of which there is one for each token.
new_span: Final = tuple.__new__

_COMMENT: Final = r"(?s)//[^\n]*|/\*.*?\*/"


@record(eq=True, frozen=True)
class Comment:
    """A `// …` up to the end of its line, or a `/* … */`; `token` is the index of the token behind it."""

    token: int
    span: Span


@record(eq=True)
class Tokens:
    """The tokens of a source as parallel lists; the last one is `END`.

    After a lexical error the parser would often stumble, too.  That is not worth a second report:
    `quiet` holds the tokens right behind characters that were dropped, and nothing is reported
    from token `silent_from` on, where an unclosed string or comment has swallowed the rest.
    """

    source: Source
    kinds: list[str]
    starts: list[int]
    ends: list[int]
    quiet: set[int]
    silent_from: int
    unclosed: bool
    """whether a string or comment runs up to the end of the file"""
    more_closed: bool | None = None
    """whether more braces are closed than opened, once somebody has counted"""

    def comments(self) -> list[Comment]:
        """All comments of the source, in its order, each with the token that it stands before."""
        text, before, found, comment = self.source.text, 0, [], re.compile(_COMMENT)
        for index, (start, end) in enumerate(zip(self.starts, self.ends, strict=True)):
            if start - before > 1:
                for match in comment.finditer(text, before, start):
                    found.append(Comment(index, Span(*match.span())))
            before = end
        return found

    def misses_opening(self) -> bool:
        """Whether a `{` is missing somewhere, rather than a `}`."""
        if self.more_closed is None:
            self.more_closed = self.kinds.count("{") < self.kinds.count("}")
        return self.more_closed

    def text(self, index: int) -> str:
        return self.source.text[self.starts[index] : self.ends[index]]

    def span(self, index: int) -> Span:
        return new_span(Span, (self.starts[index], self.ends[index]))
