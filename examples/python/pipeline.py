"""Features that somebody has typed, as a step of scikit-learn's, fitted in two processes by joblib.

python examples/python/pipeline.py
"""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import doralang as dora

FEATURES = {"volume": "width * width * length", "slope": "if(length > 5, length - 5, 0)"}


def features(formulas: dict[str, dora.Expr], table: np.ndarray) -> np.ndarray:
    """A column for each formula, of columns for width and length."""
    columns = {"width": table[:, 0], "length": table[:, 1]}
    return np.stack([formula.over(columns) for formula in formulas.values()], axis=1)


def main() -> None:
    formulas = {name: dora.expr(text, {"width": float, "length": float}) for name, text in FEATURES.items()}
    choose = np.random.default_rng(7)
    table = choose.random((2000, 2)) * 10
    width, length = table.T
    weight = 0.7 * width**2 * length + 3 * np.maximum(length - 5, 0) + choose.normal(0, 0.1, len(table))

    # Steps are pickled with the formulas in them; each process compiles those once.
    step = FunctionTransformer(partial(features, formulas))
    model = make_pipeline(step, LinearRegression())
    scores = cross_val_score(model, table, weight, cv=4, n_jobs=2)
    print("explained:", [f"{score:.4f}" for score in scores])
    coefficients = model.fit(table, weight)[-1].coef_
    print({name: f"{value:.2f}" for name, value in zip(FEATURES, coefficients, strict=True)})


if __name__ == "__main__":
    main()
