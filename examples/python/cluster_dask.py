"""A rule over more rows than one machine may hold: on the workers of a Dask cluster, here of two processes.

python examples/python/cluster_dask.py
"""

from __future__ import annotations

import dask.array
import dask.dataframe
import pandas
from dask.distributed import Client, LocalCluster

import doralang as dora

SOURCE = """
// Years until savings reach a goal.
fun years(savings: double, rate: double, goal: double) -> int {
  var left = savings;
  var count = 0;
  while left < goal && count < 200 { left = left * (1.0 + rate); count += 1; }
  return count;
}
"""


def main() -> None:
    interest, years = dora.expr("savings * rate"), dora.compile(SOURCE).years
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        savings = dask.array.arange(1_000.0, 201_000.0, 1.0, chunks=20_000)
        print(f"interest: {interest.ufunc(savings, 0.02).sum().compute():,.0f}")
        print("years, longest:", int(years.ufunc(savings, 0.02, 250_000.0).max().compute()))

        table = pandas.DataFrame(
            {"savings": [100.0, 500.0, 900.0], "rate": [0.01, 0.02, 0.03], "goal": 1000.0}
        )
        frame = dask.dataframe.from_pandas(table, npartitions=2)
        print("years:", frame.map_partitions(years.over, meta=(None, int)).compute().tolist())


if __name__ == "__main__":
    main()
