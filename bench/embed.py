"""Dora inside Python: what calls, formulas, programs and limits cost, beside Python's own, in one run.

    python bench/embed.py [--quick] [NAME ...]

Medians of several rounds, which go through all rows in turn, so that a busy machine slows down all alike;
the last column is the ratio to the peer that is named.  Rows by name: `calls`, `formulas`, `instances`,
`fuel`, `hardened`, `slices`, `memory`, `start`; and `arrays` and `tables`, if NumPy is there, whose figures
are minima.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import time
import timeit
from array import array
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import doralang as dora
from measure import environment, pin

SOURCE: Final = """
fun add(a: int, b: int) -> int { return a + b; }
fun half(x: double) -> double { return x * 0.5; }
fun greet(s: Str) -> Str { return "hello " + s; }
fun collatz(n: int) -> int {
  var at = n.toLong();
  var steps = 0;
  while at != 1L { if at % 2L == 0L { at = at / 2L; } else { at = 3L * at + 1L; } steps = steps + 1; }
  return steps;
}
"""
BUSY: Final = """
fun spin(n: int) -> int { var i = 0; while i < n { i = i + 1; } return i; }
fun fib(n: int) -> int { if n < 2 { return n; } return fib(n - 1) + fib(n - 2); }
fun sieve(n: int) -> int {
  let crossed = Array::<bool>(n);
  var count = 0;
  for i in range(2, n) {
    if !crossed[i] { count = count + 1; var k = i + i; while k < n { crossed[k] = true; k = k + i; } }
  }
  return count;
}
fun texts(n: int) -> int {
  var length = 0;
  for i in range(0, n) { length = length + ("item " + i.toString()).len(); }
  return length;
}
fun bodies(n: int) -> double {
  var x = 1.0; var y = 0.5; var vx = 0.0; var vy = 0.3;
  for i in range(0, n) {
    let square = x * x + y * y;
    let pull = 0.001 / (square * square.sqrt());
    vx = vx - x * pull; vy = vy - y * pull;
    x = x + vx * 0.001; y = y + vy * 0.001;
  }
  return x + y;
}
"""
SHAPES: Final = 40
ROUNDS: Final = 9


class Row(NamedTuple):
    """Something that is measured: seconds each, and what it is compared with."""

    name: str
    seconds: Callable[[], float]
    peer: str | None = None


def add(a: int, b: int) -> int:
    return a + b


def half(x: float) -> float:
    return x * 0.5


def greet(s: str) -> str:
    return "hello " + s


def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def each(statement: str, count: int, **names: object) -> Callable[[], float]:
    """Seconds of one execution of a statement, without those of the loop around it."""

    def measure() -> float:
        loop = timeit.timeit("pass", number=count)
        return (timeit.timeit(statement, globals=names, number=count) - loop) / count

    return measure


def call_rows() -> list[Row]:
    m = dora.compile(SOURCE)
    price = dora.expr("base * (1 + vat) - rebate")
    rows = []
    for name, mine, theirs, arguments in (
        ("f(int, int)", m.add, add, "3, 4"),
        ("f(float)", m.half, half, "2.5"),
        ("f(str) -> str", m.greet, greet, "'you'"),
        ("collatz(27)", m.collatz, collatz, "27"),
        (
            "formula by name",
            price,
            lambda base, vat, rebate: base * (1 + vat) - rebate,
            "base=9.0, vat=.2, rebate=1.0",
        ),
    ):
        count = 2_000 if "collatz" in name else 50_000
        rows.append(Row(f"{name}, Python", each(f"f({arguments})", count, f=theirs)))
        rows.append(Row(name, each(f"f({arguments})", count, f=mine), rows[-1].name))
    return rows


def shapes(variant: int) -> list[str]:
    """Formulas that differ in operations, names and numbers."""
    sums = [" + ".join(f"c{term}" for term in range(count + 1)) for count in range(7)]
    return [f"a{n} * {n + variant}.5 {'+-*'[n % 3]} max(b, {n}) / ({sums[n % 7]})" for n in range(SHAPES)]


def whole_shapes(variant: int) -> list[tuple[str, dict[str, object]]]:
    """The same on whole numbers, and the kinds of their variables."""
    made = []
    for number, text in enumerate(shapes(variant)):
        text = text.replace(".5", "L").replace(f"max(b, {number})", f"max(b, {number}L)").replace("/", "%")
        names = [f"a{number}", "b", *[f"c{term}" for term in range(number % 7 + 1)]]
        kinds: dict[str, object] = {name: int if at % 2 else "long" for at, name in enumerate(names)}
        made.append((text, kinds))
    return made


def formula_rows() -> list[Row]:
    variant = 0

    def seconds(text: str, kinds: dict[str, object] | None, value: float) -> float:
        begin = time.perf_counter()
        formula = dora.expr(text, kinds)
        formula(*[value] * len(formula.names))
        return time.perf_counter() - begin

    def compiled() -> float:
        nonlocal variant
        variant += 1
        return median([seconds(text, None, 1.0) for text in shapes(variant)])

    def whole() -> float:
        return median([seconds(text, kinds, 1) for text, kinds in whole_shapes(variant)])

    def python() -> float:
        taken = []
        for text in shapes(variant):
            names = dora.check(text).names
            begin = time.perf_counter()
            eval(compile(text, "f", "eval"), dict.fromkeys(names, 1.0) | {"max": max})
            taken.append(time.perf_counter() - begin)
        return median(taken)

    return [
        Row("formula, Python's eval", python),
        Row(f"{SHAPES} shapes of formula, text to result", compiled, "formula, Python's eval"),
        Row("the same on whole numbers", whole, "formula, Python's eval"),
    ]


def instance_rows() -> list[Row]:
    m = dora.compile("var n: int = 0; fun next() -> int { n = n + 1; return n; }")

    def made() -> None:
        instance = m.new()
        instance.next()
        instance.close()

    made()
    return [
        Row("instance made, called, closed", each("made()", 200, made=made)),
        Row("program compiled and called", each("use()", 5, use=lambda: dora.compile(SOURCE).add(1, 2))),
    ]


def fuel_rows() -> list[Row]:
    """Programs with code that counts fuel beside the same without it."""
    return busy_rows("counted", dora.compile(BUSY, limits=dora.Limits(fuel=1 << 60)))


def hardened_rows() -> list[Row]:
    """Programs as those are compiled that nobody trusts, beside the same of others."""
    return busy_rows("hardened", dora.compile(BUSY, limits=dora.Limits(), policy="untrusted"))


def busy_rows(what: str, other: dora.Module) -> list[Row]:
    rows = []
    plain = dora.compile(BUSY)
    for name, argument in (
        ("spin", 3_000_000),
        ("fib", 25),
        ("sieve", 300_000),
        ("texts", 3_000),
        ("bodies", 60_000),
    ):
        rows.append(Row(name, each(f"f({argument})", 1, f=getattr(plain, name))))
        rows.append(Row(f"{name}, {what}", each(f"f({argument})", 1, f=getattr(other, name)), name))
    return rows


def resident() -> int:
    """Bytes of memory of this process."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


