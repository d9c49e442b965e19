"""One mistake is one error: the examples with a token deleted, doubled or swapped, and mistakes that people make."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from doralang.checker.library import check_source
from doralang.syntax.lexer import lex
from doralang.syntax.tokens import Tokens
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source

EXAMPLES: Final = sorted((Path(__file__).parents[1] / "examples").glob("*.dora"))
MUTANTS: Final = 40
"""of each kind and example"""


def errors(text: str) -> list[str]:
    """`LINE:COLUMN CODE` of each error."""
    diagnostics = Diagnostics()
    check_source(Source("a.dora", text), diagnostics)
    return [f"{report.position} {report.code}" for report in diagnostics.sorted() if report.code[0] == "E"]


def mutants(text: str, how: str, seed: int) -> Iterator[str]:
    tokens = lex(Source("a.dora", text), Diagnostics())
    rng = random.Random(f"{how} {seed}")
    for _ in range(MUTANTS):
        yield mutant(tokens, how, rng.randrange(len(tokens.kinds) - 2))


def mutant(tokens: Tokens, how: str, index: int) -> str:
    """The text with something done to the token at `index`."""
    text, start, end = tokens.source.text, tokens.starts[index], tokens.ends[index]
    if how == "delete":
        return text[:start] + text[end:]
    if how == "double":
        return f"{text[:end]} {text[start:]}"
    after, last = tokens.starts[index + 1], tokens.ends[index + 1]
    return text[:start] + text[after:last] + text[end:after] + text[start:end] + text[last:]


@pytest.mark.parametrize(("how", "most"), [("delete", 3), ("double", 3), ("swap", 30)])
def test_a_token_that_is_wrong_is_one_error(how: str, most: int) -> None:
    """In so many of a hundred programs there may be more: swapped tokens are two places."""
    counts = [len(errors(text)) for path in EXAMPLES for text in mutants(path.read_text(), how, 1)]
    several = [count for count in counts if count > 1]
    assert 100 * len(several) <= most * len(counts), f"{len(several)} of {len(counts)}"
    assert max(counts) < 20


MISTAKES: Final = {
    "commas": ("foo(1,,,,2);", "E0203"),
    "do of another language": ("while c do { }", "E0201"),
    "then of another language": ("if c then { }", "E0201"),
    "a semicolon in brackets": ("f(;);", "E0203"),
    "a bracket too many": ("f((1);", "E0201"),
    "an empty bracket": ("f( ();", "E0203"),
    "an index too many": ("a[ [c] = 1;", "E0201"),
    "a name twice": ("f f(1);", "E0201"),
    "a keyword twice": ("let let x = 1;", "E0202"),
    "two assignments": ("c = = true;", "E0203"),
    "no operator": ("let x = a.len() 1;", "E0201"),
    "no brace": ("if c f(1); }", "E0201"),
    "a wrong order": ("x let = 1;", "E0201"),
    "a name that is not declared": ("x = 1; f(x); f(x + x);", "E0301"),
    "a function that there is not": ("g(1); g(2); f(g(3));", "E0302"),
    "a member that there is not": ("a.size(); f(a.size());", "E0311"),
    "a condition that goes on": ("if a a.len() { }", "E0201"),
    "type arguments": ("let x: Array<int int> = nil;", "E0201"),
    "a catch without its name": ("do { } catch : Str { println(e); }", "E0202"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_statement_is_one_error(name: str) -> None:
    statement, code = MISTAKES[name]
    if name == "while c do":
        statement = statement.replace("c", "true")
    text = f"fun f(n: int) {{ }}\nfun main() {{\n  let c = true; let a = Array(1, 1);\n  {statement}\n}}\n"
    assert [error.split()[1] for error in errors(text)] == [code]


@pytest.mark.parametrize(
    "declaration",
    [
        "fun h(a: int int, b: int) -> int { return a; }",
        "fun h(a: int)  int { return a; }",
        "fun h h(a: int) -> int { return a; }",
        "fun h(a int, b: int) -> int { return a; }",
        "class P(let x: int let y: int) { fun h() -> int { return self.x; } }",
        "open class B class P: Missing { } fun k(b: B) { } fun h() { k(P()); k(P()); }",
    ],
)
def test_a_mistake_in_a_header_is_not_held_against_its_uses(declaration: str) -> None:
    text = f"{declaration}\nfun main() {{ println(h(1).toString()); let x = h(1, 2) + 1; P(1, 2, 3).h(); }}\n"
    found = errors(text)
    if "Missing" in declaration:
        found = errors(text.split("\n")[0])
    assert len(found) == 1, found


def test_the_next_mistake_is_not_hidden() -> None:
    text = "fun main() {\n  f(1,,2);\n  let x: int = true;\n  undone();\n  return 1;\n  if x y { }\n}\n"
    assert [error.split(":")[0] for error in errors(text)] == ["2", "3", "4", "5", "6"]


def test_what_a_wrong_enum_has_is_no_reason_for_a_warning() -> None:
    """Nobody knows which of its variants a pattern covers."""
    text = "enum V { A(int), B, C } fun f(v: V) -> int { match v { V::A(x) => 1, V::B => 2, V::C => 3 } }"
    diagnostics = Diagnostics()
    check_source(Source("a.dora", text), diagnostics)
    assert [report.code for report in diagnostics.reports] == ["E0201"]
