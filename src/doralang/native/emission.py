"""What people can see of functions as they are compiled: bytecode, machine code, the perf map."""

from __future__ import annotations

import os

from doralang.machine.targets import Target, host
from doralang.optional import load
from doralang.settings import ALL, Settings
from doralang.user_cache import append_to_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from doralang.bytecode.entities import FunctionRef
    from doralang.bytecode.function import Function
    from doralang.code.objects import CodeObject
    from doralang.optimizing.graph import Graph

PERF_FOLDER: Final = "/tmp"
"""where Linux `perf` looks for the map of a process"""


class Emission:
    """Prints what the settings ask for."""

    def __init__(self, settings: Settings, target: Target) -> None:
        self.settings = settings
        self.target = target
        self.perf = None
        if settings.perf:
            map_of_process = append_to_own(f"{PERF_FOLDER}/perf-{os.getpid()}.map")
            self.perf = open(map_of_process, "a", encoding="utf-8")  # noqa: SIM115

    def wants_asm(self, ref: FunctionRef) -> bool:
        return self.settings.shows("asm", ref.plain_name, ref.file)

    def wants_breakpoint(self, name: str) -> bool:
        return name in self.settings.emit_debug or ALL in self.settings.emit_debug

    def bytecode(self, function: Function) -> str:
        """The dump of a function's bytecode, or nothing."""
        if self.settings.shows("bytecode", function.ref.plain_name, function.ref.file):
            return str(load("doralang.bytecode.printer").print_function(function)) + "\n"
        return ""

    def optimized(self, function: Function, graph: Graph) -> str:
        """The dumps of a function's graph, behind all passes, and of the bytecode that is made of it."""
        ref, dump = function.ref, ""
        if self.settings.shows("graph", ref.plain_name, ref.file):
            dump += str(load("doralang.optimizing.printer").print_graph(graph)) + "\n"
        if self.settings.shows("dot", ref.plain_name, ref.file):
            dump += str(load("doralang.optimizing.printer").print_dot(graph)) + "\n"
        if self.settings.shows("optimized", ref.plain_name, ref.file):
            dump += str(load("doralang.bytecode.printer").print_function(function)) + "\n"
        return dump

    def llvm(self, function: Function, text: str) -> str:
        """The text of the module that LLVM compiles a function from, or nothing."""
        shows = self.settings.shows("llvm", function.ref.plain_name, function.ref.file)
        return f"; {function.ref.name}\n{text}\n" if shows else ""

    def asm(self, compiled: CodeObject) -> str:
        """The listing of a function's machine code, or nothing."""
        if not self.wants_asm(compiled.ref):
            return ""
        listing = load("doralang.machine.listing")
        try:
            text = listing.listing(compiled.code, self.target, listing.Syntax(self.settings.asm_syntax))
        except listing.ListingError as error:
            return f"{compiled.ref.name}: {error}\n"
        return f"{compiled.ref.name}\n{text}\n"

    def note_place(self, name: str, address: int, size: int) -> None:
        """Tell `perf` where a function is."""
        if self.perf is not None:
            self.perf.write(f"{address:x} {size:x} dora::{name}\n")
            self.perf.flush()


def emission(settings: Settings) -> Emission | None:
    """What is to be seen of the code for this machine; None if nothing is."""
    dumps = (settings.emit, settings.emit_bytecode, settings.emit_asm, settings.emit_debug)
    target = host()
    return Emission(settings, target) if target is not None and (settings.perf or any(dumps)) else None
