"""Recursions without end, with frames of every size: each engine says so, at the same lines, and goes on living."""

from __future__ import annotations

import re

import pytest

from command_line import ENGINES, dora, dora_alone
from doralang.checker.declarations import MOST_LETTERS, fitting_signature
from doralang.machine.targets import host
from doralang.runtime import active, stacks
from doralang.source.toolchains import find_c, find_go
from doralang.types.traps import TRACE_LIMIT, StackTrace, trace_lines, trace_of

NATIVE = [
    pytest.param("c", marks=pytest.mark.skipif(find_c() is None, reason="there is no C compiler")),
    pytest.param("baseline", marks=pytest.mark.skipif(host() is None, reason="no code for this machine")),
]
SIZES = [0, 1, 60, 900, 1100, 3000]
"""numbers of locals: frames in registers, small ones, those about as large as may be unchecked, large ones"""


def recursion(locals: int) -> str:
    """A function with so many locals that are needed behind the call of itself."""
    lines = [f"  let a{number} = n + {number};" for number in range(locals)]
    sum = "".join(f"  sum = sum + a{number};\n" for number in range(locals))
    return (
        "fun f(n: int) -> int {\n" + "".join(f"{line}\n" for line in lines) + "  var sum =\n    f(n + 1);\n"
        f"{sum}  return sum + 1;\n}}\nfun main() {{\n  println(f(0).toString());\n}}\n"
    )


def passing(parameters: int) -> str:
    """A function whose calls of itself pass many arguments in memory."""
    listed = ", ".join(f"p{number}: long" for number in range(parameters))
    passed = ", ".join("p0" for _ in range(parameters))
    given = ", ".join("1L" for _ in range(parameters))
    return f"fun f({listed}) -> int {{\n  return f({passed}) + 1;\n}}\nfun main() {{ println(f({given}).toString()); }}\n"


