"""Random loops over slices: what is lent to compiled code, against the tree walk over arrays of its own.

    python tests/fuzz/slices.py --seed 1 --count 1000      1000 programs; stops at a difference
    python tests/fuzz/slices.py --seed 4711 --show         the program of a seed

The programs are those of `strips`, with slices in place of arrays: some are the same memory twice or shifted, step
otherwise than from one element to the next, or are kept until the next call.  Nobody lends anything to the tree walk, so
there the program has classes of its own by these names, which look into arrays, and print what they store.  So it is
known what memory holds where a program has failed, too.
"""

from __future__ import annotations

import argparse
import io
import re
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest.mock import patch

import numpy
from numpy.lib.stride_tricks import as_strided

import doralang as dora
from doralang.cli.main import run_command
from doralang.embed import programs
from doralang.settings import Settings

sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz import strips
from fuzz.compare import PATIENCE, set_strips

ENGINES: Final[dict[str, dict[str, Any]]] = {
    "baseline": {"settings": {"engine": "baseline"}},
    "opt": {"settings": {"engine": "opt", "llvm": False}},
    "llvm": {"settings": {"engine": "opt"}},
    "llvm, stressed": {"settings": {"engine": "opt", "gc_stress": True}},
    "hardened": {"settings": {"engine": "baseline"}, "policy": "untrusted"},
    "hardened opt": {"settings": {"engine": "opt", "llvm": False}, "policy": "untrusted"},
}
OWN: Final = ("baseline", "opt", "hardened", "hardened opt")

LIMITS: Final = dora.Limits(time=float(10 * PATIENCE))
"""for code that nobody trusts, too: a counter may go around the end of `int`"""

SIZE: Final = 90
"""elements of a memory"""
DTYPES: Final = {"int": "i4", "long": "i8", "double": "f8", "float": "f4", "byte": "u1", "bool": "?"}
FIRST_VALUES: Final = {
    "int": "i * i - 50",
    "long": "i.toLong() * 12345678901L",
    "double": "i.toDouble() * 1.5 - 7.0",
    "float": "i.toFloat() * 0.5F",
    "byte": "(i * 3).toByte()",
    "bool": "i % 3 == 0",
}
MEMORIES: Final = {
    "p": "int",
    "q": "int",
    "l": "long",
    "d": "double",
    "g": "float",
    "y": "byte",
    "f": "bool",
}
PARAMETERS: Final = {
    "a": "MutSlice<int>",
    "b": "MutSlice<int>",
    "o": "Slice<int>",
    "l": "MutSlice<long>",
    "d": "MutSlice<double>",
    "g": "MutSlice<float>",
    "y": "MutSlice<byte>",
    "f": "MutSlice<bool>",
}
STRANGERS: Final = re.compile(r"(MutSlice|Slice|Lent\w+|ViewIterator)\.")
"""functions whose frames are those of a slice, of either kind"""

CLASSES: Final = """
class Call(var isThere: bool)
class MutSlice<T>(
  let call: Call, let show: (T) -> Str, let name: Str, let items: Array<T>, let start: int, let step: int, let n: int
) {
  fun len() -> int { if self.call.isThere { self.n } else { 0 } }
  fun place(i: int) -> int { if i < 0 || i >= self.len() { -1 } else { self.start + i * self.step } }
  fun get(i: int) -> T { self.items[self.place(i)] }
  fun set(i: int, x: T) {
    let at = self.place(i);
    self.items[at] = x;
    println("W ${self.name} ${at} ${(self.show)(x)}");
  }
  fun iter() -> ViewIterator<T> { ViewIterator(self) }
  fun makeIterator() -> ViewIterator<T> { ViewIterator(self) }
  fun slice(from: int, to: int) -> MutSlice<T> {
    if from < 0 || from > to || to > self.len() { self.items[-1]; }
    MutSlice(self.call, self.show, self.name, self.items, self.start + from * self.step, self.step, to - from)
  }
  fun readOnly() -> Slice<T> { Slice(self) }
}
class Slice<T>(let all: MutSlice<T>) {
  fun len() -> int { self.all.len() }
  fun get(i: int) -> T { self.all[i] }
  fun iter() -> ViewIterator<T> { ViewIterator(self.all) }
  fun makeIterator() -> ViewIterator<T> { ViewIterator(self.all) }
}
class ViewIterator<T>(elements: MutSlice<T>) {
  let elements: MutSlice<T> = elements;
  let n: int = elements.len();
  var at: int;
  fun makeIterator() -> ViewIterator<T> { self }
}
impl Iterator for ViewIterator {
  fun hasNext() -> bool { self.at < self.n }
  fun next() -> T {
    let element = self.elements[self.at];
    self.at += 1;
    element
  }
}
"""


