"""Formulas over arrays beside NumPy, numexpr, Numba and gcc -O3: nanoseconds an element, the least of some.

Each round goes through all peers in turn.  What is not installed is left out; NumPy must be there.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

import doralang as dora

SIZES: Final = (100_000, 10_000_000)
FEW: Final = 10
LIBRARY: Final = """
#include <math.h>
#include <stddef.h>
void arithmetic(const double *restrict a, const double *restrict b, const double *restrict c,
                const double *restrict d, double *restrict out, size_t n)
{ for (size_t i = 0; i < n; i++) out[i] = (a[i] * b[i] + c[i] - 2.5) * d[i]; }
void choice(const double *restrict a, const double *restrict b, const double *restrict x,
            const double *restrict unused, double *restrict out, size_t n)
{ for (size_t i = 0; i < n; i++) out[i] = x[i] > 1 ? a[i] * x[i] : b[i] / x[i]; }
void sine(const double *restrict a, const double *restrict x, const double *restrict y,
          const double *restrict unused, double *restrict out, size_t n)
{ for (size_t i = 0; i < n; i++) out[i] = a[i] * x[i] + sin(y[i]) * y[i] - x[i] / 3.5; }
"""

Run = Callable[..., object]


class Task(NamedTuple):
    """A formula, how NumPy and numexpr write it, and a function of Python's for Numba."""

    name: str
    formula: str
    numpy: Run
    numexpr: str
    python: Run


def numpy_arithmetic(out: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    np.multiply(a, b, out)
    np.add(out, c, out)
    np.subtract(out, 2.5, out)
    np.multiply(out, d, out)


def numpy_choice(out: Any, a: Any, b: Any, x: Any) -> None:
    out[:] = np.where(x > 1, a * x, b / x)


def numpy_sine(out: Any, a: Any, x: Any, y: Any) -> None:
    out[:] = a * x + np.sin(y) * y - x / 3.5


def loop_arithmetic(out: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    for i in range(len(out)):
        out[i] = (a[i] * b[i] + c[i] - 2.5) * d[i]


def loop_choice(out: Any, a: Any, b: Any, x: Any) -> None:
    for i in range(len(out)):
        out[i] = a[i] * x[i] if x[i] > 1 else b[i] / x[i]


def loop_sine(out: Any, a: Any, x: Any, y: Any) -> None:
    for i in range(len(out)):
        out[i] = a[i] * x[i] + np.sin(y[i]) * y[i] - x[i] / 3.5


TASKS: Final = (
    Task("arithmetic", "(a*b+c-2.5)*d", numpy_arithmetic, "(a*b+c-2.5)*d", loop_arithmetic),
    Task("choice", "x > 1 ? a*x : b/x", numpy_choice, "where(x > 1, a*x, b/x)", loop_choice),
    Task("sine", "a*x + sin(y)*y - x/3.5", numpy_sine, "a*x + sin(y)*y - x/3.5", loop_sine),
)


def with_gcc(*more: str) -> ctypes.CDLL | None:
    """The loops in C, with some more flags."""
    if shutil.which("gcc") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "rows.c"), Path(folder, "rows.so")
        source.write_text(LIBRARY)
        flags = ["-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC", *more]
        subprocess.run(["gcc", *flags, str(source), "-o", str(library), "-lm"], check=True)
        return ctypes.CDLL(str(library))


def peers(task: Task, columns: dict[str, Any], out: Any, libraries: dict[str, ctypes.CDLL]) -> dict[str, Run]:
    """What computes the task, by name; `libraries` have it in C."""
    names = dora.check(task.formula).names
    formula, values = dora.expr(task.formula), [columns[name] for name in names]
    ordered = [columns[name] for name in sorted(names)]
    found: dict[str, Run] = {
        "dora": lambda: formula.map(values, out=out),
        "dora, 2 threads": lambda: formula.map(values, out=out, threads=2),
        "numpy": lambda: task.numpy(out, *ordered),
    }
    if find_spec("numexpr"):
        numexpr = import_module("numexpr")
        numexpr.set_num_threads(1)
        found["numexpr"] = lambda: numexpr.evaluate(task.numexpr, columns, out=out)
    if find_spec("numba"):
        compiled = import_module("numba").njit(task.python)
        found["numba"] = lambda: compiled(out, *ordered)
    if task.name == "sine":
        fast = dora.expr(task.formula, math="fast")
        found["dora, fast"] = lambda: fast.map(values, out=out)
    padded = [*ordered, *ordered][:4]
    addresses = [ctypes.c_void_p(array.ctypes.data) for array in (*padded, out)]
    for name, library in libraries.items():
        found[name] = partial(getattr(library, task.name), *addresses, ctypes.c_size_t(len(out)))
    return found


def best(runs: dict[str, Run], rounds: int) -> dict[str, float]:
    """Seconds of the fastest run of each."""
    least = dict.fromkeys(runs, float("inf"))
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            least[name] = min(least[name], time.perf_counter() - begin)
    return least


def table(quick: bool) -> None:
    """Print all rows."""
    choose = np.random.default_rng(1)
    built = {"gcc -O3": with_gcc(), "gcc -ffast-math": with_gcc("-ffast-math")}
    libraries = {name: library for name, library in built.items() if library is not None}
    for size in SIZES[:1] if quick else SIZES:
        columns = {name: choose.random(size) + 0.5 for name in "abcdxy"}
        out = np.empty(size)
        for task in TASKS:
            least = best(peers(task, columns, out, libraries), 5 if size > 1_000_000 else 25)
            for name, seconds in least.items():
                print(
                    f"{task.formula}, {size:,} elements, {name:20} {seconds / size * 1e9:8.2f} ns an element"
                )
    few_elements(quick)


def few_elements(quick: bool) -> None:
    formula = dora.expr(TASKS[0].formula)
    values, out = [np.ones(FEW) for _ in range(4)], np.empty(FEW)
    count = 500 if quick else 5000

    def often(run: Run) -> Run:
        return lambda: [run() for _ in range(count)]

    runs = {
        "dora": often(lambda: formula(*values)),
        "dora, out=": often(lambda: formula.map(values, out=out)),
        "its ufunc, out": often(lambda: formula.ufunc(*values, out)),
        "numpy, out": often(lambda: numpy_arithmetic(out, *values)),
    }
    for name, seconds in best(runs, 5).items():
        print(f"{TASKS[0].formula}, {FEW} elements, {name:20} {seconds / count * 1e9:8.0f} ns a call")

    def first() -> None:
        dora.expr(TASKS[0].formula).map(values, out=out)

    seconds = best({"first": first}, 20)["first"]
    print(f"{TASKS[0].formula}, compiled and called with arrays {seconds * 1e3:14.3f} ms")
