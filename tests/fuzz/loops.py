"""Random programs of nested loops over numbers, arrays, fields and calls: what traces are made of.

As in `generator`, a seed always gives the same program, and everything ends.  Now and then a round fails, throws, or
takes a way that no round before has taken.
"""

from __future__ import annotations

import random

from fuzz import heads, ways
from fuzz.ways import WayGenerator

HEAD = """
class Cell(var n: int, var x: double, let items: Array<int>, var next: Cell) {
  fun add(i: int) -> int { self.n = self.n + i; return self.n; }
}
open class Shape(var area: long) { open fun grow(by: int) -> long { return self.area + by.toLong(); } }
class Square(area: long): Shape(area) {
  override fun grow(by: int) -> long { self.area = self.area * 3L + by.toLong(); return self.area; }
}
var total: long = 0L;
var ticks: int = 0;
fun pick(a: Array<int>, i: int) -> int {
  if i % 7 == 3 { return a[(i + 1) % a.len()]; }
  return a[i % a.len()];
}
fun clamp(i: int, most: int) -> int { if i > most { return most; } if i < 0 { return 0; } return i; }
fun sum(a: Array<int>, upTo: int) -> int {
  var s = 0;
  for k in range(0, clamp(upTo, a.len())) { s = s + a[k]; }
  return s;
}
fun same(a: Array<int>) -> Array<int> { if total == -1L { return Array(3, 4); } return a; }
fun scan(a: Array<int>, b: Array<int>, from: int, step: int) -> int {
  var i = from; var rounds = 0; var s = 0;
  while i < a.len() && rounds < 20 {
    s = s * 3 + a[i];
    if i % 4 == 3 { b[i] = s; }
    s = s + a[i];
    i = i + step; rounds = rounds + 1;
  }
  return s;
}
fun risky(i: int) throws -> int {
  if i % 41 == 40 { throw "risky"; }
  return i * 3;
}
""".strip()

NUMBERS = ("a", "b", "c")


