"""A spreadsheet: cells are formulas over each other, and a change computes again what it affects.

python examples/python/spreadsheet.py
"""

from __future__ import annotations

import doralang as dora

CELLS = {
    "subtotal": "price * count",
    "tax": "subtotal * taxRate",
    "shipping": "subtotal > 50 ? 0 : 4.5",
    "total": "subtotal + tax + shipping",
}


def show(values: dict[str, float]) -> None:
    print(", ".join(f"{name} {value:.2f}" for name, value in values.items()))


def main() -> None:
    sheet = dora.exprs(CELLS)
    print("inputs:", *sorted(sheet.inputs))
    inputs = {"price": 12.5, "count": 3.0, "taxRate": 0.2}
    values = sheet(inputs)
    show({name: values[name] for name in CELLS})
    print("a new tax rate affects:", *sheet.affected("taxRate"))
    inputs["taxRate"] = 0.1
    kept = {name: value for name, value in values.items() if name not in sheet.affected("taxRate")}
    values = sheet(inputs, known=kept)
    show({name: values[name] for name in CELLS})
    try:
        dora.exprs({"a": "b + 1", "b": "a * 2"})
    except dora.CompileError as error:
        print(error.diagnostics[0].message)


if __name__ == "__main__":
    main()
