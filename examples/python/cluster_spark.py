"""A rule and a function as pandas UDFs of Spark, here with two threads on this machine.  Spark needs Java.

python examples/python/cluster_spark.py
"""

from __future__ import annotations

import os
import sys

import pandas
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf

import doralang as dora

SOURCE = """
// Whether the last digit of a number is the one that its other digits demand (Luhn).
fun isValid(number: long) -> bool {
  var left = number;
  var sum = 0L;
  var twice = false;
  while left > 0L {
    let digit = if twice { left % 10L * 2L } else { left % 10L };
    sum += digit / 10L + digit % 10L;
    twice = !twice;
    left = left / 10L;
  }
  return sum % 10L == 0L;
}
"""


def main() -> None:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.log.level", "ERROR").getOrCreate()
    fee, valid = dora.expr("amount > 100 ? amount * 0.01 : 2"), dora.compile(SOURCE).isValid

    @pandas_udf("double")
    def fee_of(amount: pandas.Series) -> pandas.Series:
        return fee.map((amount,))

    @pandas_udf("boolean")
    def is_valid(number: pandas.Series) -> pandas.Series:
        return valid.map((number,))

    cards = pandas.DataFrame({"number": [79927398713, 79927398710], "amount": [50.0, 900.0]})
    frame = spark.createDataFrame(cards)
    for row in frame.select(
        "number", is_valid("number").alias("valid"), fee_of("amount").alias("fee")
    ).collect():
        print(row.number, "valid" if row.valid else "wrong", row.fee)
    spark.stop()


if __name__ == "__main__":
    main()
