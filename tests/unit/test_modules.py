"""Modules, loaders and instances: many instances of one module, many threads, and everything given back."""

from __future__ import annotations

import ctypes
import gc
import io
import os
from collections.abc import Iterator
from threading import Barrier, Thread

import pytest

from doralang.baseline.compiler import compile_for
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function as Bytecode
from doralang.bytecode.instructions import CallInternal, Register, Return
from doralang.checker.program import Program
from doralang.code.layout import ARGUMENT_WORDS, THREAD_RESULT
from doralang.engines.native import Machine, module_of
from doralang.interpreter.internals import MEANINGS
from doralang.library.internals import INTERNALS, Internal, Supplier
from doralang.machine.foreign import address_of
from doralang.native.module import Module
from doralang.native.running import Executor
from doralang.runtime.code_space import CodeSpace
from doralang.runtime.instance import InstanceBusy
from doralang.session.checking import compile_program
from doralang.settings import Settings
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from doralang.types.kinds import Kind

SETTINGS = Settings(heap_size=16 << 20)
GENERIC = """
class Node%<T>(let value: T, var next: Node%<T>)
open class Base% { open fun name() -> Str { return "base %"; } }
class Sub%: Base% { override fun name() -> Str { return "sub %"; } }
fun last<T>(x: T) -> T { let all = Vec::<T>(); all.push(x); return all.get(0); }
var seen: Str = "nothing";
fun main() {
  let one: Base% = Sub%();
  seen = last(one).name() + last("text %");
  let node = last(Node%(7, nil));
  println(seen + node.value.toString());
  forceCollect();
  println(last(Vec::<Node%<int>>()).len().toString());
}
"""
COUNTING = """
class Box(var next: Box, let value: int)
fun sum(n: int) -> int {
  var boxes: Box = nil;
  for i in range(0, n) { boxes = Box(boxes, i); }
  var total = 0;
  while boxes !== nil { total = total + boxes.value; boxes = boxes.next; }
  return total;
}
var calls: int = 0;
fun count(n: int) -> int { calls = calls + n; return calls; }
fun shout(n: int) { println(n.toString()); }
fun main() {}
"""


def program(text: str) -> Program:
    diagnostics = Diagnostics()
    checked = compile_program(Source("test.dora", text), diagnostics, engine="baseline")
    assert checked is not None, diagnostics.reports
    return checked


def executor(module: Module, stdout: io.BytesIO | None = None) -> Executor:
    return Executor(module, stdout=stdout or io.BytesIO(), stderr=io.BytesIO(), settings=SETTINGS)


class Counting:
    """A module of `COUNTING`, whose functions are called by name."""

    def __init__(self) -> None:
        self.program = program(COUNTING)
        self.module = module_of(self.program, SETTINGS)

    def call(self, instance: Executor, name: str, number: int) -> object:
        with self.module.space.freeing, self.module.space.lock:
            ref = self.module.specializer.function_ref(self.program.functions[name])
        return instance.run(ref, [number])


@pytest.fixture
def counting() -> Iterator[Counting]:
    made = Counting()
    yield made
    made.module.close()


# Entering.


def test_the_gil_is_held_or_not(counting: Counting) -> None:
    made = executor(counting.module)
    instance, block = made.instance, (ctypes.c_uint64 * ARGUMENT_WORDS)()
    for holds_gil in (True, False, True):
        top = instance.begin()
        instance.run(address_of("PyGILState_Check"), ctypes.addressof(block), top, holds_gil=holds_gil)
        instance.end()
        assert instance.thread[THREAD_RESULT] & 0xFF == holds_gil
    made.close()


# Freeing.


def held(space: CodeSpace) -> dict[str, int]:
    """What a process holds of code, and files and mappings."""
    gc.collect()
    with open("/proc/self/maps") as maps:
        mappings = len(maps.readlines())
    return {
        "bytes of code": space.arena.code.used,
        "bytes of data": space.arena.data.used,
        "places": len(space.places),
        "classes": len(space.classes),
        "symbols": len(space.symbols),
        "cells": len(space.owners),
        "spare cells": len(space.spare_cells),
        "records of slots": len(space.points.records),
        "mappings": mappings,
        "files": len(os.listdir("/proc/self/fd")),
    }


def run_generic(number: int) -> CodeSpace:
    """Run a program with classes and generics of its own, and give it back."""
    stdout = io.BytesIO()
    text = GENERIC.replace("%", str(number))
    machine = Machine(program(text), stdout=stdout, stderr=io.BytesIO(), settings=SETTINGS)
    assert machine.run_main() == 0
    assert stdout.getvalue().decode() == f"sub {number}text {number}7\n0\n"
    machine.close()
    return machine.module.space


PROGRAMS = int(os.environ.get("DORA_FREED_PROGRAMS", "40"))


def test_programs_leave_nothing() -> None:
    """Not even in the tables of types of the library's classes."""
    for number in range(3):
        space = run_generic(number)
    before, objects = held(space), len(gc.get_objects())
    for number in range(PROGRAMS):
        run_generic(1000 + number)
    after = held(space)
    assert after.pop("mappings") <= before.pop("mappings") + PROGRAMS // 4  # Python's own come and go
    assert after == before
    assert len(gc.get_objects()) - objects < PROGRAMS


