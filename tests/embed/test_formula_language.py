"""What people type into formula fields: it works, or the error says what to write."""

from __future__ import annotations

from typing import Any

import pytest

import doralang as dora

TYPES = {"x": float, "y": float, "n": int, "k": "long", "b": bool, "name": str}
VALUES = {"x": 2.0, "y": 3.0, "n": 5, "k": 7, "b": True, "name": "bob"}

WORKS: dict[str, Any] = {
    "n * 2": 10,
    "n * x": 10,
    "n + 1": 6,
    "n == 5": True,
    "k / 2": 3.5,
    "x > 0 && n > 3": True,
    "x ** 2": 4,
    "not b": False,
    "b and x > 1": True,
    "if(x > 1, 2, 3)": 2,
    "x > 1 ? 2 : 3": 2,
    "1e3 * x": 2000,
    "1.0e3": 1000,
    "round(x, 2)": 2,
    "round(x)": 2,
    "sum(x, y)": 5,
    "abs(n)": 5,
    "min(x, y, 1)": 1,
    "pi * x": 6.283185307179586,
    "e": 2.718281828459045,
    "log(x)": 0.6931471805599453,
    "ln(x)": 0.6931471805599453,
    "sqrt(x)": 2**0.5,
    "exp(1)": 2.718281828459045,
    "mod(x, 2)": 0,
    'name == "bob"': True,
    'name in ["bob"]': True,
    "len(name)": 3,
    "upper(name)": "BOB",
    "x != x": False,
    "isNan(x)": False,
    "max(n, 3)": 5,
    "n / 2": 2.5,
    "true": True,
    "floor(x) == x": True,
    "n.toDouble() * x": 10,
    "int(x)": 2,
    "double(n)": 5,
    "clamp(x, 0, 1)": 1,
    "x % 2 == 0": True,
    "b == true": True,
    "-x ** 2": -4,
}
NAMES_THE_FIX = {
    "x ^ 2": "`**`",
    "x and y": "`x != 0`",
    "x if b else y": "`if(condition, value, other value)`",
    "1 < x < 3": "`1 < x and x < …`",
    "x = 3": "`==`",
    "x <> 3": "`!=`",
    "20% * x": "`20 / 100`",
    ".5 * x": "`0.5`",
    "5. * x": "`5.0`",
    "name == 'bob'": "double quotes",
    "name + x": "`text(x)`",
    "name + 1": "`text(x)`",
    "x // 2": "one `/` divides",
    "x ? 1 : 0": "`x != 0`",
    "None": "`coalesce(x, 0)`",
    "null": "`coalesce(x, 0)`",
    "x; y": "one expression",
    "1,5 * x": "`1.5`",
    "größe * 2": "backquotes",
    "sin(x": "expected `)`",
    "2(x+1)": "`2 * (…)`",
}
LEFT = {"xy": "did you mean `x`?"}
"""the others of the 64 that were looked at"""


def test_all_are_there() -> None:
    assert len(WORKS) + len(NAMES_THE_FIX) + len(LEFT) == 64


@pytest.mark.parametrize("text", WORKS)
def test_works(text: str) -> None:
    formula = dora.expr(text, {name: kind for name, kind in TYPES.items() if name in text})
    result = formula(**{name: VALUES[name] for name in formula.names})
    assert result == WORKS[text]


@pytest.mark.parametrize("text", NAMES_THE_FIX)
def test_the_error_names_the_fix(text: str) -> None:
    found = dora.check(text, TYPES)
    assert not found.ok
    said = f"{found.diagnostics[0].message} {found.diagnostics[0].help}"
    assert NAMES_THE_FIX[text] in said, said


def test_the_error_names_the_fix_without_types() -> None:
    for text in ("None", "True", "x = 3", "x <> 3", "1 < x < 3", "x // 2", "5 %", "2(x+1)", "1,5"):
        found = dora.check(text)
        assert not found.ok and found.diagnostics[0].help, text