GENERICS: Final = """
class Box{0}<T>(let value: T) {{ fun twice() -> Pair{0}<T, T> {{ return Pair{0}(self.value, self.value); }} }}
class Pair{0}<A, B>(let first: A, let second: B)
fun run(n: int) -> int {{
  let all = Vec::<Box{0}<int>>(); all.push(Box{0}(n)); return all[0].twice().first + {0};
}}
"""
KNOWN: Final = 3
"""times as many programs are dropped before: until the encoder knows as many instructions as it keeps"""


def kept(use: Callable[[int], object], count: int, before: float = 0.1) -> float:
    """Bytes for each of what `use` makes, or 0 if it is less than the noise of a page."""
    for number in range(int(count * before)):
        use(count + number)
    before = resident()
    made = [use(number) for number in range(count)]
    used = resident() - before
    del made
    return max(used, 0) / count


def memory_table(count: int) -> None:
    def dropped(number: int) -> None:
        dora.expr(f"x * {number}.5 + y")(1.0, 2.0)

    def alive(number: int) -> dora.Expr:
        formula = dora.expr(f"x * {number}.5 + y")
        formula(1.0, 2.0)
        return formula

    def dropped_program(number: int) -> None:
        dora.compile(GENERICS.format(number)).run(2)

    programs = kept(dropped_program, count, KNOWN)
    print(f"{'kept per dropped formula':44} {kept(dropped, count):12.0f} bytes")
    print(f"{'kept per dropped program with generics':44} {programs:12.0f} bytes")
    print(f"{'kept per live formula':44} {kept(alive, count):12.0f} bytes")
    print(f"{'all of it, when dropped':44} {dora.memory()}")