FUNCTIONS = int(os.environ.get("DORA_FREED_FUNCTIONS", "2000"))


def test_functions_are_placed_and_freed_again_and_again(counting: Counting) -> None:
    loader, space = counting.module.loader, counting.module.space
    instance = executor(counting.module)
    assert counting.call(instance, "sum", 10) == 45
    before = held(space)
    for _ in range(FUNCTIONS):
        code = loader.placed["sum"].code
        loader.free("sum")
        loader.place(code)
    assert held(space) == before
    assert counting.call(instance, "sum", 100) == 4950
    loader.free("sum")
    assert counting.call(instance, "sum", 100) == 4950, "who calls it has it supplied again"
    instance.instance.close()


def test_placing_does_not_change_a_code_object(counting: Counting) -> None:
    with counting.module.space.freeing, counting.module.space.lock:
        code = counting.module.code("sum")
    data, relocations = bytes(code.code.data), list(code.code.relocations)
    counting.module.loader.place(code)
    assert (bytes(code.code.data), code.code.relocations) == (data, relocations)


# Instances.


def test_instances_share_code_and_nothing_else(counting: Counting) -> None:
    first, second = executor(counting.module), executor(counting.module)
    assert [counting.call(first, "count", n) for n in (1, 2)] == [1, 3]
    assert counting.call(second, "count", 5) == 5
    assert counting.call(first, "count", 1) == 4
    size = counting.module.loader.code_size
    third = executor(counting.module)
    assert counting.call(third, "count", 7) == 7
    assert counting.module.loader.code_size == size
    for one in (first, second, third):
        one.instance.close()


def resident() -> int:
    """Bytes of memory that the process holds."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_thousand_instances_are_small(counting: Counting) -> None:
    counting.call(executor(counting.module), "count", 1)
    before, mappings = resident(), held(counting.module.space)["mappings"]
    instances = [executor(counting.module) for _ in range(1000)]
    for number, one in enumerate(instances):
        assert counting.call(one, "count", number) == number
        assert one.instance.made_heap is None
    assert resident() - before < 1000 * 16_000
    assert held(counting.module.space)["mappings"] - mappings < 100
    for one in instances:
        one.instance.close()


def test_a_busy_instance_is_not_entered_again(counting: Counting) -> None:
    """What its output is written to calls it."""
    refused = []

    class Caller(io.BytesIO):
        def write(self, data: object, /) -> int:
            try:
                counting.call(instance, "count", 1)
            except InstanceBusy as error:
                refused.append(str(error))
            return 0

        def isatty(self) -> bool:
            return True

    instance = executor(counting.module, Caller())
    counting.call(instance, "shout", 3)
    assert refused and set(refused) == {"the instance is running already"}
    assert counting.call(instance, "count", 2) == 2
    instance.instance.close()


# Threads.


def test_eight_threads_run_instances_of_one_module() -> None:
    """Functions are compiled by whoever comes first."""
    for _ in range(5):
        counting, barrier, results = Counting(), Barrier(8), []

        def work(
            counting: Counting = counting, barrier: Barrier = barrier, results: list[object] = results
        ) -> None:
            instance = executor(counting.module)
            barrier.wait()
            for n in range(100, 1100, 100):
                results.append((n, counting.call(instance, "sum", n)))
            instance.instance.close()

        threads = [Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 80
        assert all(total == n * (n - 1) // 2 for n, total in results)  # type: ignore[attr-defined]
        counting.module.close()


# Upcalls.

KINDS = [Kind.BOOL, Kind.BYTE, Kind.CHAR, Kind.INT, Kind.LONG, Kind.FLOAT, Kind.DOUBLE]
VALUES: list[bool | int | float] = [True, 200, 0x1F600, -7, -(1 << 40), 0.5, 1e300]


@pytest.mark.parametrize("count", [0, 1, 5, 6, 9, 14, 30])
@pytest.mark.parametrize("result", range(len(KINDS)))
def test_upcalls_carry_every_kind_and_any_number(
    counting: Counting, monkeypatch: pytest.MonkeyPatch, count: int, result: int
) -> None:
    """A function that hands all of its parameters to an internal one, which Python supplies."""
    kinds, values = (KINDS * 5)[:count], (VALUES * 5)[:count]
    key = f"carried {count} {result}"
    carried: list[object] = []

    def meaning(context: object, *arguments: object) -> object:
        carried[:] = arguments
        return VALUES[result]

    monkeypatch.setitem(INTERNALS, key, Internal(key, Supplier.PYTHON, "meaning"))
    monkeypatch.setitem(MEANINGS, key, meaning)
    internal = FunctionRef(key, key, key, None, tuple(kinds), KINDS[result], False, internal=key)
    caller = FunctionRef(f"calls {key}", "caller", "caller()", None, tuple(kinds), KINDS[result], False)
    registers = tuple(Register(number) for number in range(count + 1))
    code = [CallInternal(registers[-1], internal, registers[:-1]), Return(registers[-1])]
    module = counting.module
    bytecode = Bytecode(caller, [*kinds, KINDS[result]], code, [1, 1])
    module.loader.place(compile_for(module.space.target, bytecode, module.environment))
    instance = executor(module)
    words = [instance.to_word(value, kind) for value, kind in zip(values, kinds, strict=True)]
    assert instance.run(caller, words) == VALUES[result]
    assert carried == values
    instance.instance.close()
