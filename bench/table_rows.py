"""Formulas as functions of DuckDB and Polars over millions of rows, beside the same in NumPy: ns a row.

Whole queries: the formula over all rows, and the sum of what it gives.  Least of some rounds, which go
through all in turn.  Libraries that are not installed are left out; NumPy must be there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

import numpy as np

import doralang as dora

ROWS: Final = 5_000_000
NAMES: Final = ("a", "b", "c")
Query = Callable[[], float]


class Task(NamedTuple):
    """A formula of `a`, `b` and `c`, which come in this order, and the same for NumPy."""

    name: str
    formula: str
    numpy: Callable[..., Any]


def numpy_price(a: Any, b: Any, c: Any) -> Any:
    return a * np.exp(-b * c) * (0.5 + 0.5 * np.tanh(0.8 * (np.log(a / b) + c * c / 2) / (c * np.sqrt(b))))


TASKS: Final = (
    Task("arithmetic", "(a*b + c - 2.5) * b", lambda a, b, c: (a * b + c - 2.5) * b),
    Task("choice", "a > 1 ? a*b : c/a", lambda a, b, c: np.where(a > 1, a * b, c / a)),
    Task("sine", "a*b + sin(c)*c - b/3.5", lambda a, b, c: a * b + np.sin(c) * c - b / 3.5),
    Task("price", "a*exp(-b*c)*(0.5 + 0.5*tanh(0.8*(log(a/b) + c*c/2) / (c*sqrt(b))))", numpy_price),
)


class Comparison(NamedTuple):
    """A query with a function of NumPy's, and the same with a formula."""

    name: str
    numpy: Query
    dora: Query


def of_arrow(function: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's function for columns of Arrow."""
    pyarrow = import_module("pyarrow")

    def call(a: Any, b: Any, c: Any) -> Any:
        return pyarrow.array(function(*[column.to_numpy(zero_copy_only=False) for column in (a, b, c)]))

    return call


def with_duckdb(columns: dict[str, Any]) -> Iterator[Comparison]:
    database = import_module("duckdb").connect()
    database.execute("set threads = 1")
    database.register("given", import_module("pyarrow").table(columns))
    database.execute("create table t as select * from given")

    def query(name: str) -> float:
        return float(database.execute(f"select sum({name}(a, b, c)) from t").fetchall()[0][0])

    for task in TASKS:
        functions = {
            f"{task.name}_numpy": of_arrow(task.numpy),
            f"{task.name}_dora": dora.expr(task.formula, math="fast").arrow,
        }
        for name, function in functions.items():
            database.create_function(name, function, ["DOUBLE"] * len(NAMES), "DOUBLE", type="arrow")
        yield Comparison(f"DuckDB {task.name}", *[partial(query, name) for name in functions])


def with_polars(columns: dict[str, Any]) -> Iterator[Comparison]:
    polars = import_module("polars")
    frame = polars.DataFrame(columns)

    def query(function: Callable[[list[Any]], Any]) -> float:
        found = polars.map_batches(list(NAMES), function, return_dtype=polars.Float64)
        return float(frame.select(found.sum()).item())

    def of_series(function: Callable[..., Any], parts: list[Any]) -> Any:
        return polars.Series(function(*[part.to_numpy() for part in parts]))

    def of_formula(formula: dora.Expr, parts: list[Any]) -> Any:
        return formula(*parts)

    for task in TASKS:
        mine = partial(of_formula, dora.expr(task.formula, math="fast"))
        yield Comparison(
            f"Polars {task.name}", partial(query, partial(of_series, task.numpy)), partial(query, mine)
        )


LIBRARIES: Final = {"duckdb": with_duckdb, "polars": with_polars}


def seconds(query: Query) -> float:
    start = time.perf_counter()
    query()
    return time.perf_counter() - start


def table(quick: bool) -> None:
    rows = ROWS // 50 if quick else ROWS
    chosen = np.random.default_rng(1)
    columns = {name: chosen.uniform(0.1, 3.0, rows) for name in NAMES}
    for library, comparisons in LIBRARIES.items():
        if find_spec(library) is None:
            print(f"{library} is not installed")
            continue
        for name, theirs, mine in comparisons(columns):
            assert abs(theirs() / mine() - 1) < 1e-12, f"{name}: both give the same"
            taken = [(seconds(theirs), seconds(mine)) for _ in range(3 if quick else 7)]
            numpy, own = (min(column) / rows * 1e9 for column in zip(*taken, strict=True))
            print(
                f"{name:18} NumPy {numpy:7.2f} ns a row   Dora {own:7.2f}   {numpy / own:4.1f} times as fast"
            )