def fresh(code: str) -> Callable[[], float]:
    """Seconds of a fresh interpreter that runs a text."""

    def measure() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=environment())
        return time.perf_counter() - begin

    return measure


def start_rows() -> list[Row]:
    return [
        Row("bare interpreter", fresh("pass")),
        Row("import doralang", fresh("import doralang"), "bare interpreter"),
        Row(
            "first formula of a process",
            fresh("import doralang as d; d.expr('x * 2')(1.0)"),
            "bare interpreter",
        ),
    ]


LOOPS: Final = """
fun sum(xs: TYPE) -> double { var all = 0.0; for x in xs { all += x; } return all; }
fun sumByIndex(xs: TYPE) -> double { var all = 0.0; for i in 0..xs.len() { all += xs[i]; } return all; }
fun scale(xs: TYPE) -> double { for i in 0..xs.len() { xs[i] = xs[i] * 1.5; } return xs[0]; }
fun chain(xs: TYPE) -> double { return xs.iter().map(|x| x + 1.0).fold(0.0, |a, b| a + b); }
"""
ELEMENTS: Final = 100_000
HOT_LOOPS: Final = """
fun total(a: READ<int>, rounds: int) -> int {
  var all = 0;
  for k in 0..rounds { for x in a { all += x; } }
  return all;
}
fun dot(a: READ<double>, b: READ<double>, rounds: int) -> double {
  var all = 0.0;
  for k in 0..rounds { for i in 0..a.len() { all += a[i] * b[i]; } }
  return all;
}
fun line(a: READ<double>, out: WRITE<double>, rounds: int) {
  for k in 0..rounds { for i in 0..a.len() { out[i] = a[i] * 1.5 + 0.5; } }
}
fun ints(n: int) -> Array<int> { return Array::<int>(n, 3); }
fun doubles(n: int) -> Array<double> { return Array::<double>(n, 1.5); }
"""
HOT_ELEMENTS, HOT_ROUNDS = 4000, 500
"""of one call: all are in the nearest cache, and the call is not seen"""
WARM: Final = 1.0
"""seconds until a loop has better code"""


def least(function: Callable[[object], object], argument: object) -> Callable[[], float]:
    """Seconds of the fastest of some calls: loops are short, and others run meanwhile."""

    def measure() -> float:
        return min(timeit.repeat(lambda: function(argument), number=1, repeat=100))

    return measure


def when_hot(function: Callable[..., object], *arguments: object) -> Callable[[], float]:
    """Seconds of a thousand elements in better code, for which the loop has run long enough at first."""
    is_hot = False

    def measure() -> float:
        nonlocal is_hot
        until = time.perf_counter() + WARM
        while not is_hot and time.perf_counter() < until:
            function(*arguments, HOT_ROUNDS)
        is_hot = True
        seconds = min(timeit.repeat(lambda: function(*arguments, HOT_ROUNDS), number=1, repeat=20))
        return seconds / (HOT_ELEMENTS * HOT_ROUNDS) * 1000

    return measure


