"""Tables of other libraries, as far as they are installed: formulas, functions and slices with the real ones."""

from __future__ import annotations

import sys
from importlib import import_module
from shutil import which
from typing import Any

import pytest

import doralang as dora
from doralang.optional import is_installed

numpy = pytest.importorskip("numpy")


def needs(*libraries: str) -> pytest.MarkDecorator:
    """Leave a test out, before anything is made for it, if one of these is not installed."""
    missing = [library for library in libraries if not is_installed(library)]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


RULE = dora.expr("a * 2 + b")
SOURCE = """
fun rule(a: double, b: double) -> double { return a * 2.0 + b; }
fun total(xs: Slice<double>) -> double { var sum = 0.0; for x in xs { sum += x; } return sum; }
fun count(xs: Slice<long>) -> long { var sum = 0L; for x in xs { sum += x; } return sum; }
fun fill(xs: MutSlice<double>) { xs.fill(1.0); }
"""
A, B = numpy.arange(4.0), numpy.ones(4)
EXPECTED = [1.0, 3.0, 5.0, 7.0]


@pytest.fixture(name="m", scope="module")
def module() -> dora.Module:
    return dora.compile(SOURCE)


@pytest.fixture(name="either", params=["formula", "function"])
def formula_or_function(m: dora.Module, request: pytest.FixtureRequest) -> Any:
    return RULE if request.param == "formula" else m.rule


@needs("pandas")
def test_pandas(m: dora.Module, either: Any) -> None:
    pandas = import_module("pandas")
    frame = pandas.DataFrame({"a": A, "b": B, "c": "other"}, index=[3, 1, 4, 0])
    for result in (either.over(frame), either.map((frame.a, frame.b)), either.ufunc(frame.a, frame.b)):
        assert isinstance(result, pandas.Series)
        assert result.index.equals(frame.index) and result.tolist() == EXPECTED
    assert either.ufunc(frame[["a"]], 1.0)["a"].tolist() == EXPECTED
    with pytest.raises(ValueError, match="indexes"):
        either.map((frame.a, frame.b.reset_index(drop=True)))
    assert m.total(frame.a) == 6.0 and m.total(frame.a[::-2]) == 4.0


@needs("polars")
def test_polars(m: dora.Module, either: Any) -> None:
    polars = import_module("polars")
    frame = polars.DataFrame({"a": A, "b": B})
    for result in (either.over(frame), either.map((frame["a"], frame["b"])), either.ufunc(frame["a"], 1.0)):
        assert isinstance(result, polars.Series) and result.to_list() == EXPECTED
    rows = polars.struct("a", "b").map_batches(
        lambda one: either.over(one.struct.unnest()), return_dtype=polars.Float64
    )
    for engine in ("in-memory", "streaming"):
        found = frame.lazy().select(rows.alias("r")).collect(engine=engine)
        assert found["r"].to_list() == EXPECTED
    assert m.total(frame["a"]) == 6.0
    with pytest.raises(TypeError, match="missing elements"):
        m.total(polars.Series([1.0, None]))
    with pytest.raises(TypeError, match="cannot be written"):
        m.fill(frame["a"])


@needs("pyarrow")
def test_pyarrow(m: dora.Module, either: Any) -> None:
    arrow = import_module("pyarrow")
    parts = arrow.chunked_array([A[:1], A[1:]])
    for table in (
        arrow.table({"a": A, "b": B}),
        arrow.record_batch({"a": A, "b": B}),
        {"a": parts, "b": 1.0},
    ):
        result = either.over(table)
        assert isinstance(result, arrow.Array) and result.to_pylist() == EXPECTED
    column = arrow.array(A)
    assert m.total(column) == m.total(parts) == 6.0 and m.total(column[1:3]) == 3.0
    assert m.total(memoryview(column.buffers()[1]).cast("d")) == 6.0
    assert m.count(arrow.array([1, 2])) == 3
    with pytest.raises(TypeError, match="missing elements"):
        m.total(arrow.array([1.0, None]))
    with pytest.raises(TypeError, match="not int32"):
        m.count(arrow.array([1], arrow.int32()))
    with pytest.raises(TypeError, match="cannot be written"):
        m.fill(column)


