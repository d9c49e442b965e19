"""Hot functions of the VM, with a provider that makes "native" functions in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import Any

import pytest

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.native import NativeFailure, NativeFunction
from doralang.types.failures import Failure
from doralang.types.traps import Trap
from doralang.vm.hot import State
from walking import Walk

PROGRAM = """
    fun square(n: int) -> int { return n * n; }
    fun twice(n: int) -> int {
      return square(n) + square(n);
    }
    fun count(n: int) -> int { var i = 0; while i < n { i = i + 1; } return i; }
    fun last(a: Array<int>) -> int {
      return a[a.len() - 1];
    }
    fun fill(a: Array<int>) { a[0] = 7; }
    fun main() {
      let a = Array(3, 1);
      for i in range(0, 20) { fill(a); }
      println(a[0].toString());
      println(last(a).toString());
    }
    fun broken() -> int {
      return last(Array::<int>(0));
    }
"""


class Stub:
    """Makes what it has a Python function for; notes what it is asked."""

    def __init__(self, **functions: Callable[..., Any]) -> None:
        self.functions = functions
        self.asked: list[list[str]] = []
        self.calls: list[str] = []
        self.may_go_on = Event()
        self.may_go_on.set()

    def reason(self, function: Function) -> str:
        return "" if function.name in ("square", "twice", "count", "last", "fill") else "it is a stub"

    def compile(self, functions: Sequence[Function]) -> Mapping[FunctionRef, NativeFunction | str]:
        self.may_go_on.wait(10)
        self.asked.append([function.name for function in functions])
        return {function.ref: self.made(function.name) for function in functions}

    def made(self, name: str) -> NativeFunction | str:
        function = self.functions.get(name)
        if function is None:
            return "there is no toolchain"

        def call(*arguments: Any) -> Any:
            self.calls.append(name)
            return function(*arguments)

        return call


def walk(stub: Stub, *, hot: int = 3, hot_now: bool = True) -> Walk:
    return Walk(PROGRAM, engine="vm", provider=stub, hot=hot, hot_now=hot_now)


def test_a_function_that_is_called_often_becomes_native() -> None:
    stub = Stub(square=lambda n: n * n)
    vm = walk(stub)
    assert [vm.call("square", n) for n in (5, 6, 7, 8)] == [25, 36, 49, 64]
    assert (stub.asked, stub.calls) == ([["square"]], ["square"])


def test_a_function_with_a_long_loop_is_native_when_it_is_called_again() -> None:
    stub = Stub(count=lambda n: n)
    vm = walk(stub)
    assert (vm.call("count", 10), stub.calls) == (10, [])
    assert (vm.call("count", 10), stub.calls) == (10, ["count"])


def test_functions_are_made_together_with_those_that_they_call() -> None:
    stub = Stub(square=lambda n: n * n, twice=lambda n: 2 * n * n)
    vm = walk(stub, hot=1)
    assert vm.call("twice", 3) == 18
    assert stub.asked == [["twice", "square"]]
    assert (vm.call("twice", 4), stub.calls[-1]) == (32, "twice")


def test_what_cannot_be_native_stays_and_counts_no_more() -> None:
    stub = Stub()
    vm = walk(stub)
    hot = vm.interpreter.hot
    assert [vm.call("square", 3) for _ in range(9)] == [9] * 9
    assert stub.asked == [["square"]]
    counter = next(one for one in hot.counters.values() if one.code.ref.name == "square")
    assert (counter.state, counter.left) == (State.REFUSED, 0)
    assert str(hot) == "hot functions:\n  square: in the VM, because there is no toolchain\n"


def test_a_function_that_is_refused_at_sight_is_not_asked_for() -> None:
    stub = Stub()
    vm = Walk("fun other() -> int { return 1; } fun main() {}", engine="vm", provider=stub, hot=1)
    assert (vm.call("other"), vm.call("other"), stub.asked) == (1, 1, [])
    assert "other: in the VM, because it is a stub\n" in str(vm.interpreter.hot)


def test_the_program_runs_on_while_functions_are_compiled() -> None:
    stub = Stub(square=lambda n: n * n)
    stub.may_go_on.clear()
    vm = walk(stub, hot_now=False)
    for _ in range(10):
        assert vm.call("square", 3) == 9
    assert (stub.calls, "square: in the VM, still waiting" in str(vm.interpreter.hot)) == ([], True)
    stub.may_go_on.set()
    vm.interpreter.hot.jobs.put(None)  # after this job the thread may go
    vm.interpreter.hot.thread.join(10)
    assert (vm.call("square", 3), stub.calls) == (9, ["square"])


def test_arrays_are_shared() -> None:
    def fill(array: Any) -> None:
        memoryview(array.items)[0] = 8

    stub = Stub(fill=fill)
    result = walk(stub).run()
    assert (result.out, stub.calls) == ("8\n1\n", ["fill"] * 17)


def test_a_failure_in_native_code_has_the_trace_of_all_functions() -> None:
    refs: dict[str, FunctionRef] = {}

    class Failing(Stub):
        def compile(self, functions: Sequence[Function]) -> Mapping[FunctionRef, NativeFunction | str]:
            refs.update({function.name: function.ref for function in functions})
            return super().compile(functions)

    def last(array: Any) -> int:
        raise NativeFailure(Trap.INDEX, [(refs["last"], 8)])

    vm = walk(Failing(last=last), hot=1)
    expected = ["last(Array<int>) -> int: 8", "broken() -> int: 18"]
    for _ in range(2):
        with pytest.raises(Failure) as caught:
            vm.call("broken")
        assert (caught.value.trap, caught.value.trace) == (Trap.INDEX, expected)