def hot_slice_rows() -> list[Row]:
    """Loops that have better code, over arrays, slices, and slices with gaps."""
    own = dora.compile(HOT_LOOPS.replace("READ", "Array").replace("WRITE", "Array"))
    lent = dora.compile(HOT_LOOPS.replace("READ", "Slice").replace("WRITE", "MutSlice"))
    rows = []
    for name, kinds in (("total", "i"), ("dot", "dd"), ("line", "dd")):
        arrays = [(own.ints if kind == "i" else own.doubles)(HOT_ELEMENTS) for kind in kinds]
        slices = [array(kind, [3 if kind == "i" else 1.5]) * HOT_ELEMENTS for kind in kinds]
        parts = [memoryview(one * 3)[::3] for one in slices]
        rows.append(Row(f"{name} when hot, 1000 of an array", when_hot(own.functions[name], *arrays)))
        of_slice = lent.functions[name]
        rows.append(Row(f"{name} when hot, 1000 of a slice", when_hot(of_slice, *slices), rows[-1].name))
        rows.append(Row(f"{name} when hot, every third", when_hot(of_slice, *parts), rows[-2].name))
    return rows


def slice_rows() -> list[Row]:
    """The same loops over arrays of the program and over slices, and what a call with a slice takes."""
    arrays = dora.compile(LOOPS.replace("TYPE", "Array<double>") + "fun make(n: int) -> Array<double> {"
                          " return Array::<double>(n, 1.0); }")  # fmt: skip
    slices = dora.compile(LOOPS.replace("TYPE", "MutSlice<double>"))
    own, lent, strided = arrays.make(ELEMENTS), array("d", [1.0] * ELEMENTS), array("d", [1.0] * 3 * ELEMENTS)
    rows = []
    for name in ("sum", "sumByIndex", "scale", "chain"):
        of_array, of_slice = arrays.functions[name], slices.functions[name]
        rows.append(Row(f"{name} over an array", least(of_array, own)))
        rows.append(Row(f"{name} over a slice", least(of_slice, lent), rows[-1].name))
        part = memoryview(strided)[::3]
        rows.append(Row(f"{name}, every third", least(of_slice, part), rows[-2].name))
    rows.append(Row("sum(Slice) of one element", least(slices.sum, array("d", [1.0]))))
    return [*rows, *hot_slice_rows()]


GROUPS: Final[dict[str, Callable[[], list[Row]]]] = {
    "calls": call_rows,
    "formulas": formula_rows,
    "instances": instance_rows,
    "fuel": fuel_rows,
    "hardened": hardened_rows,
    "slices": slice_rows,
    "start": start_rows,
}


OF_ARRAYS: Final = {"arrays": "array_rows", "tables": "table_rows"}
"""groups that NumPy is needed for, and the modules that have them"""


def shown(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:8.2f} {unit}"
    return f"{seconds * 1e9:8.1f} ns"


def table(rows: list[Row], rounds: int) -> None:
    taken: dict[str, list[float]] = {row.name: [] for row in rows}
    for _ in range(rounds):
        for row in rows:
            taken[row.name].append(row.seconds())
    medians = {name: median(times) for name, times in taken.items()}
    for row in rows:
        ratio = f"{medians[row.name] / medians[row.peer]:6.2f} of {row.peer}" if row.peer else ""
        print(f"{row.name:44} {shown(medians[row.name]):>12} {ratio}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="groups of rows; all if there is none")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args()
    names = options.names or [*GROUPS, "memory", *(OF_ARRAYS if find_spec("numpy") else [])]
    if not OF_ARRAYS.keys() >= set(names):
        pin(None)
    for name in names:
        if name in OF_ARRAYS:
            import_module(OF_ARRAYS[name]).table(options.quick)
        elif name == "memory":
            memory_table(300 if options.quick else 2000)
        elif name in GROUPS:
            table(GROUPS[name](), 3 if options.quick else ROUNDS)
        else:
            known = [*GROUPS, "memory", *OF_ARRAYS]
            parser.error(f"there is no {name!r}; there are {', '.join(known)}")


if __name__ == "__main__":
    main()
