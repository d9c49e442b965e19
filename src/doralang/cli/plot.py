"""The plot of `dora compare`: time against the number of evaluations, a line for each engine.

Both axes are logarithmic.  Matplotlib draws; it is an optional part and is asked for only here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from doralang.cli.invocation import UsageError
from doralang.optional import load
from doralang.session.comparing import Measured

MISSING: Final = "--plot needs the package matplotlib: pip install 'dora-lang[plot]'"
MOST_EVALUATIONS: Final = 10_000_000
POINTS_A_DECADE: Final = 8
SIZE: Final = (8.0, 5.0)
"""in inches"""


def figures() -> Any:
    """The part of Matplotlib that draws.  Raises UsageError if it is not installed."""
    try:
        return load("matplotlib.figure")
    except ImportError:
        raise UsageError(MISSING) from None


def draw(results: Sequence[Measured], title: str, path: str) -> None:
    """Write the plot; the suffix of the path says in which format.  Raises UsageError."""
    figure = figures().Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    counts = evaluation_counts()
    for each in results:
        seconds = [each.first + (count - 1) * each.each for count in counts]
        axes.loglog(counts, seconds, label=each.engine)
    axes.set_xlabel("evaluations")
    axes.set_ylabel("seconds, start included")
    axes.set_title(title)
    axes.grid(True, which="major", alpha=0.3)
    axes.legend()
    try:
        figure.savefig(path)
    except ValueError as error:
        raise UsageError(f"--plot: {error}") from None


def evaluation_counts() -> list[int]:
    """From one to the most, evenly on a logarithmic axis."""
    steps = range(POINTS_A_DECADE * (len(str(MOST_EVALUATIONS)) - 1) + 1)
    return sorted({round(10 ** (step / POINTS_A_DECADE)) for step in steps})
