"""The passes in their order: a function to a function that does the same in less time.

bytecode -> inline -> build -> PASSES -> schedule -> registers -> bytecode
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter
from typing import Final, NamedTuple

from doralang.bytecode import instructions as i
from doralang.bytecode.function import Function
from doralang.bytecode.verifier import verify
from doralang.optimizing.algebra import simplify
from doralang.optimizing.branches import decide_branches
from doralang.optimizing.build import build_graph
from doralang.optimizing.checks import remove_checks
from doralang.optimizing.columns import check_columns
from doralang.optimizing.dead import remove_dead_code
from doralang.optimizing.division import replace_divisions
from doralang.optimizing.emit import emit_function
from doralang.optimizing.graph import Graph
from doralang.optimizing.inlining import NoWorld, World, inline
from doralang.optimizing.jump_threading import asks_again, thread_jumps
from doralang.optimizing.memory import remove_memory_accesses
from doralang.optimizing.objects import replace_objects
from doralang.optimizing.strips import cut_into_strips
from doralang.optimizing.verifier import verify_graph

VERIFIES: Final = bool(os.environ.get("DORA_VERIFY"))
"""Whether each pass is looked after; tests set the environment variable."""


LARGEST: Final = 2000
"""instructions; larger functions stay as they are, as passes would take too long for them"""


class Pass(NamedTuple):
    """`run` changes the graph; it says how many things it has found."""

    name: str
    run: Callable[[Graph], int]


PASSES: Final = (
    Pass("algebra", simplify),
    Pass("branches", decide_branches),
    Pass("objects", replace_objects),
    Pass("memory", remove_memory_accesses),
    Pass("checks", remove_checks),
    Pass("branches", decide_branches),
    Pass("memory", remove_memory_accesses),
    Pass("algebra", simplify),
    Pass("division", replace_divisions),
    Pass("dead code", remove_dead_code),
)
"""in the order in which they run"""


MORE_ROUNDS: Final = 3


NOTHING_KNOWN: Final[World] = NoWorld()


class Times(dict[str, float]):
    """Seconds by the name of a pass, for `--stats`."""

    def __init__(self) -> None:
        super().__init__()
        self.functions = 0
        self.instructions = 0
        self.grown = 0
        """instructions behind inlining"""
        self.found: dict[str, int] = {}

    def add(self, name: str, start: float, found: int = 0) -> float:
        """Note a pass that has begun at `start`; the time now."""
        now = perf_counter()
        self[name] = self.get(name, 0.0) + now - start
        self.found[name] = self.found.get(name, 0) + found
        return now

    def __str__(self) -> str:
        size = f"{self.instructions} instructions, {self.grown} with inlined ones"
        lines = [f"optimizer: {self.functions} functions, {size}"]
        for name, seconds in self.items():
            found = self.found[name]
            lines.append(f"  {name:<12} {seconds * 1e3:8.1f} ms" + (f" {found:7} found" if found else ""))
        return "\n".join(lines) + "\n"


def optimized_graph(function: Function, times: Times, world: World = NOTHING_KNOWN) -> Graph:
    """The graph of a function behind all passes.

    Where they find out what an object is that something virtual is called on, as a lambda in a field of an
    iterator, there is more to inline, and it goes all over again.
    """
    graph = graph_of_inlined(function, times, world)
    for _ in range(MORE_ROUNDS):
        if world is NOTHING_KNOWN or not calls_what_is_known(graph):
            break
        graph = graph_of_inlined(emit_function(graph), times, world, is_first=False)
    return graph


def calls_what_is_known(graph: Graph) -> bool:
    return any(node.op is i.CallVirtual and node.inputs[0].op is i.NewObject for node in graph.fixed())


def graph_of_inlined(function: Function, times: Times, world: World, *, is_first: bool = True) -> Graph:
    """The same, once."""
    now = perf_counter()
    function, found = inline(function, world)
    now = times.add("inlining", now, found)
    if VERIFIES and found:
        verify(function)
    if not is_first:
        function, found = thread_jumps(function)
        now = times.add("jumps", now, found)
        if VERIFIES and found:
            verify(function)
    times.grown += len(function.code)
    return graph_of(function, times)


def graph_of(function: Function, times: Times) -> Graph:
    """The graph behind all passes, of what has been inlined already."""
    now = perf_counter()
    graph = build_graph(function)
    now = times.add("build", now)
    if VERIFIES:
        verify_graph(graph, "build")
    for name, run in PASSES:
        now = perf_counter()
        times.add(name, now, run(graph))
        if VERIFIES:
            verify_graph(graph, name)
    return graph


def with_loops_split(graph: Graph, times: Times) -> tuple[Graph, Function]:
    """A graph and its bytecode, in which no loop asks what an earlier round has answered for good.

    Only behind all passes is it seen that what is compared stays the same: loads and calls are gone by then.
    """
    function = emitted(graph, times)
    for _ in range(MORE_ROUNDS):
        now = perf_counter()
        threaded, found = thread_jumps(function) if asks_again(function) else (function, 0)
        times.add("jumps", now, found)
        if not found:
            break
        if VERIFIES:
            verify(threaded)
        graph = graph_of(threaded, times)
        function = emitted(graph, times)
    return graph, function


def emitted(graph: Graph, times: Times) -> Function:
    """The bytecode of a graph."""
    now = perf_counter()
    function = emit_function(graph)
    times.add("emit", now)
    return function


def optimize(
    function: Function,
    times: Times,
    world: World = NOTHING_KNOWN,
    show: Callable[[Graph], None] | None = None,
    *,
    masks_indexes: bool = False,
) -> Function:
    """The optimized bytecode of a function; `show` is given the graph that it is made of.

    Without a `world` nothing is inlined.  Where indexes are masked, loops over slices keep their checks.
    """
    if len(function.code) > LARGEST and show is None:
        return function
    times.functions += 1
    times.instructions += len(function.code)
    graph, result = with_loops_split(optimized_graph(function, times, world), times)
    if show is not None:
        show(graph)
    now = perf_counter()
    result, found = check_columns(result)
    now = times.add("columns", now, found)
    result, found = cut_into_strips(result, of_slices=not masks_indexes)
    times.add("strips", now, found)
    if VERIFIES:
        verify(result)
    return result
