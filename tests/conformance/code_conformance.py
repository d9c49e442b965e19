"""What every compiler from bytecode to code objects must do, on every processor.

A new compiler subclasses `CodeConformance`; a new processor needs nothing but its row.

    class TestMine(CodeConformance):
        engine = "mine"

        def compile(self, specializer, function, target):
            return …

The first part looks at code objects for all processors, without running them.  The second part runs programs on
this machine: results, failures, GC points while everything moves, freeing.
"""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator

import pytest

from compiling import bytecode_of, compiled_program
from doralang.bytecode.function import Function as Bytecode
from doralang.code import symbols
from doralang.code.collectors import COLLECTORS
from doralang.code.objects import CodeObject
from doralang.code.symbols import Symbol
from doralang.engines.native import Machine
from doralang.lower.specializer import Specializer
from doralang.machine.code import RELOCATE
from doralang.machine.targets import TARGETS, Target
from doralang.runtime.code_space import CodeSpace
from doralang.settings import Settings
from doralang.types.failures import Failure
from doralang.types.traps import Trap

PROGRAM = """
open class Shape(let name: Str) { open fun area() -> double { return 0.0; } }
class Square(name: Str, let side: double): Shape(name) { override fun area() -> double { return self.side * self.side; } }
class Node(var next: Node, let value: int)

fun fib(n: int) -> int { if n < 2 { return n; } return fib(n - 1) + fib(n - 2); }
fun mixed(a: int, b: double, c: long, d: float, e: byte, f: char, g: bool, h: int, i: int, j: int, k: double) -> double {
  if g { return a.toDouble() + b + c.toDouble() + d.toDouble() + e.toInt().toDouble() + f.toInt().toDouble(); }
  return (h + i * j).toDouble() * k;
}
fun pass(n: int) -> double { return mixed(n, 0.5, 3L, 1.5F, 4Y, 'a', n > 0, n + 1, n + 2, n + 3, 2.0); }
fun list(n: int) -> Node { var head: Node = nil; for i in range(0, n) { head = Node(head, i); } return head; }
fun sum(n: int) -> int {
  let head = list(n); var node = head; var sum = 0;
  while node !== nil { sum = sum + node.value; let waste = Array::<int>(3); node = node.next; }
  return sum + head.value;
}
fun nine(a: Str, b: Str, c: Str, d: Str, e: Str, f: Str, g: Str, h: Str, i: Str) -> Str { return i + h + g + f + e + d + c + b + a; }
fun words(n: int) -> int {
  let a = n.toString(); let b = a + "b"; let c = b + "c"; let d = c + "d";
  return nine(a, b, c, d, a + b, b + c, c + d, d + a, a).len();
}
fun area(shape: Shape) -> double { return shape.area(); }
fun areas(n: int) -> double { return area(Shape("s")) + area(Square("q", n.toDouble())); }
fun throwing(n: int) throws -> int { if n > 2 { throw "n"; } return n; }
fun caught(n: int) -> int { do { return try throwing(n); } catch e: Str { return -e.len(); } finally { list(3); } }

fun element(n: int) -> int {
  let a = Array::<int>(3);
  return a[n];
}
fun divided(n: int) -> int {
  return 7 / n;
}
fun field(n: int) -> int {
  return list(n).value;
}
fun cast(n: int) -> double {
  return (Shape("s") as Square).side;
}
fun asserted(n: int) -> int {
  assert(n > 0);
  return n;
}
fun uncaught(n: int) -> int {
  return try! throwing(n);
}
fun endless(n: int) -> int {
  return endless(n + 1) + 1;
}
fun outer(n: int) -> int {
  return element(n) + 1;
}
fun main() {}
"""

RESULTS = {
    ("fib", 20): 6765,
    ("pass", 2): 2 + 0.5 + 3 + 1.5 + 4 + 97,
    ("pass", -1): (0 + 1 * 2) * 2.0,
    ("sum", 1000): 1000 * 999 // 2 + 999,
    ("words", 7): 31,
    ("areas", 3): 9.0,
    ("caught", 1): 1,
    ("caught", 5): -1,
}
FAILURES = {
    ("element", 3): (Trap.INDEX, "return a[n]"),
    ("element", -1): (Trap.INDEX, "return a[n]"),
    ("divided", 0): (Trap.DIVISION, "return 7 / n"),
    ("field", 0): (Trap.NIL, "return list(n).value"),
    ("cast", 0): (Trap.CAST, "return (Shape"),
    ("asserted", 0): (Trap.ASSERT, "assert(n > 0)"),
    ("uncaught", 3): (Trap.UNEXPECTED, "return try! throwing"),
    ("endless", 0): (Trap.STACK, "return endless"),
}
KINDS = {
    symbols.ENTRY,
    symbols.SHAPE,
    symbols.CLASS,
    symbols.LITERAL,
    symbols.STUB,
    symbols.TRAP,
    symbols.UPCALL,
    symbols.NATIVE,
    symbols.OWN.kind,
}


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(PROGRAM.splitlines(), 1) if text in line)


