"""Typed program to compiled functions, one by one as they are asked for: lowering and baseline compiler.

translator = Translator(program)
translator.function(ref)   ->   CompiledFunction
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from typing import Final

from doralang.baseline.compiler import compile_for
from doralang.bytecode.entities import FunctionRef
from doralang.check.program import Function, Program
from doralang.code.objects import CompiledFunction
from doralang.lower.functions import lowering
from doralang.lower.specializer import Specializer
from doralang.native.image import capture
from doralang.native.supplier import Client, Image, Request, Roots
from doralang.optional import load
from doralang.runtime.internals import HEAP_FUNCTIONS
from doralang.types.failures import FatalError, Trapped
from doralang.types.traps import Trap
from doralang.types.types import LONG

VERIFIES: Final = bool(os.environ.get("DORA_VERIFY"))
"""Whether all bytecode is checked before it is compiled; tests set the environment variable."""

MOST_NESTED: Final = 1000
"""Type arguments nested deeper are those of a generic that instantiates itself without end.

That recursion would overflow the stack, but long before it has compiled thousands of functions.
"""


class Translator:
    """Compiles the functions of one program.

    `requests` is what was asked so far, as far as it made something new.  With `keep`, `compiled` has all
    functions so far.
    """

    def __init__(self, program: Program, *, keep: bool = False) -> None:
        self.program = program
        self.specializer = lowering(program)
        self.roots = find_roots(program, self.specializer)
        self.requests: list[Request] = []
        self.found: dict[Request, FunctionRef] = {}
        """the functions that were asked for by a name of the program's text"""
        self.by_name: dict[str, FunctionRef] = {}
        self.keep = keep
        self.compiled: list[CompiledFunction] = []

    def serve(self, client: Client) -> None:
        self.client = client
        self.environment = Environment(self, client)

    def function(self, ref: FunctionRef) -> CompiledFunction:
        """Compile a function, and print what people want to see of it."""
        specializer, emission = self.specializer, self.client.emission
        if specializer.nesting(ref) > MOST_NESTED:
            raise Trapped(Trap.STACK)
        self.requests.append(Request("function", ref.name))
        bytecode = specializer.code(ref)
        if VERIFIES:
            load("doralang.bytecode.verifier").verify(bytecode)
        dump = emission.bytecode(bytecode)
        compiled = compile_for(
            self.client.instance.target,
            bytecode,
            self.environment,
            comments=emission.wants_asm(ref),
            breakpoint=emission.wants_breakpoint(ref.plain_name),
        )
        dump += emission.asm(compiled)
        if dump:
            self.client.show(dump)
        if self.keep:
            self.compiled.append(compiled)
        return compiled

    def heap_function(self, name: str) -> FunctionRef:
        request = Request("heap", name)
        return self.found.get(request) or self.find(request, self.program.library.functions[name])

    def callable(self, name: str) -> FunctionRef:
        function = self.program.callable_by_name(name)
        if function is None:
            raise FatalError(f"fct `{name}` not found.")
        if function.parameters or function.type_parameters:
            raise FatalError(f"fct `{name}` takes arguments.")
        request = Request("call", name)
        return self.found.get(request) or self.find(request, function)

    def find(self, request: Request, function: Function) -> FunctionRef:
        self.requests.append(request)
        ref = self.found[request] = self.specializer.function_ref(function)
        return ref

    def image(self) -> Image | None:
        """What is to be stored of the program."""
        instance = self.client.instance
        return capture(self.roots, instance, self.compiled, self.requests, self.found)

    # Taking up what another translator began.

    def replay(self, requests: Sequence[Request]) -> None:
        """Make everything that these requests made, so that it has the same names; compile nothing."""
        for kind, name in requests:
            if kind == "heap":
                self.heap_function(name)
            elif kind == "call":
                self.callable(name)
            else:
                self.specializer.code(self.named(name))
                self.requests.append(Request(kind, name))

    def named(self, name: str) -> FunctionRef:
        """The function of this name, which something has mentioned."""
        known = self.by_name
        if name not in known:
            known.update((ref.name, ref) for ref in islice(self.specializer.origins, len(known), None))
        return known[name]


def find_roots(program: Program, specializer: Specializer) -> Roots:
    library = program.library
    exception, fields = library.classes["Exception"].of(), library.classes["Exception"].fields
    return Roots(
        str_class=specializer.class_ref(library.classes["Str"].of()),
        longs_class=specializer.class_ref(library.classes["Array"].of((LONG,))),
        exception_class=specializer.class_ref(exception),
        msg_field=specializer.field_ref(exception, fields["msg"]),
        record_field=specializer.field_ref(exception, fields["record"]),
        initializers=tuple(specializer.initializers()),
        main=specializer.entry_ref(program.main) if program.main else None,
    )


class Environment:
    """What the baseline compiler asks, answered by an instance."""

    def __init__(self, translator: Translator, client: Client) -> None:
        self.translator = translator
        self.collector = client.collector
        self.instance = instance = client.instance
        self.bounds_checks = client.bounds_checks
        self.marks_cards = client.collector.marks_cards
        self.entry = instance.entry
        self.shape = instance.shape
        self.field_offset = instance.field_offset
        self.instance_size = instance.instance_size
        self.literal = instance.literal
        self.global_offset = instance.global_offset

    def text_shape(self) -> str:
        return self.instance.shape(self.instance.str_class)

    def internal(self, function: FunctionRef) -> FunctionRef | None:
        assert function.internal is not None
        name = HEAP_FUNCTIONS.get(function.internal)
        if function.internal == "forceCollect":
            name = self.collector.collect
        if name is not None:
            return self.translator.heap_function(name)
        self.instance.internal_symbol(function)
        return None
