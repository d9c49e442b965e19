"""One rule and one function over the tables of four libraries: pandas, Polars, Arrow and DuckDB.

python examples/python/tables.py
"""

from __future__ import annotations

import duckdb
import numpy as np
import pandas
import polars
import pyarrow

import doralang as dora

RULE = "price * (1 + vat)"

SOURCE = """
// The largest fall from a height that was reached before, as a share of it.
fun drawdown(prices: Slice<double>) -> double {
  var high = 0.0;
  var worst = 0.0;
  for price in prices {
    high = high.max(price);
    worst = worst.max((high - price) / high);
  }
  return worst;
}

// Days until a price is halved, if it falls by the same share each day; 0 if it does not fall.
fun halving(price: double, vat: double) -> int {
  var left = price;
  var days = 0;
  while left > price / 2.0 && vat > 0.0 { left = left * (1.0 - vat); days = days + 1; }
  return days;
}
"""


def main() -> None:
    rule, module = dora.expr(RULE), dora.compile(SOURCE)
    columns = {"price": np.array([80.0, 100.0, 60.0, 90.0]), "vat": np.array([0.25, 0.0, 0.5, 0.25])}

    frame = pandas.DataFrame(columns, index=["a", "b", "c", "d"])
    print("pandas:", rule.over(frame).to_dict(), module.halving.over(frame).tolist())

    table = polars.DataFrame(columns).lazy()
    gross = polars.struct("price", "vat").map_batches(
        lambda rows: rule.over(rows.struct.unnest()), return_dtype=polars.Float64
    )
    print("Polars:", table.select(gross.alias("gross")).collect()["gross"].to_list())

    batch = pyarrow.record_batch(columns)
    print("Arrow:", rule.over(batch).to_pylist(), f"{module.drawdown(batch['price']):.2f}")

    database = duckdb.connect()
    database.create_function("gross", rule.arrow, ["DOUBLE", "DOUBLE"], "DOUBLE", type="arrow")
    database.create_function("halving", module.halving, ["DOUBLE", "DOUBLE"], "INTEGER")
    print("DuckDB:", database.sql("select gross(price, vat), halving(price, vat) from batch").fetchall())


if __name__ == "__main__":
    main()