class Lent(NamedTuple):
    """A part of a memory: elements, `step` apart, from `start` on."""

    memory: str
    start: int
    step: int
    count: int


class Call(NamedTuple):
    """What is lent for one call, by parameters, and two numbers."""

    work: int
    lent: dict[str, Lent]
    lo: int
    hi: int


class Outcome(NamedTuple):
    """What a program has printed and left in its memories, and how it has ended."""

    lines: list[str]
    memories: dict[str, list[Any]]
    end: list[str]


class SliceGenerator(strips.StripGenerator):
    """Writes one program, and what its calls get."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.works = 0
        self.calls: list[Call] = []

    def program(self) -> str:
        parts, self.works = self.random.randint(0, 1), self.random.randint(1, 3)
        self.lines = [
            "var kept: MutSlice<int> = nil;",
            "var keptToRead: Slice<int> = nil;",
            *(self.lent_text(line) for line in strips.HEAD),
        ]
        for number in range(parts):
            self.function(f"part{number}", 1, 0)
        for number in range(self.works):
            self.function(f"work{number}", self.random.randint(1, 3), parts)
        self.entry()
        self.calls = [self.lend() for _ in range(self.random.randint(1, 4))]
        return "\n".join(self.lines) + "\n"

    def lent_text(self, line: str) -> str:
        return re.sub(r"\bArray<(?!Str)", "MutSlice<", line)

    def put(self, depth: int, text: str) -> None:
        super().put(depth, self.lent_text(text).replace(", d: ", ", o: Slice<int>, g: MutSlice<float>, d: "))

    def function(self, name: str, loops: int, parts: int) -> None:
        before = len(self.lines)
        super().function(name, loops, parts)
        box = self.random.choice(
            ("box.ints", "box.ints", "a.slice(1, a.len())", "b.slice(0, b.len() / 2)", "kept")
        )
        for at in range(before, len(self.lines)):
            line = self.lines[at].replace("let c = box.ints;", f"let c = {box};")
            self.lines[at] = line.replace(", l, d, y, f, r, q, v, box,", ", l, o, g, d, y, f, r, q, v, box,")

    def entry(self) -> None:
        """What is called from outside."""
        given = ", ".join(f"{name}: {type}" for name, type in PARAMETERS.items())
        self.lines.append(f"fun enter(work: int, {given}, lo: int, hi: int) {{")
        one = self.random.choice(("kept", "a", "b", "b", "b"))
        for text in (
            "let last = Node(4, nil); let node = Node(1, Node(2, Node(3, last))); last.next = node;",
            'let r = Array::<Str>(a.len(), "r"); let q = Array::<Str>(a.len() + 1, "q");',
            "let v = Vec::<int>(); for i in 0..b.len() { v.push(i * 3); }",
            f"if kept === nil {{ kept = b; keptToRead = a.readOnly(); }} let box = Box({one}, l, hi, 30L, node);",
            "var rounds = 0; for x in keptToRead { rounds += x; }",
            'println("${kept.len()} ${keptToRead.len()} ${rounds}");',
        ):
            self.lines.append(f"  {text}")
        arguments = "a, b, l, o, g, d, y, f, r, q, v, box, lo, hi"
        for number in range(self.works):
            self.lines.append(f'  if work == {number} {{ println("${{work{number}({arguments})}}"); }}')
        self.lines += ['  show("a", a, l, d, y, f);', "}"]

    def statement(self, i: str) -> str:
        if self.random.random() < 0.8:
            return super().statement(i)
        at = self.at(i)
        return self.random.choice(
            (
                f"g[{at}] = g[{self.at(i)}] * 0.5F + {self.number(i)}.toFloat();",
                f"x = x + g[{at}].toDouble();",
                f"a[{at}] = o[{self.at(i)}] * b[{self.at(i)}] + {i};",
                f"d[{at}] = x * d[{self.at(i)}];",
                f"s = s * 7 + o[{at}];",
                f"flag = g[{at}] < 3.0F;",
                f"flag = !f[{at}];",
                f"flag = f[{at}] == flag;",
            )
        )

    def elements(self, depth: int) -> str:
        return "o.iter()" if self.random.random() < 0.2 else super().elements(depth)

    # What is lent.

    def lend(self) -> Call:
        count = self.random.choice((0, 1, 5, *range(10, 60, 3)))
        lent = {name: self.part(name, count) for name in PARAMETERS}
        if self.random.random() < 0.4:  # in place of what is there, or shifted by some elements
            first, other = self.random.sample(("a", "b", "o"), 2)
            shifted = lent[first].start + self.random.choice((0, 1, -1, 2))
            lent[other] = self.fitting(lent[first]._replace(start=shifted))
        lo, hi = self.random.choice(((3, count - 3), (3, count - 3), (4, count - 4), (0, count), (2, count)))
        return Call(self.random.randrange(self.works), lent, lo, hi)

    def part(self, name: str, count: int) -> Lent:
        memory = self.random.choice("pq") if name in "abo" else name
        if self.random.random() < 0.2:
            count = max(count + self.random.randint(-3, 5), 0)
        steps = (1,) * 12 + (2, -1, 3, -2) + ((0,) if name == "o" else ())
        step = self.random.choice(steps)
        start = self.random.choice((0, 0, 1, 5))
        return self.fitting(Lent(memory, start if step >= 0 else SIZE - 1 - start, step, count))

    def fitting(self, lent: Lent) -> Lent:
        """As much of it as is in the memory."""
        start = min(max(lent.start, 0), SIZE - 1)
        count = lent.count
        while count > 1 and not 0 <= start + (count - 1) * lent.step < SIZE:
            count -= 1
        return lent._replace(start=start, count=count)


# The two sides.


def oracle(text: str, calls: list[Call]) -> str:
    """The program for the tree walk."""
    lines = [text + CLASSES, "fun main() {"]
    for name, type in MEMORIES.items():
        lines.append(
            f"  let {name} = Array::<{type}>({SIZE}); for i in 0..{SIZE} {{ {name}[i] = {FIRST_VALUES[type]}; }}"
        )
    for number, call in enumerate(calls):
        lines.append(f"  let call{number} = Call(true);")
        given = []
        for parameter, one in call.lent.items():
            view = f'MutSlice(call{number}, |x| "${{x}}", "{one.memory}", {one.memory}, {one.start}, {one.step}, {one.count})'
            given.append(f"Slice({view})" if parameter == "o" else view)
        lines.append(
            f"  enter({call.work}, {', '.join(given)}, {call.lo}, {call.hi}); call{number}.isThere = false;"
        )
    return "\n".join([*lines, "}"]) + "\n"


def first_memories() -> dict[str, Any]:
    """As the oracle makes them; some stand where no number of their kind would stand by itself."""
    i = numpy.arange(SIZE)
    values = {
        "int": i * i - 50,
        "long": i * 12345678901,
        "double": i * 1.5 - 7.0,
        "float": i * 0.5,
        "byte": i * 3 % 256,
        "bool": i % 3 == 0,
    }
    made = {}
    for number, (name, type) in enumerate(MEMORIES.items()):
        dtype = numpy.dtype(DTYPES[type])
        room = bytearray(SIZE * dtype.itemsize + 1)
        made[name] = numpy.frombuffer(room, dtype, SIZE, offset=number % 2)
        made[name][:] = values[type]
    made["f"].view("u1")[::2] *= 7  # any byte but 0 is true
    return made


def walked(text: str, calls: list[Call]) -> Outcome | None:
    """What the tree walk says; None if it takes too long."""
    stdout, stderr = io.BytesIO(), io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "program.dora")
        path.write_text(oracle(text, calls))
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        try:
            status = run_command(
                ["run", "--engine=walk", "--error-format=short", str(path)], io.BytesIO(), stdout, stderr
            )
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    if status == 130:
        return None
    assert status == 0 or status > 100, stderr.getvalue().decode()
    memories, lines = first_memories(), []
    for line in stdout.getvalue().decode().splitlines():
        if line.startswith("W "):
            _, name, at, value = line.split(" ")
            memories[name][int(at)] = value == "true" if MEMORIES[name] == "bool" else number_of(value)
        else:
            lines.append(line)
    return Outcome(lines, as_lists(memories), trace(stderr.getvalue().decode()))


def number_of(text: str) -> float:
    return float(text) if "." in text or text[-1] in "Nynf" or "E" in text else int(text)


def as_lists(memories: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: [repr(one) for one in memory.tolist()] for name, memory in memories.items()}


def trace(text: str) -> list[str]:
    """A failure and its frames, without those of slices and of `main`."""
    lines = [re.sub(r"^\d+: ", "", line) for line in text.splitlines()]
    return [line for line in lines if not STRANGERS.match(line) and not line.startswith("main()")]


def compiled(text: str, calls: list[Call], *, settings: dict[str, Any], policy: Any = "trusted") -> Outcome:
    printed: list[str] = []
    with patch.object(programs, "Settings", lambda: Settings(**settings)):
        limits = LIMITS if policy == "untrusted" else None
        module = dora.compile(text, print=printed.append, policy=policy, limits=limits)
        memories, end = first_memories(), []
        try:
            for call in calls:
                views = [view_of(memories, one, name) for name, one in call.lent.items()]
                module.enter(call.work, *views, call.lo, call.hi)
        except dora.Failure as error:
            end = trace(str(error))
    return Outcome("".join(printed).splitlines(), as_lists(memories), end)


def view_of(memories: dict[str, Any], lent: Lent, name: str) -> Any:
    memory = memories[lent.memory]
    strides = (lent.step * memory.itemsize,)
    return as_strided(memory[lent.start :], (lent.count,), strides, writeable=name != "o")


# The comparison.


def differences(seed: int, engines: tuple[str, ...] = tuple(ENGINES)) -> Iterator[str]:
    """What engines say otherwise than the tree walk about the program of a seed."""
    generator = SliceGenerator(seed)
    text = generator.program()
    expected = walked(text, generator.calls)
    if expected is None:
        return
    for name in engines:
        found = compiled(text, generator.calls, **ENGINES[name])
        if found != expected:
            told = "\n".join(unlike(expected, found))
            yield f"seed {seed}: {name} disagrees with the tree walk about\n\n{oracle(text, generator.calls)}\n{told}"


def unlike(expected: Outcome, found: Outcome) -> Iterator[str]:
    """What two outcomes do not have in common."""
    if expected.lines != found.lines or expected.end != found.end:
        yield "\n".join([*expected.lines, *expected.end, "---", *found.lines, *found.end])
    for name, elements in expected.memories.items():
        pairs = zip(elements, found.memories[name], strict=True)
        yield from (f"{name}[{at}]: {one}, {other}" for at, (one, other) in enumerate(pairs) if one != other)


def find_difference(first: int, count: int, engines: tuple[str, ...] = tuple(ENGINES)) -> str | None:
    """A report about the first seed about whose program the engines disagree."""
    try:
        for seed in range(first, first + count):
            set_strips(seed)
            for difference in differences(seed, engines):
                return difference
    finally:
        set_strips(0)
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--show", action="store_true", help="print the program of the seed")
    options = parser.parse_args()
    if options.show:
        generator = SliceGenerator(options.seed)
        print(oracle(generator.program(), generator.calls))
        return 0
    difference = find_difference(options.seed, options.count)
    print(difference or f"{options.count} programs: no difference")
    return difference is not None


if __name__ == "__main__":
    sys.exit(main())
