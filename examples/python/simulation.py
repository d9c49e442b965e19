"""A simulation: the loop that is slow in Python is a function in Dora; the rest stays as it is.

    python examples/python/simulation.py

Prints the same distance twice and how many times as fast the second way was.
"""

from __future__ import annotations

import time

import doralang as dora


def flight(speed: float, drag: float, step: float) -> float:
    """How far something flies that is thrown at 45 degrees, with the drag of air."""
    x, y, vx, vy = 0.0, 0.0, speed * 0.7071, speed * 0.7071
    while y >= 0.0:
        v = (vx * vx + vy * vy) ** 0.5
        vx -= drag * v * vx * step
        vy -= (9.81 + drag * v * vy) * step
        x += vx * step
        y += vy * step
    return x


@dora.function
def native_flight(speed: float, drag: float, step: float = 0.0001) -> float:
    """
    var x = 0.0;
    var y = 0.0;
    var vx = speed * 0.7071;
    var vy = speed * 0.7071;
    while y >= 0.0 {
      let v = (vx * vx + vy * vy).sqrt();
      vx = vx - drag * v * vx * step;
      vy = vy - (9.81 + drag * v * vy) * step;
      x = x + vx * step;
      y = y + vy * step;
    }
    return x;
    """


def main() -> None:
    native_flight(1.0, 0.01)
    begin = time.perf_counter()
    slow = flight(60.0, 0.01, 0.0001)
    middle = time.perf_counter()
    fast = native_flight(60.0, 0.01)
    end = time.perf_counter()
    print(f"{slow:.4f}\n{fast:.4f}")
    print(f"{(middle - begin) / (end - middle):.0f} times as fast")


if __name__ == "__main__":
    main()
