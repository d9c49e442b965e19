"""The sessions in Python of README and docs show what comes out, and the examples run."""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from doralang.optional import is_installed

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "python"
SESSION = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)

EXPECTED = {
    "cluster_dask": """\
interest: 403,998,000
years, longest: 200
years: [200, 36, 4]
""",
    "cluster_ray": """\
net: [10.0, 18.0, 24.0, 28.0, 30.0]
pi is about 3.14
""",
    "cluster_spark": """\
79927398713 valid 2.0
79927398710 wrong 9.0
""",
    "columns": """\
1,000,000 orders, the first 477.50, the dearest 908.60
the same as for numbers: True
without a weight: [477.5, 470.3, 689.0, 859.5]
order 1: no boxes
""",
    "labelled": """\
Mon {'A': -22.1, 'B': -2.6}
Tue {'A': -20.0, 'B': 11.0}
coldest: [-22.1, -2.6]
""",
    "pipeline": """\
explained: ['1.0000', '1.0000', '1.0000', '1.0000']
{'volume': '0.70', 'slope': '3.00'}
""",
    "pricing": """\
mistaken, column 1: unknown name `amout` (did you mean `amount`?)
curious, column 1: `loadFunction` is not granted (formulas compute: nothing in them reaches the process or native code)
100.00 - 10.00 + 4.90 = 94.90
40.00 - 0.00 + 9.70 = 49.70
""",
    "sandbox": """\
intruder: refused, `call0` is not granted
walker: 1
looker: 0
sleeper: used too much
hoarder: used too much
breaker: -50
walker: 2
looker: 0
sleeper: used too much
hoarder: used too much
breaker: out, DivisionByZero
""",
    "simulation": "113.8410\n113.8410\n",
    "spreadsheet": """\
inputs: count price taxRate
subtotal 37.50, tax 7.50, shipping 4.50, total 49.50
a new tax rate affects: tax total
subtotal 37.50, tax 3.75, shipping 4.50, total 45.75
`a` depends on itself: a -> b -> a
""",
    "tables": """\
pandas: {'a': 100.0, 'b': 100.0, 'c': 90.0, 'd': 112.5} [3, 0, 1, 3]
Polars: [100.0, 100.0, 90.0, 112.5]
Arrow: [100.0, 100.0, 90.0, 112.5] 0.40
DuckDB: [(100.0, 3), (100.0, 0), (90.0, 1), (112.5, 3)]
""",
}
LIBRARIES = {
    "cluster_dask": ("dask", "distributed", "pandas"),
    "cluster_ray": ("ray", "pandas", "pyarrow"),
    "cluster_spark": ("pyspark", "pandas", "pyarrow"),
    "labelled": ("xarray",),
    "pipeline": ("sklearn", "joblib"),
    "tables": ("duckdb", "pandas", "polars", "pyarrow"),
}
"""what examples need that may not be installed"""


@pytest.mark.parametrize("page", ["README.md", "docs/embedding.md", "docs/formulas.md", "docs/arrays.md"])
def test_sessions(page: str) -> None:
    text = "\n".join(SESSION.findall((ROOT / page).read_text(encoding="utf-8")))
    assert text
    test = doctest.DocTestParser().get_doctest(text, {"__name__": "session"}, page, page, 0)
    told: list[str] = []
    doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(test, out=told.append)
    assert told == []


def test_every_example_is_expected() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_examples(name: str) -> None:
    missing = [library for library in LIBRARIES.get(name, ()) if not is_installed(library)]
    if name == "cluster_spark" and which("java") is None:
        missing.append("Java")
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.stderr == "" or name.startswith("cluster"), "clusters tell what they do"
    shown = done.stdout
    if name == "simulation":
        shown, _, times = shown.removesuffix(" times as fast\n").rpartition("\n")
        assert int(times) > 1
        shown += "\n"
    assert shown == EXPECTED[name]


def test_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pytest.importorskip("numpy")
    drawn: list[object] = []
    monkeypatch.setattr(pyplot, "show", lambda: drawn.append(pyplot.gcf()))
    cells = json.loads((ROOT / "examples" / "notebooks" / "arrays.ipynb").read_text(encoding="utf-8"))[
        "cells"
    ]
    names: dict[str, Any] = {"__name__": "notebook"}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
            names["SECONDS"] = 0.002
    assert len(drawn) == 3 and {*names["results"]} == {*names["FORMULAS"]}
    pyplot.close("all")
