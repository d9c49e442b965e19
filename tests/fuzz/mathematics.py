"""How far fast mathematics is from the exact values: the worst of many points, region by region.

    python tests/fuzz/mathematics.py --points 1000000 --seed 1

The reference is NumPy's `longdouble`, the extended precision of x86-64 with 64 bits: 11 more than a double, so
its own error is some thousandth of an ulp.  `reference_error` compares it with decimal arithmetic of 50 digits.
An ulp is the distance of the doubles around the exact value.  Where that is no normal number, infinite or NaN,
the result must be that of the scalar code or a neighbour of it.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any, Final, NamedTuple

import numpy as np

import doralang as dora

Points = Callable[[Any, int], Any]
LEAST_NORMAL: Final = 2.0**-1022
DIGITS: Final = 50


def between(low: float, high: float) -> Points:
    return lambda choose, count: choose.uniform(low, high, count)


def powers(low: float, high: float, sign: float = 1.0) -> Points:
    """Numbers of all sizes between two powers of 2."""
    return lambda choose, count: sign * 2.0 ** choose.uniform(low, high, count)


def around(center: float, low: float, high: float) -> Points:
    """Numbers at all distances from one, on both sides."""
    return lambda choose, count: (
        center + choose.choice([-1.0, 1.0], count) * 2.0 ** choose.uniform(low, high, count)
    )


def near_multiples(largest: float) -> Points:
    """The doubles next to multiples of pi / 2, and some around them."""

    def points(choose: Any, count: int) -> Any:
        multiples = np.round(choose.uniform(-1, 1, count) * largest ** choose.uniform(0, 1, count))
        return multiples * (np.pi / 2) * (1 + choose.integers(-2, 3, count) * 2.0**-52)

    return points


def any_bits(choose: Any, count: int) -> Any:
    return choose.integers(0, 2**64, count, "u8").view("f8")


def steps(choose: Any, count: int) -> Any:
    return np.round(choose.uniform(-30, 30, count))


ANGLES: Final = {
    "-4 to 4": between(-4, 4),
    "to 1e5": between(-1e5, 1e5),
    "to 2^27": between(-(2.0**27), 2.0**27),
    "next to n pi/2": near_multiples(8e7),
    "small": powers(-60, 0),
    "beyond 2^27": powers(27, 1023),
}
LOGARITHMS: Final = {
    "1/2 to 2": between(0.5, 2),
    "any size": powers(-1074, 1023),
    "near 1": around(1.0, -52, -3),
}
ARCS: Final = {
    "-1 to 1": between(-1, 1),
    "near 1": around(1.0, -53, -2),
    "near -1": around(-1.0, -53, -2),
    "small": powers(-60, 0),
}
HYPERBOLIC: Final = {"-1 to 1": between(-1, 1), "-700 to 700": between(-700, 700), "small": powers(-60, 0)}

REGIONS: Final[dict[str, dict[str, Points]]] = {
    "exp": {"-1 to 1": between(-1, 1), "-708 to 709": between(-708, 709), "small": powers(-60, 0)},
    "expm1": {"-1 to 1": between(-1, 1), "-40 to 709": between(-40, 709), "small": powers(-60, 0, -1.0)},
    "log": LOGARITHMS,
    "log2": LOGARITHMS,
    "log10": LOGARITHMS,
    "log1p": {"-0.9 to 2": between(-0.9, 2), "large": powers(0, 1000), "small": around(0.0, -60, -2)},
    "sin": ANGLES,
    "cos": ANGLES,
    "tan": ANGLES,
    "sinh": HYPERBOLIC,
    "cosh": HYPERBOLIC,
    "tanh": HYPERBOLIC | {"-20 to 20": between(-20, 20)},
    "asin": ARCS,
    "acos": ARCS,
    "atan": {"-3 to 3": between(-3, 3), "any size": powers(-300, 300)},
    "cbrt": {"-8 to 8": between(-8, 8), "any size": powers(-1074, 1023)},
}
PAIRS: Final[dict[str, dict[str, tuple[Points, Points]]]] = {
    "pow": {
        "any": (powers(-20, 20), between(-30, 30)),
        "near 1/2 to 2": (between(0.5, 2), between(-900, 900)),
        "near 1": (around(1.0, -40, -10), powers(0, 30)),
        "whole exponents": (between(-10, 10), steps),
    },
    "hypot": {
        "-5 to 5": (between(-5, 5), between(-5, 5)),
        "any size": (powers(-500, 500), powers(-500, 500)),
    },
    "atan2": {
        "-5 to 5": (between(-5, 5), between(-5, 5)),
        "any size": (powers(-400, 400), powers(-400, 400, -1.0)),
    },
}
REFERENCES: Final[dict[str, Callable[..., Any]]] = {
    **{
        name: getattr(np, name)
        for name in ("exp", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan")
    },
    **{name: getattr(np, name) for name in ("sinh", "cosh", "tanh", "cbrt", "hypot")},
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "pow": np.power,
}
SPECIAL: Final = np.array(
    [0.0, 1.0, 0.5, 2.0, 3.0, np.inf, np.nan, 5e-324, 2.2e-308, LEAST_NORMAL, 1e-300, 1e300]
    + [1.7976931348623157e308, 709.7, 709.8, 710.0, 745.1, 746.0, 1e5, 3e8, 1e22, 2.0**53, 2.0**70, 0.75]
)
"""and their negatives"""


class Worst(NamedTuple):
    """The greatest distance from the exact value in a region, in ulp, and the arguments; what is wrong otherwise."""

    ulps: float
    place: tuple[float, ...]
    wrong: list[tuple[float, ...]]


def has_reference() -> bool:
    return np.finfo(np.longdouble).nmant >= 63


def formulas(name: str) -> tuple[dora.Expr, dora.Expr]:
    """The fast and the exact one."""
    text = f"{name}(x, y)" if name in PAIRS else f"{name}(x)"
    return dora.expr(text, math="fast"), dora.expr(text)


def measured(name: str, columns: list[Any]) -> Worst:
    fast, exact = formulas(name)
    found, scalar = fast(*columns), exact(*columns)
    with np.errstate(all="ignore"):
        reference = REFERENCES[name](*[column.astype(np.longdouble) for column in columns])
        rounded = reference.astype("f8")
        is_usual = np.isfinite(rounded) & (np.abs(rounded) >= LEAST_NORMAL) & np.isfinite(found)
        ulps = np.where(
            is_usual, np.abs((found.astype(np.longdouble) - reference) / np.spacing(np.abs(rounded))), 0
        )
        has_sign = np.signbit(found) == np.signbit(scalar)
        near = (np.abs(found - scalar) <= 2 * np.spacing(np.abs(scalar))) & np.isfinite(scalar)
    is_good = is_usual | (has_sign & (near | (found == scalar))) | (np.isnan(found) & np.isnan(scalar))
    at = int(ulps.argmax())
    wrong = [tuple(float(column[index]) for column in columns) for index in np.flatnonzero(~is_good)[:5]]
    return Worst(float(ulps[at]), tuple(float(column[at]) for column in columns), wrong)


def worst_of(name: str, region: str, count: int, seed: int) -> Worst:
    choose = np.random.default_rng([seed, *f"{name} {region}".encode()])
    points = PAIRS[name][region] if name in PAIRS else (REGIONS[name][region],)
    return measured(name, [make(choose, count) for make in points])


def special_values(name: str) -> Worst:
    """All special values, and all pairs of them."""
    values = np.concatenate([SPECIAL, -SPECIAL])
    if name not in PAIRS:
        return measured(name, [values])
    return measured(name, [grid.ravel() for grid in np.meshgrid(values, values)])


def random_bits(name: str, count: int, seed: int) -> Worst:
    choose = np.random.default_rng([seed, *name.encode()])
    return measured(name, [any_bits(choose, count) for _ in range(2 if name in PAIRS else 1)])


def reference_error(name: str, count: int, seed: int) -> float:
    """Of the reference for `exp`, `log` or `log10`, in ulp of doubles."""
    choose = random.Random(seed)
    decimals = {"exp": Decimal.exp, "log": Decimal.ln, "log10": Decimal.log10}
    worst = 0.0
    with localcontext() as context:
        context.prec = DIGITS
        for _ in range(count):
            x = choose.uniform(0.1, 30.0)
            found = REFERENCES[name](np.longdouble(x))
            high = float(found)
            low = float(found - np.longdouble(high))
            exact = decimals[name](Decimal(x))
            error = abs(Decimal(high) + Decimal(low) - exact) / Decimal(float(np.spacing(abs(high))))
            worst = max(worst, float(error))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, default=100_000, help="in each region")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not has_reference():
        raise SystemExit("longdouble has no more digits than double here")
    total = 0
    for name in [*REGIONS, *PAIRS]:
        parts = {
            region: worst_of(name, region, given.points, given.seed) for region in {**REGIONS, **PAIRS}[name]
        }
        parts["special"] = special_values(name)
        parts["any bits"] = random_bits(name, given.points, given.seed)
        total += given.points * (len(parts) - 1)
        for region, worst in parts.items():
            print(f"{name:6} {region:16} {worst.ulps:6.3f}  at {worst.place}", *worst.wrong)
        print(f"{name:6} {'worst':16} {max(worst.ulps for worst in parts.values()):6.3f}", flush=True)
    print(f"{total:,} points")


if __name__ == "__main__":
    main()
