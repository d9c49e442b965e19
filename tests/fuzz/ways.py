"""Random functions of ways out: `return`, `break`, `continue` and `throw` in `do`, `catch`, `finally` and loops,
nested in each other freely.

    fun w1(p: int) throws -> int {
      do {
        for i2 in range(0, 3) {
          do { return step("w1", 2); } finally { if p % 3 == 1 { break; } }
        }
        …

Each step is printed and counts, so that engines that go another way, or the same with another value, are told
apart.  Everything ends: a loop counts its rounds before anything in it can go on.
"""

from __future__ import annotations

import random
from collections.abc import Callable

HEAD = """
var steps: int = 0;
fun step(name: Str, i: int) -> int {
  steps = steps + 1;
  println(name + " " + i.toString() + " " + steps.toString());
  return i * 1000 + steps;
}
fun stumble(i: int) throws -> int {
  if i % 3 == 1 { throw "stumbled " + i.toString(); }
  if i % 7 == 2 { throw Array(2, i); }
  return i;
}
"""

RESULTS = ("int", "int", "long", "double", "Str", "")
MOST_DEPTH = 8
MOST_LOOPS = 3
MOST_LINES = 90


class WayGenerator:
    """Writes one function."""

    def __init__(self, random: random.Random, name: str) -> None:
        self.random = random
        self.name = name
        self.result = random.choice(RESULTS)
        self.throws = random.random() < 0.85
        self.lines: list[str] = []
        self.names = 0
        self.loops = 0

    def function(self) -> list[str]:
        marks = (" throws" if self.throws else "") + (f" -> {self.result}" if self.result else "")
        self.lines = [f"fun {self.name}(p: int){marks} {{"]
        self.block(1, self.random.randint(2, 4))
        self.put(1, self.leaving())
        self.lines.append("}")
        return self.lines

    def calls(self, most: int) -> list[str]:
        """Statements that call it with each number below `most`."""
        call = f"{self.name}(i)"
        if self.throws:
            call = f"try {call}"
        shown = f"println({self.shown(f'({call})')});" if self.result else f"{call};"
        return [
            f"for i in range(0, {most}) {{",
            f'  do {{ {shown} println("ended"); }}',
            '  catch e: Str { println("caught " + e); } catch e: Object { println("caught"); }',
            "}",
        ]

    def shown(self, text: str) -> str:
        return text if self.result == "Str" else f"{text}.toString()"

    def put(self, depth: int, text: str) -> None:
        self.lines.append("  " * depth + text)

    def number(self) -> int:
        self.names += 1
        return self.names

    # Statements.

    def block(self, depth: int, count: int) -> None:
        for _ in range(count):
            self.statement(depth)

    def statement(self, depth: int) -> None:
        kinds: list[Callable[[int], None]] = [self.note, self.way_out, self.way_out]
        if depth < MOST_DEPTH and len(self.lines) < MOST_LINES:
            kinds += [self.attempt, self.attempt, self.attempt, self.branch]
            if self.loops < MOST_LOOPS:
                kinds += [self.count, self.repeat]
        self.random.choice(kinds)(depth)

    def note(self, depth: int) -> None:
        self.put(depth, f"{self.step()};")

    def branch(self, depth: int) -> None:
        self.put(depth, f"if {self.condition()} {{")
        self.block(depth + 1, self.random.randint(1, 2))
        if self.random.random() < 0.4:
            self.put(depth, "} else {")
            self.block(depth + 1, self.random.randint(1, 2))
        self.put(depth, "}")

    def count(self, depth: int) -> None:
        self.put(depth, f"for i{self.number()} in range(0, {self.random.randint(1, 3)}) {{")
        self.rounds(depth)

    def repeat(self, depth: int) -> None:
        name = f"n{self.number()}"
        self.put(depth, f"var {name} = 0;")
        condition = self.random.choice(("loop", "while true", f"while {name} < 5"))
        self.put(depth, f"{condition} {{")
        self.put(depth + 1, f"{name} = {name} + 1;")
        self.put(depth + 1, f"if {name} > {self.random.randint(1, 3)} {{ break; }}")
        self.rounds(depth)

    def rounds(self, depth: int) -> None:
        self.loops += 1
        self.block(depth + 1, self.random.randint(1, 3))
        self.loops -= 1
        self.put(depth, "}")

    def attempt(self, depth: int) -> None:
        self.put(depth, "do {")
        self.block(depth + 1, self.random.randint(1, 3))
        catches = self.random.choice((0, 0, 1, 2))
        for type in self.random.sample(("Str", "Array<int>", "Object"), catches):
            self.put(depth, f"}} catch e{self.number()}: {type} {{")
            self.block(depth + 1, self.random.randint(0, 2))
        if catches == 0 or self.random.random() < 0.6:
            self.put(depth, "} finally {")
            self.block(depth + 1, self.random.randint(0, 3))
        self.put(depth, "}")

    def way_out(self, depth: int) -> None:
        ways = [self.leaving(), self.leaving(), *self.thrown()]
        if self.loops:
            ways += ["break;", "break;", "continue;", "continue;"]
        way = self.random.choice(ways)
        self.put(depth, way if self.random.random() < 0.4 else f"if {self.condition()} {{ {way} }}")

    # Their parts.

    def leaving(self) -> str:
        return f"return {self.value()};" if self.result else "return;"

    def value(self) -> str:
        step = self.step()
        if self.random.random() < 0.15:
            step = f"try stumble({step})"
            if self.random.random() < 0.5:
                step += f" else {self.step()}"
            step = f"({step})"
        conversion = {"int": "", "long": ".toLong()", "double": ".toDouble()", "Str": ".toString()"}
        return step + conversion[self.result]

    def thrown(self) -> list[str]:
        return [f'throw "thrown " + {self.step()}.toString();', f"try stumble({self.step()});"]

    def step(self) -> str:
        return f'step("{self.name}", {self.number()})'

    def condition(self) -> str:
        divisor = self.random.randint(2, 4)
        return (
            f"{self.random.choice(('p', 'steps', '(p + steps)'))} % {divisor} == {self.random.randint(0, 1)}"
        )