def overflow(text: str, *options: str) -> list[str]:
    """The trace of a program that overflows, without the number of the last frame."""
    command = dora_alone if "--engine=go" in options else dora  # a process holds few objects from Go
    result = command("run", *options, "-", stdin=text)
    assert (result.status, result.out) == (108, ""), result.err
    failure, *trace = result.err.splitlines()
    assert failure == "stack overflow"
    assert len(trace) == TRACE_LIMIT + 1
    assert trace[TRACE_LIMIT // 2] == "..."
    outermost = [int(line.partition(":")[0]) for line in trace[TRACE_LIMIT // 2 + 1 :]]
    assert outermost == list(range(outermost[0], outermost[0] + TRACE_LIMIT // 2))
    return [re.sub(r"^\d+: ", "", line) for line in trace]


@pytest.mark.parametrize("engine", ["walk", "vm", "trace", *NATIVE])
@pytest.mark.parametrize("locals", SIZES)
def test_frames_of_every_size(locals: int, engine: str) -> None:
    trace = overflow(recursion(locals), f"--engine={engine}")
    call, main = f"f(int) -> int: {locals + 3}", f"main(): {2 * locals + 7}"
    assert trace == [*[call] * 100, "...", *[call] * 99, main]


@pytest.mark.skipif(host() is None, reason="no code for this machine")
@pytest.mark.parametrize("locals", [40, 3000])
def test_frames_are_walked_by_collectors(locals: int) -> None:
    text = recursion(locals).replace("f(n + 1);", "f(n + Array(1, 1).len());")
    assert overflow(text, "--engine=baseline", "--young-size=64k", "--gc-verify")


@pytest.mark.parametrize("engine", NATIVE)
@pytest.mark.parametrize("parameters", [7, 300, 1200, 9000])
def test_arguments_in_memory_belong_to_the_frame(parameters: int, engine: str) -> None:
    trace = overflow(passing(parameters), f"--engine={engine}")
    assert trace[0].endswith(" -> int: 2")
    assert max(map(len, trace)) <= MOST_LETTERS + 5


@pytest.mark.skipif(host() is None, reason="no code for this machine")
@pytest.mark.parametrize(("size", "locals"), [(128 << 10, 3000), (128 << 10, 9000), (512 << 10, 40000)])
def test_a_frame_larger_than_the_stack(size: int, locals: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "stack_size", lambda: size)
    monkeypatch.setattr(stacks, "SPARE", [])
    result = dora("run", "--engine=baseline", "-", stdin=recursion(locals))
    lines = result.err.splitlines()
    assert (result.status, lines[0]) == (108, "stack overflow")
    assert lines[-1].endswith(f"main(): {2 * locals + 7}")


@pytest.mark.parametrize("engine", ENGINES)
def test_an_exception_made_deep_down_has_a_trace_that_is_cut_in_the_middle(engine: str) -> None:
    text = (
        "fun f(n: int) throws -> int {\n"
        '  if n == 0 { throw Exception("deep"); }\n'
        "  return try f(n - 1);\n"
        "}\n"
        "fun main() throws { try f(3000); }\n"
    )
    result = dora("run", f"--engine={engine}", "-", stdin=text)
    inner = ["0: f(int) -> int: 2", *[f"{number}: f(int) -> int: 3" for number in range(1, 100)]]
    outer = [f"{number}: f(int) -> int: 3" for number in range(2902, 3001)]
    expected = ["uncaught exception: deep", *inner, "...", *outer, "3001: main(): 5"]
    assert result.err.splitlines() == expected


@pytest.mark.skipif(host() is None, reason="no code for this machine")
@pytest.mark.parametrize("depth", [0, 5, active.ENDS - 3, 2 * active.ENDS - 2, 2 * active.ENDS - 1, 5000])
@pytest.mark.parametrize("engine", [["--engine=baseline"], ["--engine=opt", "--no-llvm"]], ids=" ".join)
def test_frames_are_counted_by_machine_code_as_one_by_one(
    depth: int, engine: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "fun f(n: int) -> int {\n"
        "  if n == 0 { return 1 / n; }\n"
        "  return f(n - 1) + 1;\n"
        "}\n"
        f"fun main() {{ println(f({depth}).toString()); }}\n"
    )
    found = dora("run", *engine, "-", stdin=text)
    monkeypatch.setattr(active, "ENDS", 100_000)
    assert dora("run", *engine, "-", stdin=text) == found
    assert found.err.splitlines()[-1] == f"{depth + 1}: main(): 5"


@pytest.mark.skipif(find_go() is None, reason="there is no Go toolchain")
def test_go_counts_large_frames_more() -> None:
    trace = overflow(recursion(200), "--engine=go")
    assert trace[0] == "f(int) -> int: 203"


def test_a_trace_loses_its_middle() -> None:
    few = trace_of(range(TRACE_LIMIT), str)
    assert few == StackTrace(map(str, range(TRACE_LIMIT)))
    assert trace_lines(few)[-1] == f"{TRACE_LIMIT - 1}: {TRACE_LIMIT - 1}"
    many = trace_of(range(TRACE_LIMIT + 1), str)
    lines = trace_lines(many)
    half = TRACE_LIMIT // 2
    assert (len(lines), lines[half - 1 : half + 2]) == (TRACE_LIMIT + 1, ["99: 99", "...", "101: 101"])
    more = trace_lines(trace_of(range(TRACE_LIMIT + 50), str, left_out=1000))
    assert more[half : half + 2] == ["...", f"{half + 1050}: {half + 50}"]


def test_a_signature_has_room_for_so_many_parameters() -> None:
    exact = ["x" * (MOST_LETTERS - len("f(, int) -> int")), "int"]
    assert fitting_signature("f", exact, " -> int") == f"f({', '.join(exact)}) -> int"
    assert fitting_signature("f", [f"{exact[0]}x", "int"], " -> int") == f"f({exact[0]}x, …) -> int"
    assert fitting_signature("f", [f"{exact[0]}xx", "int"], " -> int") == f"f({exact[0]}xx, …) -> int"
    assert fitting_signature("f", [f"{exact[0]}xxx", "int"], " -> int") == "f(…) -> int"
    assert fitting_signature("f", ["int"] * 1000, "").endswith("int, int, …)")
    assert len(fitting_signature("f", ["int"] * 1000, "")) > MOST_LETTERS - len("int, ")
    assert fitting_signature("f" * 500, ["int"], "") == "f" * (MOST_LETTERS - 1) + "…"