@needs("duckdb", "pyarrow")
def test_duckdb(m: dora.Module) -> None:
    duckdb = import_module("duckdb")
    doubles = ["DOUBLE", "DOUBLE"]
    with duckdb.connect() as database:
        database.create_function("formula", RULE.arrow, doubles, "DOUBLE", type="arrow")
        database.create_function("native", m.rule, doubles, "DOUBLE")
        database.create_function("mapped", lambda a, b: m.rule.map((a, b)), doubles, "DOUBLE", type="arrow")
        for name in ("formula", "native", "mapped"):
            assert database.execute(f"select sum({name}(range, 1)) from range(5000)").fetchall() == [(25e6,)]
            assert database.execute(f"select {name}(2.0::double, 1.0::double)").fetchall() == [(5.0,)]
            assert database.execute(f"select {name}(null, 1.0::double)").fetchall() == [(None,)]
        filled = dora.expr("coalesce(a, 7)", {"a": float}, missing="propagate")
        database.create_function(
            "filled", filled.arrow, doubles[:1], "DOUBLE", type="arrow", null_handling="special"
        )
        rows = database.execute("select filled(x) from (values (1.0::double), (null)) as t(x)").fetchall()
        assert rows == [(1.0,), (7.0,)]
        assert m.total(database.execute("select range::double as r from range(10)").fetchnumpy()["r"]) == 45.0


@needs("xarray")
def test_xarray(m: dora.Module, either: Any) -> None:
    xarray = import_module("xarray")
    a = xarray.DataArray(A, dims="x", coords={"x": list("abcd")})
    for result in (either.map((a, 1.0)), xarray.apply_ufunc(either.ufunc, a, 1.0)):
        assert isinstance(result, xarray.DataArray)
        assert result.values.tolist() == EXPECTED and result.x.values.tolist() == list("abcd")
    assert either.over(xarray.Dataset({"a": a, "b": ("x", B)})).values.tolist() == EXPECTED
    assert m.total(a.values) == 6.0


@needs("joblib")
def test_joblib(either: Any) -> None:
    joblib = import_module("joblib")
    calls = (joblib.delayed(either)(float(a), 1.0) for a in A)
    assert joblib.Parallel(n_jobs=2, backend="threading")(calls) == EXPECTED
    calls = (joblib.delayed(either)(float(a), 1.0) for a in A)
    assert joblib.Parallel(n_jobs=2)(calls) == EXPECTED
    assert joblib.hash(either) == joblib.hash(either), "so results can be cached"


@needs("sklearn")
def test_scikit_learn(either: Any) -> None:
    preprocessing = import_module("sklearn.preprocessing")
    step = preprocessing.FunctionTransformer(either.ufunc, kw_args={}, check_inverse=False)
    step.func = lambda table: either.map((table[:, 0], table[:, 1]))
    assert step.fit_transform(numpy.stack([A, B], axis=1)).tolist() == EXPECTED


# Clusters: several processes here, as there would be on several machines.


def compiled_so_far() -> tuple[int, int]:
    """How many formulas and modules this process has made of pickles, from the first call of this on."""
    formulas: Any = import_module("doralang.embed.formulas")
    modules: Any = import_module("doralang.embed.modules")
    if not hasattr(formulas, "made"):
        formulas.made, modules.made = 0, 0
        make_formula, make_module = formulas.expr, modules.compile

        def counted_formula(*args: Any, **kwargs: Any) -> Any:
            formulas.made += 1
            return make_formula(*args, **kwargs)

        def counted_module(*args: Any, **kwargs: Any) -> Any:
            modules.made += 1
            return make_module(*args, **kwargs)

        formulas.expr, modules.compile = counted_formula, counted_module
    return formulas.made, modules.made


