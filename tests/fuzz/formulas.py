"""The direct path of formulas against the tree walk: the same values, names, types and failures, down to the
last bit.

python tests/fuzz/formulas.py --seed 1 --count 1000000

A formula that the direct path leaves to the general path says nothing; one that it takes must be right for the
general path, too.  Half of them have variables that are whole numbers and truth values.  Some are computed
over arrays, too, which must give the same as numbers do, and some by the machine code of the general path.
"""

from __future__ import annotations

import argparse
import io
import math
import random
import struct
import sys
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from doralang.embed import formulas
from doralang.embed.direct import Direct, compile_direct, compile_typed
from doralang.embed.errors import Failure
from doralang.embed.formulas import Expr
from doralang.session.formulas import Formulas
from doralang.settings import Settings, Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from doralang.types import failures
from doralang.types.types import BOOL, DOUBLE, INT, LONG, PrimitiveType

NAMES: Final = ("a", "b", "c", "formula", "e", "pi")
"""of variables; one is a name that what calls them has, too"""
NUMBERS: Final = ("0", "1", "2.5", "0.1", "1e300", "7", "3e-310", "017", "1.50")
VALUES: Final = (0.0, -0.0, 1.0, -1.5, 3.0, 1e200, -1e-310, math.inf, -math.inf, math.nan, 0.1, 123456.789)
ONE: Final = (
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "expm1", "log", "log2"),
    *("log10", "log1p", "cbrt", "floor", "ceil", "trunc", "round", "sqrt", "abs", "ln", "ceiling"),
)
TWO: Final = ("atan2", "pow", "hypot", "mod", "min", "max", "power", "fmod")
KINDS: Final[dict[object, PrimitiveType]] = {int: INT, "long": LONG, float: DOUBLE, bool: BOOL}
"""of variables, as a host gives them"""
WHOLE_NUMBERS: Final = (
    "0L",
    "2L",
    "7L",
    "1L",
    "3L",
    "4294967296L",
    "3",
    "0",
    "1",
    "2147483647",
    "9007199254740993",
    "2e3",
    "30.0",
    "1e30",
    "2.50e1",
)
INTS: Final = (0, 1, -1, 2, -7, 46341, 1 << 30, -(1 << 30), (1 << 31) - 1, -(1 << 31))
LONGS: Final = (*INTS, 1 << 31, (1 << 53) + 1, -(1 << 60), (1 << 63) - 1, -(1 << 63))
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
WITH_GENERAL: Final = 0.02
"""are computed by the general path, too; it takes a hundred times as long to compile them"""
ROWS: Final = 21

VALUES_OF: Final[dict[PrimitiveType, tuple[object, ...]]] = {
    DOUBLE: VALUES,
    INT: INTS,
    LONG: LONGS,
    BOOL: (False, True),
}


