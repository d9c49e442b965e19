"""Texts that nobody writes, but somebody sends: a tree or an error, and no harm to the host."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from doralang.checker.library import check_source
from doralang.syntax import tree
from doralang.syntax.dump import dump, dump_tokens
from doralang.syntax.formula_parser import parse_formula
from doralang.syntax.lexer import lex
from doralang.syntax.parser import parse_file
from doralang.syntax.printer import show
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from doralang.types.types import (
    BOOL,
    INT,
    LARGEST,
    ClassHead,
    TypeParameter,
    mentions,
    size_of,
    substitute,
)


@pytest.fixture(autouse=True)
def _recursion_limit_stays() -> Iterator[None]:
    before = sys.getrecursionlimit()
    yield
    assert sys.getrecursionlimit() == before


def errors(text: str) -> list[str]:
    diagnostics = Diagnostics()
    parse_file(Source("case", text), diagnostics)
    return [report.code for report in diagnostics.reports]


def value(expression: str) -> str:
    return f"fun main() {{ let x = {expression}; }}"


@pytest.mark.parametrize("levels", [1, 39, 40, 41, 256, 900])
def test_nesting_that_must_work(levels: int) -> None:
    for opening, closing in ("()", "[]", "{}"):
        inner = opening * levels + closing * levels
        texts = {
            "()": value(inner.replace("()", "(1)")),
            "[]": value("a" + "[a" * levels + "]" * levels),
            "{}": f"fun main() {inner}",
        }
        assert errors(texts[opening + closing]) == []
    assert errors(value("- " * levels + "1")) == []
    assert errors(value("try " * levels + "f()")) == []
    assert errors("let x: " + "A<" * levels + "int" + ">" * levels + ";") == []


@pytest.mark.parametrize(
    "text",
    [
        value("(" * 100_000 + "1" + ")" * 100_000),
        value("(" * 100_000),
        value("f(" * 100_000),
        value("a[" * 100_000),
        value("-" * 100_000 + "1"),
        value("try " * 100_000 + "f()"),
        "fun main() " + "{" * 100_000,
        "fun main() " + "{ if a " * 100_000,
        "let x: " + "A<" * 100_000 + "int" + ">" * 100_000 + ";",
        "let x: " + "(" * 100_000 + ";",
    ],
)
def test_nesting_too_deep_is_one_error(text: str) -> None:
    assert errors(text) == ["E0215"]


def test_what_follows_too_deep_a_function_is_still_checked() -> None:
    text = value("(" * 5000 + "1" + ")" * 5000) + "\nfun f() { 1 +; }"
    assert errors(text) == ["E0215", "E0203"]


def test_chains_are_not_nesting() -> None:
    for text in (
        value("1+" * 300_000 + "1"),
        value("a" + ".b()" * 100_000),
        value("a" + "[0]" * 100_000),
        value("a" + " as B" * 10_000),
        "fun main() { if a { } " + "else if b { } " * 20_000 + "}",
    ):
        assert errors(text) == []


def test_long_chains_can_be_printed_and_dropped() -> None:
    file = parse_file(Source("case", value("1+" * 300_000 + "1")), Diagnostics())
    assert show(file).count("+") == 300_000
    assert dump(file).count("operator=+") == 300_000
    del file


def test_deep_trees_can_be_printed() -> None:
    text = value("(1 + " * 900 + "1" + ")" * 900)
    file = parse_file(Source("case", text), Diagnostics())
    assert dump(parse_file(Source("case", show(file)), Diagnostics())) == dump(file)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\0" * 100_000, ["E0101"]),
        ("{" * 100_000, ["E0205"]),
        ("}" * 100_000, ["E0205"]),
        (value('"' + "x" * 1_000_000 + '"'), []),
        (value("x" * 1_000_000), []),
        (value("9" * 1_000_000), []),
        (value("1." + "9" * 1_000_000), []),
        (value("f(" + "a, " * 100_000 + ")"), []),
        (value("f(" + "a " * 100_000 + ")"), ["E0201"]),
        ("fun main() { " + "a b " * 50_000 + "; }", ["E0201"]),
        ("/* " * 100_000, ["E0102"]),
        ('"', ["E0103"]),
        (" fun f() { }\n }\n" * 3_000, ["E0205"] * 3_000),
        # The bracket that is looked for is in a group that is skipped.
        ("fun main() { for (k, d( in m { f(1); g)) } }", ["E0218"]),
        ("fun main() { let (a, b( in { f)) } }", ["E0218"]),
        ("fun main() { a[1 ( (] ) ]; }", ["E0201"]),
    ],
)
def test_odd_texts(text: str, expected: list[str]) -> None:
    assert errors(text) == expected


def test_lambdas_in_lambdas() -> None:
    assert errors(value("|x: int| { return " * 200 + "1" + "; }" * 200)) == []


def test_lambdas_in_lambdas_are_checked_on_fresh_stacks() -> None:
    text = "fun main() { let k = 1; let f = " + "".join(f"|x{i}: int| " for i in range(400)) + "k + x0 + y; }"
    diagnostics = Diagnostics()
    check_source(Source("case", text), diagnostics)
    assert [report.code for report in diagnostics.reports] == ["E0301"]


def test_formulas_can_be_deep_and_long() -> None:
    diagnostics = Diagnostics()
    assert isinstance(parse_formula(Source("case", "(" * 50_000), diagnostics), tree.InvalidExpression)
    assert [report.code for report in diagnostics.reports] == ["E0215"]
    diagnostics = Diagnostics()
    parse_formula(Source("case", "1+" * 100_000 + "1"), diagnostics)
    assert diagnostics.reports == []


def test_tokens_of_odd_texts_are_dumped() -> None:
    source = Source("case", 'a\0 "x\ny" \t1')
    assert (
        dump_tokens(lex(source, Diagnostics())) == '1:1 NAME a\n1:4 STRING "x\\ny"\n2:5 NUMBER 1\n2:6 END\n'
    )


def doubling_constants(count: int) -> str:
    lines = [f"const S{i + 1}: Str = S{i} + S{i};\n" for i in range(count)]
    return 'const S0: Str = "0123456789";\n' + "".join(lines) + "fun main() { }\n"


def checked(text: str) -> Diagnostics:
    diagnostics = Diagnostics()
    check_source(Source("a.dora", text), diagnostics)
    return diagnostics


def test_the_texts_of_all_constants_have_room_for_so_much_only() -> None:
    one = 'const A: Str = "' + "a" * 999_990 + '";\n'
    many = "".join(f'const B{i}: Str = A + "{i}";\n' for i in range(5000))
    assert [report.code for report in checked(one + many + "fun main() { }").reports] == ["E0420"]


def test_a_long_sum_of_texts_is_a_constant() -> None:
    text = "const A: Str = " + "+".join(['"ab"'] * 100_000) + ";\nfun main() { }"
    assert checked(text).reports == []
    assert [report.code for report in checked(doubling_constants(200)).reports] == ["E0420"]


def test_types_are_printed_and_compared_in_the_time_that_writing_them_takes() -> None:
    """Each level has the one before twice: whatever walks a type must walk what is shared once."""
    head = ClassHead("Pair", (TypeParameter("A"), TypeParameter("B")))
    parameter = TypeParameter("T")
    open, closed = head.of((parameter, parameter)), head.of((INT, INT))
    for _ in range(2000):
        open, closed = head.of((open, open)), head.of((closed, closed))
    assert substitute(open, {parameter: INT}) is closed
    assert mentions(open, {parameter})
    assert not mentions(open, {TypeParameter("T")})
    assert str(closed).startswith("Pair<Pair<")
    assert len(str(closed)) == LARGEST + 1
    assert str(closed).endswith("…")


def test_the_size_of_a_type_is_the_length_of_its_text() -> None:
    head = ClassHead("Pair", (TypeParameter("A"), TypeParameter("B")))
    for type in (head.of((INT, BOOL)), head.of((head.of((INT, INT)), ClassHead("C").of()))):
        assert size_of(type) == len(str(type))


def test_messages_are_no_longer_than_people_read() -> None:
    name = "n" * 100_000
    wide = ", ".join(f"p{i}: int" for i in range(3000))
    text = (
        f"fun f({wide}) {{ }}\nfun main() {{ {name}; f(1); f({'1, ' * 2999}true); {name}({name}.{name}); }}"
    )
    for report in checked(text).reports:
        assert len(report.message) < 1000, report.code
        assert len(report.help or "") < 1000, report.code
