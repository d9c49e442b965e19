"""The engine `vm`: a program, lowered function by function and run by closures.

A function is lowered and its first block translated when it is first called (`Machine.code_of`).
Failures arrive here as Python exceptions, whose tracebacks tell which functions were active.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

from doralang import interrupts
from doralang.bytecode.entities import FunctionRef, GlobalRef
from doralang.bytecode.function import Function as Bytecode
from doralang.bytecode.native import NativeFailure, NativeProvider, Place
from doralang.checker.program import Function, Program
from doralang.engines.door import Door, Testing
from doralang.interpreter.context import FrameDescription, HostContext
from doralang.interpreter.objects import Array, ClassInstance, Object, Str, Value
from doralang.interpreter.output import NO_INPUT, Output, as_utf8
from doralang.interpreter.sinks import ByteSink
from doralang.interpreter.stack import on_deep_stack, with_headroom
from doralang.lower.functions import lowering
from doralang.optional import load
from doralang.settings import Settings
from doralang.types.failures import FatalError, Trapped, as_failure
from doralang.types.traps import StackTrace, Trap, trace_of
from doralang.types.types import LONG, kind_of
from doralang.vm.code import (
    ClosureBlock,
    ClosureCode,
    Registers,
    active_sites,
    failed_frames,
    run,
    told_of,
    with_room,
)
from doralang.vm.hot import HotFunctions
from doralang.vm.objects import DEFAULTS
from doralang.vm.statistics import Statistics
from doralang.vm.translator import Translator

if TYPE_CHECKING:
    from doralang.settings import ByteSource
    from doralang.tracing.loops import Compiler, Loops

VERIFIES: Final = bool(os.environ.get("DORA_VERIFY"))
"""Whether all bytecode is checked before it is translated; tests set the environment variable."""

MOST_FRAMES: Final = 50_000
"""Calls nested deeper than about this are the failure `stack overflow`."""

MANY_REGISTERS: Final = 200
"""so many count as one frame more"""
PYTHON_FRAMES: Final = 2
"""that a call takes: the closure, and `run`"""

HOT: Final = 1000
"""calls and rounds of loops after which a function is hot"""

MOST_NESTED: Final = 1000
"""Type arguments nested deeper are those of a generic that instantiates itself without end."""


class Machine(Door):
    """Runs one program.  `stdin`, `stdout` and `stderr` are files for bytes."""

    provider: Callable[[], NativeProvider] | None = None
    """makes what compiles hot functions, if anything does"""
    compiler: Callable[[], Compiler] | None = None
    """the same for the traces of hot loops"""

    def __init__(
        self,
        program: Program,
        *,
        arguments: Sequence[str] = (),
        stdin: ByteSource = NO_INPUT,
        stdout: ByteSink,
        stderr: ByteSink,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.program = program
        self.stderr = stderr
        self.output = Output(stdout)
        self.specializer = lowering(program)
        classes = program.library.classes
        self.exception_class = self.specializer.class_ref(classes["Exception"].of())
        self.context = HostContext(
            self,
            self.output,
            stdin,
            [as_utf8(argument) for argument in arguments],
            self.settings.heap_size,
            self.specializer.class_ref(classes["Str"].of()),
            self.specializer.class_ref(classes["Array"].of((LONG,))),
        )
        self.statistics = Statistics()
        self.pending: list[Value] = []
        known = [*program.library.globals.values(), *program.globals]
        self.globals: list[Value] = [DEFAULTS[kind_of(one.type)] for one in known]
        self.codes: dict[FunctionRef, ClosureCode] = {}
        self.literals: dict[str, Str] = {}
        self.recorded = Records()
        self.translators: dict[FunctionRef, Translator] = {}
        self.hot: HotFunctions | None = None
        self.loops: Loops | None = None
        threshold, at_once = self.settings.hot or HOT, self.settings.hot_now
        if self.provider is not None:
            self.hot = HotFunctions(threshold, self.provider(), self, at_once=at_once)
        if self.compiler is not None:
            loops = load("doralang.tracing.loops").Loops
            self.loops = loops(
                threshold, self.compiler(), self, self.hot, at_once=at_once, show=self.show_trace
            )

    # Whole programs.

    def print_statistics(self) -> None:
        if self.settings.stats:
            parts = [self.statistics, self.hot, self.loops]
            self.stderr.write("".join(str(part) for part in parts if part is not None).encode())

    def initialize_globals(self) -> None:
        """Raises Failure and Exit."""
        for initializer in self.specializer.initializers():
            self.enter(initializer, [])

    @contextmanager
    def testing(self) -> Iterator[Testing]:
        testing = self.program.library.classes["Testing"]
        cls = self.specializer.class_ref(testing.of())
        failed = self.specializer.field_ref(testing.of(), testing.fields["failed"])
        object = ClassInstance(cls, [DEFAULTS[field.kind] for field in cls.fields])
        yield Testing(object, lambda: bool(object.fields[failed.index]))

    def code_size(self) -> int:
        """In closures."""
        return self.statistics.closures

    def close(self) -> None:
        """End the threads that wait for hot code, and write what a signal has kept from being written."""
        for part in (self.hot, self.loops):
            if part is not None:
                part.close()
        self.output.flush()

    # Calls.

    def call(self, function: Function, arguments: list[Value]) -> Value:
        """Call a function that is not generic from outside.  Raises Failure and Exit."""
        return self.enter(self.specializer.entry_ref(function), arguments)

    def enter(self, ref: FunctionRef, arguments: list[Value]) -> Value:
        """Whatever way it ends, its output is written then."""
        self.pending.clear()
        code = self.code_of(ref)
        try:
            result = on_deep_stack(lambda: run(code, [*arguments]), MOST_FRAMES * PYTHON_FRAMES)
        except NativeFailure as error:
            interrupts.raise_if_terminated()
            shown = [place for place in error.places if not place[0].hidden]
            sites = [*shown, *sites_of(failed_frames(error)[1:])]
            failure = as_failure(Trapped(error.trap), trace_of(sites, describe, error.left_out))
        except BaseException as error:
            failure = as_failure(error, trace_of(sites_of(failed_frames(error)), describe))
            if failure is None:
                raise
        else:
            return None if ref.result is None else result
        finally:
            self.output.flush()
        assert failure is not None
        raise failure

    # What translation asks for (`vm.translator.Linker`).

    def code_of(self, ref: FunctionRef) -> ClosureCode:
        """A function; its bytecode is made when it is first called."""
        code = self.codes.get(ref)
        if code is None:
            code = self.codes[ref] = self.untranslated(ref)
        return code

    def untranslated(self, ref: FunctionRef) -> ClosureCode:
        def begin(r: Registers) -> ClosureBlock:
            with_headroom(lambda: self.translate(code, start))
            r[len(ref.parameters) :] = code.rest
            return code.entry

        start = ClosureBlock((), begin)
        code = ClosureCode(ref, start)
        return code

    def translate(self, code: ClosureCode, start: ClosureBlock) -> None:
        """Make the function ready to run, up to its first block, in place of `start`."""
        first = self.first_block(self.translator_of(code.ref))
        if self.hot is not None:
            first = self.hot.counting_entry(code, first)
        if code.entry is start:  # it may have become native meanwhile
            code.entry = first

    def bytecode(self, ref: FunctionRef) -> Bytecode:
        """The bytecode of a function; made when first asked for."""
        if self.specializer.nesting(ref) > MOST_NESTED:
            raise Trapped(Trap.STACK)
        known = ref in self.specializer.bytecode
        function = self.specializer.code(ref)
        if VERIFIES and not known:
            load("doralang.bytecode.verifier").verify(function)
        return function

    def translator_of(self, ref: FunctionRef) -> Translator:
        """What makes the blocks of a function."""
        translator = self.translators.get(ref)
        if translator is None:
            function = self.bytecode(ref)
            self.statistics.functions += 1
            self.emit(function)
            translator = Translator(function, self.code_of(ref), self, self.loops or self.hot)
            self.translators[ref] = translator
        return translator

    def plain_entry(self, code: ClosureCode) -> ClosureBlock:
        translator = Translator(self.bytecode(code.ref), code, self, self.loops)
        self.translators[code.ref] = translator
        return self.first_block(translator)

    def first_block(self, translator: Translator) -> ClosureBlock:
        """The entry; a function with many registers may not recurse as deep, or it would fill the memory."""
        weight = 1 + len(translator.function.registers) // MANY_REGISTERS
        first = translator.block(0)
        return first if weight == 1 else with_room(first, MOST_FRAMES * PYTHON_FRAMES // weight)

    def emit(self, function: Bytecode) -> None:
        """Print what the settings ask for."""
        if self.settings.shows("bytecode", function.ref.plain_name, function.ref.file):
            self.show(load("doralang.bytecode.printer").print_function(function) + "\n")

    def show(self, text: str) -> None:
        self.output.write(text.encode())

    def show_trace(self, ref: FunctionRef, text: Callable[[], str]) -> None:
        """Print the trace of a loop of this function, if somebody wants to see it."""
        if self.settings.shows("trace", ref.plain_name, ref.file):
            self.show(text())

    def literal(self, text: str) -> Str:
        """The string of a literal, one object for all that are equal."""
        literal = self.literals.get(text)
        if literal is None:
            literal = self.literals[text] = self.context.text(text.encode())
        return literal

    def global_index(self, variable: GlobalRef) -> int:
        """The place of a variable in `globals`, where a default value is until something is stored."""
        return variable.index

    # What internal functions ask for (`host.context.Engine`).

    def call_by_name(self, name: str) -> None:
        function = self.program.callable_by_name(name)
        if function is None:
            raise FatalError(f"fct `{name}` not found.")
        if function.parameters or function.type_parameters:
            raise FatalError(f"fct `{name}` takes arguments.")
        run(self.code_of(self.specializer.function_ref(function)), [])

    def record_stack(self) -> list[int]:
        return [self.recorded.number(place) for place in active_sites(sys._getframe())[1:]]

    def describe(self, entry: int) -> FrameDescription:
        return describe(self.recorded.places[entry])

    # Exceptions that nobody catches.

    def leave_uncaught(self, line: int) -> None:
        """The failure when an exception leaves the innermost function, which may not let it out."""
        (innermost, _), *others = active_sites(sys._getframe())
        object = self.pending.pop()
        assert isinstance(object, ClassInstance | Str | Array), "nil is never thrown"
        trace = self.recorded_trace(object)
        if trace is None:
            trace = trace_of([(innermost, line), *others], describe)
        raise Trapped(Trap.UNCAUGHT, self.text_of(object), trace)

    def text_of(self, object: Object) -> str:
        message = object if isinstance(object, Str) else self.exception_field(object, "msg")
        return str(message) if isinstance(message, Str) else str(object.type)

    def recorded_trace(self, object: Object) -> StackTrace | None:
        """The trace that an exception has recorded."""
        record = self.exception_field(object, "record")
        if not isinstance(record, Array):
            return None
        return trace_of(record.items, self.describe)  # type: ignore[arg-type]

    def exception_field(self, object: Object, name: str) -> Value:
        """A field of the library's `Exception`, or None if the object is none."""
        if not isinstance(object, ClassInstance) or not object.type.extends(self.exception_class):
            return None
        exception = self.program.library.classes["Exception"]
        field = self.specializer.field_ref(exception.of(), exception.fields[name])
        return object.fields[field.index]


class Records:
    """Numbers for places, as recorded stacks store them."""

    def __init__(self) -> None:
        self.numbers: dict[Place, int] = {}
        self.places: list[Place] = []

    def number(self, place: Place) -> int:
        number = self.numbers.get(place)
        if number is None:
            number = self.numbers[place] = len(self.places)
            self.places.append(place)
        return number


def sites_of(frames: Sequence[FrameType]) -> list[Place]:
    """The functions that are active in some frames of `run`."""
    return [site for frame in frames for site in told_of(frame)]


def describe(place: Place) -> FrameDescription:
    function, line = place
    return FrameDescription(function.signature, line, function.file)
