"""The direct path of formulas against the tree walk: the same values, names and types, down to the last bit.

python tests/fuzz/formulas.py --seed 1 --count 1000000

A formula that the direct path leaves to the general path says nothing; one that it takes must be right for the
general path, too.  One in ten is computed over arrays, too, which must give the same as numbers do.
"""

from __future__ import annotations

import argparse
import io
import math
import random
import struct
import sys
from array import array
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from doralang.embed import formulas
from doralang.embed.direct import compile_direct
from doralang.embed.formulas import Expr
from doralang.session.formulas import Formulas
from doralang.settings import Settings, Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from doralang.types.types import DOUBLE

NAMES: Final = ("a", "b", "c", "xyz", "e", "pi")
NUMBERS: Final = ("0", "1", "2.5", "0.1", "1e300", "7", "3e-310", "017", "1.50")
VALUES: Final = (0.0, -0.0, 1.0, -1.5, 3.0, 1e200, -1e-310, math.inf, -math.inf, math.nan, 0.1, 123456.789)
ONE: Final = (
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "expm1", "log", "log2"),
    *("log10", "log1p", "cbrt", "floor", "ceil", "trunc", "round", "sqrt", "abs", "ln", "ceiling"),
)
TWO: Final = ("atan2", "pow", "hypot", "mod", "min", "max", "power", "fmod")
COMPARISONS: Final = ("<", "<=", ">", ">=", "==", "!=")
SPACES: Final = ("", " ", " ", "  ", "\n\t")
SLIPS: Final = (
    "//",
    "=",
    "<>",
    "%",
    ",",
    "(",
    ")",
    "**",
    "not ",
    "in ",
    "^",
    ";",
    "2x",
    ".5",
    "5.",
    "`a`",
    "&&",
    "é",
)


WITH_ARRAYS: Final = 0.1
"""of the formulas are computed over arrays, too"""
ROWS: Final = 21


class Writer:
    """Random formulas, nearly all of them right."""

    def __init__(self, choose: random.Random) -> None:
        self.choose = choose

    def formula(self) -> str:
        depth = self.choose.randrange(1, 6)
        text = self.truth(depth) if self.choose.random() < 0.2 else self.number(depth)
        if self.choose.random() < 0.05:
            at = self.choose.randrange(len(text) + 1)
            text = text[:at] + self.choose.choice(SLIPS) + text[at + self.choose.randrange(2) :]
        return text

    def number(self, depth: int) -> str:
        pick, space = self.choose.choice, self.choose.choice(SPACES)
        if depth == 0 or self.choose.random() < 0.1:
            return pick(NAMES) if self.choose.random() < 0.6 else pick(NUMBERS)
        one, other = self.number(depth - 1), self.number(depth - 1)
        kind = self.choose.randrange(10)
        if kind < 4:
            return f"{one}{space}{pick('+-*/%')}{space}{other}"
        if kind == 4:
            return f"({one}) {pick(['+', '-', '*', '/', '%', '**'])} ({other})"
        if kind == 5:
            return f"{pick('+-')}{space}{one}"
        if kind == 6:
            return f"{pick(ONE)}({one})"
        if kind == 7:
            third = f", {self.number(depth - 1)}" if self.choose.random() < 0.2 else ""
            return f"{pick(TWO)}({one},{space}{other}{third})"
        if kind == 8:
            return f"clamp({one}, {other}, {self.number(depth - 1)})"
        test = self.truth(depth - 1)
        return pick(
            [f"if({test}, {one}, {other})", f"({test} ? {one} : {other})", f"{test} ? {one} : {other}"]
        )

    def truth(self, depth: int) -> str:
        if depth <= 1 or self.choose.random() < 0.4:
            return f"{self.number(depth)} {self.choose.choice(COMPARISONS)} {self.number(depth)}"
        one, other = self.truth(depth - 1), self.truth(depth - 1)
        joined = f"{one} {self.choose.choice(['and', 'or', '&&', '||'])} {other}"
        return self.choose.choice([joined, f"({joined})", f"not {one}", f"not ({joined})"])


def bits(value: object) -> object:
    """What must be the same; all that are no numbers are."""
    if isinstance(value, float):
        return "nan" if value != value else struct.pack("<d", value)
    return value


class Comparison:
    """The two sides."""

    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)
        self.writer = Writer(self.choose)
        self.oracle = Formulas(Streams(io.BytesIO(), io.BytesIO(), io.BytesIO()), Settings(engine="walk"))
        self.taken = 0
        """how many took the direct path"""

    def difference(self) -> str | None:
        """What differs for the next formula."""
        text = self.writer.formula()
        types = (
            dict.fromkeys(NAMES[: self.choose.choice([4, 6])], float) if self.choose.random() < 0.3 else None
        )
        formula = direct(text, types)
        if formula is None:
            return None
        self.taken += 1
        diagnostics = Diagnostics()
        checked = self.oracle.check(
            Source("<expression>", text), dict.fromkeys(formula.names, DOUBLE), diagnostics
        )
        if diagnostics.errors:
            return f"{text!r}: the general path refuses it: {diagnostics.reports[0].message}"
        if str(checked.function.result) != formula.type:
            return f"{text!r}: {checked.function.result} and {formula.type}"
        for _ in range(3):
            values = {name: self.choose.choice(VALUES) for name in formula.names}
            expected, found = self.oracle.value(checked, values), formula(**values)
            if bits(expected) != bits(found):
                return f"{text!r} with {values}: {expected!r} and {found!r}"
        return self.array_difference(formula) if self.choose.random() < WITH_ARRAYS else None

    def array_difference(self, formula: Expr) -> str | None:
        """What differs between a formula over arrays and the same over their elements, some being numbers."""
        rows = [{name: self.choose.choice(VALUES) for name in formula.names} for _ in range(ROWS)]
        numbers = {name: rows[0][name] for name in formula.names[1:] if self.choose.random() < 0.3}
        if not formula.names:
            return None
        columns = {name: array("d", [row[name] for row in rows]) for name in formula.names}
        found = formula.map({**columns, **numbers})
        for row, value in zip(rows, found, strict=True):
            expected = formula(**{**row, **numbers})
            if bits(float(expected)) != bits(float(value)):
                return f"{formula.source!r} over arrays, {numbers}, {row}: {expected!r} and {value!r}"
        return None


def direct(text: str, types: dict[str, type] | None) -> Expr | None:
    """A formula, if it takes the direct path."""
    place = formulas.place()
    made = compile_direct(text, None if types is None else tuple(types), place)
    return None if made is None else Expr(text, ())._be_direct(made, place)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10_000)
    options = parser.parse_args()
    comparison = Comparison(options.seed)
    for _ in range(options.count):
        difference = comparison.difference()
        if difference is not None:
            sys.exit(f"seed {options.seed}: {difference}")
    print(f"{options.count} formulas, {comparison.taken} of them by the direct path: no difference")


if __name__ == "__main__":
    main()