class Writer:
    """Random formulas, nearly all of them right."""

    def __init__(self, choose: random.Random) -> None:
        self.choose = choose
        self.numbers: tuple[str, ...] = NAMES
        """variables that are numbers, and those that are true or false"""
        self.truths: tuple[str, ...] = ()

    def kinds(self) -> dict[str, object]:
        """Kinds for the variables of the next formula, some of them whole."""
        kinds = {name: self.choose.choice([int, int, "long", float]) for name in NAMES[:4]}
        kinds |= {name: bool for name in ("p", "q") if self.choose.random() < 0.5}
        self.numbers = NAMES[:4]
        self.truths = tuple(name for name, kind in kinds.items() if kind is bool)
        return kinds

    def without_kinds(self) -> None:
        self.numbers, self.truths = NAMES, ()

    def typed(self) -> bool:
        return self.numbers is not NAMES

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
            if self.choose.random() < 0.6:
                return pick(self.numbers)
            return pick(WHOLE_NUMBERS if self.choose.random() < (0.5 if self.typed() else 0.05) else NUMBERS)
        one, other = self.number(depth - 1), self.number(depth - 1)
        kind = self.choose.randrange(10)
        if self.typed() and self.choose.random() < 0.15:
            return pick(
                [
                    f"{one} {pick('/%')} {pick(WHOLE_NUMBERS)}",
                    f"{pick(['int', 'long', 'double', 'float', 'abs'])}({one})",
                    f"sum({one}, {other})",
                ]
            )
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
        if self.truths and self.choose.random() < 0.2:
            return self.choose.choice([*self.truths, " == ".join(self.choose.choices(self.truths, k=2))])
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
        self.whole = 0
        """how many of them by the way of whole numbers"""

    def difference(self) -> str | None:
        """What differs for the next formula."""
        self.writer.without_kinds()
        types: dict[str, object] | None = None
        if self.choose.random() < 0.5:
            types = self.writer.kinds()
        elif self.choose.random() < 0.3:
            types = dict.fromkeys(NAMES[: self.choose.choice([4, 6])], float)
        text = self.writer.formula()
        formula = direct(text, types)
        if formula is None:
            return None
        self.taken += 1
        self.whole += formula._kinds is not None
        kinds = {name: DOUBLE if types is None else KINDS[types[name]] for name in formula.names}
        diagnostics = Diagnostics()
        checked = self.oracle.check(Source("<expression>", text), kinds, diagnostics)
        if diagnostics.errors:
            return f"{text!r}: the general path refuses it: {diagnostics.reports[0].message}"
        if str(checked.function.result) != formula.type:
            return f"{text!r}: {checked.function.result} and {formula.type}"
        rows = [self.row(kinds) for _ in range(3)]
        expected = [outcome(lambda row=row: self.oracle.value(checked, row)) for row in rows]
        for row, one in zip(rows, expected, strict=True):
            found = outcome(lambda row=row: formula(**row))
            if one != found:
                return f"{text!r} with {row}: {one!r} and {found!r}"
        if self.choose.random() < WITH_GENERAL:
            general = formulas.load(formulas.GENERAL).general_of(formula)
            for row, one in zip(rows, expected, strict=True):
                found = outcome(lambda row=row: general(**row))
                if one != found:
                    return f"{text!r} with {row}: {one!r} and, by the general path, {found!r}"
        share = WITH_ARRAYS if formula._kinds is None else WITH_GENERAL
        return self.array_difference(formula, kinds) if self.choose.random() < share else None

    def row(self, kinds: dict[str, PrimitiveType]) -> dict[str, Any]:
        """Values for the variables."""
        return {name: self.choose.choice(VALUES_OF[kind]) for name, kind in kinds.items()}

    def array_difference(self, formula: Expr, kinds: dict[str, PrimitiveType]) -> str | None:
        """What differs between a formula over arrays and the same over their elements, some being numbers."""
        if BOOL in kinds.values():
            return None
        rows = [self.row(kinds) for _ in range(ROWS)]
        numbers = {name: rows[0][name] for name in formula.names[1:] if self.choose.random() < 0.3}
        if not formula.names:
            return None
        columns = {name: array(CODES[kind], [row[name] for row in rows]) for name, kind in kinds.items()}
        try:
            found = formula.map({**columns, **numbers})
        except ZeroDivisionError:
            return None
        for row, value in zip(rows, found, strict=True):
            expected = formula(**{**row, **numbers})
            if bits(expected) != bits(type(expected)(value)):
                return f"{formula.source!r} over arrays, {numbers}, {row}: {expected!r} and {value!r}"
        return None


CODES: Final = {DOUBLE: "d", INT: "i", LONG: "q"}
"""of arrays"""


def outcome(compute: Callable[[], object]) -> object:
    """The value, or the failure that there is instead."""
    try:
        return bits(compute())
    except (Failure, failures.Failure) as failure:
        return f"failure: {failure}".partition("\n")[0]


def direct(text: str, types: dict[str, object] | None) -> Expr | None:
    """A formula, if it takes the direct path."""
    place = formulas.place()
    made: Direct | None
    if types is None:
        made = compile_direct(text, None, place)
    elif set(types.values()) == {float}:
        made = compile_direct(text, tuple(types), place)
    else:
        made = compile_typed(text, tuple(types), tuple(types.values()), place)
    options = () if types is None else (("types", tuple(types.items())),)
    return None if made is None else Expr(text, options)._be_direct(made, place)


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
    taken = f"{comparison.taken} of them by the direct path, {comparison.whole} of these with kinds"
    print(f"{options.count} formulas, {taken}: no difference")


if __name__ == "__main__":
    main()
