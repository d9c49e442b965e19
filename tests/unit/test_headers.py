"""Lexing without bodies: what is left out, and when nothing is."""

from __future__ import annotations

import pytest

from doralang.library.files import read_heap, read_prelude
from doralang.syntax.headers import end_of_block, lex_headers
from doralang.syntax.lexer import lex
from doralang.syntax.tokens import BODY
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source


def kinds(text: str) -> list[str]:
    return lex_headers(Source("case", text), Diagnostics()).kinds


def test_bodies_are_one_token() -> None:
    assert kinds("fun f(x: int) { { } } class C { init() { } fun g(); let x: int; }") == [
        *("fun", "NAME", "(", "NAME", ":", "NAME", ")", BODY),
        *("class", "NAME", "{", "init", "(", ")", BODY, "fun", "NAME", "(", ")", ";"),
        *("let", "NAME", ":", "NAME", ";", "}", "END"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "{ { } { { } } }",
        '{ "}" }',
        r'{ "\"}" }',
        "{ '}' }",
        r"{ '\'' }",
        "{ // }\n }",
        "{ /* } */ }",
        '{ "${x}" }',
        '{ "a${ { "}" } }b${"${1}}"}c}" }',
        '{ "$}" }',
    ],
)
def test_the_end_of_a_body(body: str) -> None:
    assert end_of_block(f"fun f() {body} }} }}", 8) == 8 + len(body)


@pytest.mark.parametrize(
    "text",
    [
        "fun f() {",
        'fun f() { "${',
        'fun f() { "${}',
        "fun f() { } ?",
        'let x = "${1}"; fun f() { }',
        "fun f() { } '",
    ],
)
def test_with_anything_odd_nothing_is_left_out(text: str) -> None:
    source, whole, partly = Source("case", text), Diagnostics(), Diagnostics()
    assert lex_headers(source, partly) == lex(source, whole)
    assert [report.code for report in partly.reports] == [report.code for report in whole.reports]


def test_the_library_is_read_without_its_bodies() -> None:
    """A body that is not left out makes every start slower."""
    for name, text in [*read_prelude(), *read_heap()]:
        tokens = lex_headers(Source(name, text), Diagnostics())
        assert not {"return", "if", "while"} & set(tokens.kinds), name
