"""Random programs that only work on the heap: objects of many sizes that change all the time, in rounds.

What other random programs allocate hardly lives for a second collection.  Here a fixed number of places, in arrays,
objects, lists and maps, hold objects that refer to each other; each round makes some, moves and drops others,
and now and then all that can be reached is summed up.
"""

from __future__ import annotations

import random
from typing import Final

KINDS: Final = ("int", "long", "byte", "double", "Str", "Array<int>", "Array<Item>", "Item", "Option<Item>")
SIZES: Final = (0, 1, 2, 3, 5, 9, 17, 40, 130, 400)
"""of arrays"""
WEIGHT: Final = {
    "int": "{}",
    "long": "{}.toInt()",
    "byte": "{}.toInt()",
    "double": "{}.toInt()",
    "Str": "(if {0} === nil {{ 3 }} else {{ {0}.len() }})",
    "Array<int>": "ints({})",
    "Array<Item>": "(if {0} === nil {{ 5 }} else {{ {0}.len() }})",
    "Item": "(if {0} === nil {{ 7 }} else {{ {0}.mark }})",
    "Option<Item>": "(match {} {{ Some(x) => x.mark, None => 11 }})",
}
HEAD: Final = """
open class Item(var mark: int) { open fun weight() -> int { self.mark } }
fun ints(a: Array<int>) -> int { if a === nil { return 13; } var sum = a.len(); for x in a { sum += x; } sum }
fun items(a: Array<Item>) -> int { var sum = 0; for x in a { if x !== nil { sum = sum * 3 + x.weight(); } } sum }
""".strip().splitlines()


class HeapGenerator:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.classes: list[list[str]] = []
        """the kinds of the fields of each class"""

    def program(self) -> str:
        random = self.random
        self.lines = list(HEAD)
        self.classes = [
            [random.choice(KINDS) for _ in range(random.choice((0, 1, 1, 1, 2, 3, 9)))]
            for _ in range(random.randint(2, 5))
        ]
        for number, fields in enumerate(self.classes):
            self.declare(number, fields)
        self.make()
        places = random.choice((3, 20, 60))
        self.lines += [
            f"let held: Array<Item> = Array::<Item>({places});",
            "let list: Vec<Item> = Vec::<Item>();",
            "let map: HashMap<int, Item> = HashMap::<int, Item>();",
            "var kept: Item = Item(1);",
            "var seed: int = 12345;",
            "fun next(n: int) -> int { seed = seed * 1103515245 + 12345; (seed >>> 8) % n }",
            f"fun any() -> Item {{ let x = held[next({places})]; if x === nil {{ kept }} else {{ x }} }}",
            "fun main() {",
            f"  for i in 0..{places} {{ held[i] = make{random.randrange(len(self.classes))}(i); }}",
            f"  for round in 0..{random.choice((30, 100, 300))} {{",
        ]
        self.lines += [f"    {self.step(places)}" for _ in range(random.randint(3, 9))]
        self.lines += [
            f'    if round % {random.choice((7, 20, 50))} == 0 {{ println("${{items(held)}} ${{list.len()}}"); }}',
            "  }",
            "  forceCollect();",
            '  println("${items(held)} ${kept.weight()} ${map.len()}");',
            "  var sum = 0;",
            "  for x in list { sum = sum * 5 + x.weight(); }",
            "  for (k, x) in map { sum = sum * 7 + k + x.weight(); }",
            '  println("${sum}");',
            "}",
        ]
        return "\n".join(self.lines) + "\n"

    def declare(self, number: int, fields: list[str]) -> None:
        weights = ["self.mark", *(WEIGHT[kind].format(f"self.f{at}") for at, kind in enumerate(fields))]
        self.lines += [
            f"class C{number}(mark: int): Item(mark) {{",
            *(f"  var f{at}: {kind};" for at, kind in enumerate(fields)),
            f"  override fun weight() -> int {{ {' + '.join(weights)} }}",
            "}",
        ]

    def make(self) -> None:
        """A function for an object of each class, whose fields have something in them or not."""
        for number, fields in enumerate(self.classes):
            self.lines += [f"fun make{number}(n: int) -> Item {{", f"  let x = C{number}(n);"]
            self.lines += [
                f"  x.f{at} = {self.value(kind)};"
                for at, kind in enumerate(fields)
                if self.random.random() < 0.7
            ]
            self.lines += ["  x", "}"]

    def value(self, kind: str) -> str:
        size = self.random.choice((*SIZES, "next(120)", "next(120)", "next(30)"))
        match kind:
            case "int":
                return "n * 3"
            case "long" | "double":
                return f"n.to{kind.title()}()"
            case "byte":
                return "n.toByte()"
            case "Str":
                return self.random.choice(('"${n}"', '"text"', '"${n}".repeat(n % 40)'))
            case "Array<int>":
                return f"Array::<int>({size}, n)"
            case "Array<Item>":
                return f"Array::<Item>({size}, any())"
            case "Item":
                return self.random.choice(("any()", "kept", "Item(n)"))
        return self.random.choice(("Some(any())", "None", "Some(Item(n))"))

    def step(self, places: int) -> str:
        """A statement; `round` is the number of the round."""
        random = self.random
        number = random.randrange(len(self.classes))
        at = f"next({places})"
        steps = [
            f"held[{at}] = make{number}(round);",
            f"held[{at}] = make{number}(round);",
            f"for i in 0..{random.choice((3, 9))} {{ held[{at}] = make{number}(i); }}",
            f"held[{at}] = any();",
            f"held[{at}] = nil;",
            f"kept = make{number}(round);",
            "list.push(any());",
            f"if list.len() > {random.choice((5, 90))} {{ list.removeAt(next(list.len())); }}",
            f"map[next({random.choice((5, 100))})] = make{number}(round);",
            f"map.remove(next({random.choice((5, 100))}));",
            f"Array::<long>({random.choice(SIZES)});",
            f'"${{round}}".repeat({random.choice(SIZES)});',
        ]
        fields = [(one, index) for one, kinds in enumerate(self.classes) for index in range(len(kinds))]
        if fields:
            one, index = random.choice(fields)
            value = self.value(self.classes[one][index])
            asked = f"let x = any(); if x is C{one} {{ let y = x as C{one}; y.f{index} = {value}; }}"
            steps += [f"{{ let n = round; {asked} }}"] * 6
            asked = f"if x is C{one} {{ let y = x as C{one}; y.f{index} = {value}; }}"
            steps += [f"for x in held {{ let n = round; {asked} }}"] * 2
        return random.choice(steps)