class LoopGenerator:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.counters: list[str] = []
        self.names = 0
        self.ways = [WayGenerator(self.random, f"way{number}") for number in range(self.random.randint(0, 1))]

    def program(self) -> str:
        for way in self.ways:
            self.lines += way.function()
        for number in range(self.random.randint(0, 2)):
            self.function(f"work{number}")
        self.function("main")
        return "\n".join([*heads.used((HEAD, ways.HEAD), self.lines), *self.lines]) + "\n"

    def function(self, name: str) -> None:
        self.names = 0
        self.lines.append(f"fun {name}() {{")
        size = self.random.randint(3, 20)
        for text in (
            "var a = 1; var b = -77; var c = 123456789; var x = 0.5; var w = 1L; var flag = false;",
            f"let p = Array({size}, 7); let q = Array({size}, 1.5); let bytes = Array({size}, 3Y);",
            f"let flags = Array({size}, false); let r = same(p);",
            "let cell = Cell(5, 2.5, p, nil); let other = Cell(1, 1.5, Array(4, 9), cell);",
            f"var shape: Shape = {self.random.choice(('Shape(2L)', 'Square(2L)'))};",
        ):
            self.put(1, text)
        for _ in range(self.random.randint(1, 3)):
            self.loop(1)
        self.put(1, "println(a.toString() + b.toString() + c.toString() + x.toString() + w.toString());")
        self.put(
            1, "println(cell.n.toString() + other.n.toString() + cell.x.toString() + other.x.toString());"
        )
        self.put(1, "println(total.toString() + ticks.toString() + shape.area.toString() + flag.toString());")
        self.put(1, f"for k in range(0, {size}) {{ println(p[k].toString() + q[k].toString()); }}")
        self.put(1, f"for k in range(0, {size}) {{ println(bytes[k].toString() + flags[k].toString()); }}")
        if name == "main":
            for way in self.ways:
                for line in way.calls(5):
                    self.put(1, line)
            for line in [line for line in self.lines if line.startswith("fun work")]:
                self.put(1, f"{line[4:].split('(')[0]}();")
        self.lines.append("}")

    def put(self, depth: int, text: str) -> None:
        self.lines.append("  " * depth + text)

    def loop(self, depth: int) -> None:
        counter = f"i{self.names}"
        self.names += 1
        rounds = self.random.randint(5, 90) if depth == 1 else self.random.randint(1, 12)
        if self.random.random() < 0.5:
            self.put(depth, f"for {counter} in range(0, {rounds}) {{")
        else:
            self.put(depth, f"var {counter} = -1;")
            self.put(depth, f"while {counter} < {rounds} && {self.condition()} || {counter} < 3 {{")
            self.put(depth + 1, f"{counter} = {counter} + 1;")
        self.counters.append(counter)
        for _ in range(self.random.randint(1, 4)):
            self.statement(depth + 1)
        self.counters.pop()
        self.put(depth, "}")

    def statement(self, depth: int) -> None:
        chance = self.random.random()
        if chance < 0.15 and depth < 4:
            self.loop(depth)
        elif chance < 0.4 and depth < 6:
            self.branch(depth)
        elif chance < 0.5 and depth < 6:
            self.attempt(depth)
        else:
            self.put(depth, self.simple())

    def branch(self, depth: int) -> None:
        self.put(depth, f"if {self.condition()} {{")
        self.statement(depth + 1)
        self.jump(depth + 1, 0.3)
        if self.random.random() < 0.5:
            self.put(depth, "} else {")
            self.statement(depth + 1)
        self.put(depth, "}")

    def jump(self, depth: int, chance: float) -> None:
        if self.random.random() < chance:
            self.put(depth, self.random.choice(("continue;", "break;", "continue;")))

    def attempt(self, depth: int) -> None:
        """A `do`, with a `finally` that may jump itself now and then."""
        self.put(depth, "do {")
        self.statement(depth + 1)
        if self.random.random() < 0.2:
            self.put(depth + 1, f'if {self.condition()} {{ throw "thrown"; }}')
        self.jump(depth + 1, 0.2)
        caught = self.random.random() < 0.8
        if caught:
            self.put(depth, "} catch e: Str {")
            self.statement(depth + 1)
        if not caught or self.random.random() < 0.5:
            self.put(depth, "} finally {")
            self.statement(depth + 1)
            self.jump(depth + 1, 0.1)
        self.put(depth, "}")

    def simple(self) -> str:
        number, index, at = self.random.choice(NUMBERS), self.index(), self.random.choice("012")
        value, real = self.number(), self.real()
        return self.random.choice(
            (
                f"{number} = {value};",
                f"{number} = {number} + {value};",
                f"x = {real};",
                f"w = w * 31L + ({value}).toLong();",
                f"p[{index}] = {value};",
                f"p[{at}] = {value}; r[{at}] = {self.number()}; {number} = {number} + p[{at}];",
                f"p[{at}] = {value}; {number} = r[{at}]; p[{at}] = {self.number()};",
                f"q[{index}] = {real};",
                f"bytes[{index}] = ({value}).toByte();",
                f"flags[{index}] = {self.condition()};",
                f"cell.n = {value};",
                f"other.n = other.n + {value};",
                f"cell.x = {real};",
                f"total = total + ({value}).toLong();",
                "ticks = ticks + 1;",
                f"{number} = cell.add({value});",
                f"{number} = other.next.add({value});",
                f"w = shape.grow({value});",
                f"{number} = pick(p, clamp({value}, 100));",
                f"{number} = sum(cell.items, {value});",
                f"{number} = scan(p, {self.other_array()}, {self.start()}, {self.step()});",
                f"{number} = try risky({self.index()}) else {value};",
                f"flag = {self.condition()};",
                f"if {self.counter()} % 29 == 28 {{ shape = Square(1L); }}",
                f"if {self.counter()} == 77 {{ println({number}.toString()); }}",
            )
        )

    def other_array(self) -> str:
        """Mostly the same one, rarely one that may be shorter."""
        return self.random.choice(("p", "p", "cell.items", "cell.items", "cell.items", "other.items"))

    def start(self) -> str:
        return self.random.choice(("0", "1", "clamp(b, 4)", "2147483647", f"{self.counter()} % 3"))

    def step(self) -> str:
        """Now and then one that leads below zero, or around the end of `int`."""
        if self.random.random() < 0.1:
            return self.random.choice(("-1", "2147483647"))
        return self.random.choice(("1", "2", "3"))

    def counter(self) -> str:
        return self.random.choice(self.counters or ["a"])

    def index(self) -> str:
        counter = self.counter()
        if self.random.random() < 0.06:
            return self.random.choice((counter, f"{counter} - 1"))
        if self.random.random() < 0.3:
            return self.random.choice("012")
        return f"clamp({counter} % {self.random.randint(2, 9)}, p.len() - 1)"

    def condition(self) -> str:
        counter, value = self.counter(), self.number()
        return self.random.choice(
            (
                f"{counter} % {self.random.randint(2, 11)} == {self.random.randint(0, 3)}",
                f"{value} {self.random.choice(('<', '>=', '==', '!='))} {self.number()}",
                f"x {self.random.choice(('<', '>', '=='))} {self.real()}",
                f"(flag || {counter} > {self.random.randint(0, 20)})",
                f"flags[{self.index()}]",
                "shape is Square",
                "other.next === cell",
            )
        )

    def number(self) -> str:
        counter, number = self.counter(), self.random.choice(NUMBERS)
        return self.random.choice(
            (
                number,
                counter,
                f"({number} * {self.random.choice(('3', '-7', '1000003'))})",
                f"({number} ^ {counter})",
                f"({number} >> ({counter} & 7))",
                f"({number} / {self.divisor()})",
                f"({number} % {self.divisor()})",
                f"p[{self.index()}]",
                f"r[{self.index()}]",
                f"bytes[{self.index()}].toInt()",
                "cell.n",
                "ticks",
                "w.toInt()",
                "x.toInt()",
                f"clamp({number}, 50)",
                str(self.random.choice((0, 1, -1, 2147483647, 12))),
            )
        )

    def divisor(self) -> str:
        if self.random.random() < 0.1:
            return f"({self.counter()} - {self.random.randint(20, 70)})"
        return str(self.random.choice((2, 3, 7, 8, -1, -5, -16)))

    def real(self) -> str:
        counter = self.counter()
        return self.random.choice(
            (
                "x",
                f"{counter}.toDouble()",
                "(x * 1.5 - 0.25)",
                f"(x / ({counter}.toDouble() - 3.0))",
                f"q[{self.index()}]",
                "cell.x",
                "other.x",
                "x.sqrt()",
            )
        )
