"""Random programs of several paths, run in any order with stored code, against the same runs without.

    python tests/fuzz/stored.py --seed 1 --count 200         200 programs; stops at a difference
    python tests/fuzz/stored.py --seed 4711 --show           the program of a seed, and how it is run

The arguments of a run choose its paths, and each path compiles something that others do not: generics with
type arguments of its own, virtual calls, globals, literals, exceptions, functions that `call` finds.  Collector,
size of the heap and `--omit-bounds-check` vary from run to run.  Status, output and messages must be those of
`--no-cache`.  In the end every run is made once more: by then all is stored, and nothing may be stored again
but better code for what has got hot only now, which is a matter of time.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from doralang.cli.main import run_command
from doralang.native.tiering import Request, Tiering
from doralang.user_cache import VARIABLE

sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz.compare import is_program
from fuzz.generator import EDGES, Generator, Scope

MORE_CLASSES = """
trait Label { fun label() -> Str; }
trait Title { fun label() -> Str; }
class Box<T>(let value: T) {
  fun get() -> T { return self.value; }
  fun twice() -> Pair<T, T> { return Pair(self.value, self.value); }
}
open class Shape(let size: int) {
  open fun area() -> int { return self.size; }
  open fun name() -> Str { return "shape"; }
}
class Square(size: int): Shape(size) {
  override fun area() -> int { return self.size * self.size; }
}
class Circle(size: int, var text: Str): Shape(size) {
  override fun area() -> int { return self.size * 3; }
  override fun name() -> Str { return self.text + " " + self.size.toString(); }
}
class Fault(msg: Str, let code: int): Exception(msg)
impl Label for Shape { fun label() -> Str { return "label of " + self.name(); } }
impl Title for Shape { fun label() -> Str { return "title of " + self.name(); } }
impl Label for int { fun label() -> Str { return "int " + self.toString(); } }
fun labelOf<T: Label>(value: T) -> Str { return value.label(); }
fun titleOf<T: Title>(value: T) -> Str { return "(" + value.label() + ")"; }
fun shape(number: int) -> Shape {
  if number % 2 == 0 { return Square(number); }
  return Circle(number, "round");
}
fun risky(number: int) throws -> int {
  if number > 2 { throw Fault("too much", number); }
  if number == 2 { throw "two"; }
  return number;
}
class Link(let value: Str, let next: Link)
fun churn(count: int, kept: int) -> int {
  var list: Link = nil;
  for i in range(0, count) {
    if i % kept == 0 { list = nil; }
    list = Link("link " + i.toString(), list);
  }
  return list.value.len();
}
fun deep<T>(value: T, depth: int) -> int {
  if depth == 0 { return 0; }
  return deep(Box(value), depth - 1) + 1;
}
// Names that the library uses among its own, for what compiled code calls at once, late or never.
fun longToText(number: int) -> int { return number + 1; }
fun textOfBytes(number: int) -> int { return number + 2; }
fun worked(number: int) -> int { return number + 3; }
fun zeros(number: int) -> bool { return number > 3; }
fun shortestDecimal(number: int) -> IntRange { return range(0, number); }
var log: Str = "log";
var shapes: Vec<Shape> = Vec();
var boxes: Vec<Box<Str>> = Vec();
var total: long = 0L;
"""

STATEMENTS = (
    "log = log + TEXT; println(log);",
    "shapes.push(shape(NUMBER)); println(shapes[shapes.len() - 1].name());",
    "boxes.push(Box(TEXT)); println(boxes[0].get());",
    "total = total + shape(NUMBER).area().toLong(); println(total.toString());",
    "println(labelOf(shape(NUMBER))); println(titleOf(shape(NUMBER)));",
    "println(labelOf(NUMBER));",
    "println(Circle(NUMBER, TEXT).name());",
    "println(longToText(NUMBER).toString());",
    "println(textOfBytes(worked(NUMBER)).toString());",
    "println(zeros(NUMBER).toString());",
    "println(deep(TEXT, NUMBER).toString());",
    "println(deep(NUMBER, NUMBER).toString());",
    "for step in shortestDecimal(NUMBER) { println(step.toString()); }",
    "do { println((try risky(NUMBER)).toString()); } catch e: Fault { println(e.msg); e.printStackTrace(); }"
    ' catch e: Str { println("text " + e); }',
    "println((try risky(NUMBER) else -1).toString());",
    'do { try risky(NUMBER); } catch e: Object { println("any"); } finally { println(TEXT); }',
    "println(churn(NUMBER * 1000, NUMBER + 1).toString());",
    "println(churn(20000, 30000).toString());",
    "forceCollect();",
    "let buffer = StringBuf(); buffer.appendString(TEXT).appendChar('x'); println(buffer.toString());",
    "let numbers = Array(3, 7 - NUMBER); bubbleSort(numbers); println(numbers[0].toString());",
    "println(Array::<TYPE>(NUMBER, VALUE).len().toString());",
    "println((shape(NUMBER) is Circle).toString());",
)
ENDINGS = (
    "println((NUMBER / (argc() - argc())).toString());",
    "assert(argc() < 0);",
    "println((shape(NUMBER) as Circle).text);",
    "println((try! risky(NUMBER)).toString());",
    "let none: Shape = nil; println(none.name());",
    "throw Fault(TEXT, NUMBER);",
    "throw Array(1, NUMBER);",
    "exit(NUMBER);",
    "fatalError(TEXT);",
    "println(Array::<long>(400000, 1L)[NUMBER].toString());",
    "call(TEXT);",
)
"""how a path may end a run, now and then"""
BOUNDS = "println(Array(1, NUMBER)[argc() + 1].toString());"
"""what must not be done with `--omit-bounds-check`"""

HEAP_SIZES = ("", "--heap-size=1m", "--heap-size=2m", "--heap-size=3m", "--heap-size=64m")
CODE_OPTIONS = ("--gc=swiper", "--gc=copy", "--gc=sweep", "--gc=zero", "--omit-bounds-check")
"""with each of them a program has an entry of its own"""
ENDS = 0.3


class PathGenerator(Generator):
    """A program whose arguments choose what it does: `path1 path4 path1`, or any function for `call`."""

    more = MORE_CLASSES

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.paths: dict[str, bool] = {}
        """the functions, and whether they throw"""
        self.bounded = ""
        """the path that has a wrong index"""

    def program(self) -> str:
        for _ in range(self.random.randint(0, 3)):
            type, name = self.random.choice(tuple(EDGES)), self.fresh("g")
            self.lines.append(f"var {name}: {type} = {self.literal(type)};")
            self.globals.append((name, type, True))
        for _ in range(self.random.randint(3, 6)):
            if self.chance(0.5):
                self.function()
            self.path()
        self.bounded = self.path(BOUNDS)
        self.main()
        return self.whole()

    def index(self, scope: Scope) -> str:
        return str(self.random.randint(0, 1))  # in range, for `--omit-bounds-check`

    def path(self, last: str = "") -> str:
        name = self.fresh("path")
        first = len(self.lines)
        scope = Scope(list(self.globals))
        for _ in range(self.random.randint(1, 3)):
            if self.chance(0.3):
                self.statement(scope, 1)
            elif self.chance(0.3):
                self.lines.append(f"  {self.generic()}")
            else:
                self.lines.append(f"  if true {{ {self.filled(self.random.choice(STATEMENTS))} }}")
        if self.functions and self.chance(0.5):
            function = self.random.choice(self.functions)
            self.lines.append(f"  {self.call(function, scope, 1)};")
        if self.paths and self.chance(0.2):
            self.lines.append(f'  call("{self.random.choice(list(self.paths))}");')
        ending = last or (self.random.choice(ENDINGS) if self.chance(ENDS) else "")
        if ending:
            self.lines.append(f"  if argc() < 9 {{ {self.filled(ending)} }}")
        self.lines.append("}")
        throws = ending.startswith("throw ")
        self.lines.insert(first, f"fun {name}() {'throws ' * throws}{{")
        self.paths[name] = throws
        return name

    def filled(self, template: str) -> str:
        type = self.random.choice(tuple(EDGES))
        text = f'"{self.random.choice("abcdefgh")}{self.random.randint(0, 20)}"'
        return (
            template.replace("NUMBER", str(self.random.randint(0, 6)))
            .replace("TEXT", text)
            .replace("TYPE", type)
            .replace("VALUE", self.literal(type))
        )

    def generic(self) -> str:
        """Something with type arguments that no other path may have."""
        type = self.random.choice(tuple(EDGES))
        made, steps = f"Box({self.literal(type)})", ""
        for _ in range(self.random.randint(0, 3)):
            made, steps = f"Box({made})", f"{steps}.get()"
        if self.chance(0.4):
            made, steps = f"{made}{steps}.twice().swapped()", ".first"
            return f"println({self.shown(made + steps, type)});"
        return f"println({self.shown(made + steps + '.get()', type)});"

    def main(self) -> None:
        self.lines.append("fun main() throws -> int {")
        self.lines.append("  for i in range(0, argc()) {")
        self.lines.append("    let word = argv(i);")
        for name, throws in self.paths.items():
            self.lines.append(f'    if word == "{name}" {{ {"try " * throws}{name}(); continue; }}')
        self.lines.append("    call(word.clone());")
        self.lines.append("  }")
        self.lines.append(f"  return {self.random.randint(0, 9)};")
        self.lines.append("}")


class Run(NamedTuple):
    options: list[str]
    arguments: list[str]


class Outcome(NamedTuple):
    status: int
    stdout: bytes
    stderr: bytes


def random_runs(generator: PathGenerator) -> list[Run]:
    """Some runs of the program that was generated, in an order that has new paths in later ones."""
    random, runs = generator.random, list[Run]()
    code_options = [option for option in CODE_OPTIONS if random.random() < 0.25]
    for _ in range(random.randint(4, 7)):
        options = [random.choice(HEAP_SIZES)]
        if code_options and random.random() < 0.5:
            options.append(random.choice(code_options))
        usable = [*generator.paths, "shape", "nothing"]
        if "--omit-bounds-check" in options:
            usable.remove(generator.bounded)
        arguments = [random.choice(usable) for _ in range(random.randint(0, 3))]
        runs.append(Run([option for option in options if option], arguments))
    return runs


def dora(path: str, run: Run, *more: str) -> Outcome:
    stdout, stderr = io.BytesIO(), io.BytesIO()
    command = ["run", *run.options, *more, path, *run.arguments]
    status = run_command(command, io.BytesIO(), stdout, stderr)
    return Outcome(status, stdout.getvalue(), stderr.getvalue())


def entries(cache: str) -> dict[str, int]:
    """The stored programs: name and number of the file, which is another one when it is written again."""
    folder = os.path.join(cache, "programs")
    return {one.name: one.inode() for one in os.scandir(folder)} if os.path.isdir(folder) else {}


@contextmanager
def moving_up() -> Iterator[list[str]]:
    """The names of what gets better code meanwhile."""
    names: list[str] = []
    compile_now = Tiering.compile_now

    def noted(tiering: Tiering, request: Request) -> None:
        names.append(request.name)
        compile_now(tiering, request)

    with patch.object(Tiering, "compile_now", noted):
        yield names


def complaint(text: str, runs: list[Run], folder: str) -> str | None:
    """What is wrong with these runs of a program in an empty folder; None if nothing is."""
    path, cache = os.path.join(folder, "program.dora"), os.path.join(folder, "cache")
    Path(path).write_text(text)
    expected = [dora(path, run, "--no-cache") for run in runs]
    before, os.environ[VARIABLE] = os.environ.get(VARIABLE), cache
    try:
        for index, run in enumerate(runs):
            found = dora(path, run)
            if found != expected[index]:
                return difference(index, runs, found, expected[index])
        stored = entries(cache)
        if not stored:
            return "nothing was stored"
        for index, run in enumerate(runs):
            with moving_up() as names:
                found = dora(path, run)
            if found != expected[index]:
                return "once more: " + difference(index, runs, found, expected[index])
            before_this, stored = stored, entries(cache)
            if stored != before_this and not names:
                return f"once more {' '.join([*run.options, *run.arguments])}: not all was stored"
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
    return None


def difference(index: int, runs: list[Run], found: Outcome, expected: Outcome) -> str:
    made = "\n".join(" ".join([*run.options, *run.arguments]) for run in runs[: index + 1])
    return f"after these runs, the last one differs:\n{made}\nstored: {found}\nfresh:  {expected}\n"


def find_difference(first: int, count: int) -> str | None:
    """A report about the first seed whose program behaves differently with stored code."""
    for seed in range(first, first + count):
        generator = PathGenerator(seed)
        text = generator.program()
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o700)
            assert is_program(text, folder), f"seed {seed} is no program:\n{text}"
            wrong = complaint(text, random_runs(generator), folder)
        if wrong is not None:
            return f"seed {seed}: {wrong}"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--show", action="store_true", help="print the program of the seed and its runs")
    options = parser.parse_args()
    if options.show:
        generator = PathGenerator(options.seed)
        print(generator.program())
        for run in random_runs(generator):
            print("//", *run.options, *run.arguments)
        return 0
    wrong = find_difference(options.seed, options.count)
    print(wrong or f"{options.count} programs from seed {options.seed} on: stored code changes nothing")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