def test_numbers_that_meet() -> None:
    types = {"n": int, "m": int, "k": "long", "t": "byte", "x": float}
    values = {"n": 7, "m": 2, "k": (1 << 53) + 1, "t": 3, "x": 0.25}
    for text, result, kind in [
        ("n + m", 9, "int"),
        ("n / m", 3.5, "double"),
        ("n / 2L", 3, "long"),
        ("n / -2L", -3, "long"),
        ("-(+7L) / m", -3, "long"),
        ("(n) / (0x2)", 3, "int"),
        ("n + k", (1 << 53) + 8, "long"),
        ("k == 9007199254740993", True, "bool"),
        ("k > 9007199254740992", True, "bool"),
        ("t * n", 21, "int"),
        ("1F * n", 7.0, "double"),
        ("x < n", True, "bool"),
        ("b_ ? n : x", 7.0, "double"),
        ("max(n, k)", (1 << 53) + 1, "long"),
        ("min(n, x, m)", 0.25, "double"),
        ("n in [m, 7]", True, "bool"),
        ("n not in [m, x]", True, "bool"),
        ("m ** 3", 8.0, "double"),
        ("hypot(m, n) > 7", True, "bool"),
    ]:
        formula = dora.expr(text, {**types, "b_": bool})
        assert formula.type == kind, text
        assert formula(**values, b_=True) == result, text


def test_names_in_backquotes() -> None:
    formula = dora.expr("`net price` * `größe` + `in` + pi - pi")
    assert formula.names == ("net price", "größe", "in")
    assert formula(2.0, 3.0, 4.0) == formula(**{"größe": 3.0, "in": 4.0, "net price": 2.0}) == 10.0
    with pytest.raises(TypeError):
        formula(1.0)
    assert dora.expr("`a b` > 1", {"a b": int})(2) is True
    with pytest.raises(dora.CompileError, match="unknown name"):
        dora.expr("`a b`", {"c": int})


def test_known_names_can_be_variables() -> None:
    assert dora.expr("e * 2 + pi", {"e": float, "pi": float})(1.0, 2.0) == 4.0
    assert dora.expr("e", constants={"e": 3.0})() == 3.0
    assert dora.check("e * x").names == ("x",)


def test_case_of_letters() -> None:
    up, down = dora.expr("upper(s)", {"s": str}), dora.expr("lower(s)", {"s": str})
    for code in (*range(0x20, 0x180), *range(0x386, 0x3CF), *range(0x400, 0x460)):
        letter = chr(code)
        if letter in "µİıĸŉſΐΰßς":
            continue  # no pair of their own, or no single letter
        assert up(letter) == letter.upper() and down(letter) == letter.lower(), letter


def test_rounding() -> None:
    half = dora.expr("round(x, n)", {"x": float, "n": int})
    for x, decimals, result in [
        (1.005, 2, 1.01),
        (-1.005, 2, -1.01),
        (2.5, 0, 3.0),
        (0.29, 2, 0.29),
        (1234.5, -2, 1200.0),
        (1e300, 2, 1e300),
        (0.1 + 0.2, 10, 0.3),
        (5e-324, 400, 5e-324),
        (123.0, -400, 0.0),
    ]:
        assert half(x, decimals) == result
    assert str(half(float("nan"), 2)) == "nan" and half(float("inf"), -2) == float("inf")


def test_a_text_of_operators_is_read_in_linear_time() -> None:
    for text in (
        "not " * 900 + "true",
        "-" * 900 + "1",
        "2 ** " * 900 + "1",
        "1 in [" * 300 + "1" + "]" * 300,
    ):
        dora.check(text)
    for text in ("not " * 20_000 + "true", "2 ** " * 12_000 + "1"):
        assert dora.check(text, limits=dora.Limits()).diagnostics[0].code == "E0215"
    assert dora.expr(" or ".join(["x > 1"] * 5_000), limits=dora.Limits())(2) is True
    assert dora.expr("x in [" + ", ".join(map(str, range(3_000))) + "]", limits=dora.Limits())(2_999) is True


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 < x < 3", "E0217"),
        ("1 < x < 3 < y", "E0217"),
        ("5 %", "E0217"),
        ("2(x + 1)", "E0217"),
        ("x <> y", "E0217"),
        ("x // 2", "E0110"),
    ],
)
def test_what_means_something_else_is_one_error(text: str, code: str) -> None:
    with pytest.raises(dora.CompileError) as caught:
        dora.expr(text, {"x": float, "y": float})
    assert [one.code for one in caught.value.diagnostics] == [code]
