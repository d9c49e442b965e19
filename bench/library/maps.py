"""Maps of numbers and of texts: insert, find, remove."""

import sys
from time import perf_counter


def key(i: int) -> int:
    value = i * -7046029254386353131 & 0xFFFFFFFFFFFFFFFF
    return value - (1 << 64) if value >> 63 else value


def told(what: str, start: float, n: int) -> None:
    print(what, f"{(perf_counter() - start) / n * 1e9:.2f}")


def use(name: str, keys: list) -> int:
    n = len(keys)
    found = {}
    start = perf_counter()
    for i in range(n):
        found[keys[i]] = i
    told(f"{name}-insert", start, n)
    start, total = perf_counter(), 0
    for i in range(n):
        total += found[keys[i]]
    told(f"{name}-find", start, n)
    start = perf_counter()
    for i in range(n):
        total += found.pop(keys[i])
    told(f"{name}-remove", start, n)
    return total + len(found)


def main() -> None:
    n = int(sys.argv[1])
    numbers = [key(i) for i in range(n)]
    print("sum", use("long", numbers) + use("text", [f"key{number}" for number in numbers]))


main()
