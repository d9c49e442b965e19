"""Missing values in formulas: None is an argument that is not there."""

from __future__ import annotations

from typing import Any

import pytest

import doralang as dora
from doralang.embed import formulas

TYPES = {"x": float | None, "n": "int | None", "s": str, "b": bool}
X, N, S, B = 2.0, 3, "ab", True
GONE = "gone"


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("x + n", {}, 5.0),
        ("x + n", {"x": None}, GONE),
        ("x + n", {"n": None}, GONE),
        ("coalesce(x, 0) + n", {"x": None}, 3.0),
        ("coalesce(x, 0) + n", {}, 5.0),
        ("coalesce(x, n, 7)", {"x": None}, 3.0),
        ("coalesce(x, n, 7)", {"x": None, "n": None}, 7.0),
        ("coalesce(x, n)", {"x": None, "n": None}, GONE),
        ("coalesce(x + n, 1)", {"n": None}, 1.0),
        ('coalesce(s, "none")', {"s": None}, "none"),
        ("isMissing(x)", {}, False),
        ("isMissing(x)", {"x": None}, True),
        ("isMissing(x + n) or x > n", {"n": None}, True),
        ("not isMissing(x) and x > 1", {"x": None}, False),
        ("not isMissing(x) and x > 1", {}, True),
        ("x > 1 and b", {"x": None}, GONE),
        ("b ? n : x", {"x": None}, 3.0),
        ("b ? n : x", {"x": None, "b": False}, GONE),
        ("if(b, x, n)", {"x": None}, GONE),
        ("b or x > 1", {"x": None}, True),
        ("b or x > 1", {"x": None, "b": False}, GONE),
        ("b and x > 1", {"x": None, "b": False}, False),
        ("b and x > 1", {"x": None}, GONE),
        ("len(s)", {"s": None}, GONE),
        ("x in [n, 1]", {"n": None}, GONE),
        ("coalesce(b, false) ? 1 : 2", {"b": None}, 2.0),
        ("max(coalesce(x, 0), coalesce(n, 0))", {"x": None, "n": None}, 0.0),
    ],
)
def test_missing(text: str, values: dict[str, Any], expected: object) -> None:
    arguments = {"x": X, "n": N, "s": S, "b": B} | values
    careful, careless = dora.expr(text, TYPES, missing="propagate"), dora.expr(text, TYPES)
    if expected == GONE:
        assert careful(**arguments) is None
        name = next(name for name in TYPES if name in values and values[name] is None)
        with pytest.raises(dora.MissingValue, match=f"`{name}` is missing"):
            careless(**arguments)
    else:
        assert careful(**arguments) == careless(**arguments) == expected
    assert careless(*arguments.values()) == expected if expected != GONE else True


def test_on_the_direct_path() -> None:
    formula = dora.expr("if(a > 1, b, c) * 2")
    assert formula._code is not None or not formulas.IS_POSSIBLE
    assert (
        formula(2.0, 3.0, None) == 6.0 and formula(0.0, None, 4) == 8.0 and formula(a=2, b=3, c=None) == 6.0
    )
    for arguments in ((None, 1.0, 2.0), (2.0, None, 1.0), (None, None, None)):
        with pytest.raises(dora.MissingValue) as caught:
            formula(*arguments)
        assert isinstance(caught.value, ValueError)
    with pytest.raises(TypeError):
        formula(None, 1.0)
    assert formula(2.0, 3.0, 4.0) == 6.0
    same = dora.expr("a + b", missing="propagate")
    assert same(1, None) is None and same(1, 2) == 3.0 and same != dora.expr("a + b")


def test_none_only_where_it_may_be() -> None:
    with pytest.raises(ValueError, match="neither 'error' nor 'propagate'"):
        dora.expr("x", missing="ignore")  # type: ignore[arg-type]
    assert dora.check("coalesce(x, 1) + isMissing(y)").names == ("x", "y")
    assert not dora.check("coalesce(x, true)").ok and not dora.check("isMissing(x, y)").ok
    long = dora.expr(" + ".join(["x"] * 3000) + " + coalesce(y, 1)", limits=dora.Limits())
    assert long(1, None) == 3001.0
    with pytest.raises(dora.MissingValue):
        long(None, 1)
