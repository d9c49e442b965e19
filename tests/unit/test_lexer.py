"""The lexer: positions, recovery, and that it never gives up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doralang.syntax import literals
from doralang.syntax.lexer import lex
from doralang.syntax.tokens import END, FIXED, NAME, NUMBER, Tokens
from doralang.syntax.tree import NumberKind
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source


def lexed(text: str, *, formula: bool = False) -> tuple[Tokens, list[str]]:
    diagnostics = Diagnostics()
    tokens = lex(Source("case", text), diagnostics, formula=formula)
    return tokens, [f"{report.position} {report.code}" for report in diagnostics.sorted()]


def test_every_fixed_token_is_its_own_kind() -> None:
    for text in FIXED:
        tokens, errors = lexed(text)
        assert (tokens.kinds, errors) == ([text, END], [])


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("#", ["1:1 E0101"]),
        ("ab ##$ c # d", ["1:4 E0101", "1:10 E0101"]),
        ("a\n  /* b", ["2:3 E0102"]),
        ('\t"abc', ["1:5 E0103"]),
        ('"abc\\', ["1:1 E0103"]),
        ("''", ["1:1 E0104"]),
        ("'''", ["1:1 E0104"]),
        ("'ab' 'c", ["1:1 E0104", "1:6 E0104"]),
        ("'\\x'", ["1:1 E0105"]),
        ('"a\\qb\\r"', ["1:1 E0105"]),
        ("0x 0b 0xL 0b2 0x_", ["1:1 E0107", "1:4 E0107", "1:7 E0107", "1:11 E0107", "1:15 E0107"]),
        ("a\x00b", ["1:2 E0101"]),
        ("\u00a0a\u2028b\u3000", []),
        ("'\n' '\\''", []),
        ("\ufeff", ["1:1 E0101"]),
    ],
)
def test_errors_and_their_positions(text: str, errors: list[str]) -> None:
    assert lexed(text)[1] == errors


def test_a_question_mark_is_a_token_in_formulas_only() -> None:
    assert lexed("a ? b")[1] == ["1:3 E0101"]
    tokens, errors = lexed("a ? b", formula=True)
    assert (tokens.kinds, errors) == ([NAME, "?", NAME, END], [])


def test_letters_of_other_alphabets_stay_in_the_name() -> None:
    tokens, errors = lexed("naïve größe éa")
    assert [tokens.text(index) for index in range(3)] == ["naïve", "größe", "éa"]
    assert tokens.kinds == [NAME, NAME, NAME, END]
    assert errors == ["1:3 E0101", "1:9 E0101", "1:13 E0101"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("017", (NumberKind.INT, 17, False)),
        ("1_000_L", (NumberKind.LONG, 1000, False)),
        ("255Y", (NumberKind.BYTE, 255, False)),
        ("0xFFD", (NumberKind.INT, 0xFFD, True)),
        ("0xF_FL", (NumberKind.LONG, 255, True)),
        ("0b101Y", (NumberKind.BYTE, 5, True)),
        ("1_0.5_0e1_0", (NumberKind.DOUBLE, 10.5e10, False)),
        ("2F", (NumberKind.FLOAT, 2.0, False)),
        ("2.5e-3F", (NumberKind.FLOAT, 0.0025, False)),
        ("1.0e999", (NumberKind.DOUBLE, float("inf"), False)),
        ("0" * 10_000 + "7", (NumberKind.INT, 7, False)),
    ],
)
def test_numbers(text: str, value: tuple[NumberKind, float, bool]) -> None:
    tokens, errors = lexed(text)
    assert (tokens.kinds, errors) == ([NUMBER, END], [])
    assert literals.number(text) == value


def test_a_number_of_any_length_is_just_too_large() -> None:
    assert literals.number("9" * 100_000)[1] > 2**64
    assert literals.number("0x" + "f" * 100_000)[1] > 2**64


def test_numbers_of_formulas_are_doubles() -> None:
    assert literals.number("7", formula=True) == (NumberKind.DOUBLE, 7.0, False)
    assert literals.number("7L", formula=True) == (NumberKind.LONG, 7, False)
    assert literals.number("0x7", formula=True) == (NumberKind.INT, 7, True)


@given(st.text())
def test_texts_survive_quoting(text: str) -> None:
    assert literals.string(literals.quoted(text, '"')) == text
    tokens, errors = lexed(literals.quoted(text, '"'))
    assert (len(tokens.kinds), errors) == (2, [])


PIECES = st.sampled_from(
    [*FIXED, "'", '"', "\\", "/*", "*/", "//", "0x", "1.5e", "é", "“", "?", "\n", "\t", "\0"]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=3))).map("".join))
def test_tokens_are_in_order_and_nothing_is_lost_silently(text: str) -> None:
    tokens, errors = lexed(text)
    bounds = [place for pair in zip(tokens.starts, tokens.ends, strict=True) for place in pair]
    assert bounds == sorted(bounds)
    assert tokens.kinds[-1] is END
    assert END not in tokens.kinds[:-1]
    if not errors:
        gaps = zip([0, *tokens.ends[:-1]], tokens.starts, strict=True)
        for start, end in gaps:
            gap = text[start:end].strip()
            assert not gap or gap.startswith(("//", "/*"))
