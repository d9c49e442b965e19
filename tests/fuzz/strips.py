"""Random programs of short loops over arrays: what is cut into strips, and what is nearly that.

Arrays of all kinds, some of them twice under two names, are gone through from the counter and a few places around it;
limits and arrays stand in fields, now and then something is nil, a counter steps otherwise, or an index is out of
range.  Some loops have two counters and several ends, or are chains of iterators.  What a loop leaves is printed
behind it.
"""

from __future__ import annotations

import random
from typing import Final

HEAD: Final = """
class Node(let n: int, var next: Node)
class Walker(var at: Node) { fun goOn(n: int) -> int { self.at = self.at.next; return n; } }
class Box(var ints: Array<int>, var longs: Array<long>, var n: int, var m: long, var node: Node)
fun show(name: Str, a: Array<int>, l: Array<long>, d: Array<double>, y: Array<byte>, f: Array<bool>) {
  var sum = 0L; var x = 0.5;
  for one in a { sum = sum * 31L + one.toLong(); }
  for one in l { sum = sum * 31L + one; }
  for one in y { sum = sum * 7L + one.toLong(); }
  for one in f { sum = sum * 3L + (if one { 1L } else { 2L }); }
  for one in d { x = x * 0.5 + one; }
  println("${name} ${sum} ${x}");
}
""".strip().splitlines()
PARAMETERS: Final = (
    "a: Array<int>, b: Array<int>, l: Array<long>, d: Array<double>, y: Array<byte>, f: Array<bool>, "
    "r: Array<Str>, q: Array<Str>, v: Vec<int>, box: Box, lo: int, hi: int"
)
MOST_SIZE: Final = 40
OFFSETS: Final = ("", "", "", "", " + 1", " - 1", " + 2", " - 2", " + 3", " - 3")


