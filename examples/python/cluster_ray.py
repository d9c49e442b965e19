"""A rule over batches of a Ray dataset, and a simulation in tasks of its own; here Ray runs on this machine.

python examples/python/cluster_ray.py
"""

from __future__ import annotations

import numpy as np
import pandas
import ray
import ray.data

import doralang as dora

SOURCE = """
// How many of a number of random points lie in a quarter of a circle.
fun inside(seed: long, points: int) -> int {
  let random = Random(seed);
  var count = 0;
  for i in 0..points {
    let x = random.nextDouble();
    let y = random.nextDouble();
    if x * x + y * y < 1.0 { count += 1; }
  }
  return count;
}
"""


def main() -> None:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    net, inside = dora.expr("price * (1 - discount)"), dora.compile(SOURCE).inside

    rows = pandas.DataFrame({"price": np.arange(1.0, 6.0) * 10, "discount": [0.0, 0.1, 0.2, 0.3, 0.4]})
    batches = ray.data.from_pandas(rows).map_batches(
        lambda batch: {"net": net.over(batch)}, batch_format="numpy"
    )
    print("net:", [row["net"] for row in batches.take_all()])

    count = ray.remote(lambda seed: inside(seed, 1_000_000))
    found = ray.get([count.remote(seed) for seed in range(4)])
    print(f"pi is about {sum(found) / 1_000_000:.2f}")
    ray.shutdown()


if __name__ == "__main__":
    main()
