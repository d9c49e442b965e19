"""Suggestions for unknown names."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doralang.checker.library import check_source
from doralang.checker.nearness import MOST_NAMES, distance, nearest
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source

NAMES = ("println", "print", "range", "exit", "argc", "x", "count", "counter")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("prinln", "println"),
        ("Println", "println"),
        ("pritn", "print"),
        ("exti", "exit"),
        ("raneg", "range"),
        ("cuont", "count"),
        ("counte", "count"),
        ("something", None),
        ("y", None),
        ("", None),
        ("q" * 1000, None),
    ],
)
def test_nearest(name: str, near: str | None) -> None:
    assert nearest(name, NAMES) == near


def test_not_in_huge_scopes() -> None:
    assert nearest("prinln", [f"other{i}" for i in range(MOST_NAMES)] + ["println"]) is None


def by_definition(left: str, right: str) -> int:
    """Optimal string alignment, with a table of all."""
    rows: list[list[int]] = []
    for i in range(len(left) + 1):
        rows.append([0] * (len(right) + 1))
        for j in range(len(right) + 1):
            if min(i, j) == 0:
                rows[i][j] = max(i, j)
                continue
            changed = left[i - 1] != right[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + changed)
            if i > 1 and j > 1 and left[i - 2 : i] == right[j - 2 : j][::-1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(st.text("abc", min_size=1, max_size=7), st.text("abc", max_size=7), st.integers(0, 8))
def test_the_distance_is_what_the_definition_says(left: str, right: str, most: int) -> None:
    expected, found = by_definition(left, right), distance(left, right, most)
    if left != right:
        assert found == expected if expected <= most else found > most


def helps(statement: str, declarations: str = "") -> Sequence[str | None]:
    text = f"""
    const LIMIT: int = 3;
    var total: int = 0;
    trait Ranked {{ fun rank() -> int; static fun lowest() -> int; }}
    open class Animal(let weight: int, height: int) {{
      fun speak() -> Str {{ return ""; }} static fun create() -> int {{ return 1; }}
    }}
    fun compute(n: int) -> int {{ return n; }}
    fun generic<T: Ranked>(value: T) {{ value.rnak(); }}
    {declarations}
    fun main() {{ let animal = Animal(1, 2); let counter = 1; {statement} }}
    """
    diagnostics = Diagnostics()
    check_source(Source("a.dora", text), diagnostics)
    first, *others = [report.help for report in diagnostics.sorted()]
    assert first == "did you mean `rank`?"
    return others


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ('prinln("x");', "println"),
        ("compte(1);", "compute"),
        ("Anmal(1, 2);", "Animal"),
        ("let x = countr;", "counter"),
        ("let x = LIMTI;", "LIMIT"),
        ("totl = 1;", "total"),
        ("animal.speek();", "speak"),
        ("let x = animal.wieght;", "weight"),
        ("Animal::craete();", "create"),
        ("Anmial::create();", "Animal"),
        ("let x: Aniaml = nil;", "Animal"),
        ("let x: Arry<int> = nil;", "Array"),
        ('"text".leng();', "len"),
    ],
)
def test_what_may_have_been_meant(statement: str, name: str) -> None:
    assert helps(statement) == [f"did you mean `{name}`?"]


@pytest.mark.parametrize(
    ("declaration", "name"),
    [
        ("class Cat: Animl(1, 2)", "Animal"),
        ("impl Rankd for Animal { }", "Ranked"),
        ("impl Ranked for Animl { }", "Animal"),
        ("fun f(x: Animl) { }", "Animal"),
    ],
)
def test_in_declarations(declaration: str, name: str) -> None:
    assert helps("", declaration) == [f"did you mean `{name}`?"]


def test_a_parameter_of_a_constructor_is_no_field() -> None:
    assert helps("let x = animal.height;") == [
        "`height` is a parameter of the constructor; declare it `let height`"
    ]


def test_nothing_is_suggested_for_what_is_far_away() -> None:
    assert helps("nothing(); other = 1; animal.something();") == [None, None, None]
