"""The parser: what is the same tree, spans of section 15.1, lazy bodies, formulas."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doralang.syntax import tree
from doralang.syntax.dump import dump
from doralang.syntax.formula_parser import parse_formula
from doralang.syntax.parser import parse_file
from doralang.syntax.printer import show
from doralang.syntax.tokens import FIXED
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source


def parsed(text: str, *, lazy: bool = False) -> tuple[tree.File, list[str]]:
    diagnostics = Diagnostics()
    file = parse_file(Source("case", text), diagnostics, lazy=lazy)
    return file, [f"{report.position} {report.code}" for report in diagnostics.sorted()]


def formula(text: str) -> tuple[tree.Expression, list[str]]:
    diagnostics = Diagnostics()
    expression = parse_formula(Source("case", text), diagnostics)
    return expression, [f"{report.position} {report.code}" for report in diagnostics.sorted()]


def body(text: str) -> str:
    file, errors = parsed(f"fun f() {{ {text} }}")
    assert errors == []
    return dump(file)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a = b && c;", "a = (b && c);"),
        ("a || b && c;", "a || (b && c);"),
        ("a && b == c;", "a && (b == c);"),
        ("1 < 2 == true;", "(1 < 2) == true;"),
        ("a == b === c;", "a == (b === c);"),
        ("f & 4 == 0;", "(f & 4) == 0;"),
        ("a | b & c ^ d;", "((a | b) & c) ^ d;"),
        ("a | b << c;", "a | (b << c);"),
        ("a << b + c;", "a << (b + c);"),
        ("a - b - c * d % e;", "(a - b) - ((c * d) % e);"),
        ("a * b is T;", "a * (b is T);"),
        ("-x.f();", "-(x.f());"),
        ("-2.abs();", "-(2.abs());"),
        ("!x is T;", "(!x) is T;"),
        ("-a >> 1;", "(-a) >> 1;"),
        ("-+-x;", "-(+(-x));"),
        ("try f() + 1;", "try (f() + 1);"),
        ("1 + try f() * 2;", "1 + (try (f() * 2));"),
        ("try try a() else b();", "try (try a() else b());"),
        ("try a() else b() + c;", "try a() else (b() + c);"),
        ("(x as T) < y;", "((x as T)) < y;"),
        ("x as Array<Array<int>> == y;", "(x as Array<Array<int>>) == y;"),
    ],
)
def test_operators_bind_as_the_reference_says(written: str, meant: str) -> None:
    assert body(written) == body(meant)


def spans(text: str, kind: type[tree.Node]) -> list[str]:
    """The texts under the spans of all nodes of a kind among the statements of a function."""
    file, errors = parsed(f"fun f() {{ {text} }}")
    assert errors == []
    found: list[str] = []

    def visit(node: tree.Node) -> None:
        if isinstance(node, kind):
            found.append(f"fun f() {{ {text} }}"[node.span.start : node.span.end])
        for child in tree.children(node):
            visit(child)

    visit(file)
    return found


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("f(1);", tree.Call, ["f"]),
        ("C::<T>::f(1);", tree.StaticCall, ["C"]),
        ("o.m(1);", tree.MethodCall, [".m"]),
        ("o . m;", tree.Member, [". m"]),
        ("a[1];", tree.Index, ["["]),
        ("a = b;", tree.Assign, ["="]),
        ("a >>> b;", tree.Binary, [">>>"]),
        ("a is B;", tree.TypeTest, ["is"]),
        ("-a;", tree.Unary, ["-"]),
        ("try! f();", tree.ForcedTry, ["try!"]),
        ("(a);", tree.Name, ["a"]),
        ("let x: A<B<C>> = 1;", tree.NamedType, ["A<B<C>>", "B<C>", "C"]),
        ("if a { } else if b { }", tree.Arm, ["if", "if"]),
        ("if a { } else { }", tree.Block, ["{", "{", "{"]),
        ("do { } catch e: T { }", tree.Catch, ["catch"]),
        ("(a).b();", tree.ExpressionStatement, ["("]),
    ],
)
def test_spans_are_those_of_the_reference(text: str, kind: type[tree.Node], expected: list[str]) -> None:
    assert spans(text, kind) == expected


def test_raw_is_kept_with_its_place() -> None:
    file, errors = parsed("@raw fun f() { } class C { @raw init() { } }")
    function, declared = file.declarations
    assert errors == []
    assert isinstance(function, tree.Function)
    assert isinstance(declared, tree.Class)
    assert isinstance(declared.members[0], tree.Init)
    assert function.raw_span == (0, 1)
    assert declared.members[0].raw_span == (27, 28)


def test_lazy_bodies_are_parsed_on_demand() -> None:
    text = "fun f() { { return 1; } } class C { fun g() { 1 +; } init() { } }\nfun h();"
    lazy, errors = parsed(text, lazy=True)
    assert errors == []
    first = lazy.declarations[0]
    assert isinstance(first, tree.Function)
    assert isinstance(first.body, tree.DeferredBlock)
    eager, _ = parsed(text.replace("+;", "+ 1;"))
    assert show(parsed(text.replace("+;", "+ 1;"), lazy=True)[0]) == show(eager)


def test_errors_in_lazy_bodies_come_when_they_are_parsed() -> None:
    diagnostics = Diagnostics()
    file = parse_file(Source("case", "fun f() { 1 +; }"), diagnostics, lazy=True)
    assert diagnostics.errors == 0
    function = file.declarations[0]
    assert isinstance(function, tree.Function)
    assert isinstance(function.body, tree.DeferredBlock)
    assert function.body.parse() is function.body.parse()
    assert [report.code for report in diagnostics.reports] == ["E0203"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("11+1.2-5", "11D+1.2D-5D"),
        ("a ? b : c ? d : e", "a ? b : (c ? d : e)"),
        ("a || b ? 1 : 2", "(a || b) ? 1 : 2"),
    ],
)
def test_formulas(written: str, meant: str) -> None:
    expression, errors = formula(written)
    assert errors == []
    assert dump(expression) == dump(formula(meant)[0])
    assert dump(formula(show(expression))[0]) == dump(expression)


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("", ["1:1 E0203"]),
        ("1 +", ["1:4 E0203"]),
        ("1 2", ["1:3 E0201"]),
        ("sin(1", ["1:6 E0201"]),
        ("a ? b", ["1:6 E0201"]),
        ("1;", ["1:2 E0201"]),
    ],
)
def test_wrong_formulas(text: str, errors: list[str]) -> None:
    assert formula(text)[1] == errors


def test_a_reserved_word_is_a_name_where_the_text_parses_so() -> None:
    assert parsed("fun f() { match(x); match[1] = 2; match -1; import.a(); module = match; }")[1] == []
    assert parsed("fun f() { match (x) { } match -1 { } match[1] { } module a; }")[1] == ["1:51 E0220"]


def test_nothing_lexical_is_reported_twice() -> None:
    assert parsed("fun f() { let a = #; b $ c; g('ab'); h(0x); }")[1] == [
        "1:19 E0101",
        "1:24 E0101",
        "1:31 E0104",
        "1:40 E0107",
    ]


SOUP = st.lists(st.sampled_from([*FIXED, "x", "Y", "1", '"s"', "'c'", "match", "\n"]), max_size=60)


@given(SOUP.map(" ".join))
def test_any_tokens_give_a_tree_or_errors(text: str) -> None:
    file, errors = parsed(text)
    if not errors:
        again, more = parsed(show(file))
        assert (dump(again), more) == (dump(file), [])


@given(SOUP.map(" ".join))
@example("while if {")
@example("if match x else [")
def test_any_statements_do_not_harm_the_next_function_but_by_braces(text: str) -> None:
    text = text.replace("{", "(").replace("}", ")")
    file, _ = parsed(f"fun f() {{ {text}\n}}\nfun g() {{ 1 +; }}")
    assert isinstance(file, tree.File)
    assert file.declarations
