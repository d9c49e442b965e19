"""A pricing service: rules that its customers type, checked when they are saved and run for each order.

python examples/python/pricing.py
"""

from __future__ import annotations

from dataclasses import dataclass

import doralang as dora


@dataclass
class Order:
    """What a rule may use."""

    amount: float
    items: float
    weight: float
    isMember: bool


RULES = {
    "discount": "isMember ? amount * 0.1 : 0",
    "shipping": "max(4.9, weight * 0.8 + items * 0.1)",
    "mistaken": "amout * 2",
    "curious": 'loadFunction("system")',
}


def save(rules: dict[str, str]) -> dict[str, dora.Expr]:
    """Compile what can be compiled, and tell the author of the rest what is wrong with it."""
    saved = {}
    for name, text in rules.items():
        found = dora.check(text, Order, result=float)
        if found.ok:
            saved[name] = dora.expr(text, Order, result=float)
        for report in found.diagnostics:
            hint = f" ({report.help})" if report.help else ""
            print(f"{name}, column {report.column}: {report.message}{hint}")
    return saved


def main() -> None:
    rules = save(RULES)
    for order in (Order(100.0, 3.0, 2.5, True), Order(40.0, 1.0, 12.0, False)):
        discount, shipping = (rules[name](**vars(order)) for name in ("discount", "shipping"))
        print(
            f"{order.amount:.2f} - {discount:.2f} + {shipping:.2f} = {order.amount - discount + shipping:.2f}"
        )


if __name__ == "__main__":
    main()