@needs("dask", "distributed", "pandas")
def test_dask(m: dora.Module) -> None:
    arrays, frames = import_module("dask.array"), import_module("dask.dataframe")
    distributed, tokens = import_module("distributed"), import_module("dask.tokenize")
    for one in (RULE, RULE.ufunc, m.rule, m.rule.ufunc, m):
        assert tokens.tokenize(one) == tokens.tokenize(one), "so what was computed is found again"
    assert tokens.tokenize(RULE) == tokens.tokenize(dora.expr("a * 2 + b"))
    assert tokens.tokenize(RULE) != tokens.tokenize(dora.expr("a * 3 + b"))
    column = arrays.arange(1000.0, chunks=25)
    table = frames.from_pandas(import_module("pandas").DataFrame({"a": A, "b": B}), npartitions=2)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        # By value: workers do not have this file.
        count = import_module("cloudpickle").loads(import_module("cloudpickle").dumps(compiled_so_far))
        count.__module__ = "__main__"
        client.run(count)
        for either in (RULE, m.rule):
            assert either.ufunc(column, 1.0).sum().compute() == 1e6
            blocks = arrays.map_blocks(lambda a, f=either: f.map((a, 1.0)), column, dtype=float)
            assert blocks.sum().compute() == 1e6
            assert table.map_partitions(either.over, meta=(None, float)).compute().tolist() == EXPECTED
            assert client.gather(client.map(either, list(A), list(B))) == EXPECTED
        for formulas, modules in client.run(count).values():
            assert formulas <= 1 and modules <= 1


@needs("ray", "pandas")
def test_ray(either: Any) -> None:
    ray = import_module("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        task = ray.remote(lambda a, f=either: f.map((a, 1.0)).tolist())
        assert ray.get([task.remote(A), task.remote(A)]) == [EXPECTED, EXPECTED]
        table = import_module("ray.data").from_pandas(import_module("pandas").DataFrame({"a": A, "b": B}))
        rows = table.map_batches(lambda batch, f=either: {"r": f.over(batch)}, batch_format="numpy")
        assert [row["r"] for row in rows.take_all()] == EXPECTED
    finally:
        ray.shutdown()


@needs("pyspark", "pandas", "pyarrow")
@pytest.mark.skipif(which("java") is None, reason="needs Java")
def test_spark(m: dora.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    pandas, functions = import_module("pandas"), import_module("pyspark.sql.functions")
    builder = import_module("pyspark.sql").SparkSession.builder
    session = builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        frame = session.createDataFrame(pandas.DataFrame({"a": A, "b": B}))
        for either in (RULE, m.rule):
            kind = functions.PandasUDFType.SCALAR
            rule = functions.pandas_udf(lambda a, b, f=either: f.map((a, b)), "double", kind)
            assert [row[0] for row in frame.select(rule("a", "b")).collect()] == EXPECTED
            parts = frame.mapInPandas(
                lambda tables, f=either: (pandas.DataFrame({"r": f.over(table)}) for table in tables),
                "r double",
            )
            assert [row.r for row in parts.collect()] == EXPECTED
    finally:
        session.stop()


@pytest.mark.parametrize("name", ["ThreadPoolExecutor", "ProcessPoolExecutor"])
def test_concurrent_futures(name: str, either: Any) -> None:
    with getattr(import_module("concurrent.futures"), name)(2) as executor:
        assert list(executor.map(either, A.tolist(), B.tolist())) == EXPECTED
        assert executor.submit(either.ufunc, A, 1.0).result().tolist() == EXPECTED


def schemas() -> list[Any]:
    """The same columns of several libraries, as far as they are there."""
    columns = {"n": [1, 2], "x": [0.5, 1.5], "b": [True, False], "s": ["u", "v"]}
    found: list[Any] = []
    if is_installed("pandas"):
        found.append(import_module("pandas").DataFrame(columns))
    if is_installed("polars"):
        frame = import_module("polars").DataFrame(columns)
        found += [frame, frame.schema]
    if is_installed("pyarrow"):
        table = import_module("pyarrow").table(columns)
        found += [table, table.schema]
    return found


@needs("pandas")
def test_kinds_of_columns() -> None:
    for given in schemas():
        formula = dora.expr("b ? s + text(n / 2L) : text(x)", given)
        assert formula.names == ("n", "x", "b", "s") and formula.type == "Str"
        assert formula(7, 0.5, True, "q") == "q3"
        assert str(formula.__signature__) == "(n: int, x: float, b: bool, s: str) -> str"
        assert dora.check("n * missing", given).diagnostics[0].message == "unknown name `missing`"
