"""Random programs of loops in loops that go down columns: rows that are checked once, and what is nearly that.

Rows have different lengths, some stand in an array twice, in the last call one may be too short or nil; loops now and
then store rows, call what does, step otherwise, are left in the middle or passed by.  What they leave is printed.
"""

from __future__ import annotations

import random
from typing import Final

HEAD: Final = """
fun show(name: Str, a: Array<Array<int>>) {
  var sum = 0L;
  for row in a { if row !== nil { for one in row { sum = sum * 31L + one.toLong(); } } }
  println("${name} ${sum}");
}
fun rows(n: int, width: int, seed: int) -> Array<Array<int>> {
  let made = Array::<Array<int>>(n);
  for k in 0..n {
    made[k] = Array::<int>(width + (k * seed) % 3);
    for j in 0..width { made[k][j] = k * seed - j * j; }
  }
  return made;
}
fun reals(n: int, width: int) -> Array<Array<double>> {
  let made = Array::<Array<double>>(n);
  for k in 0..n { made[k] = Array::<double>(width, k.toDouble() / 4.0); }
  return made;
}
fun exchange(a: Array<Array<int>>, at: int) -> int {
  if at > 2 && at < a.len() { let row = a[at]; a[at] = a[1]; a[1] = row; }
  return at;
}
""".strip().splitlines()
PARAMETERS: Final = (
    "a: Array<Array<int>>, b: Array<Array<int>>, d: Array<Array<double>>, line: Array<int>, other: Array<int>, "
    "lo: int, n: int, width: int"
)
MOST_ROWS: Final = 24