class CodeConformance:
    """Subclass it with a compiler, and the engine that runs its code."""

    engine: str
    uses_llvm = False

    def compile(self, specializer: Specializer, function: Bytecode, target: Target) -> CodeObject:
        """The code of a function for a processor."""
        raise NotImplementedError

    # Code objects.

    @pytest.fixture(scope="class")
    @classmethod
    def functions(cls) -> list[tuple[Specializer, Bytecode]]:
        """Those of the program, and all of the library."""
        return list(bytecode_of(compiled_program(PROGRAM)))

    @pytest.mark.parametrize("target", TARGETS)
    def test_code_objects(self, functions: list[tuple[Specializer, Bytecode]], target: str) -> None:
        """GC points and relocations are within the code, in order, and say where they are."""
        for specializer, function in functions:
            code = self.compile(specializer, function, TARGETS[target])
            assert code.ref is function.ref and code.code.body_size <= len(code.code.data)
            self.look_at_points(code, function)
            self.look_at_relocations(code)

    def look_at_points(self, code: CodeObject, function: Bytecode) -> None:
        offsets = [point.offset for point in code.points]
        assert offsets == sorted(set(offsets)), "two points at a place, or out of order"
        for point in code.points:
            assert 0 < point.offset <= code.code.body_size
            assert all(slot % 8 == 0 and self.is_slot(slot) for slot in point.slots), point.slots
            assert len(set(point.slots)) == len(point.slots)
            assert point.chain[-1].function is function.ref, "the outermost site is the function's own"
            assert all(site.line >= 0 for site in point.chain)

    def is_slot(self, place: int) -> bool:
        """Whether something of the function's own may be there, from where the frame pointer points."""
        return place < 0

    def look_at_relocations(self, code: CodeObject) -> None:
        places = [(offset, kind) for offset, kind, _, _ in code.code.relocations]
        assert len(set(places)) == len(places)
        for offset, kind, symbol, _ in code.code.relocations:
            assert 0 <= offset < len(code.code.data) and kind in RELOCATE
            assert isinstance(symbol, Symbol) and symbol.kind in KINDS, symbol

    @pytest.mark.parametrize("target", TARGETS)
    def test_the_same_function_gives_the_same_code(
        self, functions: list[tuple[Specializer, Bytecode]], target: str
    ) -> None:
        for specializer, function in functions[::7]:
            one, other = (self.compile(specializer, function, TARGETS[target]) for _ in range(2))
            assert one.code.data == other.code.data and one.code.relocations == other.code.relocations
            assert [*one.points] == [*other.points]

    # Running.

    @classmethod
    def made(cls, settings: Settings) -> Machine:
        settings.engine, settings.llvm = cls.engine, cls.uses_llvm
        return Machine(
            compiled_program(PROGRAM), stdout=io.BytesIO(), stderr=io.BytesIO(), settings=settings, alone=True
        )

    @pytest.fixture(scope="class")
    @classmethod
    def machine(cls) -> Iterator[Machine]:
        machine = cls.made(Settings())
        yield machine
        machine.close()

    @pytest.mark.parametrize(("name", "argument"), RESULTS)
    def test_results(self, machine: Machine, name: str, argument: int) -> None:
        assert call(machine, name, argument) == RESULTS[name, argument]

    @pytest.mark.parametrize(("name", "argument"), FAILURES)
    def test_failures(self, machine: Machine, name: str, argument: int) -> None:
        """With the line of the function that fails; the machine is good for more."""
        trap, text = FAILURES[name, argument]
        with pytest.raises(Failure) as caught:
            call(machine, name, argument)
        assert caught.value.trap is trap
        assert f"0: {name}(" in caught.value.report().decode().splitlines()[1]
        assert caught.value.report().decode().splitlines()[1].endswith(f": {line_of(text)}")
        assert call(machine, "fib", 10) == 55

    def test_callers_in_traces(self, machine: Machine) -> None:
        with pytest.raises(Failure) as caught:
            call(machine, "outer", 3)
        lines = caught.value.report().decode().splitlines()
        assert lines[1:] == [
            f"0: element(int) -> int: {line_of('return a[n]')}",
            f"1: outer(int) -> int: {line_of('return element')}",
        ]

    @pytest.mark.parametrize("collector", [name for name, row in COLLECTORS.items() if row.traces])
    def test_collections_at_every_allocation(self, collector: str) -> None:
        """References in registers, slots, arguments on the stack, and across calls that throw."""
        machine = self.made(Settings(gc=collector, gc_stress=True, gc_verify=True))
        for (name, argument), expected in RESULTS.items():
            if name != "fib":
                assert call(machine, name, argument if name != "sum" else 30) == (
                    expected if name != "sum" else 30 * 29 // 2 + 29
                )
        machine.close()

    def test_freeing(self) -> None:
        """Everything of a machine goes with it."""
        before = None
        for _ in range(4):
            machine = self.made(Settings())
            assert call(machine, "sum", 10) == 54
            space = machine.module.space
            machine.close()
            gc.collect()
            if before is None:
                before = held(space)
            else:
                now = held(space)
        assert now == before


def call(machine: Machine, name: str, argument: int) -> object:
    return machine.call(machine.program.functions[name], [argument])


def held(space: CodeSpace) -> tuple[int, ...]:
    return (
        space.arena.code.used,
        space.arena.data.used,
        len(space.places),
        len(space.classes),
        len(space.symbols),
        len(space.points.records),
    )
