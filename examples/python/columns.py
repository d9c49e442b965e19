"""A rule that somebody has typed, over a million orders: columns in, a column out, errors with their element.

python examples/python/columns.py
"""

from __future__ import annotations

import numpy as np

import doralang as dora

RULE = "amount * (1 - if(amount >= 500, 0.1, 0)) + if(weight > 20, 9.5, 4.5)"


def main() -> None:
    rule = dora.expr(RULE)
    choose = np.random.default_rng(1)
    orders = {
        "amount": choose.integers(1, 1000, 1_000_000),
        "weight": choose.random(1_000_000) * 30,
        "region": choose.integers(1, 5, 1_000_000),
    }
    totals = rule.over(orders, threads=2)
    print(f"{len(totals):,} orders, the first {totals[0]:.2f}, the dearest {totals.max():.2f}")

    known = [rule(float(orders["amount"][at]), float(orders["weight"][at])) for at in range(1000)]
    print("the same as for numbers:", totals[:1000].tolist() == known)

    weights = np.ma.array(orders["weight"][:4], mask=[False, False, True, False])
    careful = dora.expr(RULE.replace("weight", "coalesce(weight, 30)"))
    print("without a weight:", np.round(careful(orders["amount"][:4], weights), 2).tolist())

    per_box = dora.expr("weight % boxes", {"weight": int, "boxes": int})
    try:
        per_box(np.array([10, 20, 30], "int32"), np.array([3, 0, 7], "int32"))
    except dora.DivisionByZero as error:
        print(f"order {error.element[0] if error.element else '?'}: no boxes")


if __name__ == "__main__":
    main()