class ColumnGenerator:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.names = 0

    def program(self) -> str:
        self.lines = list(HEAD)
        works = self.random.randint(1, 3)
        for number in range(works):
            self.function(number)
        self.put(0, "fun main() {")
        for rest in reversed(range(self.random.randint(1, 3))):
            self.call(self.random.randrange(works), 0.1 if rest else 0.8)
        self.put(0, "}")
        return "\n".join(self.lines) + "\n"

    def put(self, depth: int, text: str) -> None:
        self.lines.append("  " * depth + text)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def function(self, number: int) -> None:
        self.put(0, f"fun work{number}({PARAMETERS}) -> int {{")
        self.put(1, "var s = 1; var x = 0.5; var m = n;")
        for loop in range(self.random.randint(1, 3)):
            self.outer(1, self.random.choice((0, 0, 1)))
            self.put(1, f'println("work{number} {loop} ${{s}} ${{x}} ${{m}}");')
        self.put(1, "return s;")
        self.put(0, "}")

    # Loops.

    def name(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names}"

    def outer(self, depth: int, more: int) -> None:
        """A loop along the rows, with a loop down a column in it."""
        j, is_range = self.name("j"), self.chance(0.4)
        limit = self.random.choice(("width", "width", "m"))
        self.put(depth, f"for {j} in lo..width {{" if is_range else f"var {j} = lo; while {j} < {limit} {{")
        if more:
            self.outer(depth + 1, more - 1)
        if self.chance(0.3):
            self.put(depth + 1, self.aside(j))
        is_passed = self.chance(0.1)
        if is_passed:
            self.put(depth + 1, f"if {j} % 3 != 1 {{")
        for _ in range(self.random.choice((1, 1, 1, 2))):
            self.inner(depth + 1, j)
        self.put(depth + 1, "}" if is_passed else f"s = s + {j};")
        if self.chance(0.1):
            self.put(depth + 1, "if s == 77 { break; }")
        if not is_range:
            self.put(depth + 1, f"{j} = {j} + 1;")
        self.put(depth, "}")

    def aside(self, j: str) -> str:
        return self.random.choice(
            (
                f"line[{j}] = s;",
                "x = x * 0.5;",
                f"if s > 9 {{ a[0][{j}] = s; }}",
                "m = m - 1;",
                "if m > 3 { a[1] = b[0]; }",
                *[f"if {j} > 3 && n > 0 {{ {self.random.choice('ab')}[n - 1] = other; }}"] * 4,
                f"s = s + exchange(a, {j});",
            )
        )

    def inner(self, depth: int, j: str) -> None:
        k = self.name("k")
        start = self.random.choice(("0", "0", "0", "1", "2", "lo", j))
        limit = self.random.choice(("n", "n", "n", "m", "a.len()", "n - 1"))
        self.put(depth, f"var {k} = {start}; while {k} < {limit} {{")
        for _ in range(self.random.randint(1, 3)):
            self.put(depth + 1, self.statement(k, j))
        if self.chance(0.08):
            self.put(depth + 1, f"if s % 13 == 5 {{ {self.random.choice(('break', 's = 3'))}; }}")
        step = self.random.choice(("1",) * 10 + ("2", "3"))
        self.put(depth + 1, f"{k} = {k} + {step};")
        if self.chance(0.1):
            self.put(depth + 1, f"if {k} < n {{ s = s + a[{k}][{j}]; }}")
        self.put(depth, "}")

    def statement(self, k: str, j: str) -> str:
        at, value = self.at(k, j), self.value(k, j)
        draw = self.random.random()
        if draw < 0.06:
            return self.random.choice(
                (f"a[{k}] = b[{k}];", f"s = s + exchange(a, {k});", f"if {j} > 4 {{ b[{k}] = other; }}")
            )
        if draw < 0.4:
            return f"s = s * 3 + {value};"
        if draw < 0.55:
            return f"x = x * 0.5 + d[{k}][{at}];"
        if draw < 0.65:
            return f"d[{k}][{at}] = x + {value}.toDouble();"
        return f"{self.random.choice('ab')}[{k}][{at}] = {value};"

    def at(self, k: str, j: str) -> str:
        return self.random.choice(
            (j, j, j, j, f"{j} - 1", "lo", "0", k if self.chance(0.2) else j, "width - 1")
        )

    def value(self, k: str, j: str) -> str:
        array = self.random.choice("aab")
        return self.random.choice(
            ("s", k, f"{array}[{k}][{self.at(k, j)}]", f"{array}[{k}][{self.at(k, j)}]", f"line[{j}]")
        )

    # Calls.

    def call(self, work: int, share: float) -> None:
        """A call in a block with its own arrays, of which something is too short by chance."""
        n, width = self.random.randint(0, MOST_ROWS), self.random.randint(0, MOST_ROWS)
        size = n + self.random.choice((0, 0, 1, 4))
        b = self.random.choice(("a", "rows(size, width, 5)", "rows(size, width, 7)"))
        self.put(1, "{")
        self.put(2, f"let n = {n}; let width = {width}; let size = {size};")
        self.put(2, f"let a = rows(size, width, {self.random.randint(1, 5)}); let b = {b};")
        self.put(2, "let d = reals(size, width); let line = Array::<int>(width, 3);")
        self.put(2, "if size > 3 { a[2] = a[0]; b[3] = a[1]; }")
        lo, failing = self.random.choice(("1", "1", "2", "7")), self.chance(share)
        shorter = self.random.randint(1, 9) if failing and self.chance(0.5) else 0
        self.put(2, f"let other = Array::<int>({max(width - shorter, 0)}, 4);")
        if failing and n and not shorter:
            row = self.random.randrange(size)
            self.put(
                2,
                self.random.choice(
                    (
                        f"a[{row}] = Array::<int>({max(width - 2, 0)}, 1);",
                        f"a[{row}] = nil;",
                        f"d[{row}] = nil;",
                        f"b[{row}] = Array::<int>(0);",
                    )
                ),
            )
            lo = self.random.choice((lo,) * 6 + ("0", "-1"))
        a = self.random.choice(("a",) * 15 + ("nil",)) if failing else "a"
        more = self.random.choice(("", "", " + 1")) if failing else ""
        self.put(2, f'println("${{work{work}({a}, b, d, line, other, {lo}, n{more}, width)}}");')
        self.put(2, 'show("a", a); show("b", b);')
        self.put(1, "}")