class StripGenerator:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.names = 0
        self.second = ""
        """another counter of the present loop, if it has one"""

    def program(self) -> str:
        parts, works = self.random.randint(0, 2), self.random.randint(1, 3)
        self.lines = list(HEAD)
        for number in range(parts):
            self.function(f"part{number}", 1, 0)
        for number in range(works):
            self.function(f"work{number}", self.random.randint(1, 3), parts)
        self.put(0, "fun main() {")
        self.put(1, "let last = Node(4, nil); let node = Node(1, Node(2, Node(3, last))); last.next = node;")
        for rest in reversed(range(self.random.randint(1, 4))):
            self.call(self.random.randrange(works), 0.05 if rest else 0.5)
        self.put(0, "}")
        return "\n".join(self.lines) + "\n"

    def put(self, depth: int, text: str) -> None:
        self.lines.append("  " * depth + text)

    def function(self, name: str, loops: int, parts: int) -> None:
        self.put(0, f"fun {name}({PARAMETERS}) -> int {{")
        self.put(1, "var s = 1; var t = 2; var w = 3L; var x = 0.25; var flag = false; var text = q;")
        self.put(1, "let c = box.ints; let walker = Walker(box.node);")
        for number in range(loops):
            self.loop(1, "")
            self.put(1, f'println("{name} {number} ${{s}} ${{t}} ${{w}} ${{x}} ${{flag}} ${{walker.at.n}}");')
            if parts and self.random.random() < 0.6:
                first, second = self.random.choice(("a, b", "b, a", "a, a", "box.ints, b"))[:1], "b"
                part = self.random.randrange(parts)
                self.put(
                    1, f"s = s + part{part}({first}, {second}, l, d, y, f, r, q, v, box, lo, hi - {number});"
                )
        self.put(1, "return s ^ t;")
        self.put(0, "}")

    # Loops.

    def loop(self, depth: int, around: str) -> None:
        """A loop, in which `around` is the counter of the one around it."""
        i = f"i{self.names}"
        self.names += 1
        if self.random.random() < 0.35:
            self.random.choice((self.two_ends, self.two_ends, self.zipped, self.chained))(depth, i)
            return
        draw = self.random.random()
        if draw < 0.25:
            self.put(depth, f"for {i} in lo..{self.random.choice(('', '', '='))}{self.limit()} {{")
            self.body(depth + 1, i)
        elif draw < 0.55:
            self.put(depth, f"var {i} = lo; while {i} < {self.limit()} {{")
            step = self.random.choice(("1",) * 10 + ("2", "-1"))
            self.put(depth + 1, f"s = s + a[{i}];" if step == "-1" else f"s = s + {i};")
            self.body(depth + 1, i)
            self.put(depth + 1, f"{i} = {i} + {step};")
        elif draw < 0.65:
            self.put(depth, f"var {i} = lo; for one in {self.random.choice(('v', 'v', 'a', 'box.ints'))} {{")
            self.put(depth + 1, f"s = s * 3 + one; if {i} < hi {{ a[{i}] = one; }} {i} = {i} + 1;")
        elif draw < 0.72:
            self.put(depth, f"var {i} = box.m - {self.random.choice((5, 20, 40))}L; while {i} < box.m {{")
            self.put(
                depth + 1, f"w = w * 3L + {i}; t = t + {self.random.choice(('1', 's', f'{i}.toInt()'))};"
            )
            self.put(depth + 1, f"{i} = {i} + 1L;")
        elif draw < 0.82:
            self.steps(depth, i, around)
        elif draw < 0.9:
            self.put(depth, f"flag = false; var {i} = lo; while !flag && {i} < {self.limit()} {{")
            self.put(depth + 1, f"if {self.number(i)} % 7 == 3 {{ flag = true; }}")
            self.body(depth + 1, i)
            self.put(depth + 1, f"{i} = {i} + 1;")
        else:
            self.put(depth, f"for {i} in lo..lo + {self.random.randint(1, 4)} {{")
            if depth < 3:
                self.loop(depth + 1, i)
            self.put(depth + 1, f"s = s * 5 + {i};")
        self.put(depth, "}")

    def steps(self, depth: int, i: str, around: str) -> None:
        """A counter with another step than one, which may lead around the end of `int`."""
        far = self.random.choice(("2147483647", "2147483646", "2147483640", "(s & 2147483647)"))
        step = self.random.choice(("2", "lo", "(t & 3) + 1", "v.len() + 1", around or "3", far, far, far))
        self.put(depth, f"var {i} = {self.random.choice(('0', '3', '8', 'lo'))}; var n{i} = 0;")
        self.put(depth, f"while {i} < {self.limit()} && n{i} < 30 {{")
        self.put(depth + 1, f"n{i} = n{i} + 1;")
        if self.random.random() < 0.7:
            self.put(depth + 1, f"if {i} < 0 {{ t = t + {i}; break; }}")
        self.put(depth + 1, f"s = s * 3 + a[{i}]; {i} = {i} + {step};")

    def two_ends(self, depth: int, i: str) -> None:
        """Two counters, of which each ends the loop; one of them may fall."""
        j = self.second = f"j{i}"
        rises = self.random.random() < 0.6
        start = ("lo", "3", "lo + 2", "2147483640") if rises else ("hi - 2", "hi", "20", "-2147483640")
        one, other = self.goes_on(i, rises=True, may_wrap=False), self.goes_on(j, rises=rises, may_wrap=True)
        first, last = self.random.choice(((one, other), (other, one)))
        self.put(depth, f"var {i} = lo; var {j} = {self.random.choice(start)};")
        draw = self.random.random()
        self.put(depth, f"while {first if draw < 0.8 else 'true'}{f' && {last}' if draw < 0.4 else ''} {{")
        if draw >= 0.8:
            self.put(depth + 1, f"if !({first}) {{ break; }}")
        self.body(depth + 1, i)
        steps = [f"{i} = {i} + 1;", f"{j} = {j} {'+' if rises else '-'} 1;"]
        self.random.shuffle(steps)
        leave = [f"if !({last}) {{ break; }}", self.statement(i)] if draw >= 0.4 else []
        rest = [*steps, *leave] if self.random.random() < 0.4 else [*leave, *steps]
        self.put(depth + 1, " ".join(rest))
        self.put(depth, "}")
        self.second = ""

    def goes_on(self, counter: str, *, rises: bool, may_wrap: bool) -> str:
        """What a counter is compared with; one that has gone past it goes around, or the loop would not end."""
        limit = self.limit() if rises else self.random.choice(("0", "lo", "-1", "2", "lo - 5"))
        if may_wrap and self.random.random() < 0.2:
            limit = "2147483647" if rises else "-2147483648"
        orders = (("<", ">"), ("<", ">"), ("<=", ">="), *([("!=", "!=")] if may_wrap else []))
        order, exchanged = self.random.choice(orders if rises else [(right, left) for left, right in orders])
        if self.random.random() < 0.3:
            counter += self.random.choice((" + 1", " - 1", " + 3", " - 4"))
        return self.random.choice((f"{counter} {order} {limit}", f"{limit} {exchanged} {counter}"))

    def zipped(self, depth: int, i: str) -> None:
        first, second = self.elements(2), self.elements(2)
        if self.random.random() < 0.4:
            last = self.random.choice(("sum()", "map(|x| x ^ s).sum()", "fold(s, |all, x| all * 3 + x)"))
            self.put(depth, f"s = s + {first}.zip({second}).map(|(x, y)| x * (y ^ lo)).{last};")
            return
        self.put(depth, f"for (one, ({i}, other)) in {first}.zip({second}.enumerate()) {{")
        self.put(depth + 1, f"s = s * 3 + (one ^ {i}); t = t + other;")
        self.meddle(depth + 1, i)
        self.put(depth, "}")

    def chained(self, depth: int, i: str) -> None:
        both = f"{self.elements(2)}.chain({self.elements(2)})"
        if self.random.random() < 0.4:
            last = self.random.choice(
                (
                    "sum()",
                    "map(|x| x * 3).sum()",
                    "filter(|x| x % 3 == 1).count()",
                    "fold(s, |all, x| all * 3 + x)",
                )
            )
            self.put(depth, f"s = s + {both}.{last};")
            return
        self.put(depth, f"var {i} = lo; for one in {both} {{")
        self.put(depth + 1, f"s = s * 5 + one; {i} = {i} + 1;")
        self.meddle(depth + 1, i)
        self.put(depth, "}")

    def meddle(self, depth: int, i: str) -> None:
        """Change what is gone through, or leave: now and then."""
        if self.random.random() < 0.5:
            self.put(
                depth,
                self.random.choice(
                    (
                        f"if {i} < hi {{ a[{i}] = one; }}",
                        f"if {i} < b.len() {{ b[{i}] = one ^ s; }}",
                        "if v.len() < 60 { v.push(one); }",
                        f"if {i} > 9 {{ break; }}",
                        "box.ints = b;",
                    )
                ),
            )

    def elements(self, depth: int) -> str:
        """An iterator over integers."""
        draw = self.random.random()
        if draw < 0.75 or not depth:
            return self.random.choice(
                ("v.iter()", "v.iter()", "a.iter()", "b.iter()", "box.ints.iter()", "(lo..hi).iter()")
            )
        inner = self.elements(depth - 1)
        if draw < 0.8:
            return f"{inner}.chain({self.elements(depth - 1)})"
        number = self.random.choice(("2", "lo", "hi", "0", "-1"))
        return f"{inner}.{self.random.choice((f'skip({number})', f'take({number})', 'map(|x| x + lo)'))}"

    def limit(self) -> str:
        return self.random.choice(
            ("hi", "hi", "hi", "box.n", "a.len() - 3", "c.len() - 3", "box.ints.len() - 3", "walker.goOn(hi)")
        )

    def body(self, depth: int, i: str) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.put(depth, self.statement(i))
        if self.random.random() < 0.12:
            self.put(depth, f"if {self.number(i)} % 11 == 5 {{ {self.random.choice(('break', 's = 3'))}; }}")

    def statement(self, i: str) -> str:
        value, at, array = self.number(i), self.at(i), self.ints()
        return self.random.choice(
            (
                f"{array}[{at}] = {value};",
                f"{array}[{at}] = {value};",
                f"s = s + {value};",
                f"t = s; s = {value};",
                f"l[{at}] = w + {value}.toLong();",
                f"w = w * 31L + box.longs[{at}];",
                f"d[{at}] = d[{self.at(i)}] * 0.5 + {value}.toDouble();",
                f"x = x * 0.5 + d[{at}];",
                f"y[{at}] = {value}.toByte();",
                f"f[{at}] = {value} < {self.number(i)};",
                f"flag = f[{at}];",
                f"r[{at}] = q[{self.at(i)}];",
                f"text = r; text[{at}] = q[{self.at(i)}];",
                f"if flag {{ {array}[{at}] = {value}; }}" if self.random.random() < 0.3 else f"t = {i};",
                "box.n = box.n - 1;" if self.random.random() < 0.1 else f"t = t ^ {value};",
            )
        )

    def ints(self) -> str:
        return self.random.choice(("a", "a", "b", "b", "c", "box.ints"))

    def at(self, i: str) -> str:
        counter = self.second if self.second and self.random.random() < 0.3 else i
        return counter + self.random.choice(OFFSETS)

    def number(self, i: str) -> str:
        return self.random.choice(
            (
                "s",
                i,
                f"{self.ints()}[{self.at(i)}]",
                f"{self.ints()}[{self.at(i)}]",
                f"({self.ints()}[{self.at(i)}] * 3 + {self.ints()}[{self.at(i)}])",
                f"({i} ^ t)",
                f"y[{self.at(i)}].toInt()",
                f"l[{self.at(i)}].toInt()",
                f"(if f[{self.at(i)}] {{ 5 }} else {{ {i} }})",
            )
        )

    # Calls.

    def call(self, work: int, chance: float) -> None:
        """A call in a block with its own arrays; what it goes through is out of range by chance."""
        size = self.random.randint(0, MOST_SIZE)
        n = f"{size + self.random.choice((0, 0, 1, 5))}"
        lo, hi = self.random.choice((3, 3, 3, 4, 9)), size - 3
        if self.random.random() < chance:
            lo, hi = self.random.choice(((0, hi), (-2, hi), (lo, size - 1), (lo, size), (lo, size + 1)))
        box_ints = self.random.choice(("a", "b", f"Array::<int>({n}, 7)", f"Array::<int>({n}, 7)"))
        if self.random.random() < 0.04:
            box_ints = "nil"
        m = self.random.choice(("5L", "30L", "9223372036854775807L", "-9223372036854775780L"))
        kinds = ("long", "1L"), ("double", "1.5"), ("byte", "3Y"), ("bool", "true"), ("Str", '"r"')
        names = zip("ldyfr", kinds, strict=True)
        self.put(1, "{")
        self.put(
            2,
            f"let a = Array::<int>({size}, 5); let b = {self.random.choice(('a', f'Array::<int>({n}, 9)'))};",
        )
        self.put(2, " ".join(f"let {name} = Array::<{kind}>({n}, {one});" for name, (kind, one) in names))
        self.put(2, f"let q = Array::<Str>({n}, nil); let v = Vec::<int>();")
        self.put(
            2,
            f'for i in 0..{size} {{ q[i] = "${{i}}"; a[i] = i * i - 50; b[i] = i - 7; f[i] = i % 3 == 0; }}',
        )
        self.put(2, f"for i in 0..{self.random.randint(0, MOST_SIZE)} {{ v.push(i * 3); }}")
        self.put(
            2, f"let box = Box({box_ints}, {self.random.choice(('l',) * 20 + ('nil',))}, {hi}, {m}, node);"
        )
        self.put(2, f'println("${{work{work}(a, b, l, d, y, f, r, q, v, box, {lo}, {hi})}}");')
        self.put(2, 'show("a", a, l, d, y, f); show("b", b, l, d, y, f);')
        self.put(2, f'for i in 0..{size} {{ print("${{r[i]}} "); }}')
        self.put(2, 'println("");')
        self.put(1, "}")
