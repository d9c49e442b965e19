"""Random formulas in all engines: values, down to the last bit, and failures must be the same.

    python tests/fuzz/expressions.py --seed 1 --count 100000               walk, vm, baseline
    python tests/fuzz/expressions.py --seed 1 --count 2000 --languages c,go

Formulas are evaluated one after the other in one engine each.  For C and Go hundreds of them go into one
generated file.  A formula that differs is reduced: parts of it are replaced by simpler ones as long as the engines
still disagree.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from struct import pack, unpack
from typing import Final, NamedTuple

from doralang.bytecode.native import NativeFailure
from doralang.interpreter.objects import Str, Value
from doralang.lower.functions import lowering
from doralang.session.formulas import Formula, Formulas
from doralang.settings import Settings, Streams
from doralang.source.provider import SourceProvider
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from doralang.types.failures import Failure
from doralang.types.types import BOOL, BYTE, CHAR, DOUBLE, FLOAT, INT, LONG, Type

sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.generator import EDGES, INTEGERS, NUMBERS, TYPES, Generator, Scope

ENGINES: Final = ("walk", "vm", "baseline")
SESSION: Final = 1000
"""formulas that one engine gets; then another is made, so that memory does not fill"""
BATCH: Final = 400
"""formulas that stand in one generated file"""
DEPTH: Final = 5

VARIABLES: Final[dict[str, tuple[Type, tuple[Value, ...]]]] = {
    "flag": (BOOL, (False, True)),
    "b": (BYTE, (0, 1, 127, 128, 255)),
    "c": (CHAR, (97, 0, 0x20AC, 0x10FFFF)),
    "i": (INT, (0, 1, -1, 7, 31, 32, 2**31 - 1, -(2**31), 123456789)),
    "k": (INT, (3, -8, 1000)),
    "n": (LONG, (0, 1, -1, 63, 64, 2**63 - 1, -(2**63), 1 << 40)),
    "f": (FLOAT, (0.0, -0.0, 1.5, -2.25, 16777216.0, float("inf"), float("nan"), 2.0**-149)),
    "x": (DOUBLE, (0.0, -0.0, 0.1, -1.5, 1e308, 5e-324, float("inf"), float("nan"), 2147483648.0, 2.0**63)),
    "y": (DOUBLE, (3.0, 4.0, -7.25, 1e-3)),
}
"""by name: type, and the values that it may have"""

FUNCTIONS: Final = (
    "sin",
    "cos",
    "tan",
    "exp",
    "log",
    "sqrt",
    "floor",
    "ceil",
    "round",
    "cbrt",
    "atan",
    "abs",
)

WHOLE: Final = {
    "int": ("0Y", "1Y", "7Y", "255Y", "0x7F"),
    "long": ("0L", "1L", "-1L", "63L", "-9223372036854775808L"),
}
"""how numbers are written that make a division one of whole numbers"""


class Case(NamedTuple):
    """A formula and the values of its variables."""

    text: str
    values: dict[str, Value]


class FormulaGenerator(Generator):
    """Writes formulas instead of programs."""

    def case(self) -> Case:
        scope = Scope([(name, str(type), False) for name, (type, _) in VARIABLES.items()])
        type = self.random.choice(TYPES)
        text = self.expression(type, scope, self.random.randint(1, DEPTH))
        values = {name: self.random.choice(values) for name, (_, values) in VARIABLES.items()}
        return Case(text, values)

    def literal(self, type: str) -> str:
        """A number without a suffix is a `double` in formulas."""
        if type == "int":
            return f"({self.random.choice((0, 1, -1, 2, 31, 33, 255, 2**31 - 1, -(2**31)))}L).toInt()"
        if type == "double" and self.chance(0.5):
            return f"({self.random.choice(('2', '0.1', '1.2 - 5', '1/3', '7', '10 * 0.1'))})"
        return f"({self.random.choice(EDGES[type])})"

    def arithmetic(self, type: str, scope: Scope, depth: int) -> str:
        """`/` divides whole numbers as such where one is written as a whole number, otherwise as doubles."""
        if type not in INTEGERS:
            return super().arithmetic(type, scope, depth)
        left, right = self.expression(type, scope, depth), self.expression(type, scope, depth)
        if self.chance(0.2):
            return f"{left}.{self.random.choice(('min', 'max'))}({right})"
        operator = self.random.choice("+-*+-*/%")
        if operator == "/":
            whole = self.random.choice(WHOLE[type])
            quotients = f"({left} / {whole})", f"({whole} / {right})"
            return self.random.choice((*quotients, f"({left} / {right} + 0.0).to{type.capitalize()}()"))
        return f"({left} {operator} {right})"

    def makers(self, type: str) -> list[Callable[[str, Scope, int], str]]:
        makers: list[Callable[[str, Scope, int], str]] = [self.choice]
        if type in NUMBERS:
            makers += [self.arithmetic, self.arithmetic, self.arithmetic, self.unary, self.converted]
        if type == "double":
            makers.append(self.mathematics)
        if type in ("int", "long"):
            makers += [self.bits]
        if type == "bool":
            makers += [self.comparison, self.comparison, self.logic]
        if type == "byte":
            makers.append(self.to_byte)
        if type == "Str":
            makers += [self.concatenation, self.text_of]
        return makers

    def choice(self, type: str, scope: Scope, depth: int) -> str:
        condition, yes, no = (self.expression(one, scope, depth) for one in ("bool", type, type))
        return f"({condition} ? {yes} : {no})"

    def mathematics(self, type: str, scope: Scope, depth: int) -> str:
        operand = self.expression("double", scope, depth)
        if self.chance(0.2):
            return f"pow({operand}, {self.expression('double', scope, depth)})"
        return f"{self.random.choice(FUNCTIONS)}({operand})"


# Evaluating.


def silent() -> Streams:
    return Streams(io.BytesIO(), io.BytesIO(), io.BytesIO())


TYPES_OF_VARIABLES: Final = {name: type for name, (type, _) in VARIABLES.items()}


def check(formulas: Formulas, text: str) -> Formula | None:
    """None if it is no formula."""
    diagnostics = Diagnostics()
    checked = formulas.check(Source("<expression>", text), TYPES_OF_VARIABLES, diagnostics)
    return None if diagnostics.errors else checked


def shown(value: Value, type: Type) -> object:
    """A value as it can be compared: floats by their bits, all NaNs alike."""
    if isinstance(value, Str):
        return value.data
    if isinstance(value, float):
        return "nan" if value != value else unpack("<q", pack("<d", value))[0]
    return str(type), value


def result(formulas: Formulas, case: Case) -> object:
    checked = check(formulas, case.text)
    assert checked is not None, f"no formula: {case.text}"
    try:
        return shown(formulas.value(checked, case.values), checked.function.result)
    except Failure as failure:
        return failure.line, failure.status, failure.trace


def cases(first: int, count: int) -> Iterator[Case]:
    return (FormulaGenerator(seed).case() for seed in range(first, first + count))


def results(engine: str, some: Sequence[Case]) -> list[object]:
    """What an engine gives for these formulas."""
    formulas = Formulas(silent(), Settings(engine=engine))
    try:
        return [result(formulas, case) for case in some]
    finally:
        formulas.close()


def native_results(language: str, some: Sequence[Case]) -> Mapping[int, object]:
    """What generated code gives for those of the formulas that it holds, by their place in the list."""
    formulas = Formulas(silent(), Settings(engine="vm"))
    types, functions = {}, {}
    for number, case in enumerate(some):
        checked = check(formulas, case.text)
        assert checked is not None
        specializer = lowering(checked.program)
        ref = specializer.function_ref(checked.function)
        functions[number], types[number] = specializer.code(ref), checked.function.result
    made = SourceProvider(language).compile(list(functions.values()))
    found: dict[int, object] = {}
    for number, function in functions.items():
        native = made[function.ref]
        if isinstance(native, str):
            assert "compile" not in native, native  # the toolchain must not fail
            continue
        arguments = [some[number].values[name] for name in VARIABLES]
        try:
            found[number] = shown(native(*arguments), types[number])
        except NativeFailure as failure:
            trace = [f"{ref.signature}: {line}" for ref, line in failure.places]
            found[number] = failure.trap.text, failure.trap.status, trace
    return found


# Differences.


def find_difference(first: int, count: int, languages: Sequence[str] = ()) -> str | None:
    """A report about the first formula about which engines disagree."""
    for start in range(first, first + count, SESSION):
        some = list(cases(start, min(SESSION, first + count - start)))
        expected, *others = (results(engine, some) for engine in ENGINES)
        for engine, found in zip(ENGINES[1:], others, strict=True):
            for case, wanted, got in zip(some, expected, found, strict=True):
                if wanted != got:
                    return report(reduced(case, engine), engine)
        for language in languages:
            for at in range(0, len(some), BATCH):
                for number, got in native_results(language, some[at : at + BATCH]).items():
                    if got != expected[at + number]:
                        return f"{some[at + number]}: {language} gives {got}, walk {expected[at + number]}"
    return None


def report(case: Case, engine: str) -> str:
    lines = [f"the engines disagree about\n  {case.text}\nwhere"]
    lines += [
        f"  {name} = {value}" for name, value in case.values.items() if re.search(rf"\b{name}\b", case.text)
    ]
    lines += [f"{name} gives {results(name, [case])[0]}" for name in (ENGINES[0], engine)]
    return "\n".join(lines)


def reduced(case: Case, engine: str) -> Case:
    """The formula with as many parts as possible replaced by variables or taken out of their parentheses."""
    shrunk = True
    while shrunk:
        shrunk = False
        for text in simpler(case.text):
            other = Case(text, case.values)
            if differs(other, engine):
                case, shrunk = other, True
                break
    return case


def differs(case: Case, engine: str) -> bool:
    formulas = Formulas(silent(), Settings(engine=ENGINES[0]))
    if check(formulas, case.text) is None:
        return False
    return results(ENGINES[0], [case]) != results(engine, [case])


def simpler(text: str) -> Iterator[str]:
    """Texts that lack a pair of parentheses' content, or everything but it; shortest first."""
    opened: list[int] = []
    parts: list[tuple[int, int]] = []
    for at, letter in enumerate(text):
        if letter == "(":
            opened.append(at)
        elif letter == ")" and opened:
            parts.append((opened.pop(), at + 1))
    yield from sorted((text[start + 1 : end - 1] for start, end in parts), key=len)
    for start, end in sorted(parts, key=lambda part: part[0] - part[1]):
        yield from (f"{text[:start]}{name}{text[end:]}" for name in VARIABLES if text[start:end] != name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--languages", default="", help="c, go, or both")
    options = parser.parse_args()
    languages = [name for name in options.languages.split(",") if name]
    difference = find_difference(options.seed, options.count, languages)
    agreed = f"{options.count} formulas from seed {options.seed} on: all engines agree"
    print(difference or agreed)
    return 1 if difference else 0


if __name__ == "__main__":
    random.seed(0)
    sys.exit(main())
